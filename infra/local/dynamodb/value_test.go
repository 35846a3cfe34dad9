package dynamodb_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func list(values ...types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberL{Value: values}
}

func nested(levels int) types.AttributeValue {
	v := str("x")
	for range levels {
		v = list(v)
	}
	return v
}

func testValues(t *testing.T, client *sdk.Client) {
	table := newTable(t, client)
	for _, v := range []types.AttributeValue{
		str(""), str("\x00\u2028\u2029\x7f<>&\"\\\U0001F600é"), str(strings.Repeat("\U0001F600", 100_000)), str(`\u0000 {"S":"x"}`),
		bin(""), bin("\x00\xff\xfe"), num("0"), num("-1.5"), num("12345678901234567890123456789012345678"),
		num("1" + strings.Repeat("0", 125)), num("0." + strings.Repeat("0", 129) + "1"),
		&types.AttributeValueMemberBOOL{}, &types.AttributeValueMemberBOOL{Value: true}, &types.AttributeValueMemberNULL{Value: true},
		list(), list(str("a"), num("1"), list()),
		&types.AttributeValueMemberM{Value: attributes{}},
		&types.AttributeValueMemberM{Value: attributes{"<\u2028>": str("\x00"), "m": &types.AttributeValueMemberM{Value: attributes{"b": bin("b")}}}},
		&types.AttributeValueMemberSS{Value: []string{"a", "b", ""}}, &types.AttributeValueMemberNS{Value: []string{"1", "-2"}},
		&types.AttributeValueMemberBS{Value: [][]byte{[]byte("a")}},
	} {
		item := attributes{"id": str("\u2028<k>\x00"), "v": v, "<&\u2029>": str("name")}
		put(t, client, table, item)
		equal(t, get(t, client, table, "\u2028<k>\x00"), item)
	}
	// Not compared: go-cmp takes time that is exponential in the nesting.
	put(t, client, table, attributes{"id": str("nested"), "v": nested(31)})
	// Forms of numbers that are accepted; DynamoDB Local and this engine differ
	// from DynamoDB, which normalizes them, in what they return.
	for _, n := range []string{"+1", ".5", "5.", "1e5", "1E+5", "0e999", "000" + strings.Repeat("1", 38), strings.Repeat("1", 38) + strings.Repeat("0", 20), "9.9e125", "1.1e-130"} {
		put(t, client, table, attributes{"id": str("n"), "n": num(n)})
	}
	put(t, client, table, attributes{"id": str("name"), strings.Repeat("n", 65535): str("")})
}

func testValuesRefused(t *testing.T, client *sdk.Client) {
	table := newTable(t, client)
	item := func(v types.AttributeValue) attributes { return attributes{"id": str("k"), "v": v} }
	items := []attributes{
		{"id": str("k"), "": str("empty name")},
		{"id": str("k"), strings.Repeat("n", 65536): str("")},
		item(nested(32)),
		item(&types.AttributeValueMemberNULL{}),
		item(&types.AttributeValueMemberM{Value: attributes{"": str("x")}}),
		item(&types.AttributeValueMemberSS{Value: []string{}}),
		item(&types.AttributeValueMemberSS{Value: []string{"a", "a"}}),
		item(&types.AttributeValueMemberNS{Value: []string{"1", "1.0"}}),
		item(&types.AttributeValueMemberNS{Value: []string{"one"}}),
		item(&types.AttributeValueMemberBS{Value: [][]byte{[]byte("a"), []byte("a")}}),
		item(list(num("x"))),
	}
	for _, n := range []string{
		"", " 1", "1 ", "-", "+-1", "--1", ".", "e5", "1e", "1e5.5", "abc", "0x1", "1_0", "NaN", "Infinity", "1,5", "1/3", "1e126", "1e-131",
		"-1e126", "1e99999999999", strings.Repeat("1", 39), "0." + strings.Repeat("1", 39),
	} {
		items = append(items, item(num(n)))
	}
	for _, item := range items {
		_, err := client.PutItem(t.Context(), &sdk.PutItemInput{TableName: table, Item: item})
		if code(err) != refused {
			t.Errorf("PutItem(%.200v) = %v, want %s", item, err, refused)
		}
	}
}

// testItemSizes fills an item to the limit around a value, to see its size.
func testItemSizes(t *testing.T, client *sdk.Client) {
	table := newTable(t, client)
	for _, tt := range []struct {
		name string
		v    types.AttributeValue
		size int
	}{
		{"ASCII", str("abc"), 3},
		{"emoji", str("\U0001F600"), 4},
		{"NUL and quotes", str("\x00\"\""), 3},
		{"binary", bin("abcd"), 4},
		{"BOOL", &types.AttributeValueMemberBOOL{}, 1},
		{"NULL", &types.AttributeValueMemberNULL{Value: true}, 1},
		{"0", num("0"), 1},
		{"7", num("7"), 2},
		{"12", num("12"), 2},
		{"123", num("123"), 3},
		{"100", num("100"), 2},
		{"1e-5", num("1e-5"), 2},
		{"-12.345", num("-12.345"), 5},
		{"38 digits", num(strings.Repeat("1", 38)), 20},
		{"empty list", list(), 3},
		{"list", list(str("ab"), str("ab")), 9},
		{"map", &types.AttributeValueMemberM{Value: attributes{"k": str("ab")}}, 7},
		{"set of strings", &types.AttributeValueMemberSS{Value: []string{"ab", "c"}}, 3},
		{"set of numbers", &types.AttributeValueMemberNS{Value: []string{"1", "2"}}, 4},
	} {
		rest := 409_600 - len("id") - len("k") - len("naïf") - tt.size - len("pad")
		for over, want := range []string{"", refused} {
			_, err := client.PutItem(t.Context(), &sdk.PutItemInput{TableName: table, Item: attributes{
				"id": str("k"), "naïf": tt.v, "pad": str(strings.Repeat("x", rest+over)),
			}})
			if code(err) != want {
				t.Errorf("PutItem of %s, %d bytes over the limit = %v, want %q", tt.name, over, err, want)
			}
		}
	}
}
