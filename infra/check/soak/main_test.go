// Package soak holds no program. Its tests run the deployed program against
// faults of the database and of the key server, freezes, wrong clocks and load,
// briefly in make test and for long in make soak. They compare what clients were
// told with what was stored, and look at the process from outside.
package soak

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/stacktest"
	"orgsettings/infra/local/testenv"
)

// plan is the values of the flags.
type plan struct {
	long bool
	seed uint64
	rate float64
	time time.Duration
}

// The program as it is deployed, and the plan. Both are set before the first test.
var (
	bootstrap string
	run       plan
)

func TestMain(m *testing.M) {
	if file := os.Getenv("SOAK_CLOCK"); file != "" {
		serveByClock(wrongClock{file}.now)
		return
	}
	flag.BoolVar(&run.long, "long", false, "run the long form")
	flag.Uint64Var(&run.seed, "seed", 0, "`SEED` of faults and requests; 0: a random one")
	flag.Float64Var(&run.rate, "rate", 0, "`REQUESTS` a second; 0: 50, in the long form 100")
	flag.DurationVar(&run.time, "for", 0, "`TIME` that the load lasts; 0: 4s, in the long form 5m")
	flag.Parse()
	if run.seed == 0 {
		run.seed = 1 + uint64(rand.Uint32())
	}
	if run.rate == 0 {
		run.rate = map[bool]float64{false: 50, true: 100}[run.long]
	}
	if run.time == 0 {
		run.time = map[bool]time.Duration{false: 4 * time.Second, true: 5 * time.Minute}[run.long]
	}
	fmt.Printf("seed %d (-seed %[1]d repeats this run)\n", run.seed)
	os.Exit(stacktest.Main(m, &bootstrap))
}

// service is a running stack whose database can have faults.
type service struct {
	*stack.Stack
	proxy    *Proxy
	database *httptest.Server
	client   *http.Client
	log      *testenv.Log
}

// start starts a stack over an embedded database behind a proxy.
func start(t *testing.T, change func(*stack.Options)) *service {
	t.Helper()
	return startOver(t, dynamodb.New(), change)
}

func startOver(t *testing.T, database http.Handler, change func(*stack.Options)) *service {
	t.Helper()
	s := &service{log: new(testenv.Log), proxy: NewProxy(database, run.seed)}
	s.database = httptest.NewServer(s.proxy)
	t.Cleanup(s.database.Close)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	s.client = &http.Client{Transport: transport, Timeout: 30 * time.Second}
	o := stack.Options{Template: "../../../template.yaml", Bootstrap: bootstrap, DynamoDBURL: s.database.URL, Output: s.log}
	if change != nil {
		change(&o)
	}
	var err error
	if s.Stack, err = stack.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.proxy.Disarm()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, problem := range checkLog(s.log.String()) {
			t.Error(problem)
		}
	})
	return s
}

func (s *service) token(t *testing.T, user string) string {
	t.Helper()
	return tokenOf(t, s.Issuer, user)
}

// tokenOf returns a token that is valid for a day, with the marker as a claim.
func tokenOf(t *testing.T, i *issuer.Issuer, user string) string {
	t.Helper()
	token, err := i.Sign(map[string]any{
		"iss": i.URL(), "aud": i.Audience(), "sub": user, "exp": time.Now().Add(24 * time.Hour).Unix(), "note": marker,
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// document returns a document that no other write has, with the marker in it.
func document(client, n int) string {
	return fmt.Sprintf(`{"w":"%d-%d","secret":%q}`, client, n, marker)
}

// reply is an answer to a client.
type reply struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

func (r reply) etag() string { return strings.Trim(r.header.Get("ETag"), `"`) }

// call sends one request to the gateway. Header fields are given in pairs.
func (s *service) call(method, token, body string, fields ...string) (reply, error) {
	r, err := http.NewRequest(method, s.URL+"/settings/organization", strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	began := time.Now()
	response, err := s.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	a := reply{status: response.StatusCode, header: response.Header, body: string(text), took: time.Since(began)}
	return a, errors.Join(err, a.documented(method))
}

// mustCall is call for a request that must be answered 200.
func (s *service) mustCall(t *testing.T, method, token, body string, fields ...string) reply {
	t.Helper()
	a, err := s.call(method, token, body, fields...)
	if err != nil {
		t.Fatal(err)
	}
	if a.status != 200 {
		t.Fatalf("%s %s: %d %s", method, body, a.status, a.body)
	}
	return a
}

// documented returns an error unless the contract has the answer, to the byte.
func (a reply) documented(method string) error {
	success := map[string]string{
		"POST":   `{"success":true,"message":"Organization settings updated successfully"}`,
		"PUT":    `{"success":true,"message":"Organization settings partially updated successfully"}`,
		"DELETE": `{"success":true,"message":"Organization settings keys deleted successfully"}`,
	}
	failures := map[int][]string{
		401: {`{"success":false,"message":"Authentication required"}`, `{"success":false,"message":"Invalid access token"}`},
		404: {`{"success":false,"message":"User not associated with any organization"}`},
		412: {`{"success":false,"message":"Organization settings have changed"}`},
		500: {`{"success":false,"message":"Internal server error","error":"Database connection failed"}`},
		503: {`{"success":false,"message":"Service unavailable"}`},
	}
	ok := slices.Contains(failures[a.status], a.body)
	switch {
	case a.status == 200 && method == "GET":
		ok = strings.HasPrefix(a.body, `{"success":true,"settings":{`) && strings.HasSuffix(a.body, `}}`) && json.Valid([]byte(a.body))
	case a.status == 200:
		ok = a.body == success[method] && a.etag() != ""
	case a.status == 400 || a.status == 413 || a.status == 415:
		var refusal struct{ Message, Error string }
		ok = strings.HasPrefix(a.body, `{"success":false,"message":"`) && json.Unmarshal([]byte(a.body), &refusal) == nil && refusal.Error != ""
	case a.status == 503:
		ok = ok && a.header.Get("Retry-After") != ""
	}
	if a.header.Get("Content-Type") != "application/json" || !ok || (a.status == 401) != (a.header.Get("WWW-Authenticate") != "") {
		return fmt.Errorf("%s: undocumented answer %d %v %.300s", method, a.status, a.header, a.body)
	}
	return nil
}
