package api_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"orgsettings/internal/app"
)

const (
	historyForbidden = `{"success":false,"message":"Insufficient permissions: only OWNER and ADMINISTRATOR roles can read organization settings history"}`
	noHistory        = `{"success":false,"message":"Organization settings history is not available"}`
	noRevision       = `{"success":false,"message":"Organization settings revision not found"}`
	restored         = `{"success":true,"message":"Organization settings restored successfully"}`
)

func withHistory(c *app.Config) {
	c.Tables.History = "HistoryTable"
	c.Retention = 365 * 24 * time.Hour
}

// entry is one state of a history.
type entry struct {
	Revision, UpdatedAt, UpdatedBy, RestoredFrom string
}

type page struct {
	Success bool
	History []entry
	Next    string
}

// at sends a request to a path below the resource and compares status and body; an empty body is not compared.
func (s shared) at(t *testing.T, user, method, below, body string, status int, want string, fields ...string) (string, http.Header) {
	t.Helper()
	r := s.callAt(t, method, below, body, append(s.as(t, user), fields...)...)
	got := text(t, r)
	if r.StatusCode != status || want != "" && got != want {
		t.Errorf("%s: %s %s %.80s answers %d %.300s, want %d %.300s", user, method, below, body, r.StatusCode, got, status, want)
	}
	return got, r.Header
}

// write sends a request that must succeed, and returns the revision that it made.
func (s shared) write(t *testing.T, user, method, body string, fields ...string) string {
	t.Helper()
	_, header := s.at(t, user, method, "", body, 200, "", fields...)
	return strings.Trim(header.Get("ETag"), `"`)
}

// list reads the history page by page.
func (s shared) list(t *testing.T, user string, limit int) []entry {
	t.Helper()
	all := []entry{}
	query := fmt.Sprintf("?limit=%d", limit)
	for before := ""; ; {
		body, _ := s.at(t, user, "GET", "/history"+query+before, "", 200, "")
		var p page
		if err := json.Unmarshal([]byte(body), &p); err != nil || !p.Success || p.History == nil || len(p.History) > limit {
			t.Fatalf("%s: %v", body, err)
		}
		all = append(all, p.History...)
		if p.Next == "" {
			return all
		}
		if last := p.History[len(p.History)-1].Revision; len(p.History) == limit && last != "" && p.Next != last {
			t.Errorf("next is %s after %s", p.Next, last)
		}
		if len(all) > 10_000 {
			t.Fatal("the history has no end")
		}
		before = "&before=" + p.Next
	}
}

func revisions(entries []entry) (all []string) {
	for _, e := range entries {
		all = append(all, e.Revision)
	}
	return all
}

