package dynamodb_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/dynamodb"
)

const tablesFile = "dynamodb.jsonl"

func open(t *testing.T, dir string) *dynamodb.Engine {
	t.Helper()
	engine, err := dynamodb.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return engine
}

func mustCall(t *testing.T, engine *dynamodb.Engine, operation, body string) string {
	t.Helper()
	status, answer := call(t, engine, operation, body)
	if status != http.StatusOK {
		t.Fatalf("%s %.300s = %d %s", operation, body, status, answer)
	}
	return answer
}

// contents returns what can be seen of the tables of an engine.
func contents(t *testing.T, engine *dynamodb.Engine) (all []string) {
	t.Helper()
	all = append(all, mustCall(t, engine, "ListTables", "{}"))
	for _, table := range []string{`"table"`, `"ranged"`} {
		for _, operation := range []string{"DescribeTable", "DescribeTimeToLive", "Scan"} {
			answer := mustCall(t, engine, operation, `{"TableName":`+table+`}`)
			all = append(all, regexp.MustCompile(`"CreationDateTime":[0-9.]+`).ReplaceAllString(answer, ""))
		}
	}
	return all
}

// fill makes changes of every kind.
func fill(t *testing.T, engine *dynamodb.Engine) {
	t.Helper()
	ranged := strings.NewReplacer(`"AttributeType":"S"}`, `"AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}`,
		`"KeyType":"HASH"}`, `"KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}`)
	for _, request := range []struct{ operation, body string }{
		{"CreateTable", createTable},
		{"CreateTable", strings.Replace(createTable, `"table"`, `"dropped"`, 1)},
		{"CreateTable", strings.Replace(ranged.Replace(createTable), `"table"`, `"ranged"`, 1)},
		{"UpdateTimeToLive", `{"TableName":"ranged","TimeToLiveSpecification":{"AttributeName":"ends","Enabled":true}}`},
		{"PutItem", `{"TableName":"table","Item":{"id":{"S":"k"},"v":{"S":"old"}}}`},
		{"PutItem", `{"TableName":"table","Item":{"id":{"S":"k"},"l":{"L":[{"N":"1.0"},{"NULL":true}]},"s":{"S":"<\u0000\u2028&\ud83d\ude00` + "\u2028" + `>"}}}`},
		{"PutItem", `{"TableName":"dropped","Item":{"id":{"S":"k"}}}`},
		{"PutItem", `{"TableName":"ranged","Item":{"id":{"S":"k"},"n":{"N":"-1"}}}`},
		{"BatchWriteItem", `{"RequestItems":{
			"table":[{"PutRequest":{"Item":{"id":{"S":"batch"}}}},{"PutRequest":{"Item":{"id":{"S":"gone"}}}}],
			"ranged":[{"DeleteRequest":{"Key":{"id":{"S":"k"},"n":{"N":"-1.0"}}}},{"PutRequest":{"Item":{"id":{"S":"k"},"n":{"N":"2"}}}}]}}`},
		{"DeleteItem", `{"TableName":"table","Key":{"id":{"S":"gone"}}}`},
		{"DeleteTable", `{"TableName":"dropped"}`},
	} {
		mustCall(t, engine, request.operation, request.body)
	}
}

