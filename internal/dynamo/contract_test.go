package dynamo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/dynamodblocal"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

// The contract of [settings.Store] and [settings.Directory], held against the
// embedded engine and against Amazon's DynamoDB Local.
func TestContract(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(dynamodb.New())
		t.Cleanup(server.Close)
		contract(t, server.URL)
	})
	t.Run("DynamoDB Local", func(t *testing.T) {
		t.Parallel()
		contract(t, dynamodblocal.Start(t))
	})
}

func contract(t *testing.T, endpoint string) {
	for name, test := range map[string]func(*testing.T, fixture){
		"never written":     testNeverWritten,
		"keeps text":        testKeepsText,
		"form in the table": testForm,
		"order":             testOrder,
		"conditions":        testConditions,
		"long lists":        testLongLists,
		"repeated put":      testRepeatedPut,
		"concurrent puts":   testConcurrentPuts,
		"organizations":     testOrganizations,
		"memberships":       testMemberships,
		"foreign items":     testForeignItems,
		"swap":              testSwap,
		"corrupt items":     testCorruptItems,
		"no table":          testNoTable,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newFixture(t, endpoint))
		})
	}
}

// fixture is a database with two empty tables of its own.
type fixture struct {
	*dynamo.DB
	client *awsdynamodb.Client
	config aws.Config
	tables dynamo.Tables
}

func awsConfig(endpoint string) aws.Config {
	return aws.Config{
		Region:       "eu-central-1",
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		BaseEndpoint: &endpoint,
	}
}