// archived returns the item of the history table.
func (s shared) archived(t *testing.T, org, revision string) item {
	t.Helper()
	out, err := s.client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("HistoryTable"), Key: item{"orgId": str(org), "revision": str(revision)}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

var exported = cmp.Exporter(func(reflect.Type) bool { return true })

func TestHistory(t *testing.T) {
	t.Parallel()
	test := func(t *testing.T, s shared) {
		t.Run("story", s.testStory)
		t.Run("callers", s.testHistoryCallers)
		t.Run("pages", s.testPages)
		t.Run("queries", s.testHistoryQueries)
		t.Run("large documents", s.testLargeHistory)
		t.Run("expiry", s.testExpiry)
		t.Run("items of others", s.testForeignHistory)
		t.Run("writers at once", s.testHistoryOfManyWriters)
		t.Run("preview", s.testPreview)
	}
	onBothEngines(t, "", test, withHistory)
}

// What every kind of write leaves in the history, and the way back.
func (s shared) testStory(t *testing.T) {
	s.at(t, "alice", "GET", "/history", "", 200, `{"success":true,"history":[]}`)
	began := time.Now().Add(-time.Millisecond)
	first := s.write(t, "alice", "POST", `{"settings":{"a":{"b":1.0,"c":"é"},"l":[1,2],"x":null}}`)
	second := s.write(t, "alice", "PUT", `{"a":{"b":1,"d":true}}`)
	third := s.write(t, "alice", "DELETE", `{"keys":["a.c","x"]}`)
	for _, unchanged := range [][2]string{
		{"POST", `{"settings": {"a":{"b":1,"d":true},"l":[1,2]}}`}, {"PUT", `{"a":{"b":1}}`}, {"PUT", `{}`}, {"DELETE", `{"keys":["x"]}`},
	} {
		if r := s.write(t, "alice", unchanged[0], unchanged[1]); r != third {
			t.Errorf("%s %s changes nothing and makes revision %s of %s", unchanged[0], unchanged[1], r, third)
		}
	}
	got := s.list(t, "alice", 20)
	want := []entry{{Revision: third, UpdatedBy: "alice"}, {Revision: second, UpdatedBy: "alice"}, {Revision: first, UpdatedBy: "alice"}}
	for i, e := range got {
		at, err := time.Parse(time.RFC3339, e.UpdatedAt)
		if err != nil || at.Before(began) || at.After(time.Now()) {
			t.Errorf("updatedAt is %q: %v", e.UpdatedAt, err)
		}
		got[i].UpdatedAt = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}

	state := func(r, members string) {
		t.Helper()
		body, header := s.at(t, "alice", "GET", "/history/"+r, "", 200, "")
		begin, rest, _ := strings.Cut(body, `,"updatedAt":"`)
		_, rest, _ = strings.Cut(rest, `"`)
		if got := begin + rest; got != `{"success":true,"revision":"`+r+`","updatedBy":"alice",`+members+`}` {
			t.Errorf("%s:\n%s\nwant\n%s", r, got, members)
		}
		if header.Get("ETag") != `"`+r+`"` || header.Get("Cache-Control") != "private, max-age=86400, immutable" || header.Get("Vary") != "Authorization" || header.Get("Content-Type") != "application/json" {
			t.Errorf("header %v", header)
		}
	}
	state(first, `"settings":{"a":{"b":1.0,"c":"é"},"l":[1,2],"x":null},"changes":[`+
		`{"path":"/a","after":{"b":1.0,"c":"é"}},{"path":"/l","after":[1,2]},{"path":"/x","after":null}]`)
	state(second, `"settings":{"a":{"b":1,"c":"é","d":true},"l":[1,2],"x":null},"changes":[`+
		`{"path":"/a/b","before":1.0,"after":1},{"path":"/a/d","after":true}]`)
	state(third, `"settings":{"a":{"b":1,"d":true},"l":[1,2]},"changes":[{"path":"/a/c","before":"é"},{"path":"/x","before":null}]`)
	if _, header := s.at(t, "alice", "GET", "/history/"+first, "", 304, "", "If-None-Match", `"`+first+`"`); header.Get("ETag") != `"`+first+`"` {
		t.Errorf("304 with %v", header)
	}

	// The way back, once with a condition that does not hold, and once more when there is nothing left to do.
	_, header := s.at(t, "alice", "POST", "/history/"+first+"/restore", "", 412, `{"success":false,"message":"Organization settings have changed"}`, "If-Match", `"`+second+`"`)
	if header.Get("ETag") != `"`+third+`"` {
		t.Errorf("412 with ETag %s", header.Get("ETag"))
	}
	s.at(t, "alice", "POST", "/history/"+first+"/restore", "", 400, "", "If-Match", third)
	_, header = s.at(t, "alice", "POST", "/history/"+first+"/restore", "", 200, restored, "If-Match", `"`+third+`"`)
	fourth := strings.Trim(header.Get("ETag"), `"`)
	s.at(t, "alice", "GET", "", "", 200, `{"success":true,"settings":{"a":{"b":1.0,"c":"é"},"l":[1,2],"x":null}}`)
	for _, r := range []string{first, fourth} {
		if _, header = s.at(t, "alice", "POST", "/history/"+r+"/restore", "", 200, restored); header.Get("ETag") != `"`+fourth+`"` {
			t.Errorf("a restore that changes nothing makes %s of %s", header.Get("ETag"), fourth)
		}
	}
	if got := s.list(t, "alice", 1); len(got) != 4 || got[0].Revision != fourth || got[0].RestoredFrom != first || got[1].RestoredFrom != "" {
		t.Errorf("history after the restore: %+v", got)
	}
	fifth := s.write(t, "alice", "PUT", `{"x":1}`)
	if body, _ := s.at(t, "alice", "GET", "/history/"+fourth, "", 200, ""); !strings.Contains(body, `"restoredFrom":"`+first+`","settings":`) {
		t.Errorf("the restored state is %s", body)
	}
	// Without a document there is nothing before. The item in the archive is the one that was stored.
	if got := revisions(s.list(t, "alice", 2)); !slices.Equal(got, []string{fifth, fourth, third, second, first}) {
		t.Errorf("history: %q", got)
	}
	if it := s.archived(t, "acme", first); it["settings"] == nil || it["expiresAt"] == nil || it["updatedAt"] == nil || it["updatedBy"] == nil {
		t.Errorf("archived: %v", it)
	}
	if it := s.archived(t, "acme", fifth); it != nil {
		t.Errorf("the current state is archived: %v", it)
	}
}

// Only who may write sees the history, and nobody sees another organization's.
func (s shared) testHistoryCallers(t *testing.T) {
	revision := s.write(t, "carol", "POST", `{"settings":{"secret":1}}`)
	s.write(t, "carol", "POST", `{"settings":{"secret":2}}`)
	s.put(t, "UsersTable", item{"userId": str("ivy"), "orgId": str("globex"), "role": num("0")})
	for _, r := range []struct{ method, below string }{
		{"GET", "/history"}, {"GET", "/history/" + revision}, {"POST", "/history/" + revision + "/restore"},
	} {
		s.at(t, "ivy", r.method, r.below, "", 403, historyForbidden)
		s.at(t, "bob", r.method, r.below, "", 404, `{"success":false,"message":"User not associated with any organization"}`)
		if answer := s.callAt(t, r.method, r.below, ""); answer.StatusCode != 401 {
			t.Errorf("%s %s without a token: %d", r.method, r.below, answer.StatusCode)
		}
		if r.below == "/history" {
			continue
		}
		s.at(t, "alice", r.method, r.below, "", 404, noRevision)
		for _, other := range []string{"01KDXZT9JE0000000000000000", "01kdxzt9je0000000000000000", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "x", "%22", ""} {
			s.at(t, "carol", r.method, strings.Replace(r.below, revision, other, 1), "", 404, noRevision)
		}
	}
	s.at(t, "carol", "POST", "/history/"+revision, "", 404, `{"success":false,"message":"Not Found"}`)
	for _, other := range []string{"a/b", revision + "/restore", "a%2Fb", "{revision}"} {
		s.at(t, "carol", "GET", "/history/"+other, "", 404, noRevision)
		s.at(t, "carol", "POST", "/history/"+other+"/restore", "", 404, noRevision)
	}
	if line := s.log.Take(); strings.Contains(line, "secret") || !strings.Contains(line, `"route":"POST /settings/organization/history/{revision}/restore"`) {
		t.Errorf("log: %s", line)
	}
}

// Pages of every size have each state once, in order, also while others write.
func (s shared) testPages(t *testing.T) {
	s.put(t, "UsersTable", item{"userId": str("pages"), "orgId": str("pages"), "role": num("254")})
	var want []string
	for n := range 23 {
		want = append([]string{s.write(t, "pages", "PUT", fmt.Sprintf(`{"n":%d}`, n))}, want...)
	}
	for _, limit := range []int{1, 2, 11, 22, 23, 24, 100} {
		if got := revisions(s.list(t, "pages", limit)); !slices.Equal(got, want) {
			t.Errorf("pages of %d: %q, want %q", limit, got, want)
		}
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				s.write(t, "pages", "PUT", fmt.Sprintf(`{"m":%d}`, n))
			}
		}
	})
	for limit := 1; limit < 8; limit++ {
		got := revisions(s.list(t, "pages", limit))
		if !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(b, a) }) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Errorf("pages of %d repeat or are out of order: %q", limit, got)
		}
		if i := slices.Index(got, want[0]); i < 0 || !slices.Equal(got[i:], want) {
			t.Errorf("pages of %d skip: %q, want %q at the end", limit, got, want)
		}
	}
	close(stop)
	wg.Wait()
}

