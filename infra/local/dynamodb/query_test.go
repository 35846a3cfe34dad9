package dynamodb_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// rangeInput describes a table with the keys id (S) and rev (of a type).
func rangeInput(name string, kind types.ScalarAttributeType) *sdk.CreateTableInput {
	in := tableInput(name)
	in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String("rev"), AttributeType: kind})
	in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: aws.String("rev"), KeyType: "RANGE"})
	return in
}

// newRangeTable creates a table for one test, with items of two hash keys, a and b.
func newRangeTable(t *testing.T, client *sdk.Client, kind types.ScalarAttributeType, revs ...types.AttributeValue) *string {
	t.Helper()
	table := tableName(t) + "." + string(kind)
	if _, err := client.CreateTable(t.Context(), rangeInput(table, kind)); err != nil {
		t.Fatal(err)
	}
	for i, v := range revs {
		put(t, client, &table, attributes{"id": str("a"), "rev": v, "n": num(fmt.Sprint(i)), "s": str("item " + text(v))})
		put(t, client, &table, attributes{"id": str("b"), "rev": v})
	}
	return &table
}

func strs(texts ...string) (values []types.AttributeValue) {
	for _, s := range texts {
		values = append(values, str(s))
	}
	return values
}

// text returns the content of a scalar.
func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		return string(v.Value)
	}
	return ""
}

// revsOf returns the range keys of items.
func revsOf(items []map[string]types.AttributeValue) string {
	var texts []string
	for _, item := range items {
		texts = append(texts, text(item["rev"]))
	}
	return strings.Join(texts, " ")
}

func testRangeKeys(t *testing.T, client *sdk.Client) {
	table := newRangeTable(t, client, "S", strs("1", "2")...)
	out, err := client.DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: table})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, key := range out.Table.KeySchema {
		keys = append(keys, *key.AttributeName+" "+string(key.KeyType))
	}
	if diff := cmp.Diff([]string{"id HASH", "rev RANGE"}, keys); diff != "" || len(out.Table.AttributeDefinitions) != 2 {
		t.Errorf("KeySchema (-want +got):\n%s; %d AttributeDefinitions, want 2", diff, len(out.Table.AttributeDefinitions))
	}

	key := attributes{"id": str("a"), "rev": str("1")}
	if _, err := client.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: table, Key: key}); err != nil {
		t.Fatal(err)
	}
	put(t, client, table, attributes{"id": str("a"), "rev": str("2"), "x": str("new")})
	put(t, client, table, attributes{"id": str("a"), "rev": str(strings.Repeat("x", 1024))})
	for _, tt := range []struct {
		id, rev string
		want    attributes
	}{
		{"a", "1", nil},
		{"a", "2", attributes{"id": str("a"), "rev": str("2"), "x": str("new")}},
		{"b", "1", attributes{"id": str("b"), "rev": str("1")}},
		{"c", "1", nil},
	} {
		out, err := client.GetItem(t.Context(), &sdk.GetItemInput{TableName: table, Key: attributes{"id": str(tt.id), "rev": str(tt.rev)}})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, out.Item, tt.want)
	}
	for name, key := range map[string]attributes{
		"no range": {"id": str("a")},
		"no hash":  {"rev": str("1")},
		"number":   {"id": str("a"), "rev": num("1")},
		"empty":    {"id": str("a"), "rev": str("")},
		"too long": {"id": str("a"), "rev": str(strings.Repeat("x", 1025))},
	} {
		_, putting := client.PutItem(t.Context(), &sdk.PutItemInput{TableName: table, Item: key})
		_, getting := client.GetItem(t.Context(), &sdk.GetItemInput{TableName: table, Key: key})
		_, deleting := client.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: table, Key: key})
		for operation, err := range map[string]error{"PutItem": putting, "GetItem": getting, "DeleteItem": deleting} {
			if code(err) != refused {
				t.Errorf("%s, key %s = %v, want %s", operation, name, err, refused)
			}
		}
	}
	for name, change := range map[string]func(*sdk.CreateTableInput){
		"range before hash": func(in *sdk.CreateTableInput) { slices.Reverse(in.KeySchema) },
		"three keys":        func(in *sdk.CreateTableInput) { in.KeySchema = append(in.KeySchema, in.KeySchema[1]) },
		"one name twice":    func(in *sdk.CreateTableInput) { in.KeySchema[1].AttributeName = aws.String("id") },
		"range of BOOL":     func(in *sdk.CreateTableInput) { in.AttributeDefinitions[1].AttributeType = "BOOL" },
		"no type of range":  func(in *sdk.CreateTableInput) { in.AttributeDefinitions = in.AttributeDefinitions[:1] },
	} {
		in := rangeInput("refused", "S")
		change(in)
		if _, err := client.CreateTable(t.Context(), in); code(err) != refused {
			t.Errorf("CreateTable with %s = %v, want %s", name, err, refused)
		}
	}
}

