package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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
	tables := map[string]template.Table{"UsersTable": {Key: "userId"}, "now": {Key: "orgId"}, "old": {Key: "orgId"}}
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
		r, err := settings.New(owner(org), db, func() time.Time { return at }).Write(t.Context(), "alice", settings.Replacement(document), settings.Condition{})
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
	for _, args := range []string{"", "acme", "-from a -to b", "-from a -to a acme", "-from a acme", "-to b acme", "-from a -to b -by= acme", "-nonsense"} {
		if err := run(t.Context(), strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