func (s shared) testHistoryQueries(t *testing.T) {
	for query, want := range map[string]string{
		"limit=0": "limit is not a number from 1 to 100", "limit=101": "limit is not a number from 1 to 100", "limit=": "limit is not a number from 1 to 100",
		"limit=1e1": "limit is not a number from 1 to 100", "limit=99999999999999999999": "limit is not a number from 1 to 100",
		"before=": "before is not a revision", "before=x": "before is not a revision", "before=%2201KDXZT9JE0000000000000000%22": "before is not a revision",
		"limit=%2B5": "limit is not a number from 1 to 100", "limit=1&limit=2": "more than once", "before=%": "cannot be read", "a;b": "cannot be read",
	} {
		body, _ := s.at(t, "alice", "GET", "/history?"+query, "", 400, "")
		if !strings.HasPrefix(body, `{"success":false,"message":"Failed to read organization settings history","error":"`) || !strings.Contains(body, want) {
			t.Errorf("%s: %s", query, body)
		}
	}
	s.at(t, "alice", "GET", "/history?before=00000000000000000000000000&other=1", "", 200, `{"success":true,"history":[]}`)
	s.at(t, "alice", "GET", "/history", "", 400, "", "If-Match", "x")
}

// A list of large documents takes several queries of the database, and may end a page early.
func (s shared) testLargeHistory(t *testing.T) {
	s.put(t, "UsersTable", item{"userId": str("large"), "orgId": str("large"), "role": num("255")})
	r := rand.New(rand.NewPCG(1, 2))
	document := func(n int) string {
		text := make([]byte, 400_000-len(fmt.Sprintf(`{"n":%d,"":""}`, n)))
		for i := range text {
			text[i] = byte('#' + r.IntN(56)) // neither " nor \
		}
		return fmt.Sprintf(`{"n":%d,"":"%s"}`, n, text)
	}
	var want, documents []string
	for n := 100; n < 115; n++ {
		documents = append(documents, document(n))
		want = append([]string{s.write(t, "large", "POST", `{"settings":`+documents[n-100]+`}`)}, want...)
	}
	if got := revisions(s.list(t, "large", 100)); !slices.Equal(got, want) {
		t.Errorf("history: %q, want %q", got, want)
	}
	body, _ := s.at(t, "large", "GET", "/history/"+want[13], "", 200, "")
	if !strings.Contains(body, `"settings":`+documents[1]+`,"changes":[{"path":"/n","before":100,"after":101},{"path":"/","beforeSize":{"bytes":399987},"afterSize":{"bytes":399987}}]}`) {
		t.Errorf("the second state has %d bytes and ends so: %s", len(body), body[max(0, len(body)-300):])
	}
	s.at(t, "large", "POST", "/history/"+want[14]+"/restore", "", 200, restored)
	s.at(t, "large", "GET", "", "", 200, `{"success":true,"settings":`+documents[0]+`}`)
}

