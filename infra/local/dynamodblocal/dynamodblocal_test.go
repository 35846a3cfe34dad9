package dynamodblocal_test

import (
	"net/http"
	"runtime"
	"testing"

	"orgsettings/infra/local/dynamodblocal"
)

func TestStart(t *testing.T) {
	var endpoint string
	t.Run("serves", func(t *testing.T) {
		endpoint = dynamodblocal.Start(t)
		get(t, endpoint)
	})
	if endpoint == "" {
		t.SkipNow()
	}
	if response, err := http.Get(endpoint); err == nil {
		response.Body.Close()
		t.Errorf("%s still answers after the test that started it", endpoint)
	}
}

func get(t *testing.T, url string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
}

func TestStartAbsent(t *testing.T) {
	t.Setenv("DYNAMODB_LOCAL_DIR", "")
	for _, tt := range []struct{ ci, want string }{{"", "skipped"}, {"true", "failed"}} {
		t.Setenv("CI", tt.ci)
		tb := &outcome{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			dynamodblocal.Start(tb)
		}()
		<-done
		if tb.got != tt.want {
			t.Errorf("Start without DynamoDB Local, CI=%q: %q, want %q", tt.ci, tb.got, tt.want)
		}
	}
}

// outcome records how a test would end.
type outcome struct {
	testing.TB
	got string
}

func (o *outcome) Skipf(string, ...any)  { o.got = "skipped"; runtime.Goexit() }
func (o *outcome) Fatalf(string, ...any) { o.got = "failed"; runtime.Goexit() }