// query sends a Query that projects the range key. It sends the values that the expressions use.
func query(t *testing.T, client *sdk.Client, in sdk.QueryInput, values attributes) (*sdk.QueryOutput, error) {
	t.Helper()
	in.ExpressionAttributeValues = maps.Clone(values)
	maps.DeleteFunc(in.ExpressionAttributeValues, func(name string, _ types.AttributeValue) bool {
		return !slices.Contains(strings.FieldsFunc(*in.KeyConditionExpression+" "+aws.ToString(in.FilterExpression),
			func(r rune) bool { return strings.ContainsRune(" (),<=>", r) }), name)
	})
	if in.Select == "" {
		in.ProjectionExpression = aws.String("rev")
	}
	return client.Query(t.Context(), &in)
}

func testKeyConditions(t *testing.T, client *sdk.Client) {
	table := newRangeTable(t, client, "S", strs("c", "a", "bb", "b", "\uFFFD", "\U0001F600")...)
	values := attributes{":a": str("a"), ":b": str("b"), ":c": str("c"), ":z": str("z"), ":1": num("1"), ":e": str(""), ":bool": &types.AttributeValueMemberBOOL{}}
	for _, tt := range []struct{ condition, want, code string }{
		{condition: "id = :a", want: "a b bb c \uFFFD \U0001F600"}, // as UTF-8, not as UTF-16
		{condition: "id = :z"},
		{condition: "id = :a AND rev = :b", want: "b"}, {condition: "id=:a AND rev=:z"},
		{condition: "id = :a AND rev < :b", want: "a"}, {condition: "id = :a AND rev <= :b", want: "a b"},
		{condition: "id = :a AND rev > :bb", code: refused},
		{condition: "id = :a AND rev > :b", want: "bb c \uFFFD \U0001F600"}, {condition: "id = :b AND rev >= :c", want: "c \uFFFD \U0001F600"},
		{condition: "id = :a AND rev BETWEEN :b AND :c", want: "b bb c"}, {condition: "rev between :b and :b AND id = :a", want: "b"},
		{condition: "id = :a AND begins_with(rev, :b)", want: "b bb"}, {condition: "begins_with(rev, :z) AND id = :a"},
		{condition: ":a = id AND :b >= rev", want: "a b"}, {condition: "(id = :a AND rev < :b)", want: "a"}, {condition: "((id = :a) AND (:b < rev))", want: "bb c \uFFFD \U0001F600"},

		{condition: "", code: refused}, {condition: "rev = :a", code: refused}, {condition: "id > :a", code: refused},
		{condition: "begins_with(id, :a)", code: refused}, {condition: "id BETWEEN :a AND :a", code: refused}, {condition: "id = id", code: refused},
		{condition: "id = :a AND id = :a", code: refused}, {condition: "id = :a AND rev > :a AND rev < :c", code: refused},
		{condition: "id = :a AND n = :1", code: refused}, {condition: "id = :a OR rev = :b", code: refused}, {condition: "id = :a AND NOT rev = :b", code: refused},
		{condition: "id = :a AND rev <> :b", code: refused}, {condition: "id = :a AND rev IN (:b)", code: refused}, {condition: "id IN (:a)", code: refused},
		{condition: "id = :a AND attribute_exists(rev)", code: refused}, {condition: "id = :a AND attribute_not_exists(rev)", code: refused}, {condition: "id = :1", code: refused}, {condition: "id = :bool", code: refused},
		{condition: "id = :e", code: refused}, {condition: "id = :a AND rev > :e", code: refused}, {condition: "id = :a AND rev = :1", code: refused},
		{condition: "id = :a AND begins_with(rev, :1)", code: refused}, {condition: "id = :a AND begins_with(rev, s)", code: refused},
		{condition: "id = :a AND BEGINS_WITH(rev, :b)", code: refused}, {condition: "id = :a AND begins_with(rev)", code: refused},
		{condition: "id = :a AND rev BETWEEN :c AND :b", code: refused}, {condition: "id = :a AND rev BETWEEN :b AND :1", code: refused},
		{condition: "id = :a AND rev BETWEEN :b", code: refused}, {condition: "((id = :a))", code: refused}, {condition: "id = :a AND", code: refused},
	} {
		out, err := query(t, client, sdk.QueryInput{TableName: table, KeyConditionExpression: &tt.condition, ConsistentRead: aws.Bool(true)}, values)
		if code(err) != tt.code {
			t.Errorf("Query %q = %v, want %q", tt.condition, err, tt.code)
		}
		if err == nil && (revsOf(out.Items) != tt.want || out.LastEvaluatedKey != nil) {
			t.Errorf("Query %q = %q, last key %v, want %q on one page", tt.condition, revsOf(out.Items), out.LastEvaluatedKey, tt.want)
		}
	}
	hashOnly := newTable(t, client)
	if _, err := query(t, client, sdk.QueryInput{TableName: hashOnly, KeyConditionExpression: aws.String("id = :a AND s = :b")}, values); code(err) != refused {
		t.Errorf("Query with a range condition of a table without a range key = %v, want %s", err, refused)
	}
}