// What is past its time is not answered, although the database still has it.
func (s shared) testExpiry(t *testing.T) {
	s.put(t, "UsersTable", item{"userId": str("old"), "orgId": str("old"), "role": num("255")})
	first := s.write(t, "old", "POST", `{"settings":{"n":1}}`)
	second := s.write(t, "old", "POST", `{"settings":{"n":2}}`)
	third := s.write(t, "old", "POST", `{"settings":{"n":3}}`)
	it := s.archived(t, "old", first)
	it["expiresAt"] = num(fmt.Sprint(time.Now().Unix()))
	s.put(t, "HistoryTable", it)
	if got := revisions(s.list(t, "old", 1)); !slices.Equal(got, []string{third, second}) {
		t.Errorf("history: %q", got)
	}
	s.at(t, "old", "GET", "/history/"+first, "", 404, noRevision)
	s.at(t, "old", "POST", "/history/"+first+"/restore", "", 404, noRevision)
	if body, _ := s.at(t, "old", "GET", "/history/"+second, "", 200, ""); strings.Contains(body, "changes") || !strings.HasSuffix(body, `"settings":{"n":2}}`) {
		t.Errorf("a state whose predecessor has expired: %s", body)
	}
	// A copy that a write left behind before it failed: the state is still the current one.
	current := s.stored(t, "old")
	current["expiresAt"] = num("1")
	s.put(t, "HistoryTable", current)
	if body, _ := s.at(t, "old", "GET", "/history/"+third, "", 200, ""); !strings.HasSuffix(body, `"changes":[{"path":"/n","before":2,"after":3}]}`) {
		t.Errorf("the current state: %s", body)
	}
	if got := revisions(s.list(t, "old", 1)); !slices.Equal(got, []string{third, second}) {
		t.Errorf("history: %q", got)
	}
	s.write(t, "old", "POST", `{"settings":{"n":4}}`)
	if e, ok := s.archived(t, "old", third)["expiresAt"]; !ok || reflect.DeepEqual(e, num("1")) {
		t.Errorf("expiresAt of what was superseded just now is %v", e)
	}
}

