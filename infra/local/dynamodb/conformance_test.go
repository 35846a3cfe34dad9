package dynamodb_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/dynamodblocal"
)

// The suite has the same expectations of the engine and of DynamoDB Local.

func TestEngine(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(dynamodb.New())
	t.Cleanup(server.Close)
	conform(t, newClient(server.URL))
}

func TestDynamoDBLocal(t *testing.T) {
	t.Parallel()
	conform(t, newClient(dynamodblocal.Start(t)))
}

func conform(t *testing.T, client *sdk.Client) {
	for name, test := range map[string]func(*testing.T, *sdk.Client){
		"tables":           testTables,
		"tables refused":   testTablesRefused,
		"list tables":      testListTables,
		"items":            testItems,
		"projections":      testProjections,
		"return values":    testReturnValues,
		"conditions":       testConditions,
		"malformed":        testMalformedExpressions,
		"expression sizes": testExpressionSizes,
		"keys":             testKeys,
		"values":           testValues,
		"values refused":   testValuesRefused,
		"item sizes":       testItemSizes,
		"concurrent puts":  testConcurrentPuts,
		"missing tables":   testMissingTables,
		"range keys":       testRangeKeys,
		"range types":      testRangeTypes,
		"key conditions":   testKeyConditions,
		"query pages":      testQueryPages,
		"page sizes":       testPageSizes,
		"scan":             testScan,
		"batch writes":     testBatchWrites,
		"time to live":     testTimeToLive,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, client)
		})
	}
}

func newClient(endpoint string) *sdk.Client {
	return sdk.New(sdk.Options{
		BaseEndpoint: &endpoint,
		Region:       "local",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
		Retryer: aws.NopRetryer{},
	})
}

type attributes = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
func bin(s string) types.AttributeValue { return &types.AttributeValueMemberB{Value: []byte(s)} }

// code returns the type of an error answer, or "".
func code(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return err.Error()
}

func equal(t *testing.T, got, want attributes) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(
		types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberB{},
		types.AttributeValueMemberBOOL{}, types.AttributeValueMemberNULL{}, types.AttributeValueMemberM{},
		types.AttributeValueMemberL{}, types.AttributeValueMemberSS{}, types.AttributeValueMemberNS{},
		types.AttributeValueMemberBS{},
	), cmpopts.SortSlices(func(a, b string) bool { return a < b }), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

func tableInput(name string) *sdk.CreateTableInput {
	return &sdk.CreateTableInput{
		TableName:            &name,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}},
		BillingMode:          types.BillingModePayPerRequest,
	}
}

// tableName returns a name for the tables of one test.
func tableName(t *testing.T) string {
	return strings.NewReplacer("/", ".", "#", ".").Replace(t.Name())
}

// newTable creates a table for one test, with the key id.
func newTable(t *testing.T, client *sdk.Client) *string {
	t.Helper()
	name := tableName(t)
	if _, err := client.CreateTable(t.Context(), tableInput(name)); err != nil {
		t.Fatal(err)
	}
	return &name
}

func put(t *testing.T, client *sdk.Client, table *string, item attributes) {
	t.Helper()
	if _, err := client.PutItem(t.Context(), &sdk.PutItemInput{TableName: table, Item: item}); err != nil {
		t.Fatalf("put: %v", err)
	}
}

