package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/testenv"
	"orgsettings/internal/app"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.database.Close()
	for _, method := range []string{"POST", "GET"} {
		r := s.call(t, method, `{"settings":{"secret":1}}`, s.as(t, "alice")...)
		if got := text(t, r); r.StatusCode != 500 || got != database {
			t.Errorf("%s: %d %s", method, r.StatusCode, got)
		}
		if line := s.log.Take(); !strings.Contains(line, "connection refused") || !strings.Contains(line, `"level":"ERROR"`) {
			t.Errorf("%s: the log hides the cause: %s", method, line)
		}
	}
}

func TestKeysDown(t *testing.T) {
	t.Parallel()
	s := newService(t, func(c *app.Config) { c.Auth.JWKSURL = "http://127.0.0.1:1/jwks" })
	r := s.call(t, "POST", `{"settings":{}}`, s.as(t, "alice")...)
	if got := text(t, r); r.StatusCode != 503 || got != unavailable || r.Header.Get("Retry-After") != "1" {
		t.Errorf("%d %s, Retry-After %q", r.StatusCode, got, r.Header.Get("Retry-After"))
	}
	if log := s.log.Take(); !strings.Contains(log, `"reason":"signing keys unavailable"`) || !strings.Contains(log, "connection refused") {
		t.Errorf("the log hides the cause: %s", log)
	}
}

// faultyStore is a directory and a store that fail as they are told.
type faultyStore struct {
	settings.Archive
	fault func() error
}

func (s faultyStore) Membership(context.Context, settings.UserID) (settings.Membership, error) {
	return settings.Membership{}, s.fault()
}
func (s faultyStore) Get(context.Context, settings.OrgID) (settings.Record, error) {
	return settings.Record{}, s.fault()
}
func (s faultyStore) Put(context.Context, settings.Record, settings.Condition) error {
	return s.fault()
}
func (s faultyStore) Stamp(context.Context, settings.Record, settings.Revision) (settings.Record, error) {
	return settings.Record{}, s.fault()
}
func (s faultyStore) Swap(context.Context, settings.Record, settings.Record) error { return s.fault() }

// Whatever goes wrong inside, the client learns nothing of it and the log all.
func TestFaultsOfOurs(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func() error{
		"unknown error": func() error { return errors.New("inner cause") },
		"panic":         func() error { panic("inner cause") },
		"nil pointer":   func() error { var r *http.Request; _ = r.Method; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := new(testenv.Log)
			s := newService(t, func(c *app.Config) {
				c.Faults = func(*dynamo.DB) app.Database { return faultyStore{fault: fault} }
				c.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelError + 1}))
			})
			r := s.call(t, "POST", `{"settings":{"secret":1}}`, s.as(t, "alice")...)
			if got := text(t, r); r.StatusCode != 500 || got != internalError || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%d %s %v", r.StatusCode, got, r.Header)
			}
			var line struct{ Level, Error, Stack string }
			if err := json.Unmarshal([]byte(log.Take()), &line); err != nil {
				t.Fatal(err)
			}
			wantStack := name != "unknown error"
			if line.Level != "ERROR" || line.Error == "" || (line.Stack != "") != wantStack {
				t.Errorf("log line %+v", line)
			}
			if wantStack && !strings.Contains(line.Stack, "faults_test.go") {
				t.Errorf("the stack does not show the place: %s", line.Stack)
			}
		})
	}
}

// A body that breaks off is the client's fault.
func TestBrokenBody(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, length := range []int64{-1, 100} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "/settings/organization", io.MultiReader(strings.NewReader(`{"settings`), broken{}))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		r.Header.Set("Authorization", s.as(t, "alice")[1])
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if want := refused("body cannot be read"); w.Code != 400 || w.Body.String() != want {
			t.Errorf("length %d: %d %s, want 400 %s", length, w.Code, w.Body, want)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }

