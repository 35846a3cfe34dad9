package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/dynamodblocal"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/template"
)

// database has the tables settings and history, and the items that a test puts there.
type database struct {
	url    string
	client *sdk.Client
}

func newDatabase(t *testing.T, endpoint string) database {
	t.Helper()
	tables := map[string]template.Table{
		"UsersTable": {Key: "userId"}, "settings": {Key: "orgId"}, "history": {Key: "orgId", RangeKey: "revision"},
	}
	if err := stack.FillDatabase(t.Context(), endpoint, tables); err != nil {
		t.Fatal(err)
	}
	db := database{url: endpoint}
	cfg, err := awsconfig.LoadDefaultConfig(t.Context(), db.options()...)
	if err != nil {
		t.Fatal(err)
	}
	db.client = sdk.NewFromConfig(cfg)
	return db
}

func (db database) options() []func(*awsconfig.LoadOptions) error {
	return []func(*awsconfig.LoadOptions) error{
		awsconfig.WithRegion("eu-central-1"), awsconfig.WithBaseEndpoint(db.url),
		awsconfig.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("local", "local", "")),
	}
}

// secret stands in every document.
const secret = "correct horse"

// put puts an item into both tables: the settings of org, and its states from revision first to last in the history.
func (db database) put(t *testing.T, org string, size, first, last int) {
	t.Helper()
	put := func(table string, n int) {
		it := item{"orgId": text(org), "revision": text(revision(n)), "settings": text(secret + strings.Repeat("x", size))}
		if _, err := db.client.PutItem(t.Context(), &sdk.PutItemInput{TableName: &table, Item: it}); err != nil {
			t.Fatal(err)
		}
	}
	for n := first; n <= last; n++ {
		put("history", n)
	}
	put("settings", last+1)
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func revision(n int) string { return fmt.Sprintf("01M86PTPG0435VFSF7KN%06d", n) }

// stored returns how many items of org are in the history and in the settings.
func (db database) stored(t *testing.T, org string) [2]int {
	t.Helper()
	e := eraser{client: db.client, org: org, settings: "settings", history: "history"}
	if err := e.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	return [2]int{len(e.states), len(e.current)}
}

// erase runs the command and returns what it prints.
func (db database) erase(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	args = append([]string{"-settings", "settings", "-history", "history"}, args...)
	err := run(t.Context(), args, strings.NewReader(input), &out, 10*time.Millisecond, db.options()...)
	if shown := fmt.Sprint(out.String(), err); strings.Contains(shown, secret) || strings.ContainsRune(shown, '\x1b') {
		t.Errorf("prints a document or an escape: %q", shown)
	}
	return out.String(), err
}

// Each test erases what it puts, so that one database does for all.
func TestErase(t *testing.T) {
	t.Parallel()
	test := func(t *testing.T, endpoint string) {
		db := newDatabase(t, endpoint)
		testOrganizations(t, db)
		testInterruption(t, db)
		testUnprocessedItems(t, db)
		testWritesUnderWay(t, db)
	}
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(dynamodb.New())
		t.Cleanup(server.Close)
		test(t, server.URL)
	})
	t.Run("DynamoDB Local", func(t *testing.T) {
		t.Parallel()
		test(t, dynamodblocal.Start(t))
	})
}

// All of one organization goes, and nothing of others.
func testOrganizations(t *testing.T, db database) {
	db.put(t, "acme", 100, 1, 300)
	db.put(t, "acme", 390<<10, 301, 305)
	others := []string{"acme2", "acm", "ACME", "acme "}
	for _, org := range others {
		db.put(t, org, 100, 300, 302)
	}
	const want = "Of \"acme\" are stored\n  superseded states: 305 in history\n  current document:  1 in settings\n"
	printed, err := db.erase(t, "", "-confirm", "acme", "acme")
	if err != nil || !strings.HasPrefix(printed, want) || !strings.HasSuffix(printed, remains) {
		t.Errorf("error %v, prints\n%s\nwant %q", err, printed, want)
	}
	if got := db.stored(t, "acme"); got != [2]int{} {
		t.Errorf("%v items are left", got)
	}
	// A name of which nothing is stored, here because it is erased already, is an error.
	printed, err = db.erase(t, "", "-confirm", "acme", "acme")
	if err == nil || !strings.HasPrefix(err.Error(), `nothing is stored of "acme" in settings and history; `) || printed != "" {
		t.Errorf("erased again: error %v, prints %q", err, printed)
	}
	for _, org := range others {
		if got := db.stored(t, org); got != [2]int{3, 1} {
			t.Errorf("%q has %v items, want 3 and 1", org, got)
		}
	}
}

