package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/template"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

// database starts one with the tables old and now, and returns how to reach it, as the environment does.
func database(t *testing.T) aws.Config {
	t.Helper()
	server := httptest.NewServer(dynamodb.New())
	t.Cleanup(server.Close)
	tables := map[string]template.Table{"UsersTable": {Key: "userId"}, "now": {Key: "orgId"}, "old": {Key: "orgId"}, "history": {Key: "orgId", RangeKey: "revision"}}
	if err := stack.FillDatabase(t.Context(), server.URL, tables); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": server.URL, "AWS_REGION": "local", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
	} {
		t.Setenv(name, value)
	}
	cfg, err := awsconfig.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// An organization that is named gets its old document with a new revision. Others, and one whose document is the
// same, do not change.
func TestRestore(t *testing.T) {
	cfg := database(t)
	old, now := dynamo.New(cfg, dynamo.Tables{Settings: "old"}), dynamo.New(cfg, dynamo.Tables{Settings: "now"})
	large := `{"a":"` + strings.Repeat("compressed ", 1000) + `"}`
	put := func(db *dynamo.DB, org settings.OrgID, text string, minute int) settings.Record {
		t.Helper()
		at := time.Date(2026, 11, 24, 12, minute, 0, 0, time.UTC)
		document, err := settings.ParseDocument([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		r, err := settings.New(settings.Config{Directory: owner(org), Store: db, Now: func() time.Time { return at }}).Write(t.Context(), "alice", settings.Replacement(document), settings.Condition{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	put(old, "acme", large, 0)
	put(now, "acme", `{"spoilt":true}`, 1)
	put(old, "globex", `{"b":1}`, 0)
	put(now, "globex", `{"b":2}`, 1)
	put(old, "initech", `{"c":1}`, 0)
	put(now, "new", `{"d":1}`, 1)
	same := put(old, "same", `{"e":1}`, 0)
	if err := now.Put(t.Context(), same, settings.Condition{}); err != nil {
		t.Fatal(err)
	}
	stored := func(org settings.OrgID) settings.Record {
		t.Helper()
		r, err := now.Get(t.Context(), org)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := stored("acme")

	var out bytes.Buffer
	args := []string{"-from", "old", "-to", "now", "acme", "initech", "same"}
	if err := run(t.Context(), args, &out); err != nil {
		t.Fatal(err)
	}
	if stored("acme").Revision != before.Revision || stored("initech").Revision != "" || strings.Contains(out.String(), "new") {
		t.Errorf("without -write it has written:\n%s", &out)
	}

	out.Reset()
	if err := run(t.Context(), append([]string{"-write"}, args...), &out); err != nil {
		t.Fatal(err)
	}
	for org, want := range map[settings.OrgID]string{"acme": large, "globex": `{"b":2}`, "initech": `{"c":1}`, "new": `{"d":1}`, "same": `{"e":1}`} {
		if got := string(stored(org).Document.Text()); got != want {
			t.Errorf("%s has %.80s, want %.80s", org, got, want)
		}
	}
	if got := stored("acme"); got.Revision <= before.Revision || got.UpdatedBy != "restore" {
		t.Errorf("revision %s by %s, want one by restore above %s", got.Revision, got.UpdatedBy, before.Revision)
	}
	if got := stored("same").Revision; got != same.Revision {
		t.Errorf("revision %s, want the one that was there, %s", got, same.Revision)
	}
	want := regexp.MustCompile(`^acme: document of 11008 bytes
  old  \w{26}  2026-11-24T12:00:00Z  by alice
  now  \w{26}  2026-11-24T12:01:00Z  by alice
  new  \w{26}  \S+  by restore
initech: document of 7 bytes
  old  \w{26}  2026-11-24T12:00:00Z  by alice
  now  never written
  new  `)
	if !want.MatchString(out.String()) {
		t.Errorf("prints\n%s\nwant\n%s", &out, want)
	}

	// An organization that cannot be restored is an error, and the others are restored.
	put(now, "globex", `{"b":3}`, 2)
	if err := run(t.Context(), []string{"-write", "-from", "old", "-to", "now", "new", "globex"}, &out); err == nil || !strings.HasPrefix(err.Error(), "new: ") {
		t.Errorf("error %v, want one of new", err)
	}
	if got := string(stored("globex").Document.Text()); got != `{"b":1}` {
		t.Errorf("globex has %s", got)
	}

	// Somebody writes between the read and the write.
	put(now, "globex", `{"b":3}`, 2)
	racing := restorer{old: old, now: racing{now, func() { put(now, "globex", `{"b":4}`, 3) }}, by: "restore", write: true, out: &out}
	err := racing.restore(t.Context(), "globex")
	if _, ok := errors.AsType[*settings.ConflictError](err); !ok {
		t.Errorf("error %v, want a conflict", err)
	}
	if got := string(stored("globex").Document.Text()); got != `{"b":4}` {
		t.Errorf("globex has %s, want what was written meanwhile", got)
	}
}

// What somebody has done to the item by hand does not keep it from being restored.
func TestRestoreSpoilt(t *testing.T) {
	cfg := database(t)
	now := dynamo.New(cfg, dynamo.Tables{Settings: "now"})
	client := sdk.NewFromConfig(cfg)
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	type item = map[string]types.AttributeValue
	put := func(table, org string, attributes item) {
		t.Helper()
		attributes["orgId"] = text(org)
		if _, err := client.PutItem(t.Context(), &sdk.PutItemInput{TableName: &table, Item: attributes}); err != nil {
			t.Fatal(err)
		}
	}
	const revision, document = "01M86PTPG0435VFSF7KNQVG7AE", `{"n":1.0,"":"kept"}`
	written := func() item {
		return item{"settings": text(document), "revision": text(revision), "updatedBy": text("alice")}
	}
	stored := func(org string) string {
		t.Helper()
		r, err := now.Get(t.Context(), settings.OrgID(org))
		if err != nil || r.Corrupt != nil {
			t.Errorf("%s: %v, %v", org, err, r.Corrupt)
		}
		return string(r.Document.Text())
	}
	for name, tt := range map[string]struct {
		now    item
		prints string
	}{
		"no JSON":              {item{"settings": text("{oops"), "revision": text(revision)}, "is no document: read attribute settings"},
		"not an object":        {item{"settings": text("[]"), "revision": text(revision)}, "is no document: "},
		"another type":         {item{"settings": &types.AttributeValueMemberBOOL{Value: true}, "revision": text(revision)}, "is no document: "},
		"a broken frame":       {item{"settings": &types.AttributeValueMemberB{Value: []byte("x")}}, "is no document: "},
		"nothing":              {item{}, "now  no revision  unknown time  by \n"},
		"changed by hand":      {item{"settings": text(`{"n":2}`), "revision": text(revision)}, "is another document under the same revision"},
		"revision of no form":  {item{"settings": text(`{}`), "revision": text("zzz\"")}, "now  no revision"},
		"revision of a number": {item{"settings": text(`{}`), "revision": &types.AttributeValueMemberN{Value: "5"}}, "now  no revision"},
		"writer with escapes":  {item{"settings": text(`{}`), "updatedBy": text("\x1b[2Jeve\n")}, `by "\x1b[2Jeve\n"`},
	} {
		put("old", name, written())
		put("now", name, tt.now)
		var out bytes.Buffer
		if err := run(t.Context(), []string{"-write", "-from", "old", "-to", "now", name}, &out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := stored(name); got != document {
			t.Errorf("%s: stored is %s, want %s", name, got, document)
		}
		if !strings.Contains(out.String(), tt.prints) || strings.ContainsRune(out.String(), '\x1b') {
			t.Errorf("%s: prints %q, want %q in it", name, out.String(), tt.prints)
		}
	}

	put("old", "spaces", written())
	put("now", "spaces", item{"settings": text(`{ "n" : 1.0, "": "kept" }`), "revision": text(revision)})
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-write", "-from", "old", "-to", "now", "spaces"}, &out); err != nil || !strings.HasSuffix(out.String(), "is the same document, nothing to restore\n") {
		t.Errorf("the same document: %v, prints %q", err, out.String())
	}

	// Nothing is written that the service would refuse.
	for _, old := range []item{
		{}, {"settings": text("[]")}, {"settings": text(`{"a":1,"a":2}`)},
		{"settings": text(`{"a":"` + strings.Repeat("x", settings.MaxDocumentBytes) + `"}`)},
	} {
		put("old", "bad\n", old)
		put("now", "bad\n", item{"settings": text(`{"good":true}`)})
		err := run(t.Context(), []string{"-write", "-from", "old", "-to", "now", "bad\n"}, io.Discard)
		if err == nil || strings.Contains(err.Error(), "\n") || stored("bad\n") != `{"good":true}` {
			t.Errorf("old item %.80v: error %q, stored is %s", old, err, stored("bad\n"))
		}
	}

	// Somebody writes meanwhile, over an item without a revision.
	put("old", "race", written())
	put("now", "race", item{"settings": text("{oops")})
	r := restorer{
		old: dynamo.New(cfg, dynamo.Tables{Settings: "old"}), by: "restore", write: true, out: io.Discard,
		now: racing{now, func() {
			put("now", "race", item{"settings": text(`{"meanwhile":1}`), "revision": text("01" + revision[2:])})
		}},
	}
	if err := r.restore(t.Context(), "race"); err == nil || stored("race") != `{"meanwhile":1}` {
		t.Errorf("error %v, stored is %s", err, stored("race"))
	}
}

// What is replaced is in the history afterwards, as it was stored.
func TestHistory(t *testing.T) {
	cfg := database(t)
	now := dynamo.New(cfg, dynamo.Tables{Settings: "now", History: "history"})
	client := sdk.NewFromConfig(cfg)
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	type item = map[string]types.AttributeValue
	put := func(table, org string, attributes item) {
		t.Helper()
		attributes["orgId"] = text(org)
		if _, err := client.PutItem(t.Context(), &sdk.PutItemInput{TableName: &table, Item: attributes}); err != nil {
			t.Fatal(err)
		}
	}
	states := func(org string) []item {
		t.Helper()
		out, err := client.Query(t.Context(), &sdk.QueryInput{
			TableName: aws.String("history"), KeyConditionExpression: aws.String("orgId = :o"), ExpressionAttributeValues: item{":o": text(org)},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.Items
	}
	const revision, document, spoilt = "01M86PTPG0435VFSF7KNQVG7AE", `{"n":1.0}`, `{"spoilt":true}`
	old := func() item { return item{"settings": text(document), "revision": text("01" + revision[2:])} }
	for name, tt := range map[string]struct {
		now  item // nil: never written
		days string
	}{
		"a document":     {item{"settings": text(spoilt), "revision": text(revision), "extra": text("kept")}, "365"},
		"for ever":       {item{"settings": text(spoilt), "revision": text(revision)}, "0"},
		"no revision":    {item{"settings": text(spoilt)}, "1"},
		"no document":    {item{"settings": text("{oops")}, "1"},
		"never written":  {nil, "1"},
		"only shown":     {item{"settings": text(spoilt), "revision": text(revision)}, ""},
		"already so":     {item{"settings": text(document), "revision": text(revision)}, "1"},
		"hand's changes": {item{"settings": text(spoilt), "revision": text("01" + revision[2:])}, "1"},
	} {
		put("old", name, old())
		if tt.now != nil {
			put("now", name, tt.now)
		}
		args := []string{"-from", "old", "-to", "now", "-history", "history", name}
		if tt.days != "" {
			args = append([]string{"-write", "-history-days", tt.days}, args...)
		}
		if err := run(t.Context(), args, io.Discard); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		archived := states(name)
		if tt.now == nil || name == "only shown" || name == "already so" {
			if len(archived) > 0 {
				t.Errorf("%s: the history has %v", name, archived)
			}
			continue
		}
		if len(archived) != 1 {
			t.Errorf("%s: the history has %d states, want 1", name, len(archived))
			continue
		}
		current, err := now.Get(t.Context(), settings.OrgID(name))
		state := archived[0]
		previous := state["revision"].(*types.AttributeValueMemberS).Value
		if err != nil || string(current.Document.Text()) != document || string(current.Previous) != previous || string(current.Revision) <= previous {
			t.Errorf("%s: current is %q after %q, %s, error %v", name, current.Revision, current.Previous, current.Document.Text(), err)
		}
		if expires, ok := state["expiresAt"]; ok != (tt.days != "0") {
			t.Errorf("%s: expires at %v", name, expires)
		} else if ok {
			seconds, _ := strconv.ParseInt(expires.(*types.AttributeValueMemberN).Value, 10, 64)
			if left := time.Until(time.Unix(seconds, 0)).Hours()/24 + 0.01; strconv.Itoa(int(left)) != tt.days {
				t.Errorf("%s: expires in %.1f days, want %s", name, left, tt.days)
			}
		}
		delete(state, "expiresAt")
		if tt.now["revision"] == nil {
			delete(state, "revision") // it has got one
		}
		if diff := cmp.Diff(tt.now, state, cmpopts.IgnoreUnexported(types.AttributeValueMemberS{})); diff != "" {
			t.Errorf("%s: archived item (-was stored +got):\n%s", name, diff)
		}
	}

	// Somebody writes meanwhile, over an item without a revision: after it was read, and after it has got a revision.
	for name, store := range map[string]func(write func()) settings.Store{
		"read":     func(write func()) settings.Store { return racing{now, write} },
		"revision": func(write func()) settings.Store { return stamped{now, write} },
	} {
		put("old", name, old())
		put("now", name, item{"settings": text(spoilt)})
		r := restorer{old: dynamo.New(cfg, dynamo.Tables{Settings: "old"}), archive: now, by: "restore", write: true, out: io.Discard}
		r.now = store(func() {
			put("now", name, item{"settings": text(`{"meanwhile":1}`), "revision": text("7" + revision[1:])})
		})
		err := r.restore(t.Context(), settings.OrgID(name))
		current, _ := now.Get(t.Context(), settings.OrgID(name))
		if err == nil || string(current.Document.Text()) != `{"meanwhile":1}` {
			t.Errorf("after the %s: error %v, stored is %s", name, err, current.Document.Text())
		}
	}

	// An absent table is named by its flag.
	for _, args := range []string{"-from absent -to now", "-to absent -from old"} {
		err := run(t.Context(), append(strings.Fields(args), "a document"), io.Discard)
		if want := "a document: the table of " + args[:strings.Index(args, " ")] + ": operation error DynamoDB: GetItem, "; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", args, err, want)
		}
	}

	// Without its table of history nothing is written.
	put("now", "a document", item{"settings": text(spoilt), "revision": text(revision)})
	err := run(t.Context(), []string{"-write", "-from", "old", "-to", "now", "-history", "absent", "a document"}, io.Discard)
	if current, _ := now.Get(t.Context(), "a document"); err == nil || string(current.Document.Text()) != spoilt {
		t.Errorf("error %v, stored is %s", err, current.Document.Text())
	}
}

// stamped is a store that somebody writes to after each record that gets a revision.
type stamped struct {
	settings.Store
	write func()
}

func (s stamped) Stamp(ctx context.Context, old settings.Record, r settings.Revision) (settings.Record, error) {
	record, err := s.Store.Stamp(ctx, old, r)
	s.write()
	return record, err
}

// racing is a store that somebody writes to after each read.
type racing struct {
	settings.Store
	write func()
}

func (s racing) Get(ctx context.Context, org settings.OrgID) (settings.Record, error) {
	r, err := s.Store.Get(ctx, org)
	s.write()
	return r, err
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"", "acme", "-from a -to b", "-from a -to a acme", "-from a acme", "-to b acme", "-from a -to b -by= acme", "-nonsense",
		"-from a -to b -history a acme", "-from a -to b -history b acme", "-from a -to b -history c -history-days -1 acme",
		"-from a -to b -history c -history-days 36501 acme"} {
		err := run(t.Context(), strings.Fields(args), io.Discard)
		if err == nil || !strings.HasPrefix(err.Error(), "usage: ") && !strings.HasPrefix(err.Error(), "-history ") && !strings.HasPrefix(err.Error(), "flag ") {
			t.Errorf("%q: error %v, want one of the flags", args, err)
		}
	}
}