func testRangeTypes(t *testing.T, client *sdk.Client) {
	for kind, tt := range map[types.ScalarAttributeType]struct {
		revs []types.AttributeValue
		from types.AttributeValue
		want string
	}{
		"N": {[]types.AttributeValue{num("10"), num("9"), num("-5"), num("-40"), num("0.5"), num("-1")}, num("-5.0"), "-5 -1 0.5 9 10"},
		"B": {[]types.AttributeValue{bin("\xff"), bin("b"), bin("ba"), bin("a")}, bin("b"), "b ba \xff"},
	} {
		table := newRangeTable(t, client, kind, tt.revs...)
		out, err := query(t, client, sdk.QueryInput{TableName: table, KeyConditionExpression: aws.String("id = :a AND rev >= :b")},
			attributes{":a": str("a"), ":b": tt.from})
		if err != nil || revsOf(out.Items) != tt.want {
			t.Errorf("Query of range keys of type %s: %v, %v, want %q", kind, out, err, tt.want)
		}
		put(t, client, table, attributes{"id": str("a"), "rev": tt.from, "same": str("key")})
		if out, err = query(t, client, sdk.QueryInput{TableName: table, KeyConditionExpression: aws.String("id = :a AND rev = :b")},
			attributes{":a": str("a"), ":b": tt.from}); err != nil || out.Count != 1 {
			t.Errorf("Query of a key that was put twice: %v, %v, want 1 item", out, err)
		}
	}
}

