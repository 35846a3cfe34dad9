package dynamo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"orgsettings/internal/settings"
)

type item = map[string]types.AttributeValue

// membershipOf reads an item of the users table. An absent or null attribute is the same. One of another type is an
// error: it must not pass for a member without a recorded role.
func membershipOf(it item) (settings.Membership, error) {
	org, err := stringOf(it, attrOrgID)
	if err != nil {
		return settings.Membership{}, err
	}
	if org == "" {
		return settings.Membership{}, settings.ErrNoOrganization
	}
	m := settings.Membership{Org: settings.OrgID(org), Role: settings.RoleUnrecorded}
	switch role := it[attrRole].(type) {
	case nil, *types.AttributeValueMemberNULL:
	case *types.AttributeValueMemberN:
		n, err := strconv.Atoi(role.Value)
		if err != nil || n < 0 {
			return settings.Membership{}, fmt.Errorf("read attribute %s: %q is no role", attrRole, role.Value)
		}
		m.Role = settings.Role(n)
	default:
		return settings.Membership{}, fmt.Errorf("read attribute %s: it is a %T", attrRole, role)
	}
	return m, nil
}

func (db *DB) itemOf(r settings.Record) (item, error) {
	text, err := db.codec.encode(r.Document.Text())
	if err != nil {
		return nil, err
	}
	return item{
		attrOrgID:     &types.AttributeValueMemberS{Value: string(r.Org)},
		attrSettings:  text,
		attrRevision:  &types.AttributeValueMemberS{Value: string(r.Revision)},
		attrUpdatedAt: &types.AttributeValueMemberS{Value: r.UpdatedAt.UTC().Format(time.RFC3339Nano)},
		attrUpdatedBy: &types.AttributeValueMemberS{Value: string(r.UpdatedBy)},
	}, nil
}

// recordOf reads an item of the settings table; nil stands for settings that were never written.
func (db *DB) recordOf(org settings.OrgID, it item) (settings.Record, error) {
	r := settings.Record{Org: org}
	if it == nil {
		return r, nil
	}
	text, err := db.codec.decode(it[attrSettings])
	if err != nil {
		return settings.Record{}, fmt.Errorf("read attribute %s of %s: %w", attrSettings, org, err)
	}
	r.Document = settings.StoredDocument(text)
	revision, err := stringOf(it, attrRevision)
	if err != nil {
		return settings.Record{}, err
	}
	r.Revision = settings.Revision(revision)
	by, err := stringOf(it, attrUpdatedBy)
	if err != nil {
		return settings.Record{}, err
	}
	r.UpdatedBy = settings.UserID(by)
	at, err := stringOf(it, attrUpdatedAt)
	if err != nil {
		return settings.Record{}, err
	}
	if at != "" {
		if r.UpdatedAt, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return settings.Record{}, fmt.Errorf("read attribute %s of %s: %w", attrUpdatedAt, org, err)
		}
	}
	return r, nil
}

func stringOf(it item, name string) (string, error) {
	switch v := it[name].(type) {
	case nil, *types.AttributeValueMemberNULL:
		return "", nil
	case *types.AttributeValueMemberS:
		return v.Value, nil
	default:
		return "", fmt.Errorf("read attribute %s: it is a %T", name, v)
	}
}
