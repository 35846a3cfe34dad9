package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"orgsettings/infra/local/dynamodblocal"
	"orgsettings/infra/local/stack"
)

// Thirty-two callers each change another key at once, and repeat what they are
// told to repeat: all thirty-two keys are there.
func TestNoUpdateIsLost(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *stack.Options) { o.Environments = 8 })
	alice := s.token(t, "alice")
	var wg sync.WaitGroup
	want := make(map[string]int)
	for n := range 32 {
		want[fmt.Sprint("key-", n)] = n
		wg.Go(func() {
			eventually(t, 30*time.Second, "the change is accepted", func() bool {
				a := s.call(t, "PUT", alice, fmt.Sprintf(`{"key-%d":%d}`, n, n))
				switch {
				case a.status == 200:
					return true
				case a.status != 503: // no free environment, or lost for three seconds
					t.Errorf("PUT of key %d: %d %s", n, a.status, a.body)
				}
				return false
			})
		})
	}
	wg.Wait()
	var got struct{ Settings map[string]int }
	if err := json.Unmarshal([]byte(s.call(t, "GET", alice, "").body), &got); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got.Settings, want) {
		t.Errorf("settings are %v, want all of 32 keys", got.Settings)
	}
}

// Histories of all methods at once, conditional and not, of two organizations,
// must be explicable by each request having taken place at one moment between
// its beginning and its end.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		testLinearizable(t, start(t, func(o *stack.Options) { o.Environments = 6 }))
	})
	t.Run("DynamoDB Local", func(t *testing.T) {
		t.Parallel()
		endpoint := dynamodblocal.Start(t)
		testLinearizable(t, start(t, func(o *stack.Options) { o.DynamoDBURL, o.Environments = endpoint, 6 }))
	})
}

