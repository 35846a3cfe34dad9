package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/logging"

	"orgsettings/infra/local/template"
)

// What the function and the stack sign requests with. DynamoDB Local allows only
// letters and digits.
const (
	awsRegion = "eu-central-1"
	awsKey    = "local"
)

// AWSCommand returns a command line of the AWS CLI, of version 1 or 2, for the database at url. Version 1 takes no AWS_REGION.
func AWSCommand(command, url string) string {
	return fmt.Sprintf("AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%[1]s aws %s --region %s --endpoint-url %s", awsKey, command, awsRegion, url)
}

// usersTable is the logical id of the table of memberships.
const usersTable = "UsersTable"

// FillDatabase creates the tables, named by their logical ids, in the database at
// url, and puts the demo users. It keeps tables that exist.
func FillDatabase(ctx context.Context, url string, tables map[string]template.Table) error {
	users, err := readUsers("")
	if err != nil {
		return err
	}
	return fill(ctx, url, tables, users)
}

func fill(ctx context.Context, url string, tables map[string]template.Table, users []User) error {
	err := createAndPut(ctx, url, tables, users)
	if refused, ok := errors.AsType[*net.OpError](err); ok {
		err = refused // the client's error is long and says no more
	}
	if err != nil {
		return fmt.Errorf("fill the database at %s: %w", url, err)
	}
	return nil
}

func client(url string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       awsRegion,
		Credentials:  credentials.NewStaticCredentialsProvider(awsKey, awsKey, ""),
		BaseEndpoint: &url,
		Logger:       logging.Nop{}, // DynamoDB Local sends no checksums, and the client would warn

		RetryMaxAttempts: 1,
	})
}

// checkUser returns an error, for the person who asks for a token, if the database does not have the user. It may also
// be one that somebody has put there by hand. file is that of the stack's users, or empty. A database that does not answer
// is no reason to refuse a token.
func (s *Stack) checkUser(ctx context.Context, tables map[string]template.Table, file, name string) error {
	got, err := client(s.DynamoDBURL).GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String(usersTable), Key: userKey(tables, name)})
	if err != nil || got.Item != nil {
		return nil
	}
	names := make([]string, len(s.Users))
	for i, u := range s.Users {
		names[i] = u.Name
	}
	more := "; for others: make run FLAGS='-users FILE'"
	if file != "" {
		more = " (from " + file + ")"
	}
	return fmt.Errorf("there is no such user; the stack has %s%s", strings.Join(names, ", "), more)
}

func userKey(tables map[string]template.Table, name string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{tables[usersTable].Key: &types.AttributeValueMemberS{Value: name}}
}

func createAndPut(ctx context.Context, url string, tables map[string]template.Table, users []User) error {
	client := client(url)
	for name, table := range tables {
		in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest}
		addKey := func(attribute string, kind types.KeyType) {
			in.AttributeDefinitions = append(in.AttributeDefinitions,
				types.AttributeDefinition{AttributeName: &attribute, AttributeType: types.ScalarAttributeTypeS})
			in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: &attribute, KeyType: kind})
		}
		addKey(table.Key, types.KeyTypeHash)
		if table.RangeKey != "" {
			addKey(table.RangeKey, types.KeyTypeRange)
		}
		_, err := client.CreateTable(ctx, in)
		if _, exists := errors.AsType[*types.ResourceInUseException](err); err != nil && !exists {
			return fmt.Errorf("create table %s: %w", name, err)
		}
		waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 50 * time.Millisecond })
		if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, 30*time.Second); err != nil {
			return fmt.Errorf("wait for table %s: %w", name, err)
		}
	}
	for _, u := range users {
		item := userKey(tables, u.Name)
		if u.Org != "" {
			item["orgId"] = &types.AttributeValueMemberS{Value: u.Org}
		}
		if u.Role != nil {
			item["role"] = &types.AttributeValueMemberN{Value: strconv.Itoa(int(*u.Role))}
		}
		if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(usersTable), Item: item}); err != nil {
			return fmt.Errorf("put user %s: %w", u.Name, err)
		}
	}
	return nil
}
