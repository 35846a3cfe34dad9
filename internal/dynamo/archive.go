package dynamo

import (
	"context"
	"maps"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"orgsettings/internal/settings"
)

// Bounds of one list.
const (
	// maxQueries bounds its queries. Each reads up to 1 MB of items, documents included although they are not returned: two
	// or three of the largest.
	maxQueries = 4
	// moreItems is how many items a query asks for if the one before found no state: items of other programs must not use up
	// the queries.
	moreItems = 100
)

// Keep implements [settings.Archive].
func (db *DB) Keep(ctx context.Context, old settings.Record, expires time.Time) error {
	it := maps.Clone(old.Stored.(item))
	delete(it, attrExpiresAt) // of an item that somebody has copied from the archive
	if !expires.IsZero() {
		it[attrExpiresAt] = &types.AttributeValueMemberN{Value: strconv.FormatInt(expires.Unix(), 10)}
	}
	return db.putItem(ctx, db.tables.History, it, expression{})
}

// Has implements [settings.Archive].
func (db *DB) Has(ctx context.Context, org settings.OrgID, r settings.Revision) (bool, error) {
	it, err := db.getItem(ctx, db.tables.History, key(attrOrgID, string(org), attrRevision, string(r)), attrRevision)
	return it != nil, err
}

// Find implements [settings.Archive].
func (db *DB) Find(ctx context.Context, org settings.OrgID, r settings.Revision) ([]settings.Record, error) {
	found, _, err := db.query(ctx, org, "<=", r, 2)
	return found, err
}

// List implements [settings.Archive].
func (db *DB) List(ctx context.Context, org settings.OrgID, before settings.Revision, limit int) (found []settings.Record, more bool, err error) {
	var page []settings.Record
	var last item
	for range maxQueries {
		ask := limit - len(found)
		if last != nil && len(page) == 0 {
			ask = max(ask, moreItems)
		}
		page, last, err = db.query(ctx, org, "<", before, ask, func(in *dynamodb.QueryInput) {
			in.ExclusiveStartKey = last
			in.ProjectionExpression = aws.String("#revision, #at, #by, #from, #expires")
			maps.Copy(in.ExpressionAttributeNames, map[string]string{
				"#revision": attrRevision, "#at": attrUpdatedAt, "#by": attrUpdatedBy, "#from": attrRestoredFrom, "#expires": attrExpiresAt,
			})
		})
		found = append(found, page...)
		if err != nil || last == nil || len(found) >= limit {
			break
		}
	}
	if len(found) > limit {
		return found[:limit], true, err
	}
	return found, last != nil, err
}

// query reads the newest records of org whose revisions compare so to r, or all of them if r is empty: at most limit, and
// at most 1 MB. If last is not nil, there may be more behind this key.
func (db *DB) query(
	ctx context.Context, org settings.OrgID, comparison string, r settings.Revision, limit int, options ...func(*dynamodb.QueryInput),
) (found []settings.Record, last item, err error) {
	ctx, done := start(ctx)
	defer done()
	in := &dynamodb.QueryInput{
		TableName:                 &db.tables.History,
		KeyConditionExpression:    aws.String("#org = :org"),
		ExpressionAttributeNames:  map[string]string{"#org": attrOrgID},
		ExpressionAttributeValues: item{":org": text(string(org))},
		ConsistentRead:            aws.Bool(true),
		ScanIndexForward:          aws.Bool(false),
		Limit:                     aws.Int32(int32(limit)),
	}
	if r != "" {
		*in.KeyConditionExpression += " AND #revision " + comparison + " :revision"
		in.ExpressionAttributeNames["#revision"] = attrRevision
		in.ExpressionAttributeValues[":revision"] = text(string(r))
	}
	for _, option := range options {
		option(in)
	}
	out, err := db.client.Query(ctx, in)
	if err != nil {
		return nil, nil, unavailable(err)
	}
	for _, it := range out.Items {
		record := db.recordOf(org, it)
		if expires, ok := it[attrExpiresAt].(*types.AttributeValueMemberN); ok {
			if seconds, err := strconv.ParseInt(expires.Value, 10, 64); err == nil {
				record.Expires = time.Unix(seconds, 0)
			}
		}
		if record.Revision != "" { // none of ours otherwise
			found = append(found, record)
		}
	}
	return found, out.LastEvaluatedKey, nil
}
