package template

import (
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/template"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

// What the code archives fits the keys of HistoryTable, and DynamoDB finds the time at which it expires: it deletes
// only by the attribute that the template names, and only if that is a number of seconds.
func TestArchiveFitsTheTable(t *testing.T) {
	t.Parallel()
	tmpl, err := template.Load(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	database := httptest.NewServer(dynamodb.New())
	t.Cleanup(database.Close)
	if err := stack.FillDatabase(t.Context(), database.URL, tmpl.Tables); err != nil {
		t.Fatal(err)
	}
	config := aws.Config{
		Region: "local", Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), BaseEndpoint: &database.URL,
	}
	db := dynamo.New(config, dynamo.Tables{Settings: "SettingsTable", History: "HistoryTable"})

	const org, revision, seconds = "acme", "01M86PTPG0435VFSF7KNQVG7AE", 1_795_000_000
	if err := db.Put(t.Context(), settings.Record{Org: org, Revision: revision}, settings.Condition{}); err != nil {
		t.Fatal(err)
	}
	written, err := db.Get(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Keep(t.Context(), written, time.Unix(seconds, 0)); err != nil {
		t.Fatal(err)
	}
	out, err := awsdynamodb.NewFromConfig(config).GetItem(t.Context(), &awsdynamodb.GetItemInput{
		TableName: aws.String("HistoryTable"),
		Key: map[string]types.AttributeValue{
			"orgId": &types.AttributeValueMemberS{Value: org}, "revision": &types.AttributeValueMemberS{Value: revision},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	name, _ := at(ofType(t, load(t, "template.yaml"), "AWS::DynamoDB::Table")["HistoryTable"], "TimeToLiveSpecification", "AttributeName").(string)
	if expires, ok := out.Item[name].(*types.AttributeValueMemberN); !ok || expires.Value != strconv.Itoa(seconds) {
		t.Errorf("the archived item has %q = %v, want the number %d", name, out.Item[name], seconds)
	}
}

// A table that the runbook imports is the template's: what differs, the next deployment would change.
func TestImportedTablesAreTheTemplates(t *testing.T) {
	t.Parallel()
	tables := ofType(t, load(t, "template.yaml"), "AWS::DynamoDB::Table")
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`--template-body '([^']*)'`).FindAllStringSubmatch(text(t, "infra/deploy/runbook.md"), -1) {
		var imported object
		if err := json.Unmarshal([]byte(m[1]), &imported); err != nil {
			t.Fatalf("%v in %s", err, m[1])
		}
		for id, got := range ofType(t, imported, "AWS::DynamoDB::Table") {
			seen[id] = true
			for _, property := range []string{"BillingMode", "AttributeDefinitions", "KeySchema", "TimeToLiveSpecification"} {
				if diff := cmp.Diff(tables[id][property], got[property]); diff != "" {
					t.Errorf("%s.%s of the template (-) and of the runbook (+):\n%s", id, property, diff)
				}
			}
		}
	}
	if !seen["SettingsTable"] || !seen["HistoryTable"] {
		t.Errorf("the runbook imports %v, want the tables of documents and history", keys(seen))
	}
}