// What other programs wrote, or this one before there was a history, is archived as it is by its first change.
func (s shared) testForeignHistory(t *testing.T) {
	s.member(t, "older", item{"settings": str(`{"a":1}`), "revision": str("01KDXZT9JE0000000000000000"), "updatedAt": str("yesterday")})
	before := s.stored(t, "older")
	next := s.write(t, "older", "PUT", `{"b":2}`)
	s.at(t, "older", "GET", "/history/01KDXZT9JE0000000000000000", "", 200, `{"success":true,"revision":"01KDXZT9JE0000000000000000","settings":{"a":1}}`)
	if body, _ := s.at(t, "older", "GET", "/history/"+next, "", 200, ""); !strings.HasSuffix(body, `"changes":[{"path":"/b","after":2}]}`) {
		t.Errorf("the first change: %s", body)
	}
	archived := s.archived(t, "older", "01KDXZT9JE0000000000000000")
	delete(archived, "expiresAt")
	if diff := cmp.Diff(before, archived, exported); diff != "" {
		t.Errorf("archived (-stored +archived):\n%s", diff)
	}

	for name, revision := range map[string]item{
		"none": {}, "number": {"revision": num("7")}, "long": {"revision": str(strings.Repeat("z", 3000))}, "greatest": {"revision": str("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")},
	} {
		for kind, text := range map[string]string{"document": `{"secret": 1}`, "corrupt": `{"secret":`} {
			user := kind + " " + name
			it := item{"settings": str(text), "note": str("by hand"), "updatedBy": num("1")}
			for k, v := range revision {
				it[k] = v
			}
			s.member(t, user, it)
			if got := s.list(t, user, 1); !slices.Equal(got, []entry{{}}) {
				t.Errorf("%s: the list is %v", user, got)
			}
			second := s.write(t, user, "POST", `{"settings":{"a":1}}`, "If-Match", "*")
			third := s.write(t, user, "POST", `{"settings":{"a":2}}`)
			got := revisions(s.list(t, user, 1))
			if len(got) != 3 || got[0] != third || got[1] != second || got[2] >= second {
				t.Fatalf("%s: history %q", user, got)
			}
			archived := s.archived(t, user, got[2])
			delete(archived, "expiresAt")
			delete(archived, "revision")
			delete(it, "revision")
			it["orgId"] = str(user)
			if diff := cmp.Diff(it, archived, exported); diff != "" {
				t.Errorf("%s: archived (-stored +archived):\n%s", user, diff)
			}
			s.log.Take()
			if kind == "corrupt" {
				s.at(t, user, "GET", "/history/"+got[2], "", 500, internalError)
				s.at(t, user, "POST", "/history/"+got[2]+"/restore", "", 500, internalError)
				if line := s.log.Take(); !strings.Contains(line, "read attribute settings of") || strings.Contains(line, "secret") {
					t.Errorf("%s: log %s", user, line)
				}
				if body, _ := s.at(t, user, "GET", "/history/"+second, "", 200, ""); strings.Contains(body, "changes") {
					t.Errorf("%s: changes against what is no document: %s", user, body)
				}
				continue
			}
			s.at(t, user, "GET", "/history/"+got[2], "", 200, `{"success":true,"revision":"`+got[2]+`","settings":{"secret":1}}`)
			s.at(t, user, "POST", "/history/"+got[2]+"/restore", "", 200, restored)
		}
	}

	// Items whose sort key is no revision are none of ours, wherever they lie and however many they are.
	states := revisions(s.list(t, "older", 1))
	for n := range 20 {
		s.put(t, "HistoryTable", item{"orgId": str("older"), "revision": str(fmt.Sprintf("%s-copy-%d", states[1], n)), "settings": str(`{}`)})
		s.put(t, "HistoryTable", item{"orgId": str("older"), "revision": str(fmt.Sprintf("7ZZZ%d", n)), "settings": str(`{}`)})
	}
	if got := revisions(s.list(t, "older", 1)); !slices.Equal(got, states) {
		t.Errorf("history among other items: %q, want %q", got, states)
	}
	if body, _ := s.at(t, "older", "GET", "/history/"+states[0], "", 200, ""); !strings.HasSuffix(body, `"changes":[{"path":"/b","after":2}]}`) {
		t.Errorf("changes among other items: %s", body)
	}
	// A state that somebody copies back and that is then superseded leads to its own predecessor.
	third := s.write(t, "older", "PUT", `{"c":3}`)
	back := s.archived(t, "older", next)
	back["expiresAt"] = num("1")
	s.put(t, "SettingsTable", back)
	fourth := s.write(t, "older", "PUT", `{"d":4}`)
	if body, _ := s.at(t, "older", "GET", "/history/"+fourth, "", 200, ""); !strings.HasSuffix(body, `"changes":[{"path":"/d","after":4}]}`) {
		t.Errorf("changes against a state that was copied back, with %s between them: %s", third, body)
	}
	if e := s.archived(t, "older", next)["expiresAt"]; reflect.DeepEqual(e, num("1")) {
		t.Errorf("the state that was copied back expires at %v", e)
	}

	// Attributes that an answer does not need, of any size and form, cannot make it fail.
	s.member(t, "odd", item{
		"settings": str(`{"a":1}`), "revision": str("01KDXZT9JE0000000000000000"), "updatedAt": str("9999-12-31T23:59:59-01:00"),
		"updatedBy": str(strings.Repeat("\x01", 50_000)), "note": str(strings.Repeat("\x01", 50_000)), // six times as long in JSON
	})
	s.at(t, "odd", "GET", "", "", 200, `{"success":true,"settings":{"a":1}}`)
	s.at(t, "odd", "GET", "/history", "", 200, `{"success":true,"history":[{"revision":"01KDXZT9JE0000000000000000"}]}`)
	s.write(t, "odd", "PUT", `{"b":2}`)
	s.at(t, "odd", "GET", "/history/01KDXZT9JE0000000000000000", "", 200, `{"success":true,"revision":"01KDXZT9JE0000000000000000","settings":{"a":1}}`)

	// A JSON object over the limit is corrupt where it is read, and too large where it is restored.
	s.member(t, "over", item{"settings": str(`{"a":"` + strings.Repeat("x", 400_000) + `"}`), "revision": str("01KDXZT9JE0000000000000000")})
	s.write(t, "over", "POST", `{"settings":{}}`)
	s.at(t, "over", "GET", "/history/01KDXZT9JE0000000000000000", "", 500, internalError)
	s.at(t, "over", "POST", "/history/01KDXZT9JE0000000000000000/restore", "", 413, `{"success":false,"message":"Failed to restore organization settings","error":"document has 400008 bytes without insignificant white space, the limit is 400000"}`)

	// Between a state of this program and one that a person wrote there is no way to tell the changes.
	it := s.stored(t, "older")
	delete(it, "previous")
	it["revision"] = str("7YYYYYYYYYYYYYYYYYYYYYYYYY")
	s.put(t, "SettingsTable", it)
	if body, _ := s.at(t, "older", "GET", "/history/7YYYYYYYYYYYYYYYYYYYYYYYYY", "", 200, ""); strings.Contains(body, "changes") {
		t.Errorf("a state that follows none: %s", body)
	}
}

