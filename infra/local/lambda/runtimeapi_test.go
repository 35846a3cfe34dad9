package lambda_test

import (
	"encoding/json"
	"regexp"
	"strconv"
	"testing"
	"time"

	"orgsettings/infra/local/lambda"
)

// raw lets f, which runs "raw", serve an event, and returns what the Runtime API
// said to it.
func raw(t *testing.T, f *lambda.Function, event string) (a answer) {
	t.Helper()
	response, err := f.Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	if err := json.Unmarshal(response, &a); err != nil {
		t.Fatalf("%s: %s: %v", event, response, err)
	}
	return a
}

func TestNext(t *testing.T) {
	t.Parallel()
	const timeout = 47 * time.Second
	f := start(t, "raw", func(c *lambda.Config) { c.Timeout = timeout })
	ids := make(map[string]bool)
	for range 2 {
		before := time.Now().Truncate(time.Millisecond)
		a := raw(t, f, `{"any": "event",  "as it is"}`)
		after := time.Now()
		if a.Status != 200 || a.Body != `{"any": "event",  "as it is"}` {
			t.Errorf("/next = %d %s", a.Status, a.Body)
		}
		for name, pattern := range map[string]string{
			"Content-Type":                        `^application/json$`,
			"Lambda-Runtime-Aws-Request-Id":       `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`,
			"Lambda-Runtime-Deadline-Ms":          `^\d{13}$`,
			"Lambda-Runtime-Invoked-Function-Arn": `^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:test$`,
			"Lambda-Runtime-Trace-Id":             `^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`,
		} {
			if got := a.Header.Values(name); len(got) != 1 || !regexp.MustCompile(pattern).MatchString(got[0]) {
				t.Errorf("%s: %q, want %s", name, got, pattern)
			}
		}
		ms, err := strconv.ParseInt(a.Header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
		if deadline := time.UnixMilli(ms); err != nil || deadline.Before(before.Add(timeout)) || deadline.After(after.Add(timeout)) {
			t.Errorf("deadline %v, want %v after a time between %v and %v", deadline, timeout, before, after)
		}
		ids[a.Header.Get("Lambda-Runtime-Aws-Request-Id")] = true
	}
	if len(ids) != 2 {
		t.Errorf("two events have the request ids %v", ids)
	}
}

// What does not concern the current event changes nothing of it.
func TestRuntimeAPIAnswers(t *testing.T) {
	t.Parallel()
	f := start(t, "raw", func(c *lambda.Config) { c.MaxEnvironments = 1 })
	const invalid = `{"errorMessage":"there is no such request","errorType":"InvalidRequestID"}` + "\n"
	for _, test := range []struct {
		event, then string // then: asks what was said to the last request about event
		status      int
		body        string
	}{
		{"{}", "before", 202, `{"status":"OK"}`},
		{"wrong id", "", 400, invalid},
		{"wrong id, error", "", 400, invalid},
		{"twice", "before", 400, invalid},
		{"error after response", "before", 400, invalid},
		{"unknown path", "", 405, "Method Not Allowed\n"},
	} {
		a := raw(t, f, test.event)
		if test.then != "" {
			a = raw(t, f, test.then)
		}
		if a.Status != test.status || a.Body != test.body {
			t.Errorf("%s: %d %s, want %d %s", test.event, a.Status, a.Body, test.status, test.body)
		}
		if got := a.Header.Get("Content-Type"); test.status != 405 && got != "application/json" {
			t.Errorf("%s: Content-Type %q", test.event, got)
		}
	}
}

// A process that reports an error stays, with or without a reason.
func TestRuntimeAPIErrors(t *testing.T) {
	t.Parallel()
	f := start(t, "raw", func(c *lambda.Config) { c.MaxEnvironments = 1 })
	raw(t, f, "{}")
	first := f.Environments()
	for _, test := range []struct {
		event  string
		want   *lambda.FunctionError
		status int // of the answer to the process; 0: it gets none
	}{
		{"error", &lambda.FunctionError{Type: "Test.Event", Message: "no luck"}, 202},
		{"unreadable error", &lambda.FunctionError{}, 202},
		{"truncated", &lambda.FunctionError{Type: "Runtime.TruncatedResponse", Message: "unexpected EOF"}, 0},
	} {
		_, err := f.Invoke(t.Context(), []byte(test.event))
		checkError(t, err, test.want)
		if a := raw(t, f, "before"); a.Status != test.status {
			t.Errorf("%s: status %d, want %d", test.event, a.Status, test.status)
		}
	}
	if got := f.Environments(); len(got) != 1 || got[0] != first[0] {
		t.Errorf("Environments() = %v, want %v", got, first)
	}
}