func testQueryPages(t *testing.T, client *sdk.Client) {
	table := newRangeTable(t, client, "S", strs("1", "2", "3", "4", "5")...)
	values := attributes{":a": str("a"), ":2": str("2"), ":4": str("4"), ":n": num("2"), ":s": str("item"), ":lo": str("item 2"), ":hi": str("item 3")}
	start := func(id, rev string) attributes { return attributes{"id": str(id), "rev": str(rev)} }
	for i, tt := range []struct {
		in          sdk.QueryInput
		want        string
		scanned     int32 // 0: as many as wanted
		last, code  string
		conditioned string
	}{
		{in: sdk.QueryInput{Limit: aws.Int32(2)}, want: "1 2", last: "2"},
		{in: sdk.QueryInput{Limit: aws.Int32(5)}, want: "1 2 3 4 5", last: "5"}, // although nothing follows
		{in: sdk.QueryInput{Limit: aws.Int32(6)}, want: "1 2 3 4 5"},
		{in: sdk.QueryInput{Limit: aws.Int32(2), ScanIndexForward: aws.Bool(false)}, want: "5 4", last: "4"},
		{in: sdk.QueryInput{Limit: aws.Int32(2), ScanIndexForward: aws.Bool(false)}, conditioned: " AND rev <= :4", want: "4 3", last: "3"},
		{in: sdk.QueryInput{Limit: aws.Int32(1)}, conditioned: " AND rev = :4", want: "4", last: "4"},
		{in: sdk.QueryInput{ExclusiveStartKey: start("a", "3")}, want: "4 5"},
		{in: sdk.QueryInput{ExclusiveStartKey: start("a", "5")}, want: ""},
		{in: sdk.QueryInput{ExclusiveStartKey: start("a", "33")}, want: "4 5"}, // no such item
		{in: sdk.QueryInput{ExclusiveStartKey: start("a", "3"), ScanIndexForward: aws.Bool(false)}, want: "2 1"},
		{in: sdk.QueryInput{ExclusiveStartKey: start("a", "33"), ScanIndexForward: aws.Bool(false)}, want: "3 2 1"},
		{in: sdk.QueryInput{ExclusiveStartKey: start("a", "2"), Limit: aws.Int32(1)}, conditioned: " AND rev <= :4", want: "3", last: "3"},
		{in: sdk.QueryInput{FilterExpression: aws.String("n > :n")}, want: "4 5", scanned: 5},
		{in: sdk.QueryInput{FilterExpression: aws.String("n > :n"), Limit: aws.Int32(4)}, want: "4", scanned: 4, last: "4"},
		{in: sdk.QueryInput{FilterExpression: aws.String("n > :n"), Limit: aws.Int32(1)}, want: "", scanned: 1, last: "1"},
		{in: sdk.QueryInput{FilterExpression: aws.String("begins_with(s, :s) AND n <> :n")}, want: "1 2 4 5", scanned: 5},
		{in: sdk.QueryInput{FilterExpression: aws.String("s BETWEEN :lo AND :hi")}, want: "2 3", scanned: 5},
		{in: sdk.QueryInput{FilterExpression: aws.String("NOT s BETWEEN :lo AND :hi AND begins_with(s, :s)")}, want: "1 4 5", scanned: 5},

		{in: sdk.QueryInput{Limit: aws.Int32(0)}, code: refused},
		{in: sdk.QueryInput{ExclusiveStartKey: start("b", "3")}, code: refused},
		{in: sdk.QueryInput{ExclusiveStartKey: start("a", "3")}, conditioned: " AND rev <= :2", code: refused},
		{in: sdk.QueryInput{ExclusiveStartKey: attributes{"id": str("a")}}, code: refused},
		{in: sdk.QueryInput{ExclusiveStartKey: attributes{"id": str("a"), "rev": num("3")}}, code: refused},
		{in: sdk.QueryInput{ExclusiveStartKey: attributes{"id": str("a"), "rev": str("3"), "n": num("1")}}, code: refused},
		{in: sdk.QueryInput{ExclusiveStartKey: attributes{}}, code: refused},
		{in: sdk.QueryInput{FilterExpression: aws.String("id = :a")}, code: refused},
		{in: sdk.QueryInput{FilterExpression: aws.String("attribute_exists(rev)")}, code: refused},
		{in: sdk.QueryInput{FilterExpression: aws.String("s BETWEEN :hi AND :lo")}, code: refused},
		{in: sdk.QueryInput{FilterExpression: aws.String("")}, code: refused},
		{in: sdk.QueryInput{Select: "ALL_ATTRIBUTES"}, want: "1 2 3 4 5"},
		{in: sdk.QueryInput{Select: "COUNT"}, want: "", scanned: 5},
		{in: sdk.QueryInput{Select: "SPECIFIC_ATTRIBUTES"}, code: refused},
		{in: sdk.QueryInput{Select: "COUNT", ProjectionExpression: aws.String("rev")}, code: refused},
		{in: sdk.QueryInput{Select: "MOST_ATTRIBUTES"}, code: refused},
	} {
		tt.in.TableName, tt.in.KeyConditionExpression = table, aws.String("id = :a"+tt.conditioned)
		out, err := query(t, client, tt.in, values)
		name := fmt.Sprintf("Query %d (%s)", i, *tt.in.KeyConditionExpression)
		if code(err) != tt.code {
			t.Errorf("%s = %v, want %q", name, err, tt.code)
		}
		if err != nil {
			continue
		}
		if tt.scanned == 0 {
			tt.scanned = int32(len(out.Items))
		}
		if got := revsOf(out.Items); got != tt.want || out.ScannedCount != tt.scanned || text(out.LastEvaluatedKey["rev"]) != tt.last {
			t.Errorf("%s = %q of %d, last key %v, want %q of %d, last %q", name, got, out.ScannedCount, out.LastEvaluatedKey, tt.want, tt.scanned, tt.last)
		}
		if want := int32(len(out.Items)); out.Count != want && tt.in.Select != "COUNT" || tt.in.Select == "COUNT" && out.Count != 5 {
			t.Errorf("%s has a Count of %d and %d items", name, out.Count, want)
		}
	}
}

