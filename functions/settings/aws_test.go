package main

import (
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/stack"
)

// The SDK's variables for where the database is have the effect that AWS documents: the host that the program asks a
// proxy for. https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
func TestEndpoints(t *testing.T) {
	t.Parallel()
	type env map[string]string
	for name, tt := range map[string]struct {
		env  env
		want string
	}{
		"region":         {env{}, "dynamodb.us-west-2.amazonaws.com"},
		"default region": {env{"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}, "dynamodb.eu-west-1.amazonaws.com"},
		"both regions":   {env{"AWS_DEFAULT_REGION": "eu-west-1"}, "dynamodb.us-west-2.amazonaws.com"},
		"FIPS":           {env{"AWS_USE_FIPS_ENDPOINT": "true"}, "dynamodb-fips.us-west-2.amazonaws.com"},
		"dual stack":     {env{"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "dynamodb.us-west-2.api.aws"},
		"FIPS and dual stack": {
			env{"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"}, "dynamodb-fips.us-west-2.api.aws",
		},
		"endpoint of all services": {env{"AWS_ENDPOINT_URL": "https://all.example"}, "all.example"},
		"endpoint of DynamoDB":     {env{"AWS_ENDPOINT_URL_DYNAMODB": "https://own.example"}, "own.example"},
		"both endpoints": {
			env{"AWS_ENDPOINT_URL": "https://all.example", "AWS_ENDPOINT_URL_DYNAMODB": "https://own.example"}, "own.example",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			hosts := make(map[string]bool)
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				hosts[r.Method+" "+r.Host] = true
				w.WriteHeader(http.StatusBadGateway)
			}))
			t.Cleanup(proxy.Close)
			s := start(t, func(o *stack.Options) {
				o.Env = map[string]string{"AWS_REGION": "us-west-2", "AWS_ENDPOINT_URL_DYNAMODB": "", "HTTPS_PROXY": proxy.URL}
				maps.Copy(o.Env, tt.env)
			})
			if a := s.call(t, "GET", s.token(t, "alice"), ""); a.status != 500 || a.body != databaseDown {
				t.Errorf("%d %s", a.status, a.body)
			}
			mu.Lock()
			defer mu.Unlock()
			if got := slices.Collect(maps.Keys(hosts)); !slices.Equal(got, []string{"CONNECT " + tt.want + ":443"}) {
				t.Errorf("the proxy was asked for %q, want %s", got, tt.want)
			}
		})
	}
}

// Requests are signed for AWS_REGION and carry AWS_SESSION_TOKEN. AWS_MAX_ATTEMPTS is not heeded: see the retries of
// [dynamo.New].
func TestRequestsToDynamoDB(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var last http.Header
	failing := 0
	engine := dynamodb.New()
	database := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		last = r.Header
		fail := failing > 0
		failing--
		mu.Unlock()
		if fail {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		engine.ServeHTTP(w, r)
	}))
	t.Cleanup(database.Close)
	s := start(t, func(o *stack.Options) {
		o.DynamoDBURL = database.URL
		o.Env = map[string]string{
			"AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "AKIAOWN", "AWS_SESSION_TOKEN": "session", "AWS_MAX_ATTEMPTS": "1",
		}
	})
	for range 2 {
		if a := s.call(t, "POST", s.token(t, "alice"), `{"settings":{}}`); a.status != 200 {
			t.Errorf("%d %s", a.status, a.body)
		}
		mu.Lock()
		failing = 2
		mu.Unlock()
	}
	if got := last.Get("X-Amz-Security-Token"); got != "session" {
		t.Errorf("X-Amz-Security-Token is %q", got)
	}
	got := last.Get("Authorization")
	if !strings.Contains(got, "Credential=AKIAOWN/") || !strings.Contains(got, "/us-west-2/dynamodb/aws4_request") {
		t.Errorf("Authorization is %q", got)
	}
}

// AWS_CA_BUNDLE takes the place of the system's root CAs for the database.
func TestCABundle(t *testing.T) {
	t.Parallel()
	engine := dynamodb.New()
	plain, secure := httptest.NewServer(engine), httptest.NewUnstartedServer(engine)
	t.Cleanup(plain.Close)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail are wanted
	secure.StartTLS()
	t.Cleanup(secure.Close)
	its, other := writeFile(t, asPEM(secure.Certificate().Raw)), writeFile(t, rootCA(t))
	for name, tt := range map[string]struct {
		env  map[string]string
		want int
	}{
		"its root CA":               {map[string]string{"AWS_CA_BUNDLE": its}, 200},
		"another root CA":           {map[string]string{"AWS_CA_BUNDLE": other}, 500},
		"none":                      {nil, 500},
		"its root CA, the system's": {map[string]string{"SSL_CERT_FILE": its}, 200},
		"the bundle counts":         {map[string]string{"SSL_CERT_FILE": its, "AWS_CA_BUNDLE": other}, 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(o *stack.Options) {
				o.DynamoDBURL = plain.URL
				o.Env = map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": secure.URL}
				maps.Copy(o.Env, tt.env)
			})
			if a := s.call(t, "GET", s.token(t, "alice"), ""); a.status != tt.want {
				t.Errorf("%d %s, want %d", a.status, a.body, tt.want)
			}
		})
	}
}
