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

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/template"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

// An organization that is named gets its old document with a new revision. Others, and one whose document is the
// same, do not change.
func TestRestore(t *testing.T) {
	database := httptest.NewServer(dynamodb.New())
	t.Cleanup(database.Close)
	tables := map[string]template.Table{"UsersTable": {Key: "userId"}, "now": {Key: "orgId"}, "old": {Key: "orgId"}}
	if err := stack.FillDatabase(t.Context(), database.URL, tables); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": database.URL, "AWS_REGION": "local", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
	} {
		t.Setenv(name, value)
	}
	aws, err := awsconfig.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old, now := dynamo.New(aws, dynamo.Tables{Settings: "old"}), dynamo.New(aws, dynamo.Tables{Settings: "now"})
	large := `{"a":"` + strings.Repeat("compressed ", 1000) + `"}`
	put := func(db *dynamo.DB, org settings.OrgID, text string, minute int) settings.Record {
		t.Helper()
		at := time.Date(2026, 11, 24, 12, minute, 0, 0, time.UTC)
		document, err := settings.ParseDocument([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		r, err := settings.New(owner(org), db, func() time.Time { return at }).Replace(t.Context(), "alice", document, settings.Condition{})
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
	racing := restorer{old: old, now: racing{now, func() { put(now, "globex", `{"b":4}`, 3) }}, by: "restore", write: true, out: &out}
	err = racing.restore(t.Context(), "globex")
	if _, ok := errors.AsType[*settings.ConflictError](err); !ok {
		t.Errorf("error %v, want a conflict", err)
	}
	if got := string(stored("globex").Document.Text()); got != `{"b":4}` {
		t.Errorf("globex has %s, want what was written meanwhile", got)
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