// testPageSizes reads items whose sizes fill a page of 1 MB to the byte, before projection.
func testPageSizes(t *testing.T, client *sdk.Client) {
	table := newRangeTable(t, client, "S")
	const quarter = 1 << 18
	for hash, tt := range map[string]struct {
		sizes []int
		want  []string // pages
	}{
		"a": {[]int{quarter, quarter, quarter, quarter}, []string{"0 1 2 3"}},
		"b": {[]int{quarter, quarter, quarter, quarter, 10}, []string{"0 1 2 3", "4"}},
		"c": {[]int{quarter, quarter, quarter, quarter - 1, 10, 10}, []string{"0 1 2 3 4", "5"}},
		"d": {[]int{390_000, 390_000, 390_000, 390_000, 390_000}, []string{"0 1 2", "3 4"}},
	} {
		for i, size := range tt.sizes {
			put(t, client, table, attributes{"id": str(hash), "rev": str(fmt.Sprint(i)), "p": str(strings.Repeat("x", size-len("id"+"rev"+"p"+"h"+"i")))})
		}
		in := &sdk.QueryInput{
			TableName: table, KeyConditionExpression: aws.String("id = :h"), ExpressionAttributeValues: attributes{":h": str(hash)},
			ProjectionExpression: aws.String("rev"),
		}
		var got []string
		for pages := sdk.NewQueryPaginator(client, in); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, revsOf(page.Items))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("pages of items of %v bytes (-want +got):\n%s", tt.sizes, diff)
		}
	}
}