// Every one of many writers at once has its place in the history, whose changes lead to the last document.
func (s shared) testHistoryOfManyWriters(t *testing.T) {
	const writers = 32
	s.put(t, "UsersTable", item{"userId": str("many"), "orgId": str("many"), "role": num("255")})
	s.write(t, "many", "POST", `{"settings":{}}`)
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := make(map[string]string) // key by revision
	for n := range writers {
		wg.Go(func() {
			key := fmt.Sprintf("key-%d", n)
			r := s.call(t, "PUT", `{"`+key+`":1}`, s.as(t, "many")...)
			for tries := 1; r.StatusCode == 503 && tries < 5; tries++ { // the machine is too busy; settings.TestManyWriters has no clock
				r = s.call(t, "PUT", `{"`+key+`":1}`, s.as(t, "many")...)
			}
			if r.StatusCode != 200 {
				t.Errorf("%d %s", r.StatusCode, text(t, r))
			}
			revision := strings.Trim(r.Header.Get("ETag"), `"`)
			mu.Lock()
			defer mu.Unlock()
			made[revision] = key
		})
	}
	wg.Wait()
	all := revisions(s.list(t, "many", 7))
	if len(all) != writers+1 || len(made) != writers {
		t.Fatalf("%d states, %d revisions of %d writers", len(all), len(made), writers)
	}
	document := ""
	for _, revision := range slices.Backward(all[:writers]) {
		document += `,"` + made[revision] + `":1`
		body, _ := s.at(t, "many", "GET", "/history/"+revision, "", 200, "")
		if want := `"settings":{` + document[1:] + `},"changes":[{"path":"/` + made[revision] + `","after":1}]}`; !strings.HasSuffix(body, want) {
			t.Errorf("%s\nwant\n%s", body, want)
		}
	}
	s.at(t, "many", "GET", "", "", 200, `{"success":true,"settings":{`+document[1:]+`}}`)
}

