package template

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"orgsettings/internal/api"
	"orgsettings/internal/app"
	"orgsettings/internal/auth"
)

// logLines returns what the function's handler logs for one request with each token.
func logLines(t *testing.T, version string, handler func(*slog.Logger) http.Handler, tokens ...string) []string {
	t.Helper()
	var log bytes.Buffer
	h := handler(slog.New(slog.NewJSONHandler(&log, nil)).With("version", version)) // as functions/settings does
	for _, token := range tokens {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/settings/organization", nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	return strings.Split(strings.TrimSpace(log.String()), "\n")
}

// withoutKeys is the function's handler with an issuer that cannot be reached.
func withoutKeys(t *testing.T) func(*slog.Logger) http.Handler {
	return func(logger *slog.Logger) http.Handler {
		handler, err := app.New(t.Context(), app.Config{
			Auth: auth.Config{
				Issuer: "https://issuer.test", Audiences: []string{"settings"}, JWKSURL: "http://127.0.0.1:1/jwks", JWKSMaxAge: time.Minute, UserClaim: "sub",
			},
			Logger: logger,
		})
		if err != nil {
			t.Fatal(err)
		}
		return handler
	}
}

// An unsigned token of the right form: the verifier needs the signing keys for it.
const anyToken = "eyJ" + "hbGciOiJSUzI1NiIsImtpZCI6ImsifQ." + "eyJ" + "zdWIiOiJhIn0.c2ln"

// count returns how many lines a filter counts for each value of its dimension, or for "" without a dimension.
func count(t *testing.T, filter object, lines []string) map[string]int {
	t.Helper()
	pattern, err := parseFilter(filter["FilterPattern"].(string))
	if err != nil {
		t.Fatal(err)
	}
	dimension := ""
	for _, d := range list(at(list(filter["MetricTransformations"])[0], "Dimensions")) {
		name, _ := at(d, "Value").(string)
		dimension = strings.TrimPrefix(name, "$.")
	}
	counts := map[string]int{}
	for _, line := range lines {
		if !pattern.match(line) {
			continue
		}
		var members map[string]any
		if err := json.Unmarshal([]byte(line), &members); err != nil {
			t.Fatal(err)
		}
		value, _ := members[dimension].(string)
		counts[value]++
	}
	return counts
}

func filters(t *testing.T) map[string]object {
	return ofType(t, load(t, "template.yaml"), "AWS::Logs::MetricFilter")
}

// A version that answers 500 causes no Lambda error. Its log stops the deployment.
func TestVersionThatAnswers500RollsBack(t *testing.T) {
	t.Parallel()
	lines := logLines(t, "8", api.Misconfigured, "", "")
	lines = append(lines, logLines(t, "7", withoutKeys(t), "")...) // the version before it goes on answering 401
	got := count(t, filters(t)["ServerErrorsFilter"], lines)
	if got["8"] != 2 || len(got) != 1 {
		t.Fatalf("server errors by version: %v, want 2 of version 8, from\n%s", got, strings.Join(lines, "\n"))
	}

	alarm := alarms(t)["CanaryServerErrorsAlarm"]
	if dimension := list(alarm["Dimensions"])[0]; at(dimension, "Name") != "version" || at(dimension, "Value", "Fn::GetAtt") != "SettingsFunction.Version.Version" {
		t.Errorf("it watches %v, want the version being deployed", dimension)
	}
	// The canary takes five minutes. The alarm must go off in that time, delay of the metric included.
	period, breaching, of := alarm["Period"].(int), alarm["DatapointsToAlarm"].(int), alarm["EvaluationPeriods"].(int)
	if needed := time.Duration(period*breaching) * time.Second; needed > 3*time.Minute || breaching > of {
		t.Errorf("it needs %v of 500s to go off, too long for a canary of five minutes", needed)
	}
	if alarm["Statistic"] != "Sum" || alarm["Threshold"] != 1 || alarm["ComparisonOperator"] != "GreaterThanOrEqualToThreshold" {
		t.Errorf("one answer in a minute does not count: %v of %v %v", alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"])
	}
}

func TestFiltersCountWhatTheyAreNamedFor(t *testing.T) {
	t.Parallel()
	lines := logLines(t, "7", withoutKeys(t), "", anyToken)
	lines = append(lines,
		`{"time":"2026-11-24T04:00:00Z","level":"INFO","msg":"request","version":"7","status":200}`,
		`{"time":"2026-11-24T04:00:00Z","level":"INFO","msg":"request","version":"7","status":412,"reason":"conflict"}`,
		`{"time":"2026-11-24T04:00:00Z","level":"INFO","msg":"ready","version":"7","status":500}`,
		`panic: not JSON, status 500`,
	)
	for id, want := range map[string]struct {
		key string
		n   int
	}{"RefusedTokensFilter": {"", 1}, "ServerErrorsFilter": {"7", 1}} {
		if got := count(t, filters(t)[id], lines); got[want.key] != want.n || len(got) != 1 {
			t.Errorf("%s counts %v, want %d, of\n%s", id, got, want.n, strings.Join(lines, "\n"))
		}
	}
	// One line is of the fetch that failed, one of the request.
	if got := count(t, filters(t)["SigningKeysFilter"], lines)[""]; got < 2 {
		t.Errorf("SigningKeysFilter counts %d, want the failed fetch and the failed request, of\n%s", got, strings.Join(lines, "\n"))
	}
}

func TestFilterPatterns(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{``, `$.a = 1`, `{ $.a }`, `{ $.a == 1 }`, `{ a = 1 }`} {
		if p, err := parseFilter(bad); err == nil {
			t.Errorf("parseFilter(%q) = %v, want an error", bad, p)
		}
	}
	p, err := parseFilter(`{ $.a = "x" && $.b > 1 || $.c != 2 }`)
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]bool{
		`{"a":"x","b":2}`: true, `{"a":"x","b":1}`: false, `{"a":"y","b":2}`: false, `{"c":3}`: true, `{"c":2}`: false,
		`{}`: false, `{"a":"x","b":"2"}`: false, `not JSON`: false,
	} {
		if got := p.match(line); got != want {
			t.Errorf("match(%s) = %v, want %v", line, got, want)
		}
	}
}