func testScan(t *testing.T, client *sdk.Client) {
	table := newRangeTable(t, client, "S", strs("1", "2", "3")...)
	for name, tt := range map[string]struct {
		in      sdk.ScanInput
		want    []string
		pages   int
		scanned int32
	}{
		"all":                    {sdk.ScanInput{}, []string{"a 1", "a 2", "a 3", "b 1", "b 2", "b 3"}, 1, 6},
		"pages":                  {sdk.ScanInput{Limit: aws.Int32(4), ConsistentRead: aws.Bool(true)}, []string{"a 1", "a 2", "a 3", "b 1", "b 2", "b 3"}, 2, 6},
		"a full page at the end": {sdk.ScanInput{Limit: aws.Int32(6), ProjectionExpression: aws.String("rev")}, []string{" 1", " 1", " 2", " 2", " 3", " 3"}, 2, 6},
		"filtered": {sdk.ScanInput{
			FilterExpression: aws.String("rev = :rev AND attribute_exists(n)"), ExpressionAttributeValues: attributes{":rev": str("2")},
		}, []string{"a 2"}, 1, 6},
		"counted": {sdk.ScanInput{Select: types.SelectCount}, nil, 1, 6},
	} {
		tt.in.TableName = table
		var got []string
		n, scanned := 0, int32(0)
		for pages := sdk.NewScanPaginator(client, &tt.in); pages.HasMorePages(); n++ {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, item := range page.Items {
				got = append(got, text(item["id"])+" "+text(item["rev"]))
			}
			scanned += page.ScannedCount
		}
		slices.Sort(got) // DynamoDB orders by range keys alone
		if diff := cmp.Diff(tt.want, got); diff != "" || n != tt.pages || scanned != tt.scanned {
			t.Errorf("Scan, %s: %d pages of %d scanned items, want %d of %d (-want +got):\n%s", name, n, scanned, tt.pages, tt.scanned, diff)
		}
	}
	for name, in := range map[string]sdk.ScanInput{
		"limit 0":             {Limit: aws.Int32(0)},
		"half a start key":    {ExclusiveStartKey: attributes{"id": str("a")}},
		"an unknown name":     {FilterExpression: aws.String("#n = s")},
		"an unused value":     {FilterExpression: aws.String("attribute_exists(n)"), ExpressionAttributeValues: attributes{":n": num("1")}},
		"count and attribute": {Select: types.SelectCount, ProjectionExpression: aws.String("rev")},
	} {
		in.TableName = table
		if _, err := client.Scan(t.Context(), &in); code(err) != refused {
			t.Errorf("Scan with %s = %v, want %s", name, err, refused)
		}
	}
}

