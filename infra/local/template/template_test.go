package template_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/template"
)

const small = `
Parameters:
  Level: {Type: String, Default: info}
  Issuer: {Type: String}
  UsersName: {Type: String, Default: ""}
Resources:
  Users:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: userId, AttributeType: S}]
      KeySchema: [{AttributeName: userId, KeyType: HASH}]
      DeletionProtectionEnabled: !If [IsProduction, true, false]
  Old:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: orgId, AttributeType: S}, {AttributeName: revision, AttributeType: S}]
      KeySchema: [{AttributeName: orgId, KeyType: HASH}, {AttributeName: revision, KeyType: RANGE}]
  SettingsFunction:
    Type: AWS::Serverless::Function
    Properties:
      MemorySize: 512
      Timeout: 10
      Environment:
        Variables:
          LITERAL: text
          NUMBER: 5
          LEVEL: !Ref Level
          ISSUER: !Ref Issuer
          USERS: !If [CreateUsers, !Ref Users, !Ref UsersName]
      Events:
        Write: {Type: HttpApi, Properties: {Method: post, Path: /a}}
        Read: {Type: HttpApi, Properties: {Method: GET, Path: /a, ApiId: !Ref Api}}
`

func load(t *testing.T, text string) (*template.Template, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return template.Load(path)
}

func TestLoad(t *testing.T) {
	t.Parallel()
	got, err := load(t, small)
	if err != nil {
		t.Fatal(err)
	}
	want := &template.Template{
		Routes: []string{"GET /a", "POST /a"}, Timeout: 10 * time.Second, MemoryMB: 512,
		Environment: map[string]template.Value{
			"LITERAL": {Text: "text"}, "NUMBER": {Text: "5"}, "LEVEL": {Text: "info"}, "ISSUER": {}, "USERS": {Table: "Users"},
		},
		Tables: map[string]template.Table{"Users": {Key: "userId"}, "Old": {Key: "orgId", RangeKey: "revision"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ old, new, problem string }{
		{"SettingsFunction:", "OtherFunction:", "SettingsFunction: there is no such resource"},
		{"Timeout: 10", "Timeout: 0", "it lacks a Timeout"},
		{"Type: HttpApi", "Type: Api", "is a Api, not an HttpApi"},
		{"Path: /a}", "Path: a}", "lacks a method or a path"},
		{"AttributeType: S", "AttributeType: N", "Users: its key is not one or two attributes of type S"},
		{"revision, AttributeType: S", "revision, AttributeType: N", "Old: its key is not one or two attributes of type S"},
		{"Resources:", "Resources: [", "line"},
	} {
		_, err := load(t, strings.Replace(small, tt.old, tt.new, 1))
		if err == nil || !strings.Contains(err.Error(), tt.problem) || !strings.Contains(err.Error(), "template.yaml") {
			t.Errorf("%s: error %v, want one with %q", tt.new, err, tt.problem)
		}
	}
	if _, err := template.Load("absent.yaml"); err == nil {
		t.Error("an absent template is read")
	}
}

// The project's own template can be read.
func TestLoadOwn(t *testing.T) {
	t.Parallel()
	got, err := template.Load("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"USERS_TABLE": "UsersTable", "SETTINGS_TABLE": "SettingsTable"} {
		if got.Environment[name].Table != want {
			t.Errorf("%s refers to %+v, want %s", name, got.Environment[name], want)
		}
	}
	headers := []string{
		"authorization", "content-type", "if-match", "if-none-match", "traceparent", "tracestate", "baggage", "sentry-trace",
	}
	if diff := cmp.Diff(headers, got.CORS.AllowHeaders); diff != "" {
		t.Errorf("headers that browsers may send (-want +got):\n%s", diff)
	}
}