// Nothing is erased without the name.
func TestConfirmation(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(dynamodb.New())
	t.Cleanup(server.Close)
	db := newDatabase(t, server.URL)
	for _, tt := range []struct {
		org, typed, flag string
		erased           bool
	}{
		{"acme", "", "", false}, {"acme", "\n", "", false}, {"acme", "y\n", "", false}, {"acme", "Acme\n", "", false},
		{"acme", " acme\n", "", false}, {"acme", "acme\n", "acm", false}, {"a\x1bb", "ab\n", "", false},
		{"acme", "acme\n", "", true}, {"acme", "acme\r\n", "", true}, {"acme", "acme", "", true}, {"acme", "", "acme", true},
		{"a\x1b[2J\n", `"a\x1b[2J\n"`, "", true}, {"a\x1b[2J\n", "", "a\x1b[2J\n", true}, {"-acme", "-acme\n", "", true},
	} {
		db.put(t, tt.org, 1, 1, 2)
		printed, err := db.erase(t, tt.typed, "-confirm", tt.flag, "--", tt.org)
		want := [2]int{2, 1}
		if tt.erased {
			want = [2]int{}
		}
		if got := db.stored(t, tt.org); got != want || (err == nil) != tt.erased {
			t.Errorf("%q, typed %q, flag %q: error %v, %v items are left\n%s", tt.org, tt.typed, tt.flag, err, got, printed)
		}
	}
}

// fault is called for each request, one at a time. It returns true if it has answered.
type fault func(w http.ResponseWriter, r *http.Request, operation string, body []byte) bool

// behind returns db behind a fault.
func (db database) behind(t *testing.T, f fault) database {
	target, err := url.Parse(db.url)
	if err != nil {
		t.Fatal(err)
	}
	engine := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if !f(w, r, operation, body) {
			engine.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	return database{url: front.URL}
}

// An erasure that ends early is an error, and another run erases the rest. If there is none, that run says so.
func testInterruption(t *testing.T, db database) {
	for _, tt := range []struct {
		operation string
		n         int // which one fails
		left      [2]int
	}{{"BatchWriteItem", 3, [2]int{70, 1}}, {"BatchWriteItem", 6, [2]int{0, 1}}, {"Query", 4, [2]int{0, 0}}} {
		calls := 0
		faulty := db.behind(t, func(w http.ResponseWriter, _ *http.Request, operation string, _ []byte) bool {
			if operation != tt.operation {
				return false
			}
			if calls++; calls != tt.n {
				return false
			}
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException"}`)
			return true
		})
		db.put(t, "acme", 100, 1, 120)
		printed, err := faulty.erase(t, "", "-confirm", "acme", "acme")
		if err == nil || !strings.HasSuffix(err.Error(), "run erase again for what is left") || strings.Contains(printed, "Nothing is left") {
			t.Errorf("%s %d fails: error %v, prints\n%s", tt.operation, tt.n, err, printed)
		}
		if got := db.stored(t, "acme"); got != tt.left {
			t.Errorf("%s %d fails: %v items are left, want %v", tt.operation, tt.n, got, tt.left)
		}
		if printed, err := faulty.erase(t, "acme\n", "acme"); (err == nil) != (tt.left != [2]int{}) || db.stored(t, "acme") != [2]int{} {
			t.Errorf("%s %d fails, second run: error %v, %v items are left\n%s", tt.operation, tt.n, err, db.stored(t, "acme"), printed)
		}
	}
}

// partial is a fault that deletes only so many items of a batch, as a throttled table does.
func partial(t *testing.T, db database, count func() int) fault {
	return func(w http.ResponseWriter, _ *http.Request, operation string, body []byte) bool {
		var in struct {
			RequestItems map[string][]struct {
				DeleteRequest struct{ Key map[string]map[string]string }
			}
		}
		if err := json.Unmarshal(body, &in); operation != "BatchWriteItem" || err != nil {
			return false
		}
		left := make(map[string]any)
		for table, requests := range in.RequestItems {
			if len(requests) > maxBatch {
				t.Errorf("batch of %d", len(requests))
			}
			n := min(count(), len(requests))
			for _, r := range requests[:n] {
				key := make(item)
				for name, value := range r.DeleteRequest.Key {
					key[name] = text(value["S"])
				}
				if _, err := db.client.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: &table, Key: key}); err != nil {
					t.Error(err)
				}
			}
			if n < len(requests) {
				left[table] = requests[n:]
			}
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		json.NewEncoder(w).Encode(map[string]any{"UnprocessedItems": left})
		return true
	}
}