func newFixture(t *testing.T, endpoint string) fixture {
	t.Helper()
	id := fmt.Sprintf("%08x", rand.Uint32())
	config := awsConfig(endpoint)
	f := fixture{
		config: config,
		client: awsdynamodb.NewFromConfig(config, func(o *awsdynamodb.Options) { o.DisableValidateResponseChecksum = true }),
		tables: dynamo.Tables{Users: "users-" + id, Settings: "settings-" + id},
	}
	f.DB = dynamo.New(config, f.tables)
	for table, key := range map[string]string{f.tables.Users: "userId", f.tables.Settings: "orgId"} {
		_, err := f.client.CreateTable(t.Context(), &awsdynamodb.CreateTableInput{
			TableName:            &table,
			BillingMode:          types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &key, AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: &key, KeyType: types.KeyTypeHash}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// revision returns the n-th of a row of increasing revisions.
func revision(n int) settings.Revision {
	return settings.Revision(fmt.Sprintf("01KDXZT9JE%016d", n))
}

func record(org settings.OrgID, n int, text string) settings.Record {
	document, err := settings.ParseDocument([]byte(text))
	if err != nil {
		panic(err)
	}
	return settings.Record{
		Org:       org,
		Document:  document,
		Revision:  revision(n),
		UpdatedAt: time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC),
		UpdatedBy: "alice",
	}
}

func (f fixture) mustPut(t *testing.T, r settings.Record) {
	t.Helper()
	if err := f.Put(t.Context(), r, settings.Condition{}); err != nil {
		t.Fatalf("put %s: %v", r.Revision, err)
	}
}

func (f fixture) mustGet(t *testing.T, org settings.OrgID) settings.Record {
	t.Helper()
	r, err := f.Get(t.Context(), org)
	if err != nil {
		t.Fatalf("get %s: %v", org, err)
	}
	return r
}

func diffRecords(want, got settings.Record) string {
	got.Stored = nil
	return cmp.Diff(want, got, cmp.Comparer(func(a, b settings.Document) bool { return string(a.Text()) == string(b.Text()) }))
}

func testNeverWritten(t *testing.T, f fixture) {
	if diff := diffRecords(settings.Record{Org: "acme"}, f.mustGet(t, "acme")); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func testKeepsText(t *testing.T, f fixture) {
	for i, text := range []string{
		`{}`,
		`{"a":1.0,"b":1e400,"c":-0,"d":1234567890123456789012345678901234567890,"e":0.10,"f":1E+2}`,
		`{"z":1,"":{"":null},"__proto__":[],"a":"\u0000\/\ud83d\ude00 😀 \u2028` + "\u2028" + `"}`,
		strings.Repeat(`{"a":`, 999) + `{}` + strings.Repeat(`}`, 999),
		sized(4096, "x"), sized(4097, "x"), sized(400_000, "x"), sized(400_000, "é"), sized(400_000, ""),
	} {
		want := record("acme", i, text)
		f.mustPut(t, want)
		if diff := diffRecords(want, f.mustGet(t, "acme")); diff != "" {
			t.Errorf("document %d (%d bytes): record differs (-want +got):\n%.2000s", i, len(text), diff)
		}
	}
}

// sized returns a document of n bytes filled with s or, if s is empty, with
// letters that do not compress.
func sized(n int, s string) string {
	const frame = `{"a":""}`
	fill := strings.Repeat(s, (n-len(frame))/max(len(s), 1))
	if s == "" {
		random := rand.New(rand.NewPCG(1, 2))
		b := make([]byte, n-len(frame))
		for i := range b {
			b[i] = byte('#' + random.IntN(0x5b-'#')) // neither quote nor backslash
		}
		fill = string(b)
	}
	return `{"a":"` + fill + strings.Repeat("x", n-len(frame)-len(fill)) + `"}`
}

// Small documents are readable text in the table; larger ones are compressed.
func testForm(t *testing.T, f fixture) {
	for i, tt := range []struct {
		text string
		want types.AttributeValue
	}{
		{sized(4096, "x"), &types.AttributeValueMemberS{}},
		{sized(4097, "x"), &types.AttributeValueMemberB{}},
		{sized(400_000, "x"), &types.AttributeValueMemberB{}},
	} {
		f.mustPut(t, record("acme", i, tt.text))
		out, err := f.client.GetItem(t.Context(), &awsdynamodb.GetItemInput{
			TableName: &f.tables.Settings,
			Key:       map[string]types.AttributeValue{"orgId": &types.AttributeValueMemberS{Value: "acme"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Item["settings"]; fmt.Sprintf("%T", got) != fmt.Sprintf("%T", tt.want) {
			t.Errorf("%d bytes are stored as %T, want %T", len(tt.text), got, tt.want)
		}
		rest := out.Item
		delete(rest, "settings")
		want := map[string]types.AttributeValue{
			"orgId":     &types.AttributeValueMemberS{Value: "acme"},
			"revision":  &types.AttributeValueMemberS{Value: string(revision(i))},
			"updatedAt": &types.AttributeValueMemberS{Value: "2026-01-02T03:04:05.6789Z"},
			"updatedBy": &types.AttributeValueMemberS{Value: "alice"},
		}
		if diff := cmp.Diff(want, rest, cmp.Comparer(func(a, b types.AttributeValueMemberS) bool { return a.Value == b.Value })); diff != "" {
			t.Errorf("item (-want +got):\n%s", diff)
		}
	}
}

// A put with a lower revision than the stored one changes nothing and tells
// what is stored.
func testOrder(t *testing.T, f fixture) {
	newer := record("acme", 2, `{"newer":true}`)
	f.mustPut(t, newer)
	err := f.Put(t.Context(), record("acme", 1, `{"late":true}`), settings.Condition{})
	conflict, ok := errors.AsType[*settings.ConflictError](err)
	if !ok {
		t.Fatalf("late put: error %v, want a ConflictError", err)
	}
	for _, got := range []settings.Record{conflict.Current, f.mustGet(t, "acme")} {
		if diff := diffRecords(newer, got); diff != "" {
			t.Errorf("stored record (-want +got):\n%s", diff)
		}
	}
	f.mustPut(t, record("acme", 3, `{}`))
}

// The database decides every condition as [settings.Condition.Holds] does.
func testConditions(t *testing.T, f fixture) {
	sets := []*settings.Revisions{
		nil, {Any: true}, {}, {Listed: []settings.Revision{revision(1)}}, {Listed: []settings.Revision{revision(2)}},
		{Listed: []settings.Revision{revision(3), revision(1), revision(2)}},
	}
	n := 0
	for _, match := range sets {
		for _, noneMatch := range sets {
			for _, stored := range []int{0, 1, 2} {
				n++
				org := settings.OrgID(fmt.Sprint("org-", n))
				if stored > 0 {
					f.mustPut(t, record(org, stored, `{"old":true}`))
				}
				current := f.mustGet(t, org)
				c := settings.Condition{IfMatch: match, IfNoneMatch: noneMatch}
				err := f.Put(t.Context(), record(org, 9, `{"new":true}`), c)
				if got, want := err == nil, c.Holds(current); got != want {
					t.Errorf("stored %d, If-Match %v, If-None-Match %v: error %v, want success = %v", stored, match, noneMatch, err, want)
				}
				if conflict, ok := errors.AsType[*settings.ConflictError](err); err != nil && (!ok || conflict.Current.Revision != current.Revision) {
					t.Errorf("stored %d, If-Match %v, If-None-Match %v: error %v, want a ConflictError at %q", stored, match, noneMatch, err, current.Revision)
				}
				want := `{"old":true}`
				if err == nil {
					want = `{"new":true}`
				} else if stored == 0 {
					want = `{}`
				}
				if got := string(f.mustGet(t, org).Document.Text()); got != want {
					t.Errorf("stored %d, If-Match %v, If-None-Match %v: document is %s, want %s", stored, match, noneMatch, got, want)
				}
			}
		}
	}
}

// A header field holds up to about 350 entity tags; IN takes 100.
func testLongLists(t *testing.T, f fixture) {
	var list []settings.Revision
	for n := range 350 {
		list = append(list, revision(1000+n))
	}
	f.mustPut(t, record("acme", 1, `{}`))
	others := settings.Condition{IfMatch: &settings.Revisions{Listed: list}}
	if _, ok := errors.AsType[*settings.ConflictError](f.Put(t.Context(), record("acme", 2000, `{}`), others)); !ok {
		t.Error("a put succeeded that none of 350 tags allowed")
	}
	with := settings.Condition{IfMatch: &settings.Revisions{Listed: slices.Concat(list[1:], []settings.Revision{revision(1)})}}
	if err := f.Put(t.Context(), record("acme", 2000, `{}`), with); err != nil {
		t.Errorf("put that the last of 350 tags allowed: %v", err)
	}
}

// A put whose answer was lost is repeated: it must recognise itself.
func testRepeatedPut(t *testing.T, f fixture) {
	f.mustPut(t, record("acme", 1, `{}`))
	for _, c := range []settings.Condition{
		{},
		{IfMatch: &settings.Revisions{Listed: []settings.Revision{revision(1)}}},
		{IfMatch: &settings.Revisions{Any: true}},
		{IfNoneMatch: &settings.Revisions{Listed: []settings.Revision{revision(7)}}},
	} {
		org := settings.OrgID(fmt.Sprintf("%v", c))
		f.mustPut(t, record(org, 1, `{}`))
		for attempt := range 3 {
			if err := f.Put(t.Context(), record(org, 7, `{"a":1}`), c); err != nil {
				t.Errorf("%v: attempt %d: %v", c, attempt, err)
			}
		}
	}
	create := settings.Condition{IfNoneMatch: &settings.Revisions{Any: true}}
	for attempt := range 3 {
		if err := f.Put(t.Context(), record("fresh", 7, `{"a":1}`), create); err != nil {
			t.Errorf("create: attempt %d: %v", attempt, err)
		}
	}
	if err := f.Put(t.Context(), record("fresh", 8, `{"a":1}`), create); err == nil {
		t.Error("another create succeeded")
	}
}

// Of concurrent puts each takes place or is told of a newer one, and the
// newest remains.
func testConcurrentPuts(t *testing.T, f fixture) {
	const writers = 16
	stored := make([]bool, writers)
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			err := f.Put(context.WithoutCancel(t.Context()), record("acme", n, fmt.Sprintf(`{"n":%d}`, n)), settings.Condition{})
			stored[n] = err == nil
			if conflict, ok := errors.AsType[*settings.ConflictError](err); err != nil && (!ok || conflict.Current.Revision <= revision(n)) {
				t.Errorf("put %d: %v", n, err)
			}
		})
	}
	wg.Wait()
	if got := f.mustGet(t, "acme"); got.Revision != revision(writers-1) || !stored[writers-1] {
		t.Errorf("revision %s remains, want the newest", got.Revision)
	}
}

func testOrganizations(t *testing.T, f fixture) {
	orgs := []settings.OrgID{"acme", "ACME", "acme ", "acm", "é", "e\u0301", "a/b", `"`, "\x00"}
	for n, org := range orgs {
		f.mustPut(t, record(org, n, fmt.Sprintf(`{"n":%d}`, n)))
	}
	for n, org := range orgs {
		if diff := diffRecords(record(org, n, fmt.Sprintf(`{"n":%d}`, n)), f.mustGet(t, org)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", org, diff)
		}
	}
}

func testMemberships(t *testing.T, f fixture) {
	s := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	n := func(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
	null := &types.AttributeValueMemberNULL{Value: true}
	for _, tt := range []struct {
		user string
		item map[string]types.AttributeValue // nil: no item
		want settings.Membership
		err  error // nil: none; errAny: one that is no answer of the directory

		unreadable bool // the role
	}{
		{"owner", map[string]types.AttributeValue{"orgId": s("acme"), "role": n("255")}, settings.Membership{Org: "acme", Role: settings.RoleOwner}, nil, false},
		{"user", map[string]types.AttributeValue{"orgId": s("acme"), "role": n("0"), "name": s("x")}, settings.Membership{Org: "acme", Role: settings.RoleUser}, nil, false},
		{"no role", map[string]types.AttributeValue{"orgId": s("acme")}, settings.Membership{Org: "acme", Role: settings.RoleUnrecorded}, nil, false},
		{"null role", map[string]types.AttributeValue{"orgId": s("acme"), "role": null}, settings.Membership{Org: "acme", Role: settings.RoleUnrecorded}, nil, false},
		{"no organization", map[string]types.AttributeValue{"role": n("255")}, settings.Membership{}, settings.ErrNoOrganization, false},
		{"empty organization", map[string]types.AttributeValue{"orgId": s("")}, settings.Membership{}, settings.ErrNoOrganization, false},
		{"null organization", map[string]types.AttributeValue{"orgId": null}, settings.Membership{}, settings.ErrNoOrganization, false},
		{"unknown", nil, settings.Membership{}, settings.ErrNoOrganization, false},
		{"", nil, settings.Membership{}, settings.ErrNoOrganization, false},
		{strings.Repeat("x", 2049), nil, settings.Membership{}, settings.ErrNoOrganization, false},
		{strings.Repeat("x", 2048), map[string]types.AttributeValue{"orgId": s("acme")}, settings.Membership{Org: "acme", Role: settings.RoleUnrecorded}, nil, false},
		{"OWNER", nil, settings.Membership{}, settings.ErrNoOrganization, false},
		{"role in words", map[string]types.AttributeValue{"orgId": s("acme"), "role": s("OWNER")}, settings.Membership{Org: "acme"}, nil, true},
		{"half a role", map[string]types.AttributeValue{"orgId": s("acme"), "role": n("254.5")}, settings.Membership{Org: "acme"}, nil, true},
		{"negative role", map[string]types.AttributeValue{"orgId": s("acme"), "role": n("-1")}, settings.Membership{Org: "acme"}, nil, true},
		{"role as text", map[string]types.AttributeValue{"orgId": s("acme"), "role": s("255")}, settings.Membership{Org: "acme"}, nil, true},
		{"no such role", map[string]types.AttributeValue{"orgId": s("acme"), "role": n("256")}, settings.Membership{Org: "acme", Role: 256}, nil, false},
		{"numeric organization", map[string]types.AttributeValue{"orgId": n("1")}, settings.Membership{}, errAny, false},
	} {
		if tt.item != nil {
			tt.item["userId"] = s(tt.user)
			if _, err := f.client.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: &f.tables.Users, Item: tt.item}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := f.Membership(t.Context(), settings.UserID(tt.user))
		unreadable := got.RoleError != nil
		got.RoleError = nil
		if got != tt.want || unreadable != tt.unreadable {
			t.Errorf("membership of %.20q is %+v, want %+v", tt.user, got, tt.want)
		}
		known := errors.Is(err, settings.ErrNoOrganization) || errors.Is(err, settings.ErrUnavailable)
		if tt.err == errAny && (err == nil || known) || tt.err != errAny && !errors.Is(err, tt.err) {
			t.Errorf("membership of %.20q: error %v, want %v", tt.user, err, tt.err)
		}
	}
}

var errAny = errors.New("any other error")

// put puts an item as another program does.
func (f fixture) put(t *testing.T, it map[string]types.AttributeValue) {
	t.Helper()
	if _, err := f.client.PutItem(t.Context(), &awsdynamodb.PutItemInput{TableName: &f.tables.Settings, Item: it}); err != nil {
		t.Fatal(err)
	}
}

// foreignRevisions returns revisions that are not of this service; nil stands for none.
func foreignRevisions() map[string]types.AttributeValue {
	s := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	return map[string]types.AttributeValue{
		"none": nil, "empty": s(""), "lower case": s("01kdxzt9je0000000000000000"), "quotes": s(`"01KDXZT9JE0000000000000000"`),
		"CR LF": s("a\r\nSet-Cookie: b"), "300 KB": s(strings.Repeat("z", 300<<10)), "greatest ULID": s(strings.Repeat("Z", 26)),
		"greatest of this form": s("7" + strings.Repeat("Z", 25)),
		"null":                  &types.AttributeValueMemberNULL{Value: true}, "truth": &types.AttributeValueMemberBOOL{Value: true},
		"number": &types.AttributeValueMemberN{Value: "12"}, "bytes": &types.AttributeValueMemberB{Value: []byte(revision(1))},
		"list":     &types.AttributeValueMemberL{Value: []types.AttributeValue{s("a"), &types.AttributeValueMemberN{Value: "1"}}},
		"map":      &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"a": s("b"), "c": s("d")}},
		"text set": &types.AttributeValueMemberSS{Value: []string{"b", "a"}},
	}
}

// An item of another program is some record, whose revision no condition can name. Whatever its revision is, the item
// is replaced while it is there and not after it has changed.
func testForeignItems(t *testing.T, f fixture) {
	named := settings.Condition{IfMatch: &settings.Revisions{Listed: []settings.Revision{revision(1)}}}
	unnamed := settings.Condition{IfMatch: &settings.Revisions{}}
	create := settings.Condition{IfNoneMatch: &settings.Revisions{Any: true}}
	for name, value := range foreignRevisions() {
		org := settings.OrgID(name)
		it := map[string]types.AttributeValue{
			"orgId":    &types.AttributeValueMemberS{Value: name},
			"settings": &types.AttributeValueMemberS{Value: "{ \"seeded\": [true, 1.0] }\n"},
		}
		if value != nil {
			it["revision"] = value
		}
		f.put(t, it)
		old := f.mustGet(t, org)
		if diff := diffRecords(settings.Record{Org: org, Document: record(org, 1, `{"seeded":[true,1.0]}`).Document}, old); diff != "" || old.Stored == nil {
			t.Errorf("%s: record (-want +got):\n%s", name, diff)
		}
		for _, c := range []settings.Condition{named, unnamed, create} {
			if err := f.Put(t.Context(), record(org, 2, `{}`), c); !isConflict(err) {
				t.Errorf("%s: a put under the condition %v: error %v, want a ConflictError", name, c, err)
			}
		}
		for attempt := range 2 {
			if err := f.Swap(t.Context(), old, record(org, 3, `{}`)); err != nil {
				t.Errorf("%s: attempt %d of a swap: %v", name, attempt, err)
			}
		}
		if err := f.Swap(t.Context(), old, record(org, 4, `{}`)); !isConflict(err) {
			t.Errorf("%s: swap of what has changed: error %v, want a ConflictError", name, err)
		}
		if got := f.mustGet(t, org); got.Revision != revision(3) {
			t.Errorf("%s: %q is stored", name, got.Revision)
		}
	}
}

func isConflict(err error) bool {
	_, ok := errors.AsType[*settings.ConflictError](err)
	return ok
}

// A swap replaces what was read and nothing else, and recognises itself when it is repeated.
func testSwap(t *testing.T, f fixture) {
	none := f.mustGet(t, "acme")
	for n, old := range []func() settings.Record{
		func() settings.Record { return none },
		func() settings.Record { return f.mustGet(t, "acme") },
	} {
		old := old()
		for attempt := range 2 {
			if err := f.Swap(t.Context(), old, record("acme", n+1, `{}`)); err != nil {
				t.Errorf("swap %d, attempt %d: %v", n, attempt, err)
			}
		}
		if err := f.Swap(t.Context(), old, record("acme", 9, `{}`)); !isConflict(err) {
			t.Errorf("swap %d of what has changed: error %v, want a ConflictError", n, err)
		}
	}
}

// Stored text that is no document is an error of the record, which tells nothing of it. A put replaces it.
func testCorruptItems(t *testing.T, f fixture) {
	s := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	b := func(v []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: v} }
	frame := func(text string) []byte {
		e, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return e.EncodeAll([]byte(text), nil)
	}
	whole := frame(`{"secret":"` + strings.Repeat("x", 1000) + `"}`)
	for name, value := range map[string]types.AttributeValue{
		"none": nil, "empty": s(""), "no JSON": s("secret"), "an array": s(`["secret"]`), "two objects": s(`{"secret":1}{}`),
		"a duplicate": s(`{"secret":1,"secret":2}`), "a byte order mark": s("\ufeff{}"), "half a surrogate": s(`{"secret":"\ud800"}`),
		"1,001 levels": s(strings.Repeat(`{"secret":`, 1000) + `{}` + strings.Repeat(`}`, 1000)),
		"too large":    s(sized(400_001, "x")),
		"null":         &types.AttributeValueMemberNULL{Value: true}, "number": &types.AttributeValueMemberN{Value: "1"},
		"map":   &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"secret": s("a")}},
		"bytes": b([]byte(`{"secret":1}`)), "no bytes": b([]byte{}), "half a frame": b(whole[:len(whole)-9]), "a broken frame": b(append(whole[:20:20], make([]byte, 50)...)),
		"a large frame": b(frame(sized(400_001, "x"))), "a bomb": b(frame(strings.Repeat("secret", 1_000_000))),
		"many frames":  b(bytes.Repeat(frame(strings.Repeat(" ", 390_000)), 1000)),
		"a dictionary": b([]byte("\x28\xb5\x2f\xfd\x23\x01\x02\x03\x04\x05\x01\x00\x00")),
	} {
		org := settings.OrgID(name)
		it := map[string]types.AttributeValue{"orgId": s(name), "revision": s(string(revision(1))), "updatedAt": s("24.12.2026 18:00"), "updatedBy": &types.AttributeValueMemberN{Value: "7"}}
		if value != nil {
			it["settings"] = value
		}
		f.put(t, it)
		got := f.mustGet(t, org)
		if got.Corrupt == nil || !strings.Contains(got.Corrupt.Error(), "attribute settings of "+name) || strings.Contains(got.Corrupt.Error(), "secret") {
			t.Errorf("%s: corrupt because of %v", name, got.Corrupt)
		}
		got.Corrupt = nil
		if diff := diffRecords(settings.Record{Org: org, Revision: revision(1)}, got); diff != "" {
			t.Errorf("%s: record (-want +got):\n%s", name, diff)
		}
		f.mustPut(t, record(org, 2, `{}`))
		if got := f.mustGet(t, org); got.Corrupt != nil {
			t.Errorf("%s: after a put: %v", name, got.Corrupt)
		}
	}
}

func testNoTable(t *testing.T, f fixture) {
	db := dynamo.New(f.config, dynamo.Tables{Users: "absent", Settings: "absent"})
	_, membership := db.Membership(t.Context(), "alice")
	_, get := db.Get(t.Context(), "acme")
	for _, err := range []error{membership, get, db.Put(t.Context(), record("acme", 1, `{}`), settings.Condition{}), db.Warm(t.Context())} {
		if !errors.Is(err, settings.ErrUnavailable) {
			t.Errorf("error is %v, want ErrUnavailable", err)
		}
	}
}
