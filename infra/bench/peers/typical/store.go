package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const roleAdministrator = 0xfe

var errNoOrganization = errors.New("user is in no organization")

type member struct {
	OrgID string `dynamodbav:"orgId"`
	Role  *int   `dynamodbav:"role"`
}

type settingsItem struct {
	OrgID     string         `dynamodbav:"orgId"`
	Settings  map[string]any `dynamodbav:"settings"`
	UpdatedAt string         `dynamodbav:"updatedAt"`
}

func findMember(ctx context.Context, userID string) (*member, error) {
	out, err := db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      aws.String(usersTable),
		Key:            map[string]types.AttributeValue{"userId": &types.AttributeValueMemberS{Value: userID}},
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, err
	}
	var m member
	if err := attributevalue.UnmarshalMap(out.Item, &m); err != nil {
		return nil, err
	}
	if m.OrgID == "" {
		return nil, errNoOrganization
	}
	return &m, nil
}

func saveSettings(ctx context.Context, orgID string, settings map[string]any) error {
	item, err := attributevalue.MarshalMap(settingsItem{
		OrgID:     orgID,
		Settings:  settings,
		UpdatedAt: time.Now().UTC().Format(time.RFC3339),
	})
	if err != nil {
		return err
	}
	_, err = db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(settingsTable), Item: item})
	return err
}
