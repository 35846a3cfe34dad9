package dynamodb_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	holds   = ""
	fails   = "ConditionalCheckFailedException"
	refused = "ValidationException"
)

// check puts an item on a condition and expects that the condition holds, fails or is
// refused. It sends the values that the condition uses.
func check(t *testing.T, client *sdk.Client, table *string, condition string, names map[string]string, want string) {
	t.Helper()
	values := attributes{
		":a": str("a"), ":b": str("b"), ":e": str(""), ":A": str("A"), ":emoji": str("\U0001F600"), ":fffd": str("\uFFFD"),
		":n1": num("1"), ":n10": num("1e1"), ":n9": num("9"), ":big": num("12345678901234567890123456789012345679"),
		":bin": bin("\x00\xff"), ":bin2": bin("\x01"), ":true": &types.AttributeValueMemberBOOL{Value: true}, ":false": &types.AttributeValueMemberBOOL{},
		":null": &types.AttributeValueMemberNULL{Value: true},
		":set":  &types.AttributeValueMemberNS{Value: []string{"2", "10.0"}}, ":set2": &types.AttributeValueMemberNS{Value: []string{"2"}},
		":tree":  &types.AttributeValueMemberM{Value: attributes{"x": str("a"), "y": num("1e1")}},
		":tree2": &types.AttributeValueMemberM{Value: attributes{"x": str("a")}},
		":list":  &types.AttributeValueMemberL{Value: []types.AttributeValue{str("a"), num("1")}},
		":list2": &types.AttributeValueMemberL{Value: []types.AttributeValue{num("1"), str("a")}},
	}
	for name := range values {
		if !regexp.MustCompile(name + `\b`).MatchString(condition) {
			delete(values, name)
		}
	}
	if len(values) == 0 {
		values = nil
	}
	_, err := client.PutItem(t.Context(), &sdk.PutItemInput{
		TableName: table, ConditionExpression: &condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: values,
		Item: attributes{
			"id": str("k"), "s": str("a"), "a_2": str("é"), "n": num("10.0"), "neg": num("-2.5"), "bin": bin("\x00\xff"),
			"digits": num("12345678901234567890123456789012345678"), "zero": num("-0.0"), "high": str("\U0001F600"),
			"flag": &types.AttributeValueMemberBOOL{Value: true}, "role": str("a"),
			"tree": &types.AttributeValueMemberM{Value: attributes{"y": num("10"), "x": str("a")}},
			"list": &types.AttributeValueMemberL{Value: []types.AttributeValue{str("a"), num("1.0")}},
			"set":  &types.AttributeValueMemberNS{Value: []string{"1e1", "2"}},
			"nil":  &types.AttributeValueMemberNULL{Value: true},
		},
	})
	if got := code(err); got != want {
		t.Errorf("condition %.200q: %v, want %q", condition, err, want)
	}
}