// A preview answers what the write then makes, and writes nothing.
func (s shared) testPreview(t *testing.T) {
	s.put(t, "UsersTable", item{"userId": str("pre"), "orgId": str("pre"), "role": num("255")})
	s.put(t, "UsersTable", item{"userId": str("reader"), "orgId": str("pre"), "role": num("0")})
	current := ""
	for _, w := range []struct{ method, body, after, changes string }{
		{"PUT", `{}`, `{}`, ``},
		{"POST", `{"settings":{"a":{"b":1},"c":2}}`, `{"a":{"b":1},"c":2}`, `{"path":"/a","after":{"b":1}},{"path":"/c","after":2}`},
		{"PUT", `{"a":{"b":null,"d":1.0}}`, `{"a":{"d":1.0},"c":2}`, `{"path":"/a/d","after":1.0},{"path":"/a/b","before":1}`},
		{"DELETE", `{"keys":["c"]}`, `{"a":{"d":1.0}}`, `{"path":"/c","before":2}`},
		{"POST", `{"settings":{"a":{"d":1.0}}}`, `{"a":{"d":1.0}}`, ``},
	} {
		for range 2 {
			_, header := s.at(t, "pre", w.method, "/preview", w.body, 200, `{"success":true,"settings":`+w.after+`,"changes":[`+w.changes+`]}`)
			if got := strings.Trim(header.Get("ETag"), `"`); got != current {
				t.Errorf("preview of %s %s: ETag %q, want that of the current state %q", w.method, w.body, got, current)
			}
		}
		current = s.write(t, "pre", w.method, w.body)
		s.at(t, "pre", "GET", "", "", 200, `{"success":true,"settings":`+w.after+`}`)
	}
	for _, refused := range []struct {
		user, method, body string
		fields             []string
	}{
		{"pre", "POST", `{"settings":1}`, nil}, {"pre", "PUT", `[]`, nil}, {"pre", "DELETE", `{"keys":[]}`, nil},
		{"pre", "POST", `{}`, []string{"Content-Type", "text/plain"}}, {"reader", "PUT", `{"a":1}`, nil}, {"bob", "PUT", `{"a":1}`, nil},
		{"pre", "PUT", `{"a":1}`, []string{"If-Match", `"01KDXZT9JE0000000000000000"`}}, {"pre", "PUT", `{"a":1}`, []string{"If-None-Match", "*"}},
		{"pre", "POST", `{"settings":{}}`, []string{"If-Match", "x"}}, {"pre", "POST", `{"settings":{"a":"` + strings.Repeat("x", 400_000) + `"}}`, nil},
		{"pre", "PUT", `{"b":"` + strings.Repeat("x", 399_980) + `"}`, nil}, {"pre", "PUT", `{"a":1}`, []string{"If-Match", `W/"` + current + `"`}},
	} {
		write := s.call(t, refused.method, refused.body, append(s.as(t, refused.user), refused.fields...)...)
		want := text(t, write)
		_, header := s.at(t, refused.user, refused.method, "/preview", refused.body, write.StatusCode, want, refused.fields...)
		if write.StatusCode < 400 || header.Get("ETag") != write.Header.Get("ETag") {
			t.Errorf("%s %.80s: %d, ETag %q, want %q", refused.method, refused.body, write.StatusCode, header.Get("ETag"), write.Header.Get("ETag"))
		}
	}
	// A replacement of what is no document has no changes that could be told.
	s.member(t, "spoilt", item{"settings": str(`{`)})
	s.at(t, "spoilt", "POST", "/preview", `{"settings":{"a":1}}`, 200, `{"success":true,"settings":{"a":1}}`)
	s.at(t, "spoilt", "PUT", "/preview", `{"a":1}`, 500, internalError)
}

// Without a table there is no history, and everything else is as it was.
func TestNoHistory(t *testing.T) {
	t.Parallel()
	s := newService(t)
	shared := shared{s, newClient(s.database.URL)}
	revision := shared.write(t, "alice", "POST", `{"settings":{"a":1}}`)
	again := shared.write(t, "alice", "POST", `{"settings":{"a":1}}`)
	if again <= revision {
		t.Errorf("a POST makes revision %s after %s", again, revision)
	}
	for _, r := range [][2]string{{"GET", "/history"}, {"GET", "/history?limit=0"}, {"GET", "/history/" + revision}, {"POST", "/history/" + revision + "/restore"}} {
		shared.at(t, "alice", r[0], r[1], "", 404, noHistory)
		if answer := s.callAt(t, r[0], r[1], ""); answer.StatusCode != 401 {
			t.Errorf("%s %s without a token: %d", r[0], r[1], answer.StatusCode)
		}
	}
	shared.at(t, "alice", "PUT", "/preview", `{"a":2}`, 200, `{"success":true,"settings":{"a":2},"changes":[{"path":"/a","before":1,"after":2}]}`)
	if it := shared.archived(t, "acme", revision); it != nil {
		t.Errorf("archived: %v", it)
	}
}

