package browser

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/stacktest"
)

// bootstrap is the program as it is deployed, built for this machine.
var bootstrap string

func TestMain(m *testing.M) { os.Exit(stacktest.Main(m, &bootstrap)) }

func start(t *testing.T, origins ...string) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), stack.Options{
		Template: "../../../template.yaml", Bootstrap: bootstrap, CORSOrigins: origins, Output: io.Discard,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func token(t *testing.T, s *stack.Stack, user string) string {
	t.Helper()
	token, err := s.Issuer.Token(user, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// call sends one request from outside the browser and returns the body.
func call(t *testing.T, s *stack.Stack, method, user, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/settings/organization", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token(t, s, user))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
