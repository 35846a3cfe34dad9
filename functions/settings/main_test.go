package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"orgsettings/infra/check/openapi"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/stacktest"
	"orgsettings/infra/local/testenv"
	"orgsettings/internal/apigw"
)

// bootstrap is the program as it is deployed, built for this machine.
var bootstrap string

func TestMain(m *testing.M) {
	if os.Getenv("SETTINGS_TEST_PANIC") != "" {
		lambda.Start(apigw.New(panicking(os.Getenv)))
		return
	}
	os.Exit(stacktest.Main(m, &bootstrap))
}

// service is a running stack and what its function logs.
type service struct {
	*stack.Stack
	log *testenv.Log
}

func start(t *testing.T, change func(*stack.Options)) service {
	t.Helper()
	log := new(testenv.Log)
	o := stack.Options{
		Template: "../../template.yaml", Bootstrap: bootstrap,
		Addr: "127.0.0.1:0", IssuerAddr: "127.0.0.1:0", DynamoDBAddr: "127.0.0.1:0",
		Output: log,
	}
	if change != nil {
		change(&o)
	}
	s, err := stack.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		// Whatever a test did, nothing secret is in the log.
		if text := log.String(); strings.Contains(text, "eyJ") || strings.Contains(text, secret) {
			t.Errorf("the log shows a token or a setting:\n%s", text)
		}
		if t.Failed() {
			t.Logf("log of the function:\n%s", log.String())
		}
	})
	return service{Stack: s, log: log}
}

// secret stands in documents wherever it must not show.
const secret = "5ecre7"

func (s service) token(t *testing.T, user string) string {
	t.Helper()
	token, err := s.Issuer.Token(user, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// answer is what a client gets.
type answer struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

// call sends one request to the gateway. Header fields are given in pairs.
func (s service) call(t *testing.T, method, token, body string, fields ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, s.URL+"/settings/organization", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	began := time.Now()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return answer{}
	}
	defer response.Body.Close()
	openapi.Validate(t, r, response)
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(text), took: time.Since(began)}
	if a.status != http.StatusNotModified && a.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: %d has Content-Type %q", method, a.status, a.header.Get("Content-Type"))
	}
	if got := a.header.Get("WWW-Authenticate"); (a.status == 401) != (got != "") {
		t.Errorf("%s: %d has WWW-Authenticate %q", method, a.status, got)
	}
	return a
}
