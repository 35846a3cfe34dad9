// Package dynamo keeps memberships and settings in Amazon DynamoDB.
//
// It owns the layout of the two tables, the requests, their timeouts and retries, and is the only importer of the
// SDK's client and configuration. It does not know who may do what, nor the HTTP contract.
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"orgsettings/internal/settings"
)

// Tables names the tables.
type Tables struct {
	Users    string // key userId (S); orgId (S), role (N, optional)
	Settings string // key orgId (S); settings (S or B), revision, updatedAt, updatedBy, restoredFrom, previous (all S)
	History  string // key orgId (S) and revision (S); the items of Settings with expiresAt (N, seconds); empty: no history
}

// Names of the attributes.
const (
	attrUserID    = "userId"
	attrOrgID     = "orgId"
	attrRole      = "role"
	attrSettings  = "settings"
	attrRevision  = "revision"
	attrUpdatedAt = "updatedAt"
	attrUpdatedBy = "updatedBy"

	attrRestoredFrom = "restoredFrom"
	attrPrevious     = "previous" // the empty text for the first state
	attrExpiresAt    = "expiresAt"
)

// maxKeyBytes bounds a partition key: no item has a longer one.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const maxKeyBytes = 2048

// DB implements [settings.Directory], [settings.Store] and [settings.Archive]. It is safe for concurrent use. An operation takes at most
// two seconds, retries included.
type DB struct {
	client *dynamodb.Client
	tables Tables
	codec  *codec
}

var (
	_ settings.Directory = (*DB)(nil)
	_ settings.Store     = (*DB)(nil)
	_ settings.Archive   = (*DB)(nil)
)

// New returns a DB over tables with the region, credentials, endpoint and root CAs of cfg. Timeouts, retries and the
// rest of the HTTP client are its own, whatever cfg says.
func New(cfg aws.Config, tables Tables) *DB {
	client := dynamodb.NewFromConfig(cfg, options, func(o *dynamodb.Options) { o.HTTPClient = newTransport(cfg) })
	return &DB{client: client, tables: tables, codec: newCodec()}
}

// Warm opens a connection to the database, so that the first request does not have to. It reads a user who does not
// exist.
func (db *DB) Warm(ctx context.Context) error {
	_, err := db.getItem(ctx, db.tables.Users, key(attrUserID, "-"), attrOrgID)
	return err
}

// Membership implements [settings.Directory].
func (db *DB) Membership(ctx context.Context, user settings.UserID) (settings.Membership, error) {
	if user == "" || len(user) > maxKeyBytes {
		return settings.Membership{}, settings.ErrNoOrganization
	}
	item, err := db.getItem(ctx, db.tables.Users, key(attrUserID, string(user)), attrOrgID, attrRole)
	if err != nil {
		return settings.Membership{}, err
	}
	return membershipOf(item)
}

// Get implements [settings.Store].
func (db *DB) Get(ctx context.Context, org settings.OrgID) (settings.Record, error) {
	item, err := db.getItem(ctx, db.tables.Settings, key(attrOrgID, string(org)))
	if err != nil {
		return settings.Record{}, err
	}
	return db.recordOf(org, item), nil
}

// Put implements [settings.Store].
func (db *DB) Put(ctx context.Context, r settings.Record, c settings.Condition) error {
	it, err := db.itemOf(r)
	if err != nil {
		return err
	}
	return db.putItem(ctx, db.tables.Settings, it, putCondition(r.Revision, c))
}

// Swap implements [settings.Store].
func (db *DB) Swap(ctx context.Context, old, r settings.Record) error {
	it, err := db.itemOf(r)
	if err != nil {
		return err
	}
	return db.swap(ctx, old, it, r.Revision)
}

// Stamp implements [settings.Store].
func (db *DB) Stamp(ctx context.Context, old settings.Record, r settings.Revision) (settings.Record, error) {
	it := maps.Clone(old.Stored.(item))
	it[attrRevision] = text(string(r))
	return db.recordOf(old.Org, it), db.swap(ctx, old, it, r)
}

func (db *DB) swap(ctx context.Context, old settings.Record, next item, r settings.Revision) error {
	stored, _ := old.Stored.(item)
	return db.putItem(ctx, db.tables.Settings, next, swapCondition(r, stored))
}

// putItem puts an item into a table, if c holds for the one that it replaces. The zero c always holds.
func (db *DB) putItem(ctx context.Context, table string, it item, c expression) error {
	ctx, done := start(ctx)
	defer done()
	in := &dynamodb.PutItemInput{TableName: &table, Item: it}
	if c.text != "" {
		in.ConditionExpression = &c.text
		in.ExpressionAttributeNames = map[string]string{"#o": attrOrgID, "#r": attrRevision}
		in.ExpressionAttributeValues = c.values
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	_, err := db.client.PutItem(ctx, in)
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		org, _ := stringOf(it, attrOrgID)
		return &settings.ConflictError{Current: db.recordOf(settings.OrgID(org), failed.Item)}
	}
	return unavailable(err)
}

// getItem reads the named attributes of one item, or all of them if none is named, by a consistent read. It returns nil
// if there is no item.
func (db *DB) getItem(ctx context.Context, table string, key item, attributes ...string) (item, error) {
	ctx, done := start(ctx)
	defer done()
	in := &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)}
	if len(attributes) > 0 {
		names, projection := project(attributes)
		in.ExpressionAttributeNames, in.ProjectionExpression = names, &projection
	}
	out, err := db.client.GetItem(ctx, in)
	if err != nil {
		return nil, unavailable(err)
	}
	return out.Item, nil
}

// start bounds one operation and measures it until done is called.
func start(ctx context.Context) (_ context.Context, done func()) {
	began := time.Now()
	m := meterOf(ctx)
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	return ctx, func() {
		cancel()
		m.took += time.Since(began)
	}
}

// unavailable wraps an error of the SDK's client in [settings.ErrUnavailable]. Whatever it is, the database did not do
// what it was asked to.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", settings.ErrUnavailable, err)
}
