package soak

import (
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/dynamodblocal"
	"orgsettings/infra/local/stack"
)

const clients = 8

// users are members of three organizations.
var users = [...]string{"alice", "carol", "erin"}

func orgOf(user string) string {
	return map[string]string{"alice": "acme", "carol": "globex", "erin": "initech"}[user]
}

// Eight clients write and read three organizations while about every fifth call of
// the database has a fault: no answered write is lost, and few requests fail.
func TestFaults(t *testing.T) {
	if !run.long {
		t.Parallel()
	}
	t.Run("embedded", func(t *testing.T) { testFaults(t, dynamodb.New(), true) })
	t.Run("embedded, without history", func(t *testing.T) { testFaults(t, dynamodb.New(), false) })
	t.Run("DynamoDB Local", func(t *testing.T) {
		if !run.long {
			t.Skip("in the long form only")
		}
		endpoint, err := url.Parse(dynamodblocal.Start(t))
		if err != nil {
			t.Fatal(err)
		}
		testFaults(t, httputil.NewSingleHostReverseProxy(endpoint), true)
	})
}

func testFaults(t *testing.T, database http.Handler, keepsHistory bool) {
	writes := 304 // and as many reads
	if run.long {
		writes = 10_000
	}
	s := startOver(t, database, func(o *stack.Options) {
		o.Environments = clients
		if !keepsHistory {
			o.Env = map[string]string{"HISTORY_TABLE": ""}
		}
	})
	h := &recorder{service: s, began: time.Now(), keepsHistory: keepsHistory}
	s.proxy.Arm()
	var wg sync.WaitGroup
	for client := range clients {
		user := users[client%len(users)]
		token := s.token(t, user)
		random := rand.New(rand.NewPCG(run.seed, uint64(client)))
		wg.Go(func() {
			todo := []int{writes / clients, writes / clients} // writes and reads
			for n := 0; todo[0]+todo[1] > 0; n++ {
				kind := random.IntN(2)
				if todo[kind] == 0 {
					kind = 1 - kind
				}
				todo[kind]--
				method := []string{[]string{"POST", "POST", "POST", "PUT"}[random.IntN(4)], "GET"}[kind]
				if err := h.do(method, user, token, document(client, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	h.checkFigures(t)
	s.proxy.Disarm()
	for _, user := range users { // the document that remains is the last one that was answered
		if err := h.do("GET", user, s.token(t, user), ""); err != nil {
			t.Error(err)
		}
	}
	s.database.Close() // waits for late calls
	h.check(t)
	if keepsHistory {
		h.checkArchive(t, database)
	}
}

// checkFigures checks the limits of what faults cost clients and the database. The
// short form has few requests: there a share may be three standard deviations above
// its limit. It runs beside other tests, so only the long form judges time.
func (h *recorder) checkFigures(t *testing.T) {
	t.Helper()
	requests, calls := len(h.history), h.proxy.Calls()
	t.Logf("%d requests, answered %v; %v", requests, h.statuses, h.latencies)
	t.Logf("%d calls of the database, %.3f times as many as without faults: %s", calls, float64(calls)/float64(h.needed), h.proxy.Summary())
	mayFail, mayCall := 0.005*float64(requests), 1.3*float64(h.needed)
	if h.keepsHistory {
		mayCall = 1.35 * float64(h.needed) // a POST can lose a race too, and then reads and archives again
	}
	if !run.long {
		mayFail += 3 * math.Sqrt(mayFail)
		mayCall += 3 * math.Sqrt(mayCall-float64(h.needed))
	}
	if failed := requests - h.statuses[200]; float64(failed) > mayFail {
		t.Errorf("%d of %d requests were not answered 200, want at most %.0f", failed, requests, mayFail)
	}
	if p99 := h.latencies.Percentile(.99); run.long && p99 > 1500*time.Millisecond {
		t.Errorf("99%% were answered within %v, want 1.5 s", p99)
	}
	if slowest := h.latencies.Percentile(1); run.long && slowest > 5*time.Second {
		t.Errorf("the slowest answer took %v, want 5 s at most", slowest)
	}
	if float64(calls) > mayCall {
		t.Errorf("%d calls of the database where %d are needed, want at most %.0f", calls, h.needed, mayCall)
	}
}

// recorder sends requests and records their history.
type recorder struct {
	*service
	began        time.Time
	keepsHistory bool

	mu        sync.Mutex
	history   []Operation
	statuses  map[int]int
	latencies Latencies
	needed    int // calls of the database if there are no faults and no other writers
}

// do sends one request. The document of a write is stored as it is.
func (h *recorder) do(method, user, token, document string, fields ...string) error {
	o := Operation{
		Org:   orgOf(user),
		Write: method != "GET", Document: document, Call: time.Since(h.began),
	}
	body := map[string]string{"POST": `{"settings":` + document + `}`, "PUT": document}[method]
	a, err := h.call(method, token, body, fields...)
	o.Return = time.Since(h.began)
	o.Answered, o.Revision = a.status == 200, a.etag()
	if method == "GET" {
		o.Document = strings.TrimSuffix(strings.TrimPrefix(a.body, `{"success":true,"settings":`), "}")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.statuses == nil {
		h.statuses = make(map[int]int)
	}
	h.history = append(h.history, o)
	h.statuses[a.status]++
	h.latencies = append(h.latencies, o.Return-o.Call)
	h.needed += map[string]int{"GET": 2, "POST": 2, "PUT": 3}[method] // the membership, the settings, the put
	if h.keepsHistory {
		h.needed += map[string]int{"POST": 2, "PUT": 1}[method] // the settings, the archive
	}
	return err
}

// check compares the history with the commits.
func (h *recorder) check(t *testing.T) {
	t.Helper()
	v := CheckRegister(h.history, h.proxy.Commits())
	for n, p := range v.Problems {
		if n == 10 {
			t.Errorf("and %d more problems", len(v.Problems)-n)
			break
		}
		t.Error(p)
	}
	t.Logf("%d commits; %d writes are stored twice, of which %d came back over a later write",
		len(h.proxy.Commits()), len(v.Repeated), len(v.Returned))
	for _, r := range v.Returned[:min(len(v.Returned), 3)] {
		t.Log(r)
	}
	if h.keepsHistory && len(v.Repeated) > 0 {
		t.Errorf("with history no write is stored twice: %s", v.Repeated[0])
	}
}

// checkArchive compares the history with the commits: each is in the archive or current, exactly once and in order, and
// nothing else is.
func (h *recorder) checkArchive(t *testing.T, database http.Handler) {
	t.Helper()
	server := httptest.NewServer(database)
	defer server.Close()
	client := sdk.New(sdk.Options{
		Region: "eu-central-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		DisableValidateResponseChecksum: true,
	})
	want := make(map[string][]Commit)
	for _, c := range h.proxy.Commits() {
		if all := want[c.Org]; len(all) == 0 || all[len(all)-1] != c { // else a repeated attempt
			want[c.Org] = append(all, c)
		}
	}
	states, left := 0, 0
	for org, commits := range want {
		var got []Commit
		pages := sdk.NewQueryPaginator(client, &sdk.QueryInput{
			TableName: aws.String("HistoryTable"), KeyConditionExpression: aws.String("orgId = :o"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":o": &types.AttributeValueMemberS{Value: org}},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				got = append(got, commitIn(item))
			}
		}
		current, err := client.GetItem(t.Context(), &sdk.GetItemInput{
			TableName: aws.String("SettingsTable"), Key: map[string]types.AttributeValue{"orgId": &types.AttributeValueMemberS{Value: org}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if c := commitIn(current.Item); len(got) == 0 || got[len(got)-1] != c {
			got = append(got, c)
		} else {
			left++ // the copy of a write that failed afterwards
		}
		states += len(got)
		if diff := cmp.Diff(commits, got); diff != "" {
			t.Errorf("the history of %s differs from the commits (-want +got):\n%.2000s", org, diff)
		}
	}
	t.Logf("%d states are in the archive or current, as they were committed; %d copies of a current state", states, left)
}

// commitIn returns what an item of either table holds.
func commitIn(item map[string]types.AttributeValue) Commit {
	text := func(name string) string {
		s, _ := item[name].(*types.AttributeValueMemberS)
		if s == nil {
			return ""
		}
		return s.Value
	}
	return Commit{Org: text("orgId"), Revision: text("revision"), Document: text("settings")}
}

// A client that is the only writer of its organization, and always sends the last
// ETag as If-Match, never gets a conflict: a repeated attempt recognises its own
// write.
func TestConditionalWritesUnderFaults(t *testing.T) {
	if !run.long {
		t.Parallel()
	}
	writes := 60
	if run.long {
		writes = 1500
	}
	s := start(t, func(o *stack.Options) { o.Environments = 3 })
	h := &recorder{service: s, began: time.Now(), keepsHistory: true}
	s.proxy.Arm()
	var wg sync.WaitGroup
	for client, user := range users {
		token := s.token(t, user)
		random := rand.New(rand.NewPCG(run.seed, uint64(client)))
		wg.Go(func() {
			condition := []string{"If-None-Match", "*"}
			for n := range writes {
				method := []string{"POST", "PUT"}[random.IntN(2)]
				before := len(h.of(user))
				if err := h.do(method, user, token, document(client, n), condition...); err != nil {
					t.Error(err)
				}
				o := h.of(user)[before]
				if o.Answered {
					condition = []string{"If-Match", `"` + o.Revision + `"`}
					continue
				}
				// The write may have been stored, or may still be.
				time.Sleep(stall)
				condition = nil
			}
		})
	}
	wg.Wait()
	s.proxy.Disarm()
	s.database.Close()
	h.check(t)
	t.Logf("%d writes, answered %v; %v", len(h.history), h.statuses, h.latencies)
	if n := h.statuses[412]; n > 0 {
		t.Errorf("%d writes had a conflict with themselves", n)
	}
}

// of returns the history of one user.
func (h *recorder) of(user string) []Operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	var own []Operation
	for _, o := range h.history {
		if o.Org == orgOf(user) {
			own = append(own, o)
		}
	}
	return own
}
