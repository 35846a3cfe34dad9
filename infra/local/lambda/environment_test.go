package lambda_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"orgsettings/infra/local/lambda"
)

// A caller that measures starts one environment and observes its Runtime API.
func TestStart(t *testing.T) {
	t.Parallel()
	bootstrap, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	paths := make(chan string, 10)
	e, err := lambda.Start(lambda.Config{
		Name: "test", Bootstrap: bootstrap, Env: []string{program + "=raw", quickExit},
		Timeout: time.Minute, InitTimeout: time.Minute, Output: io.Discard,
		Wrap: func(api http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				paths <- r.URL.Path
				api.ServeHTTP(w, r)
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.End()
	if path := <-paths; path != "/2018-06-01/runtime/invocation/next" {
		t.Errorf("the first request is %s", path)
	}
	// Above 2 KB net/http would not know the length by itself, and send chunks instead.
	payload := `{"text":"` + strings.Repeat("x", 5000) + `"}`
	response, err := e.Serve([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(response, &a); err != nil {
		t.Fatal(err)
	}
	if got, want := a.Header.Get("Content-Length"), strconv.Itoa(len(payload)); got != want || a.Body != payload {
		t.Errorf("/next = %d bytes, Content-Length %q, want %s", len(a.Body), got, want)
	}
	pid := e.Process().Pid
	if !alive(pid) {
		t.Errorf("process %d has ended before End", pid)
	}
	e.End()
	select {
	case <-e.Exited():
	default:
		t.Error("End returned before the process had ended")
	}
}