// TestOpen opens what a process left that was killed: its engine is never closed.
func TestOpen(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "directory")
	first := open(t, dir)
	fill(t, first)
	want := contents(t, first)
	if got := strings.Join(want, ""); !strings.Contains(got, "batch") || strings.Contains(got, "gone") || strings.Contains(got, `"-1"`) {
		t.Fatalf("contents before: %s", got)
	}
	for _, end := range []string{"", "", `{"PutItem":{"TableName":"table","Item":{"id":{"S":"cut o`} {
		file, err := os.OpenFile(filepath.Join(dir, tablesFile), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString(end); err != nil {
			t.Fatal(err)
		}
		file.Close()
		dir = left(t, dir)
		if diff := cmp.Diff(want, contents(t, open(t, dir))); diff != "" {
			t.Errorf("contents after a file that ends in %q (-before +after):\n%s", end, diff)
		}
	}

	dir = left(t, dir)
	last := open(t, dir)
	mustCall(t, last, "PutItem", `{"TableName":"table","Item":{"id":{"S":"after"}}}`)
	if err := last.Close(); err != nil {
		t.Error(err)
	}
	wantFailure(t, last, newRequest("PutItem", `{"TableName":"table","Item":{"id":{"S":"closed"}}}`),
		http.StatusInternalServerError, "com.amazonaws.dynamodb.v20120810#InternalServerError")
	got := mustCall(t, open(t, dir), "Scan", `{"TableName":"table","ProjectionExpression":"id"}`)
	if !strings.Contains(got, "after") || strings.Contains(got, "closed") {
		t.Errorf("Scan = %s, want the item after and not the one that was refused", got)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("directory holds %v, %v, want the tables and the lock", entries, err)
	}
}

// left returns a directory with the tables that a killed process has left in dir. In this one its engine holds the lock.
func left(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, tablesFile))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, tablesFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// One engine at a time has a directory: what it has answered would be lost by another.
func TestOpenTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, dir)
	mustCall(t, first, "CreateTable", createTable)
	if _, err := dynamodb.Open(dir); err == nil || !strings.Contains(err.Error(), "it is in use by another stack") {
		t.Errorf("opened twice: %v", err)
	}
	mustCall(t, first, "PutItem", `{"TableName":"table","Item":{"id":{"S":"k"}}}`)
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if got := mustCall(t, open(t, dir), "Scan", `{"TableName":"table"}`); !strings.Contains(got, `"k"`) {
		t.Errorf("opened again: %s", got)
	}
}

// Without its file an engine answers nothing: what it answered would not be there after its end.
func TestFileRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	engine := open(t, dir)
	mustCall(t, engine, "CreateTable", createTable)
	if err := os.Remove(filepath.Join(dir, tablesFile)); err != nil {
		t.Fatal(err)
	}
	for _, request := range []*http.Request{
		newRequest("PutItem", `{"TableName":"table","Item":{"id":{"S":"k"}}}`), newRequest("Scan", `{"TableName":"table"}`),
	} {
		wantFailure(t, engine, request, http.StatusInternalServerError, "com.amazonaws.dynamodb.v20120810#InternalServerError")
	}
}

func TestOpenUnreadable(t *testing.T) {
	t.Parallel()
	table := `{"CreateTable":` + strings.ReplaceAll(createTable, "\n", "") + "}\n"
	for name, tt := range map[string]struct{ text, want string }{
		"other text":       {"id,settings\n", "line 1"},
		"other JSON":       {`{"id":1}`, `"id" is not supported`},
		"an array":         {`[]`, "line 1"},
		"zeros":            {table + "\x00\x00\x00\x00", "line 2"},
		"unknown member":   {table + `{"PutItem":{"TableName":"table","Items":[]}}`, "Items"},
		"missing table":    {table + `{"PutItem":{"TableName":"other","Item":{"id":{"S":"k"}}}}`, "there is no table other"},
		"a table twice":    {table + table, "table exists"},
		"item of no key":   {table + `{"PutItem":{"TableName":"table","Item":{"ID":{"S":"k"}}}}`, `"id" must be of type S`},
		"bad value":        {table + `{"PutItem":{"TableName":"table","Item":{"id":{"N":"x"}}}}`, "not a number"},
		"failed condition": {table + `{"PutItem":{"TableName":"table","Item":{"id":{"S":"k"}},"ConditionExpression":"attribute_exists(id)"}}`, "conditional"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, tablesFile)
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := dynamodb.Open(dir)
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open = %v, want an error that names %s and has %q", err, path, tt.want)
			}
			got, err := os.ReadFile(path)
			if err != nil || string(got) != tt.text {
				t.Errorf("the file is now %q, %v, want it as it was", got, err)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dynamodb.Open(file); err == nil {
		t.Error("Open of a file is no error")
	}
}