// Items that DynamoDB leaves unprocessed are sent again.
func testUnprocessedItems(t *testing.T, db database) {
	calls := 0
	faulty := db.behind(t, partial(t, db, func() int {
		calls++
		return calls * 7 % 5 // 2 4 1 3 0
	}))
	db.put(t, "acme", 100, 1, 90)
	printed, err := faulty.erase(t, "", "-confirm", "acme", "acme")
	if got := db.stored(t, "acme"); err != nil || got != [2]int{} || calls < 40 {
		t.Errorf("error %v, %v items are left after %d calls\n%s", err, got, calls, printed)
	}
	if n := strings.Count(printed, "Erased: "); n != 1 {
		t.Errorf("%d sweeps, want 1:\n%s", n, printed)
	}

	faulty = db.behind(t, partial(t, db, func() int { return 0 }))
	db.put(t, "throttled", 100, 1, 2)
	if _, err := faulty.erase(t, "", "-confirm", "throttled", "throttled"); err == nil || !strings.Contains(err.Error(), "table history is throttled") {
		t.Errorf("error %v, want one of throttling", err)
	}
}

// A write that was under way brings a state back, which a second sweep erases. Somebody who goes on writing is an error.
func testWritesUnderWay(t *testing.T, db database) {
	for _, tt := range []struct {
		writes int
		fails  bool
	}{{1, false}, {1000, true}} {
		writes, erased := 0, false
		faulty := db.behind(t, func(_ http.ResponseWriter, _ *http.Request, operation string, body []byte) bool {
			if operation == "Query" && erased && writes < tt.writes {
				writes++
				db.put(t, "acme", 100, 1, writes)
			}
			erased = operation == "BatchWriteItem" && bytes.Contains(body, []byte(`"settings":[`))
			return false
		})
		db.put(t, "acme", 100, 1, 2)
		printed, err := faulty.erase(t, "", "-confirm", "acme", "acme")
		if (err != nil) != tt.fails || tt.fails && !strings.Contains(err.Error(), "somebody still writes settings") {
			t.Errorf("%d writes: error %v\n%s", tt.writes, err, printed)
		}
		if !tt.fails && db.stored(t, "acme") != [2]int{} {
			t.Errorf("%v items are left\n%s", db.stored(t, "acme"), printed)
		}
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"", "acme", "-settings a acme", "-history b acme", "-settings a -history a acme", "-settings a -history b",
		"-settings a -history b acme globex", "-nonsense",
	} {
		err := run(t.Context(), strings.Fields(args), strings.NewReader("acme\n"), io.Discard, time.Millisecond)
		if err == nil || !strings.HasPrefix(err.Error(), "usage: make erase ORG=") && !strings.HasPrefix(err.Error(), "flag ") {
			t.Errorf("%q: error %v, want one of the flags", args, err)
		}
	}
}