// The whole line of a request, and nothing in it of a token or a document.
func TestLogLine(t *testing.T) {
	t.Parallel()
	s := newService(t)
	signer := kid(t, s.token(t, "alice", nil))
	hostile := "al\x1b[31mice\n{\"level\":\"ERROR\"}" + strings.Repeat("ä", 100)
	for _, tt := range []struct {
		name   string
		method string
		body   string
		fields []string
		want   map[string]any
	}{
		{
			"written", "POST", `{"settings":{"secret":"secret"}}`,
			append(s.as(t, "alice"), "Apigw-Requestid", "gw-1", "Lambda-Runtime-Aws-Request-Id", "lambda-1"),
			map[string]any{
				"level": "INFO", "msg": "request", "requestId": "gw-1", "lambdaRequestId": "lambda-1", "route": "POST /settings/organization",
				"status": 200.0, "coldStart": true, "organization": "acme", "user": "alice", "kid": signer, "databaseAttempts": 2.0,
			},
		},
		{
			"invalid", "POST", `{"settings":{"secret":1,"secret":2}}`, s.as(t, "alice"),
			map[string]any{
				"level": "INFO", "msg": "request", "route": "POST /settings/organization", "status": 400.0, "coldStart": false,
				"user": "alice", "kid": signer, "reason": "duplicate name at byte 24",
			},
		},
		{
			"refused", "GET", "", []string{"Authorization", "Bearer eyJ.eyJ.secret"},
			map[string]any{
				"level": "INFO", "msg": "request", "route": "GET /settings/organization", "status": 401.0, "coldStart": false,
				"reason": "invalid token: malformed",
			},
		},
		{
			"hostile user", "GET", "", append(s.as(t, hostile), "Apigw-Requestid", strings.Repeat("\x00", 100)),
			map[string]any{
				"level": "INFO", "msg": "request", "requestId": strings.Repeat(`\x00`, 64) + "…", "route": "GET /settings/organization", "status": 404.0, "coldStart": false,
				"user": `al\x1b[31mice\n{"level":"ERROR"}` + strings.Repeat("ä", 18) + "…", "kid": signer, "databaseAttempts": 1.0,
				"reason": "look up membership: user is not associated with an organization",
			},
		},
		{
			"no route", "TRACE", "", nil,
			map[string]any{"level": "INFO", "msg": "request", "status": 404.0, "coldStart": false, "reason": "no such route: TRACE /settings/organization"},
		},
		{
			"no route, hostile method", strings.Repeat("X", 100), "", nil,
			map[string]any{"level": "INFO", "msg": "request", "status": 404.0, "coldStart": false, "reason": "no such route: XXXXXXXXXXXXXXXXXXXX /settings/organization"},
		},
		{
			"no event of a gateway", "TRACE", "", []string{"Apigw-Foreign-Event", "an EventBridge event\x1b" + strings.Repeat("x", 1000)},
			map[string]any{"level": "INFO", "msg": "request", "status": 404.0, "coldStart": false,
				"reason": `no such route: not an event of an HTTP API in payload format 2.0: an EventBridge event\x1b` + strings.Repeat("x", 169) + "…"},
		},
	} {
		s.log.Take()
		s.call(t, tt.method, tt.body, tt.fields...)
		lines := strings.Split(strings.TrimSpace(s.log.Take()), "\n")
		last := lines[len(lines)-1]
		var got map[string]any
		if err := json.Unmarshal([]byte(last), &got); err != nil {
			t.Fatalf("%s: %v in %s", tt.name, err, last)
		}
		for _, name := range []string{"time", "durationMs"} {
			if got[name] == nil {
				t.Errorf("%s: the line lacks %s", tt.name, name)
			}
			delete(got, name)
		}
		if _, used := got["databaseAttempts"]; used && got["databaseMs"].(float64) <= 0 {
			t.Errorf("%s: databaseMs is %v", tt.name, got["databaseMs"])
		}
		if tt.want["status"] == 200.0 && len(got["revision"].(string)) != 26 {
			t.Errorf("%s: revision is %v", tt.name, got["revision"])
		}
		delete(got, "databaseMs")
		delete(got, "revision")
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: log line (-want +got):\n%s", tt.name, diff)
		}
		for _, line := range lines {
			if strings.Contains(line, "eyJ") || strings.Contains(line, "secret") || strings.ContainsAny(line, "\x1b\x00") {
				t.Errorf("%s: the log shows what it must not: %s", tt.name, line)
			}
		}
	}
}

// Whatever stands in its fields, a line has at most 4 KB.
func TestLogLinesAreBounded(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"control characters": strings.Repeat("\x00", 10_000), "backslashes": strings.Repeat(`\`, 10_000), "quotes": strings.Repeat(`"`, 10_000),
		"letters": strings.Repeat("a", 10_000), "unprintable runes": strings.Repeat("\U000e0001", 10_000), "no UTF-8": strings.Repeat("\xff", 10_000),
	} {
		log := new(testenv.Log)
		s := newService(t, func(c *app.Config) {
			c.Faults = func(*dynamo.DB) app.Database { return faultyStore{fault: func() error { panic(text) }} }
			c.Logger = slog.New(slog.NewJSONHandler(log, nil))
		})
		log.Take()
		user := text[:300]
		s.call(t, "GET", "", "Authorization", "Bearer "+s.token(t, "alice"+user, nil), "Apigw-Requestid", text, "Lambda-Runtime-Aws-Request-Id", text)
		s.call(t, "TRACE", "", "Apigw-Foreign-Event", text, "Apigw-Requestid", text, "Lambda-Runtime-Aws-Request-Id", text)
		lines := strings.SplitAfter(strings.TrimSpace(log.Take()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], `"error":"panic: `) || !strings.Contains(lines[0], "goroutine") || !strings.Contains(lines[1], `"reason":"no such route`) {
			t.Fatalf("%s: lines %q", name, lines)
		}
		for _, line := range lines {
			if len(line) > 4096 {
				t.Errorf("%s: a line has %d bytes: %s", name, len(line), line)
			}
		}
	}
}