func testBatchWrites(t *testing.T, client *sdk.Client) {
	ranged, plain := newRangeTable(t, client, "S", strs("1", "2")...), newTable(t, client)
	putting := func(item attributes) types.WriteRequest {
		return types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}
	}
	deleting := func(key attributes) types.WriteRequest {
		return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}}
	}
	of := func(rev string) attributes { return attributes{"id": str("a"), "rev": str(rev)} }
	many := func(n int) (requests []types.WriteRequest) {
		for i := range n {
			requests = append(requests, putting(attributes{"id": str(fmt.Sprint(i))}))
		}
		return requests
	}
	ctx := t.Context()
	write := func(requests map[string][]types.WriteRequest) error {
		out, err := client.BatchWriteItem(ctx, &sdk.BatchWriteItemInput{RequestItems: requests})
		if err == nil && (out.UnprocessedItems == nil || len(out.UnprocessedItems) > 0) {
			return fmt.Errorf("UnprocessedItems are %v, want an empty object", out.UnprocessedItems)
		}
		return err
	}
	for name, requests := range map[string]map[string][]types.WriteRequest{
		"no table":          {},
		"no request":        {*ranged: {}},
		"an empty table":    {*ranged: {deleting(of("1"))}, *plain: {}},
		"26 requests":       {*plain: many(26)},
		"26 in two tables":  {*plain: many(25), *ranged: {deleting(of("1"))}},
		"two puts":          {*ranged: {putting(of("3")), putting(of("3"))}},
		"a put and delete":  {*ranged: {putting(of("3")), deleting(of("3"))}},
		"neither":           {*ranged: {{}}},
		"both":              {*ranged: {{PutRequest: putting(of("3")).PutRequest, DeleteRequest: deleting(of("4")).DeleteRequest}}},
		"half a key to put": {*ranged: {putting(of("3")), putting(attributes{"id": str("a")})}},
		"half a key":        {*ranged: {putting(of("3")), deleting(attributes{"id": str("a")})}},
		"more than a key":   {*ranged: {putting(of("3")), deleting(attributes{"id": str("a"), "rev": str("1"), "n": num("1")})}},
		"too large an item": {*plain: {putting(attributes{"id": str("a"), "x": str(strings.Repeat("x", 400<<10))})}},
	} {
		if err := write(requests); code(err) != refused {
			t.Errorf("BatchWriteItem, %s = %v, want %s", name, err, refused)
		}
	}
	if err := write(map[string][]types.WriteRequest{*plain: many(1), "absent": many(1)}); code(err) != "ResourceNotFoundException" {
		t.Errorf("BatchWriteItem to a missing table = %v, want ResourceNotFoundException", err)
	}
	equal(t, get(t, client, plain, "0"), nil)

	if err := write(map[string][]types.WriteRequest{
		*ranged: {putting(of("3")), deleting(of("1")), deleting(of("absent"))}, *plain: many(22),
	}); err != nil {
		t.Fatal(err)
	}
	equal(t, get(t, client, plain, "21"), attributes{"id": str("21")})
	out, err := query(t, client, sdk.QueryInput{TableName: ranged, KeyConditionExpression: aws.String("id = :a")}, attributes{":a": str("a")})
	if err != nil || revsOf(out.Items) != "2 3" {
		t.Errorf("after the batch: %v, %v, want 2 and 3", out, err)
	}
}

func testTimeToLive(t *testing.T, client *sdk.Client) {
	table := newTable(t, client)
	describe := func(want types.TimeToLiveStatus, attribute string) {
		t.Helper()
		out, err := client.DescribeTimeToLive(t.Context(), &sdk.DescribeTimeToLiveInput{TableName: table})
		if err != nil {
			t.Fatal(err)
		}
		if d := out.TimeToLiveDescription; d.TimeToLiveStatus != want || aws.ToString(d.AttributeName) != attribute {
			t.Errorf("time to live is %s on %q, want %s on %q", d.TimeToLiveStatus, aws.ToString(d.AttributeName), want, attribute)
		}
	}
	describe(types.TimeToLiveStatusDisabled, "")
	for _, tt := range []struct {
		attribute string
		enabled   bool
		code      string
	}{
		{"ends", false, refused}, {"", true, refused}, {strings.Repeat("x", 256), true, refused},
		{"ends", true, ""}, {"ends", true, refused}, {"other", true, refused}, {"other", false, refused},
	} {
		_, err := client.UpdateTimeToLive(t.Context(), &sdk.UpdateTimeToLiveInput{TableName: table, TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: &tt.attribute, Enabled: &tt.enabled,
		}})
		if code(err) != tt.code {
			t.Errorf("UpdateTimeToLive %.9q %v = %v, want %q", tt.attribute, tt.enabled, err, tt.code)
		}
	}
	describe(types.TimeToLiveStatusEnabled, "ends")
	if _, err := client.UpdateTimeToLive(t.Context(), &sdk.UpdateTimeToLiveInput{TableName: table, TimeToLiveSpecification: &types.TimeToLiveSpecification{
		AttributeName: aws.String("ends"), Enabled: aws.Bool(false),
	}}); err != nil {
		t.Error(err)
	}
	describe(types.TimeToLiveStatusDisabled, "")
}
