package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/stack"
	"orgsettings/internal/app"
	"orgsettings/internal/auth"
	"orgsettings/internal/dynamo"
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
	}
	for pair := range slices.Chunk(changes, 2) {
		values[pair[0]] = pair[1]
	}
	return func(name string) string { return values[name] }
}

func TestReadConfig(t *testing.T) {
	t.Parallel()
	defaults := config{
		Config: app.Config{
			Auth: auth.Config{
				Issuer: "https://issuer.example", Audiences: []string{"settings"}, JWKSURL: "https://issuer.example/jwks.json",
				JWKSMaxAge: 5 * time.Minute, BundledJWKSMaxAge: 24 * time.Hour, UserClaim: "sub", UserAgent: "organization-settings/dev",
			},
			Tables:    dynamo.Tables{Users: "users", Settings: "settings"},
			Retention: 365 * 24 * time.Hour,
			Build:     "dev",
		},
		logLevel: slog.LevelInfo,
	}
	got, err := readConfig(env())
	if diff := cmp.Diff(defaults, got, cmp.AllowUnexported(config{})); err != nil || diff != "" {
		t.Errorf("defaults: error %v, (-want +got):\n%s", err, diff)
	}
	got, err = readConfig(env("JWT_AUDIENCE", " a, b ,,c ", "JWKS_MAX_AGE", "90s", "JWT_USER_CLAIM", "username",
		"JWT_REQUIRED_SCOPE", "settings/write", "LOG_LEVEL", "Warn", "AWS_LAMBDA_FUNCTION_VERSION", "7",
		"JWKS_FILE", writeFile(t, []byte("{}")), "JWKS_FILE_MAX_AGE", "12h",
		"HISTORY_TABLE", "history", "HISTORY_DAYS", "0", "REQUIRE_PRECONDITION", "true"))
	want := defaults
	want.Auth.Audiences, want.Auth.JWKSMaxAge, want.Auth.UserClaim = []string{"a", "b", "c"}, 90*time.Second, "username"
	want.Auth.RequiredScope, want.logLevel, want.version = "settings/write", slog.LevelWarn, "7"
	want.Tables.History, want.Retention, want.RequireCondition = "history", 0, true
	want.Auth.BundledJWKS, want.Auth.BundledJWKSMaxAge = []byte("{}"), 12*time.Hour
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
		{"HISTORY_DAYS", "36501", `HISTORY_DAYS is "36501", not a number of days from 0 (for ever) to 36500`},
		{"HISTORY_DAYS", "-1", `HISTORY_DAYS is "-1", not a number of days from 0 (for ever) to 36500`},
		{"HISTORY_DAYS", "1h", `HISTORY_DAYS is "1h", not a number of days from 0 (for ever) to 36500`},
		{"REQUIRE_PRECONDITION", "yes", `REQUIRE_PRECONDITION is "yes", not true or false`},
		{"USERS_TABLE", " ", "USERS_TABLE is not set"},
		{"SETTINGS_TABLE", "", "SETTINGS_TABLE is not set"},
		{"JWKS_URL", "", "JWKS_URL is not set"},
		{"JWKS_URL", "issuer.example/jwks", "JWKS_URL is not an absolute URL"},
		{"JWKS_URL", "https://user:secret@issuer.example/", "JWKS_URL holds a user name or password"},
		{"JWKS_URL", "http://issuer.example/jwks", "JWKS_URL does not start with https://, which is required except for loopback hosts"},
		{"JWKS_URL", "http://127.0.0.1.issuer.example/jwks", "JWKS_URL does not start with https://, which is required except for loopback hosts"},
		{"JWKS_URL", "http://10.0.0.1/jwks", "JWKS_URL does not start with https://, which is required except for loopback hosts"},
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

// A broken configuration is answered, and each problem is logged once: the program does not start again and again.
func TestBrokenConfiguration(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the program asks for configuration over the network")
	}))
	t.Cleanup(elsewhere.Close)
	for name, tt := range map[string]struct {
		env      map[string]string
		problems []string
	}{
		"nothing is set": {
			map[string]string{
				"JWT_ISSUER": "", "JWT_AUDIENCE": "", "JWKS_URL": "", "USERS_TABLE": "", "SETTINGS_TABLE": "",
				"AWS_REGION": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "",
			},
			[]string{
				"JWT_ISSUER is not set", "JWT_AUDIENCE is not set", "JWKS_URL is not set", "USERS_TABLE is not set", "SETTINGS_TABLE is not set",
				"AWS_REGION is not set", "AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set",
			},
		},
		"wrong values": {
			map[string]string{"JWKS_URL": "http://issuer.example/keys", "LOG_LEVEL": "loud", "JWKS_FILE": "absent.json", "SCHEMA_FILE": "absent.json"},
			[]string{"SCHEMA_FILE cannot be used: open absent.json: no such file or directory", "JWKS_URL does not", "LOG_LEVEL is", "JWKS_FILE cannot be read: open absent.json: no such file or directory"},
		},
		"credentials elsewhere": {
			map[string]string{
				"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": elsewhere.URL,
				"AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": elsewhere.URL, "AWS_DEFAULTS_MODE": "auto",
				"AWS_SHARED_CREDENTIALS_FILE": writeFile(t, []byte("[default]\naws_access_key_id=a\naws_secret_access_key=b\n")),
			},
			[]string{"AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set"},
		},
		"a wrong value of the SDK's":  {map[string]string{"AWS_USE_FIPS_ENDPOINT": "maybe"}, []string{"AWS_USE_FIPS_ENDPOINT"}},
		"root CAs that are not there": {map[string]string{"AWS_CA_BUNDLE": "absent.pem"}, []string{"absent.pem"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(o *stack.Options) { o.Env, o.Environments = tt.env, 1 })
			for range 2 {
				if a := s.call(t, "POST", s.token(t, "alice"), `{"settings":{}}`); a.status != 500 || a.body != ours {
					t.Errorf("%d %s", a.status, a.body)
				}
			}
			requests := func() int { return strings.Count(s.log.String(), `"msg":"request"`) }
			eventually(t, 5*time.Second, "both requests are logged", func() bool { return requests() == 2 })
			var problems []string
			for text := range strings.Lines(s.log.String()) {
				var line struct{ Msg, Error string }
				if err := json.Unmarshal([]byte(text), &line); err != nil || line.Error == "" {
					t.Errorf("log line without a cause (%v): %s", err, text)
				}
				if line.Msg == "configuration" {
					problems = append(problems, line.Error)
				}
			}
			for _, want := range tt.problems {
				if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, want) }) {
					t.Errorf("problem %q is not logged", want)
				}
			}
			if len(problems) != len(tt.problems) {
				t.Errorf("problems %q are logged, want %d, each once", problems, len(tt.problems))
			}
		})
	}
}