func testConditions(t *testing.T, client *sdk.Client) {
	table := newTable(t, client)
	check(t, client, table, "attribute_not_exists(id)", nil, holds)
	for _, tt := range []struct {
		condition string
		want      string
	}{
		{"attribute_exists(s)", holds},
		{"attribute_exists ( s )", holds},
		{"attribute_exists(tree)", holds},
		{"attribute_exists(absent)", fails},
		{"attribute_not_exists(s)", fails},
		{"attribute_not_exists(absent)", holds},

		{"s = :a", holds}, {"s <> :a", fails}, {"s < :a", fails}, {"s <= :a", holds}, {"s > :a", fails}, {"s >= :a", holds},
		{"s = :b", fails}, {"s <> :b", holds}, {"s < :b", holds}, {"s <= :b", holds}, {"s > :b", fails}, {"s >= :b", fails},
		{"s = :A", fails}, {"s > :A", holds}, {"s > :e", holds}, {"s=:a", holds}, {"s<>:b", holds}, {":a = s", holds}, {":b > s", holds},
		{":a = :a", holds}, {":a = :b", fails}, {"\ts\r\n=\n:a ", holds},
		{"high = :emoji", holds}, {"high > :fffd", holds}, // as UTF-8, not as UTF-16

		{"n = :n10", holds}, {"n > :n9", holds}, {"n < :n9", fails}, {"n <> :n10", fails}, {"neg < :n1", holds}, {"neg > :n1", fails},
		{"zero < :n1", holds}, {"zero > :n1", fails}, {"digits < :big", holds}, {"digits = :big", fails},
		{"bin = :bin", holds}, {"bin < :bin2", holds}, {"bin > :bin2", fails},

		{"s = :n1", fails}, {"s <> :n1", holds}, {"s < :n1", fails}, {"s >= :n1", fails}, {"n = :a", fails}, {"bin = :a", fails},
		{"flag = :a", fails}, {"flag <> :a", holds}, {"tree = :a", fails}, {"tree <> :a", holds},
		{"absent = :a", fails}, {"absent <> :a", holds}, {"absent < :a", fails}, {"absent >= :a", fails}, {"NOT absent = :a", holds},

		{"flag = :true", holds}, {"flag = :false", fails}, {"flag <> :false", holds}, {"nil = :null", holds}, {"s = :null", fails}, {"absent = :null", fails},
		{"#set = :set", holds}, {"#set = :set2", fails}, {"tree = :tree", holds}, {"tree = :tree2", fails}, {"tree <> :tree2", holds},
		{"#list = :list", holds}, {"#list = :list2", fails}, {"#list <> :set", holds}, {"tree = :list", fails},

		{"s IN (:a)", holds}, {"s IN (:b, :n1, :a)", holds}, {"s in (:b,:n1)", fails}, {":a IN (s)", holds}, {"n IN (:n9, :n10)", holds},
		{"s BETWEEN :A AND :a", holds}, {"n BETWEEN :n1 AND :n9", fails}, {"n between :n9 and :n10 AND s = :a", holds}, {":b BETWEEN s AND a_2", holds},
		{"absent BETWEEN :a AND :b", fails}, {"flag BETWEEN :a AND :b", fails}, {"NOT s BETWEEN :A AND :b", fails}, {"bin BETWEEN :bin AND :bin2", holds},
		{"begins_with(a_2, :a)", fails}, {"begins_with ( s , :a )", holds}, {"begins_with(s, :e)", holds}, {"begins_with(bin, :bin)", holds},
		{"begins_with(bin, :a)", fails}, {"begins_with(n, :a)", fails}, {"begins_with(absent, :e)", fails}, {"NOT begins_with(tree, :a)", holds},

		{"absent IN (:a)", fails}, {"NOT s IN (:b)", holds},

		{"NOT s = :a", fails}, {"NOT s = :b", holds}, {"not NOT s = :a", holds}, {"NOT (NOT s = :a)", holds}, {"NOT attribute_exists(absent)", holds},
		{"s = :a AND n = :n10", holds}, {"s = :a and n = :n1", fails}, {"s = :b OR n = :n10", holds}, {"s = :b or n = :n1", fails},
		// AND binds tighter than OR, NOT tighter than AND.
		{"s = :a OR s = :b AND s = :b", holds}, {"(s = :a OR s = :b) AND s = :b", fails},
		{"s = :b AND s = :b OR s = :a", holds}, {"s = :b AND (s = :b OR s = :a)", fails},
		{"NOT s = :a OR s = :a", holds}, {"NOT (s = :a OR s = :b)", fails},
		{"NOT s = :a AND s = :b", fails}, {"NOT (s = :a AND s = :b)", holds},
		{"NOT s = :b AND s = :a", holds}, {"NOT s = :a OR s = :b AND s = :b", fails},
		{"(s = :a)", holds}, {"(s = :a) AND (n = :n10)", holds}, {"((s = :a) AND n = :n10)", holds}, {"NOT (s = :b)", holds},
		{"a_2 > :a", holds}, {"s = :a AND attribute_exists(n) OR attribute_exists(absent)", holds},
	} {
		var names map[string]string
		if name, ok := strings.CutPrefix(strings.Fields(tt.condition)[0], "#"); ok { // a reserved word
			names = map[string]string{"#" + name: name}
		}
		check(t, client, table, tt.condition, names, tt.want)
	}
	check(t, client, table, "#role = :a AND #2 = :a AND #_x <> :b", map[string]string{"#role": "role", "#2": "s", "#_x": "s"}, holds)
	check(t, client, table, "attribute_exists(#dotted)", map[string]string{"#dotted": "tree.x"}, fails)
}

