package dynamodb_test

import (
	"encoding/json"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/dynamodb"
)

// These tests are for the engine only: of what DynamoDB Local does differently from
// DynamoDB, and of what is beyond the subset.

const createTable = `{"TableName":"table","BillingMode":"PAY_PER_REQUEST",
	"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],
	"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`

func newEngine(t *testing.T) *dynamodb.Engine {
	t.Helper()
	engine := dynamodb.New()
	if status, answer := call(t, engine, "CreateTable", createTable); status != http.StatusOK {
		t.Fatalf("CreateTable = %d %s", status, answer)
	}
	return engine
}

func newRequest(operation, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 unverified")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	return r
}

// serve returns an answer and checks what every answer must have.
func serve(t *testing.T, engine *dynamodb.Engine, r *http.Request) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := w.Header().Get("X-Amz-Crc32"), strconv.Itoa(int(crc32.ChecksumIEEE(body))); got != want {
		t.Errorf("X-Amz-Crc32 = %q, want %q", got, want)
	}
	if w.Header().Get("x-amzn-RequestId") == "" {
		t.Error("no x-amzn-RequestId")
	}
	return w.Code, string(body)
}

func call(t *testing.T, engine *dynamodb.Engine, operation, body string) (int, string) {
	t.Helper()
	return serve(t, engine, newRequest(operation, body))
}

func wantFailure(t *testing.T, engine *dynamodb.Engine, r *http.Request, wantStatus int, wantType string) {
	t.Helper()
	status, answer := serve(t, engine, r)
	var failure struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal([]byte(answer), &failure); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	if status != wantStatus || failure.Type != wantType || failure.Message == "" {
		t.Errorf("answer = %d %.300s, want %d %s", status, answer, wantStatus, wantType)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	status, body := serve(t, dynamodb.New(), httptest.NewRequest(http.MethodGet, "/", nil))
	if status != http.StatusOK || body != "healthy: dynamodb.local" {
		t.Errorf("GET / = %d %q", status, body)
	}
}

func TestNotAnOperation(t *testing.T) {
	t.Parallel()
	const unknown = "com.amazon.coral.service#UnknownOperationException"
	for name, tt := range map[string]struct {
		change func(*http.Request)
		want   string
	}{
		"operation":        {func(r *http.Request) { r.Header.Set("X-Amz-Target", "DynamoDB_20120810.UpdateItem") }, unknown},
		"version":          {func(r *http.Request) { r.Header.Set("X-Amz-Target", "DynamoDB_20111205.GetItem") }, unknown},
		"no target":        {func(r *http.Request) { r.Header.Del("X-Amz-Target") }, unknown},
		"content type":     {func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, unknown},
		"path":             {func(r *http.Request) { r.URL.Path = "/table" }, unknown},
		"method":           {func(r *http.Request) { r.Method = http.MethodPut }, unknown},
		"no authorization": {func(r *http.Request) { r.Header.Del("Authorization") }, "com.amazon.coral.service#MissingAuthenticationTokenException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRequest("ListTables", "{}")
			tt.change(r)
			wantFailure(t, dynamodb.New(), r, http.StatusBadRequest, tt.want)
		})
	}
}

func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	item := func(v string) string { return `{"TableName":"table","Item":{"id":{"S":"k"},"v":` + v + `}}` }
	for _, body := range []string{
		"", " ", "null", "[]", `"x"`, "{", "{}x", "{} {}", `{"TableName"}`, `{"TableName":"table",}`, `{"TableName":table}`,
		`{"TableName":1}`, `{"TableName":"table","Item":[]}`, `{"TableName":"table","Item":{"id":"k"}}`,
		`{"TableName":"table","Item":{"id":{"S":"` + "\xff" + `"}}}`,
		item(`{"S":1}`), item(`{"N":1}`), item(`{"B":"!"}`), item(`{"B":"AQI"}`), item(`{"B":"AR=="}`), item(`{"BS":["?"]}`),
		item(`{"BOOL":"true"}`), item(`{"L":{}}`), item(`{"M":[]}`), item(`{"SS":"a"}`), item(`{"L":[1]}`),
	} {
		wantFailure(t, engine, newRequest("PutItem", body), http.StatusBadRequest, "com.amazon.coral.service#SerializationException")
	}
	wantFailure(t, engine, newRequest("PutItem", item(`{"S":"`+strings.Repeat("x", 16<<20)+`"}`)),
		http.StatusRequestEntityTooLarge, "com.amazon.coral.service#RequestEntityTooLargeException")
}

