package stack_test

import (
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/template"
)

// The tables get their keys, and what they hold stays when they are filled again.
func TestFillDatabase(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(dynamodb.New())
	t.Cleanup(server.Close)
	tables := map[string]template.Table{"UsersTable": {Key: "userId"}, "History": {Key: "orgId", RangeKey: "revision"}}
	if err := stack.FillDatabase(t.Context(), server.URL, tables); err != nil {
		t.Fatal(err)
	}
	client := sdk.New(sdk.Options{
		BaseEndpoint: &server.URL, Region: "local", Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
	key := map[string]types.AttributeValue{
		"orgId": &types.AttributeValueMemberS{Value: "acme"}, "revision": &types.AttributeValueMemberS{Value: "1"},
	}
	if _, err := client.PutItem(t.Context(), &sdk.PutItemInput{TableName: aws.String("History"), Item: key}); err != nil {
		t.Fatal(err)
	}
	if err := stack.FillDatabase(t.Context(), server.URL, tables); err != nil {
		t.Fatal(err)
	}
	out, err := client.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("History"), Key: key})
	if err != nil || len(out.Item) != 2 {
		t.Errorf("GetItem by both keys = %v, %v, want the item", out, err)
	}
	if _, err = client.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("UsersTable"), Key: map[string]types.AttributeValue{
		"userId": &types.AttributeValueMemberS{Value: "alice"},
	}}); err != nil {
		t.Errorf("GetItem of a user by its one key: %v", err)
	}
}
