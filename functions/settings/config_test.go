package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

// env returns a getenv with a complete configuration, changed by pairs of name
// and value.
func env(changes ...string) func(string) string {
	values := map[string]string{
		"JWT_ISSUER":     "https://issuer.example",
		"JWT_AUDIENCE":   "settings",
		"JWKS_URL":       "https://issuer.example/jwks.json",
		"USERS_TABLE":    "users",
		"SETTINGS_TABLE": "settings",

		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIALOCAL", "AWS_SECRET_ACCESS_KEY": "local",
	}
	for pair := range slices.Chunk(changes, 2) {
		values[pair[0]] = pair[1]
	}
	return func(name string) string { return values[name] }
}

func TestReadConfig(t *testing.T) {
	t.Parallel()
	defaults := config{
		issuer: "https://issuer.example", audiences: []string{"settings"}, jwksURL: "https://issuer.example/jwks.json",
		jwksMaxAge: 5 * time.Minute, jwksFileMaxAge: 24 * time.Hour, userClaim: "sub", usersTable: "users", settingsTable: "settings", logLevel: slog.LevelInfo,
		region: "eu-central-1", credentials: aws.Credentials{AccessKeyID: "AKIALOCAL", SecretAccessKey: "local"},
	}
	got, err := readConfig(env())
	if diff := cmp.Diff(defaults, got, cmp.AllowUnexported(config{})); err != nil || diff != "" {
		t.Errorf("defaults: error %v, (-want +got):\n%s", err, diff)
	}
	got, err = readConfig(env("JWT_AUDIENCE", " a, b ,,c ", "JWKS_MAX_AGE", "90s", "JWT_USER_CLAIM", "username",
		"JWT_REQUIRED_SCOPE", "settings/write", "LOG_LEVEL", "Warn", "AWS_LAMBDA_FUNCTION_VERSION", "7",
		"JWKS_FILE", "jwks.json", "JWKS_FILE_MAX_AGE", "12h", "AWS_SESSION_TOKEN", "session", "AWS_ENDPOINT_URL_DYNAMODB", "https://vpce.example"))
	want := defaults
	want.audiences, want.jwksMaxAge, want.userClaim = []string{"a", "b", "c"}, 90*time.Second, "username"
	want.requiredScope, want.logLevel, want.version = "settings/write", slog.LevelWarn, "7"
	want.jwksFile, want.jwksFileMaxAge = "jwks.json", 12*time.Hour
	want.credentials.SessionToken, want.endpoint = "session", aws.String("https://vpce.example")
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(config{})); err != nil || diff != "" {
		t.Errorf("all set: error %v, (-want +got):\n%s", err, diff)
	}
}

func TestReadConfigReportsProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, problem string }{
		{"JWT_ISSUER", "", "JWT_ISSUER is not set"},
		{"JWT_AUDIENCE", "", "JWT_AUDIENCE is not set"},
		{"JWT_AUDIENCE", " , ", "JWT_AUDIENCE names no audience"},
		{"JWKS_FILE_MAX_AGE", "25h", "JWKS_FILE_MAX_AGE is 25h0m0s, not between 1s and 24h0m0s"},
		{"USERS_TABLE", " ", "USERS_TABLE is not set"},
		{"AWS_REGION", "", "AWS_REGION is not set"},
		{"AWS_ACCESS_KEY_ID", "", "AWS_ACCESS_KEY_ID is not set"},
		{"AWS_SECRET_ACCESS_KEY", "", "AWS_SECRET_ACCESS_KEY is not set"},
		{"SETTINGS_TABLE", "", "SETTINGS_TABLE is not set"},
		{"JWKS_URL", "", "JWKS_URL is not set"},
		{"JWKS_URL", "issuer.example/jwks", "JWKS_URL is not an absolute URL"},
		{"JWKS_URL", "https://user:secret@issuer.example/", "JWKS_URL holds a user name or password"},
		{"JWKS_URL", "http://issuer.example/jwks", "JWKS_URL does not start with https://, which is demanded except for loopback hosts"},
		{"JWKS_URL", "http://127.0.0.1.issuer.example/jwks", "JWKS_URL does not start with https://, which is demanded except for loopback hosts"},
		{"JWKS_URL", "http://10.0.0.1/jwks", "JWKS_URL does not start with https://, which is demanded except for loopback hosts"},
		{"JWKS_URL", "file:///etc/passwd", "JWKS_URL is not an absolute URL"},
		{"JWKS_URL", "http://localhost:1/jwks", ""},
		{"JWKS_URL", "http://127.0.0.1:1/jwks", ""},
		{"JWKS_URL", "http://[::1]:1/jwks", ""},
		{"JWKS_MAX_AGE", "300", `JWKS_MAX_AGE is "300", not a duration such as "5m" or "90s"`},
		{"JWKS_MAX_AGE", "0s", "JWKS_MAX_AGE is 0s, not between 1s and 24h0m0s"},
		{"JWKS_MAX_AGE", "25h", "JWKS_MAX_AGE is 25h0m0s, not between 1s and 24h0m0s"},
		{"JWT_REQUIRED_SCOPE", "a b", "JWT_REQUIRED_SCOPE names more than one scope"},
		{"LOG_LEVEL", "loud", `LOG_LEVEL is "loud", not one of debug, info, warn and error`},
	} {
		_, err := readConfig(env(tt.name, tt.value))
		var problem string
		if err != nil {
			problem = err.Error()
		}
		if problem != tt.problem {
			t.Errorf("%s=%q: problem %q, want %q", tt.name, tt.value, problem, tt.problem)
		}
	}
}

// A function that cannot work says why, once for each reason, and answers.
func TestBrokenConfigurationAnswers(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	handler := newHandler(t.Context(), func(string) string { return "" }, &log)
	if got, want := strings.Count(log.String(), `"msg":"configuration"`), 8; got != want {
		t.Errorf("%d problems are logged, want %d:\n%s", got, want, log.String())
	}
	for range 2 {
		log.Reset()
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/settings/organization", strings.NewReader(`{"settings":{}}`)))
		if got, want := w.Body.String(), `{"success":false,"message":"Internal server error"}`; w.Code != 500 || got != want {
			t.Errorf("answer is %d %s, want 500 %s", w.Code, got, want)
		}
		var line struct {
			Msg, Error string
			Status     int
		}
		if err := json.Unmarshal(log.Bytes(), &line); err != nil || line.Msg != "request" || line.Status != 500 || line.Error == "" {
			t.Errorf("log line is %s (%v)", log.String(), err)
		}
	}
}

// A bundled JWKS that cannot be read is a broken configuration.
func TestBundledJWKSIsMissing(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	newHandler(t.Context(), env("JWKS_FILE", "absent.json"), &log)
	if want := `"msg":"configuration","version":"","error":"JWKS_FILE: open absent.json: no such file or directory"`; !strings.Contains(log.String(), want) {
		t.Errorf("log is %s, want %s", log.String(), want)
	}
}