// The engine refuses what DynamoDB or DynamoDB Local would do or ignore.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	get := func(more string) string { return `{"TableName":"table","Key":{"id":{"S":"k"}}` + more + `}` }
	put := func(more string) string { return `{"TableName":"table","Item":{"id":{"S":"k"}}` + more + `}` }
	condition := func(text string) string {
		return put(`,"ConditionExpression":"` + text + `","ExpressionAttributeValues":{":v":{"S":"x"}}`)
	}
	for _, tt := range []struct{ operation, body string }{
		{"GetItem", get(`,"AttributesToGet":["id"]`)},
		{"GetItem", get(`,"consistentRead":true`)},
		{"GetItem", get(`,"KeyConditionExpression":"id = :v"`)},
		{"GetItem", get(`,"TableName":"table"`)},
		{"GetItem", get(`,"ProjectionExpression":"a.b"`)},
		{"GetItem", get(`,"ProjectionExpression":"a[0]"`)},
		{"PutItem", put(`,"Expected":{"id":{"Exists":false}}`)},
		{"PutItem", put(`,"ProjectionExpression":"id"`)},
		{"DeleteItem", get(`,"ConditionExpression":"attribute_exists(id)"`)},
		{"DeleteItem", get(`,"ReturnValues":"ALL_OLD"`)},
		{"CreateTable", strings.Replace(createTable, `{`, `{"GlobalSecondaryIndexes":[],`, 1)},
		{"CreateTable", strings.Replace(createTable, "PAY_PER_REQUEST", "FREE", 1)},
		{"CreateTable", strings.Replace(createTable, `"BillingMode"`, `"ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":1},"BillingMode"`, 1)},
		{"PutItem", condition("a.b = :v")},
		{"PutItem", condition("a[0] = :v")},
		{"PutItem", condition("size(a) = :v")},
		{"PutItem", condition("begins_with(a, b) AND a = :v")},
		{"PutItem", condition("begins_with(:v, a)")},
		{"PutItem", condition("contains(a, :v)")},
		{"PutItem", condition("attribute_type(a, :v)")},
		{"PutItem", condition("a BETWEEN :v AND b")},
		{"Query", `{"TableName":"table","KeyConditions":{"id":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"k"}]}}}`},
		{"Query", `{"TableName":"table","KeyConditionExpression":"id = :v","ExpressionAttributeValues":{":v":{"S":"k"}},"IndexName":"index"}`},
		{"Scan", `{"TableName":"table","Segment":0,"TotalSegments":1}`},
		{"Scan", `{"TableName":"table","ScanIndexForward":true}`},
		{"BatchWriteItem", `{"RequestItems":{"table":[{"PutRequest":{"Item":{"id":{"S":"k"}}}}]},"ReturnConsumedCapacity":"TOTAL"}`},
		{"PutItem", condition("a = b OR a = :v")},
		{"PutItem", condition("(a) = :v")},
		{"PutItem", put(`,"Item":null`)},
		{"PutItem", `{"TableName":"table","Item":{"id":{"S":"k"},"v":{}}}`},
		{"PutItem", `{"TableName":"table","Item":{"id":{"S":"k"},"v":null}}`},
		{"PutItem", `{"TableName":"table","Item":{"id":{"S":"k"},"v":{"S":null}}}`},
		{"PutItem", `{"TableName":"table","Item":{"id":{"S":"k"},"v":{"s":"x"}}}`},
		{"PutItem", `{"TableName":"table","Item":{"id":{"S":"k"},"v":{"S":"x","N":"1"}}}`},
		{"PutItem", `{"TableName":"table"}`},
		{"GetItem", `{"TableName":"table"}`},
		{"GetItem", `{}`},
	} {
		t.Run(tt.operation, func(t *testing.T) {
			wantFailure(t, engine, newRequest(tt.operation, tt.body), http.StatusBadRequest, "com.amazon.coral.validate#ValidationException")
		})
	}
	if _, answer := call(t, engine, "GetItem", get("")); answer != "{}" {
		t.Errorf("an item was put by a refused request: %s", answer)
	}
}

func TestWireForm(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	const item = `{"id":{"S":"k"},"l":{"L":[{"N":"1.0"},{"NULL":true}]},"s":{"S":"<\u0000\u2028&\ud83d\ude00` + "\u2028" + `>"}}`
	if status, answer := call(t, engine, "PutItem", `{"TableName":"table","Item":`+item+`}`); status != http.StatusOK || answer != "{}" {
		t.Fatalf("PutItem = %d %s", status, answer)
	}
	if _, answer := call(t, engine, "GetItem", `{"TableName":"table","Key":{"id":{"S":"k"}}}`); answer != `{"Item":`+item+`}` {
		t.Errorf("GetItem = %s, want the item as it was put, %s", answer, item)
	}
	_, answer := call(t, engine, "PutItem", `{"TableName":"table","Item":{"id":{"S":"k"}},
		"ConditionExpression":"attribute_not_exists(id)","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`)
	want := `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"the conditional request failed","Item":` + item + `}`
	if diff := cmp.Diff(want, answer); diff != "" {
		t.Errorf("failed condition (-want +got):\n%s", diff)
	}
}

func BenchmarkPutGet400KB(b *testing.B) {
	engine := dynamodb.New()
	exchange := func(operation, body string) {
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, newRequest(operation, body))
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
	exchange("CreateTable", createTable)
	put := `{"TableName":"table","Item":{"id":{"S":"k"},"settings":{"S":"` + strings.Repeat(`{\"a\":1}`, 40_000) + `"}}}`
	for b.Loop() {
		exchange("PutItem", put)
		exchange("GetItem", `{"TableName":"table","Key":{"id":{"S":"k"}}}`)
	}
}
