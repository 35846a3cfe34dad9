package meter_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/bench/meter"
)

const get = `{"TableName":"T","ConsistentRead":true,"Key":{"orgId":{"S":"a"}}}`

// put returns a request to put an item of that size: all but the value of settings takes 25 bytes.
func put(size int) string {
	return fmt.Sprintf(`{"TableName":"T","Item":{"orgId":{"S":"a"},"settings":{"S":%q},"role":{"N":"123"},"b":{"B":"AAEC"}}}`,
		strings.Repeat("x", size-25))
}

// By the rules of DynamoDB's guide: a unit is every 4 KB read, or every 1 KB written, that has begun.
func TestMeter(t *testing.T) {
	t.Parallel()
	m := meter.New()
	for _, tt := range []struct {
		operation, input     string
		calls, reads, writes int
	}{
		{"GetItem", get, 1, 1, 0}, // an item that does not exist costs a unit
		{"PutItem", put(1024), 1, 0, 1},
		{"PutItem", put(1025), 1, 0, 2},
		{"PutItem", put(512), 1, 0, 2}, // the item before is larger
		{"PutItem", put(512), 1, 0, 1},
		{"PutItem", put(4096), 1, 0, 4},
		{"GetItem", get, 1, 1, 0},
		{"PutItem", put(4097), 1, 0, 5},
		{"GetItem", get, 1, 2, 0},
		{"DescribeTable", `{"TableName":"T"}`, 0, 0, 0},
		{"GetItem", strings.Replace(get, `"a"`, `"b"`, 1), 1, 1, 0},
		{"GetItem", strings.Replace(get, `"T"`, `"U"`, 1), 1, 1, 0},
	} {
		m.Count(tt.operation, []byte(tt.input))
		got, err := m.Take()
		if diff := cmp.Diff(meter.Usage{Calls: tt.calls, Reads: tt.reads, Writes: tt.writes}, got); err != nil || diff != "" {
			t.Errorf("%s %.80s: %v (-want +got)\n%s", tt.operation, tt.input, err, diff)
		}
	}
}

// A Query costs what it reads before the projection, in one sum: the items of one partition below the sort key, newest
// first, until the limit or 1 MB is reached.
func TestMeterQuery(t *testing.T) {
	t.Parallel()
	m := meter.New()
	m.Count("CreateTable", []byte(`{"TableName":"H","KeySchema":[{"AttributeName":"orgId","KeyType":"HASH"},{"AttributeName":"revision","KeyType":"RANGE"}]}`))
	archive := func(org, revision string, size int) {
		m.Count("PutItem", fmt.Appendf(nil, `{"TableName":"H","Item":{"orgId":{"S":%q},"revision":{"S":%q},"settings":{"S":%q}}}`,
			org, revision, strings.Repeat("x", size-len("orgIdrevisionsettings")-len(org)-len(revision))))
	}
	for n, size := range []int{1000, 3000, 5000} {
		archive("a", fmt.Sprint(n), size)
	}
	archive("aa", "1", 9000)
	for n := range 5 {
		archive("large", fmt.Sprint(n), 400_000)
	}
	if _, err := m.Take(); err != nil {
		t.Fatal(err)
	}
	query := func(condition, more string) string {
		return `{"TableName":"H","ConsistentRead":true,"ScanIndexForward":false,"KeyConditionExpression":"#o = :o` + condition + `"` + more + `}`
	}
	values := func(org, revision string) string {
		return fmt.Sprintf(`,"ExpressionAttributeValues":{":o":{"S":%q},":r":{"S":%q}},"ProjectionExpression":"#o"`, org, revision)
	}
	for _, tt := range []struct {
		name, input string
		reads       int
	}{
		{"all", query("", values("a", "")), 3}, // 9,000 bytes
		{"below", query(" AND #r < :r", values("a", "2")), 1},
		{"from", query(" AND #r <= :r", values("a", "2")), 3},
		{"newest", query("", values("a", "")+`,"Limit":1`), 2},
		{"next page", query("", values("a", "")+`,"ExclusiveStartKey":{"orgId":{"S":"a"},"revision":{"S":"1"}}`), 1},
		{"none", query("", values("b", "")), 1},
		{"1 MB", query("", values("large", "")), 293}, // three of five items
		{"one", `{"TableName":"H","ConsistentRead":true,"Key":{"orgId":{"S":"a"},"revision":{"S":"2"}}}`, 2},
	} {
		operation := "Query"
		if tt.name == "one" {
			operation = "GetItem"
		}
		m.Count(operation, []byte(tt.input))
		got, err := m.Take()
		if diff := cmp.Diff(meter.Usage{Calls: 1, Reads: tt.reads}, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", tt.name, err, diff)
		}
	}
	for _, input := range []string{
		strings.Replace(query("", values("a", "")), "false", "true", 1),
		strings.Replace(query("", values("a", "")), `"ScanIndexForward":false,`, "", 1),
		query(" AND #r > :r", values("a", "1")),
		strings.Replace(query("", values("a", "")), `"ConsistentRead":true`, `"ConsistentRead":false`, 1),
	} {
		m.Count("Query", []byte(input))
		if used, err := m.Take(); err == nil {
			t.Errorf("Query %s: %+v, want an error", input, used)
		}
	}
}

// A request that cannot be metered is an error, not free.
func TestMeterRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ operation, input string }{
		{"UpdateItem", get},
		{"TransactWriteItems", `{}`},
		{"", put(512)},
		{"GetItem", strings.Replace(get, "true", "false", 1)},
		{"GetItem", strings.Replace(get, "orgId", "id", 1)},
		{"PutItem", strings.Replace(put(512), `"N"`, `"X"`, 1)},
		{"PutItem", `{"TableName":"T"}`},
		{"PutItem", `{`},
	} {
		m := meter.New()
		m.Count(tt.operation, []byte(tt.input))
		m.Count("PutItem", []byte(put(512)))
		if used, err := m.Take(); err == nil || !strings.Contains(err.Error(), "meter "+tt.operation) {
			t.Errorf("%q %.80s: %+v, %v, want an error", tt.operation, tt.input, used, err)
		}
		if _, err := m.Take(); err != nil {
			t.Errorf("the error of %q comes again: %v", tt.operation, err)
		}
	}
}