func testLinearizable(t *testing.T, s service) {
	const clients, requests = 6, 40
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var mu sync.Mutex
	var history []porcupine.Operation
	began := time.Now()
	var wg sync.WaitGroup
	for client := range clients {
		random := rand.New(rand.NewPCG(seed, uint64(client)))
		user := []string{"alice", "carol"}[client%2]
		token := s.token(t, user)
		wg.Go(func() {
			etag := ""
			for n := range requests {
				in := randomRequest(random, user, fmt.Sprintf(`"%d-%d"`, client, n), etag)
				var fields []string
				if in.ifMatch != "" {
					fields = []string{"If-Match", in.ifMatch}
				}
				call := time.Since(began)
				a := s.call(t, in.method, token, in.body(), fields...)
				end := time.Since(began)
				out := output{status: a.status, etag: a.header.Get("ETag")}
				switch a.status {
				case 200:
					if in.method == "GET" {
						out.document = strings.TrimSuffix(strings.TrimPrefix(a.body, `{"success":true,"settings":`), "}")
					}
					etag = out.etag
				case 412, 503:
				default:
					t.Errorf("%+v: %d %s", in, a.status, a.body)
				}
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: client, Input: in, Call: int64(call), Output: out, Return: int64(end)})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if result := porcupine.CheckOperationsTimeout(settingsModel(), history, time.Minute); result != porcupine.Ok {
		t.Errorf("a history of %d requests is %s", len(history), result)
	}
}

// input is one request of a history. Documents have two keys, a and b.
type input struct {
	user, method string
	key, value   string // value in JSON; POST has key and no other, DELETE has no value
	ifMatch      string
}

type output struct {
	status         int
	document, etag string
}

func randomRequest(r *rand.Rand, user, value, etag string) input {
	in := input{
		user:   user,
		method: []string{"GET", "GET", "POST", "PUT", "PUT", "DELETE"}[r.IntN(6)],
		key:    []string{"a", "b"}[r.IntN(2)],
		value:  value,
	}
	if in.method != "GET" && r.IntN(3) == 0 {
		in.ifMatch = etag
	}
	return in
}

func (in input) body() string {
	switch in.method {
	case "POST":
		return fmt.Sprintf(`{"settings":{%q:%s}}`, in.key, in.value)
	case "PUT":
		return fmt.Sprintf(`{%q:%s}`, in.key, in.value)
	case "DELETE":
		return fmt.Sprintf(`{"keys":[%q]}`, in.key)
	}
	return ""
}

// state is what one organization has stored. Order of members is that of their
// coming.
type state struct {
	document, etag string
}

// settingsModel says what each request does to the state, and may answer.
func settingsModel() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			byUser := make(map[string][]porcupine.Operation)
			for _, o := range history {
				user := o.Input.(input).user
				byUser[user] = append(byUser[user], o)
			}
			var parts [][]porcupine.Operation
			for _, part := range byUser {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() any { return state{document: `{}`} },
		Step: func(before, in, out any) (bool, any) { return step(before.(state), in.(input), out.(output)) },
	}
}

func step(s state, in input, out output) (bool, any) {
	holds := in.ifMatch == "" || in.ifMatch == s.etag
	switch {
	case out.status == 503: // lost for three seconds: nothing was done
		return in.method != "GET", s
	case out.status == 412:
		return !holds && out.etag == s.etag, s
	case !holds:
		return false, s
	case in.method == "GET":
		return out.document == s.document && out.etag == s.etag, s
	}
	after := edited(s.document, in)
	if after == s.document && in.method != "POST" {
		return out.etag == s.etag, s
	}
	return out.etag > s.etag, state{document: after, etag: out.etag}
}

// edited returns the document as a write changes it. A document has at most two
// members and no nesting.
func edited(document string, in input) string {
	if in.method == "POST" {
		return fmt.Sprintf(`{%q:%s}`, in.key, in.value)
	}
	var members []string
	found := false
	for member := range strings.SplitSeq(strings.Trim(document, "{}"), ",") {
		switch {
		case member == "":
		case !strings.HasPrefix(member, fmt.Sprintf("%q:", in.key)):
			members = append(members, member)
		case in.method == "PUT":
			members = append(members, fmt.Sprintf(`%q:%s`, in.key, in.value))
			found = true
		}
	}
	if in.method == "PUT" && !found {
		members = append(members, fmt.Sprintf(`%q:%s`, in.key, in.value))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// The model itself tells right histories from wrong ones.
func TestModel(t *testing.T) {
	t.Parallel()
	at := func(call int64, in input, out output) porcupine.Operation {
		in.user = "alice"
		return porcupine.Operation{Input: in, Call: call, Output: out, Return: call + 1}
	}
	post := input{method: "POST", key: "a", value: "1"}
	put := input{method: "PUT", key: "b", value: "2"}
	get := input{method: "GET"}
	for _, tt := range []struct {
		name    string
		history []porcupine.Operation
		want    bool
	}{
		{"in turn", []porcupine.Operation{at(0, post, output{200, "", "1"}), at(2, put, output{200, "", "2"}), at(4, get, output{200, `{"a":1,"b":2}`, "2"})}, true},
		{"stale read", []porcupine.Operation{at(0, post, output{200, "", "1"}), at(2, get, output{200, `{}`, ""})}, false},
		{"lost update", []porcupine.Operation{at(0, post, output{200, "", "1"}), at(2, put, output{200, "", "2"}), at(4, get, output{200, `{"b":2}`, "2"})}, false},
		{"revision goes back", []porcupine.Operation{at(0, post, output{200, "", "2"}), at(2, put, output{200, "", "1"})}, false},
		{"refused though it held", []porcupine.Operation{at(0, post, output{200, "", "1"}), at(2, input{method: "PUT", key: "b", value: "2", ifMatch: "1"}, output{412, "", "1"})}, false},
	} {
		if got := porcupine.CheckOperations(settingsModel(), tt.history); got != tt.want {
			t.Errorf("%s: linearizable = %v, want %v", tt.name, got, tt.want)
		}
	}
}