func get(t *testing.T, client *sdk.Client, table *string, id string) attributes {
	t.Helper()
	out, err := client.GetItem(t.Context(), &sdk.GetItemInput{
		TableName: table, Key: attributes{"id": str(id)}, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	return out.Item
}

func testTables(t *testing.T, client *sdk.Client) {
	table := newTable(t, client)
	waiter := sdk.NewTableExistsWaiter(client)
	out, err := waiter.WaitForOutput(t.Context(), &sdk.DescribeTableInput{TableName: table}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if got := *out.Table; *got.TableName != *table || got.TableStatus != types.TableStatusActive ||
		*got.KeySchema[0].AttributeName != "id" || got.CreationDateTime.IsZero() {
		t.Errorf("DescribeTable = %+v", got)
	}
	if _, err := client.CreateTable(t.Context(), tableInput(*table)); code(err) != "ResourceInUseException" {
		t.Errorf("second CreateTable = %v, want ResourceInUseException", err)
	}
	put(t, client, table, attributes{"id": str("a")})
	if _, err := client.DeleteTable(t.Context(), &sdk.DeleteTableInput{TableName: table}); err != nil {
		t.Fatal(err)
	}
	gone := sdk.NewTableNotExistsWaiter(client)
	if err := gone.Wait(t.Context(), &sdk.DescribeTableInput{TableName: table}, time.Minute); err != nil {
		t.Fatal(err)
	}
	newTable(t, client)
	equal(t, get(t, client, table, "a"), nil)
}

func testTablesRefused(t *testing.T, client *sdk.Client) {
	for name, change := range map[string]func(*sdk.CreateTableInput){
		"short name":           func(in *sdk.CreateTableInput) { in.TableName = aws.String("ab") },
		"long name":            func(in *sdk.CreateTableInput) { in.TableName = aws.String(strings.Repeat("a", 256)) },
		"name with space":      func(in *sdk.CreateTableInput) { in.TableName = aws.String("a table") },
		"no throughput":        func(in *sdk.CreateTableInput) { in.BillingMode = types.BillingModeProvisioned },
		"default, none either": func(in *sdk.CreateTableInput) { in.BillingMode = "" },
		"range key alone":      func(in *sdk.CreateTableInput) { in.KeySchema[0].KeyType = types.KeyTypeRange },
		"two hash keys":        func(in *sdk.CreateTableInput) { in.KeySchema = append(in.KeySchema, in.KeySchema...) },
		"key without its type": func(in *sdk.CreateTableInput) { in.AttributeDefinitions[0].AttributeName = aws.String("x") },
		"type without a key": func(in *sdk.CreateTableInput) {
			in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String("x"), AttributeType: "S"})
		},
		"no key":                func(in *sdk.CreateTableInput) { in.KeySchema = []types.KeySchemaElement{} },
		"no attribute with key": func(in *sdk.CreateTableInput) { in.AttributeDefinitions = []types.AttributeDefinition{} },
	} {
		in := tableInput("refused")
		change(in)
		if _, err := client.CreateTable(t.Context(), in); code(err) != "ValidationException" {
			t.Errorf("CreateTable with %s = %v, want ValidationException", name, err)
		}
	}
}

func testListTables(t *testing.T, client *sdk.Client) {
	// Sorted after all the tables of the other tests.
	for _, name := range []string{"zzz-1", "zzz-2", "zzz-3"} {
		if _, err := client.CreateTable(t.Context(), tableInput(name)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	pages := sdk.NewListTablesPaginator(client, &sdk.ListTablesInput{
		ExclusiveStartTableName: aws.String("zzz"), Limit: aws.Int32(2),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(page.TableNames) > 2 {
			t.Errorf("page of %d names, want 2 at most", len(page.TableNames))
		}
		got = append(got, page.TableNames...)
	}
	if diff := cmp.Diff([]string{"zzz-1", "zzz-2", "zzz-3"}, got); diff != "" {
		t.Errorf("ListTables (-want +got):\n%s", diff)
	}
	for _, limit := range []int32{0, 101} {
		_, err := client.ListTables(t.Context(), &sdk.ListTablesInput{Limit: &limit})
		if code(err) != "ValidationException" {
			t.Errorf("ListTables, limit %d = %v, want ValidationException", limit, err)
		}
	}
}

func testItems(t *testing.T, client *sdk.Client) {
	table := newTable(t, client)
	equal(t, get(t, client, table, "a"), nil)
	put(t, client, table, attributes{"id": str("a"), "x": str("1"), "y": num("2")})
	put(t, client, table, attributes{"id": str("b")})
	equal(t, get(t, client, table, "a"), attributes{"id": str("a"), "x": str("1"), "y": num("2")})
	put(t, client, table, attributes{"id": str("a"), "z": str("3")})
	equal(t, get(t, client, table, "a"), attributes{"id": str("a"), "z": str("3")})
	for range 2 {
		if _, err := client.DeleteItem(t.Context(), &sdk.DeleteItemInput{
			TableName: table, Key: attributes{"id": str("a")},
		}); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, get(t, client, table, "a"), nil)
	equal(t, get(t, client, table, "b"), attributes{"id": str("b")})
}

func testProjections(t *testing.T, client *sdk.Client) {
	table := newTable(t, client)
	put(t, client, table, attributes{"id": str("a"), "role": num("1"), "dotted.name": str("d")})
	for _, tt := range []struct {
		expression string
		names      map[string]string
		want       attributes
		code       string
	}{
		{expression: "id", want: attributes{"id": str("a")}},
		{expression: " id,\n#r ", names: map[string]string{"#r": "role"}, want: attributes{"id": str("a"), "role": num("1")}},
		{expression: "#d", names: map[string]string{"#d": "dotted.name"}, want: attributes{"dotted.name": str("d")}},
		{expression: "absent", want: attributes{}},
		{expression: "role", code: "ValidationException"},
		{expression: "", code: "ValidationException"},
		{expression: "id, id", code: "ValidationException"},
		{expression: "id, #i", names: map[string]string{"#i": "id"}, code: "ValidationException"},
		{expression: "id,", code: "ValidationException"},
		{expression: ", id", code: "ValidationException"},
		{expression: "id absent", code: "ValidationException"},
		{expression: "(id)", code: "ValidationException"},
		{expression: ":v", code: "ValidationException"},
		{expression: "#r", code: "ValidationException"},
		{expression: "id", names: map[string]string{"#r": "role"}, code: "ValidationException"},
		{expression: "id", names: map[string]string{}, code: "ValidationException"},
		{expression: "id" + strings.Repeat(" ", 4096), code: "ValidationException"},
	} {
		out, err := client.GetItem(t.Context(), &sdk.GetItemInput{
			TableName: table, Key: attributes{"id": str("a")},
			ProjectionExpression: &tt.expression, ExpressionAttributeNames: tt.names,
		})
		if code(err) != tt.code {
			t.Errorf("GetItem projecting %q = %v, want %q", tt.expression, err, tt.code)
		}
		if err == nil {
			if out.Item == nil {
				t.Errorf("GetItem projecting %q has no Item, want an empty one", tt.expression)
			}
			equal(t, out.Item, tt.want)
		}
	}
	_, err := client.GetItem(t.Context(), &sdk.GetItemInput{
		TableName: table, Key: attributes{"id": str("a")}, ExpressionAttributeNames: map[string]string{"#r": "role"},
	})
	if code(err) != "ValidationException" {
		t.Errorf("GetItem with names and no expression = %v, want ValidationException", err)
	}
}

func testReturnValues(t *testing.T, client *sdk.Client) {
	table := newTable(t, client)
	old := attributes{"id": str("a"), "x": str("old"), "list": &types.AttributeValueMemberL{Value: []types.AttributeValue{num("1")}}}
	in := &sdk.PutItemInput{TableName: table, Item: old, ReturnValues: types.ReturnValueAllOld}
	out, err := client.PutItem(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, out.Attributes, nil)
	if out, err = client.PutItem(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	equal(t, out.Attributes, old)

	for _, tt := range []struct {
		id        string
		condition string
		wanted    types.ReturnValuesOnConditionCheckFailure
		want      attributes
	}{
		{"a", "attribute_not_exists(id)", types.ReturnValuesOnConditionCheckFailureAllOld, old},
		{"a", "attribute_not_exists(id)", types.ReturnValuesOnConditionCheckFailureNone, nil},
		{"a", "attribute_not_exists(id)", "", nil},
		{"absent", "attribute_exists(id)", types.ReturnValuesOnConditionCheckFailureAllOld, nil},
	} {
		_, err := client.PutItem(t.Context(), &sdk.PutItemInput{
			TableName: table, Item: attributes{"id": str(tt.id)},
			ConditionExpression: &tt.condition, ReturnValuesOnConditionCheckFailure: tt.wanted,
		})
		failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
		if !ok {
			t.Fatalf("PutItem on a condition that fails = %v", err)
		}
		equal(t, failed.Item, tt.want)
	}
	equal(t, get(t, client, table, "a"), old)

	for _, in := range []sdk.PutItemInput{
		{ReturnValues: types.ReturnValueAllNew},
		{ReturnValues: types.ReturnValueUpdatedOld},
		{ReturnValues: "MOST_OLD"},
		{ReturnValuesOnConditionCheckFailure: "ALL_NEW", ConditionExpression: aws.String("attribute_exists(id)")},
	} {
		in.TableName, in.Item = table, old
		if _, err := client.PutItem(t.Context(), &in); code(err) != "ValidationException" {
			t.Errorf("PutItem returning %s%s = %v, want ValidationException",
				in.ReturnValues, in.ReturnValuesOnConditionCheckFailure, err)
		}
	}
}

func testKeys(t *testing.T, client *sdk.Client) {
	table := newTable(t, client)
	longest := strings.Repeat("é", 1024)
	put(t, client, table, attributes{"id": str(longest)})
	equal(t, get(t, client, table, longest), attributes{"id": str(longest)})
	for name, key := range map[string]attributes{
		"none":     {},
		"misnamed": {"ID": str("a")},
		"number":   {"id": num("1")},
		"binary":   {"id": bin("a")},
		"empty":    {"id": str("")},
		"too long": {"id": str(longest + "a")},
	} {
		_, err := client.PutItem(t.Context(), &sdk.PutItemInput{TableName: table, Item: key})
		if code(err) != "ValidationException" {
			t.Errorf("PutItem, key %s = %v, want ValidationException", name, err)
		}
		_, err = client.GetItem(t.Context(), &sdk.GetItemInput{TableName: table, Key: key})
		if code(err) != "ValidationException" {
			t.Errorf("GetItem, key %s = %v, want ValidationException", name, err)
		}
		_, err = client.DeleteItem(t.Context(), &sdk.DeleteItemInput{TableName: table, Key: key})
		if code(err) != "ValidationException" {
			t.Errorf("DeleteItem, key %s = %v, want ValidationException", name, err)
		}
	}
	_, err := client.GetItem(t.Context(), &sdk.GetItemInput{TableName: table, Key: attributes{"id": str("a"), "x": str("b")}})
	if code(err) != "ValidationException" {
		t.Errorf("GetItem, key with another attribute = %v, want ValidationException", err)
	}
}

func testMissingTables(t *testing.T, client *sdk.Client) {
	name, key := aws.String("absent"), attributes{"id": str("a")}
	calls := map[string]func(context.Context, *string) error{
		"DescribeTable": func(ctx context.Context, table *string) error {
			_, err := client.DescribeTable(ctx, &sdk.DescribeTableInput{TableName: table})
			return err
		},
		"DeleteTable": func(ctx context.Context, table *string) error {
			_, err := client.DeleteTable(ctx, &sdk.DeleteTableInput{TableName: table})
			return err
		},
		"GetItem": func(ctx context.Context, table *string) error {
			_, err := client.GetItem(ctx, &sdk.GetItemInput{TableName: table, Key: key})
			return err
		},
		"PutItem": func(ctx context.Context, table *string) error {
			_, err := client.PutItem(ctx, &sdk.PutItemInput{TableName: table, Item: key})
			return err
		},
		"Query": func(ctx context.Context, table *string) error {
			_, err := client.Query(ctx, &sdk.QueryInput{
				TableName: table, KeyConditionExpression: aws.String("id = :a"), ExpressionAttributeValues: attributes{":a": str("a")},
			})
			return err
		},
		"Scan": func(ctx context.Context, table *string) error {
			_, err := client.Scan(ctx, &sdk.ScanInput{TableName: table})
			return err
		},
		"BatchWriteItem": func(ctx context.Context, table *string) error {
			_, err := client.BatchWriteItem(ctx, &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
				*table: {{DeleteRequest: &types.DeleteRequest{Key: key}}},
			}})
			return err
		},
		"DescribeTimeToLive": func(ctx context.Context, table *string) error {
			_, err := client.DescribeTimeToLive(ctx, &sdk.DescribeTimeToLiveInput{TableName: table})
			return err
		},
		"DeleteItem": func(ctx context.Context, table *string) error {
			_, err := client.DeleteItem(ctx, &sdk.DeleteItemInput{TableName: table, Key: key})
			return err
		},
	}
	for operation, call := range calls {
		if err := call(t.Context(), name); code(err) != "ResourceNotFoundException" {
			t.Errorf("%s of a missing table = %v, want ResourceNotFoundException", operation, err)
		}
		if err := call(t.Context(), aws.String("no name")); code(err) != "ValidationException" {
			t.Errorf("%s of an impossible table = %v, want ValidationException", operation, err)
		}
	}
}

// testConcurrentPuts counts up by compare and swap. If an update were lost, two
// writers would succeed from the same number.
func testConcurrentPuts(t *testing.T, client *sdk.Client) {
	const writers, puts = 8, 25
	table := newTable(t, client)
	put(t, client, table, attributes{"id": str("counter"), "n": num("0")})
	succeeded := make([]int, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range puts {
				var now int
				n := get(t, client, table, "counter")["n"].(*types.AttributeValueMemberN).Value
				if _, err := fmt.Sscan(n, &now); err != nil {
					t.Error(err)
					return
				}
				_, err := client.PutItem(t.Context(), &sdk.PutItemInput{
					TableName: table, Item: attributes{"id": str("counter"), "n": num(fmt.Sprint(now + 1))},
					ConditionExpression: aws.String("n = :now"), ExpressionAttributeValues: attributes{":now": num(n)},
				})
				switch code(err) {
				case "":
					succeeded[w]++
				case "ConditionalCheckFailedException":
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range succeeded {
		total += n
	}
	equal(t, get(t, client, table, "counter"), attributes{"id": str("counter"), "n": num(fmt.Sprint(total))})
}