func testMalformedExpressions(t *testing.T, client *sdk.Client) {
	table := newTable(t, client)
	for _, condition := range []string{
		"", " ", "s", "s =", "= :a", "s = :a AND", "OR s = :a", "s = :a s = :a", "s = :a,", "s = :a;", "(s = :a", "s = :a)", "()", "NOT",
		"s == :a", "s != :a", "s => :a", "s = 'a'", "s = 1", "_s = :a", "1s = :a", "é = :a", "# = :a", "s = :", "AND = :a", "s = AND",
		"((s = :a))", "((s = :a AND n = :n1))", "(((s = :a)) AND n = :n1)", "NOT ((s = :a))",
		"s IN ()", "s IN :a", "s IN (:a", "s IN (:a,)", "IN (:a)", "s IN",
		"s BETWEEN :b AND :a", "s BETWEEN :a AND :n1", "s BETWEEN :a", "s BETWEEN :a, :b", "flag BETWEEN :false AND :true", "s BETWEEN :a OR :b",
		"begins_with(s)", "begins_with(s, :a, :b)", "begins_with(n, :n1)", "begins_with(s, :true)", "begins_with s, :a", "Begins_with(s, :a)",
		"attribute_exists()", "attribute_exists(:a)", "attribute_exists(s, n)", "attribute_exists s", "attribute_exists", "attribute_exists(s",
		"Attribute_exists(s)", "unknown(s)", "attribute_exists(s) = :a OR s = :b",
		"role = :a", "Status = :a", "attribute_exists(name)",
		"s = :undefined", "#undefined = :a",
		"s = s", "s IN (s)", "flag < :true", "nil >= :null", "tree < :tree", "tree > :list", "n <= :set",
	} {
		check(t, client, table, condition, nil, refused)
	}
	for _, names := range []map[string]string{
		{}, {"#s": "s", "#unused": "n"}, {"#s": ""}, {"#s": "s", "s": "s"}, {"#s": "s", "#s-s": "s"}, {"#s": "s", "#": "s"},
	} {
		check(t, client, table, "#s = :a", names, refused)
	}
	for _, in := range []sdk.PutItemInput{
		{ConditionExpression: aws.String("s = :a"), ExpressionAttributeValues: attributes{":a": str("a"), ":unused": str("a")}},
		{ConditionExpression: aws.String("attribute_exists(s)"), ExpressionAttributeValues: attributes{}},
		{ExpressionAttributeValues: attributes{":a": str("a")}},
		{ExpressionAttributeNames: map[string]string{"#s": "s"}},
		{ConditionExpression: aws.String("s = :a"), ExpressionAttributeValues: attributes{":a": num("x")}},
	} {
		in.TableName, in.Item = table, attributes{"id": str("k")}
		if _, err := client.PutItem(t.Context(), &in); code(err) != refused {
			t.Errorf("PutItem %+v = %v, want %s", in, err, refused)
		}
	}
}

func testExpressionSizes(t *testing.T, client *sdk.Client) {
	table := newTable(t, client)
	check(t, client, table, "attribute_not_exists(id)", nil, holds)

	pad := func(n int) string { return "s = :a" + strings.Repeat(" ", n-len("s = :a")) }
	check(t, client, table, pad(4096), nil, holds)
	check(t, client, table, pad(4097), nil, refused)

	either := func(n int) string { return strings.Repeat("s=:a OR ", n-1) + "s=:a" } // 2n-1 operators
	check(t, client, table, "NOT "+either(150), nil, holds)
	check(t, client, table, "NOT NOT "+either(150), nil, refused)
	check(t, client, table, strings.Repeat("NOT ", 299)+"s=:a", nil, fails)
	check(t, client, table, strings.Repeat("NOT (", 299)+"s=:a"+strings.Repeat(")", 299), nil, fails)

	between := func(n int) string { return strings.Repeat("s BETWEEN :a AND :a OR ", n-1) + "begins_with(s, :a)" }
	check(t, client, table, between(150), nil, holds)
	check(t, client, table, between(151), nil, refused)

	long := func(n int) string { return "#" + strings.Repeat("s", n-1) }
	check(t, client, table, long(255)+" = :a", map[string]string{long(255): "s"}, holds)
	check(t, client, table, long(256)+" = :a", map[string]string{long(256): "s"}, refused)

	for operands, want := range map[int]string{100: "", 101: refused} {
		values, list := attributes{}, []string{}
		for i := range operands {
			name := fmt.Sprintf(":v%d", i)
			values[name], list = str(fmt.Sprint(i)), append(list, name)
		}
		values[":v99"] = str("a")
		condition := "s IN (" + strings.Join(list, ", ") + ")"
		_, err := client.PutItem(t.Context(), &sdk.PutItemInput{
			TableName: table, Item: attributes{"id": str("k"), "s": str("a")},
			ConditionExpression: &condition, ExpressionAttributeValues: values,
		})
		if code(err) != want {
			t.Errorf("IN with %d operands = %v, want %q", operands, err, want)
		}
	}
}