// A writer whose clock is behind neither drops what it replaces nor writes below the history.
func TestHistoryByALateClock(t *testing.T) {
	t.Parallel()
	var behind atomic.Int64 // nanoseconds
	s := newService(t, withHistory, func(c *app.Config) {
		c.Now = func() time.Time { return time.Now().Add(-time.Duration(behind.Load())) }
	})
	shared := shared{s, newClient(s.database.URL)}
	authorization := s.as(t, "alice") // by the right clock
	write := func(n int) string {
		t.Helper()
		r := s.call(t, "POST", fmt.Sprintf(`{"settings":{"n":%d}}`, n), authorization...)
		if r.StatusCode != 200 {
			t.Fatal(text(t, r))
		}
		return strings.Trim(r.Header.Get("ETag"), `"`)
	}
	first := write(1)
	behind.Store(int64(20 * time.Second)) // within the leeway of tokens
	second := write(2)
	if e, ok := shared.archived(t, "acme", first)["expiresAt"].(*types.AttributeValueMemberN); !ok || e.Value < fmt.Sprint(time.Now().Add(365*24*time.Hour-10*time.Second).Unix()) {
		t.Errorf("what was superseded expires at %v", e)
	}
	if _, err := shared.client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("SettingsTable"), Key: item{"orgId": str("acme")}}); err != nil {
		t.Fatal(err)
	}
	if third := write(3); third <= first || second <= first {
		t.Errorf("after a deletion by hand: revision %s, the archive has %s", third, first)
	}
}

// Zero days keep everything.
func TestHistoryForEver(t *testing.T) {
	t.Parallel()
	s := newService(t, withHistory, func(c *app.Config) { c.Retention = 0 })
	shared := shared{s, newClient(s.database.URL)}
	revision := shared.write(t, "alice", "POST", `{"settings":{"a":1}}`)
	shared.write(t, "alice", "POST", `{"settings":{"a":2}}`)
	it := shared.archived(t, "acme", revision)
	if it == nil || it["expiresAt"] != nil {
		t.Errorf("archived: %v", it)
	}
	it["expiresAt"] = num("1") // of a time when there was a limit
	shared.put(t, "SettingsTable", it)
	shared.write(t, "alice", "POST", `{"settings":{"a":3}}`)
	if it := shared.archived(t, "acme", revision); it == nil || it["expiresAt"] != nil {
		t.Errorf("archived again: %v", it)
	}
	shared.at(t, "alice", "POST", "/history/"+revision+"/restore", "", 200, restored)
}

// Where it is asked for, a write states what it is based on.
func TestRequiredPrecondition(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*app.Config){"history": withHistory, "no history": func(*app.Config) {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, change, func(c *app.Config) { c.RequireCondition = true })
			shared := shared{s, newClient(s.database.URL)}
			const why = `"error":"a precondition is needed: send If-Match with the ETag of the settings that you have read"}`
			writes := []struct{ method, below, body, message string }{
				{"POST", "", `{"settings":{"a":1}}`, "Failed to update organization settings"},
				{"PUT", "", `{"a":2}`, "Failed to partially update organization settings"},
				{"DELETE", "", `{"keys":["a"]}`, "Keys array is required and must not be empty"},
				{"POST", "/preview", `{"settings":{"a":1}}`, "Failed to update organization settings"},
			}
			for user, want := range map[string]string{"alice": "there are no settings yet, so send If-None-Match: *", "imported": "the settings have no ETag yet, so send If-Match: *"} {
				if user == "imported" {
					shared.member(t, user, item{"settings": str(`{}`)})
				}
				shared.at(t, user, "PUT", "", `{"a":1}`, 428, `{"success":false,"message":"Failed to partially update organization settings","error":"a precondition is needed: `+want+`"}`)
			}
			first := shared.write(t, "alice", "POST", `{"settings":{"a":0}}`, "If-None-Match", "*")
			if name == "history" {
				second := shared.write(t, "alice", "POST", `{"settings":{"a":1}}`, "If-Match", "*")
				writes = append(writes, struct{ method, below, body, message string }{"POST", "/history/" + first + "/restore", "", "Failed to restore organization settings"})
				first = second
			}
			for _, w := range writes {
				_, header := shared.at(t, "alice", w.method, w.below, w.body, 428, `{"success":false,"message":"`+w.message+`",`+why)
				if header.Get("ETag") != `"`+first+`"` {
					t.Errorf("%s %s: ETag %s", w.method, w.below, header.Get("ETag"))
				}
				shared.at(t, "alice", w.method, w.below, w.body, 412, "", "If-None-Match", "*")
				if w.below == "" {
					shared.at(t, "alice", w.method, w.below, `[`, 400, "")
					shared.at(t, "dave", w.method, w.below, w.body, 403, "")
				}
			}
			shared.at(t, "alice", "GET", "", "", 200, "")
			shared.write(t, "alice", "DELETE", `{"keys":["a"]}`, "If-Match", `"`+first+`"`)
		})
	}
}
