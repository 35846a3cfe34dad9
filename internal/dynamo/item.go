package dynamo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"orgsettings/internal/settings"
)

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// key returns the key of an item, a name and its value, or that of two attributes.
func key(nameAndValue ...string) item {
	k := make(item, 2)
	for i := 0; i < len(nameAndValue); i += 2 {
		k[nameAndValue[i]] = text(nameAndValue[i+1])
	}
	return k
}

// membershipOf reads an item of the users table. An absent or null attribute is the same. An orgId of another type is an
// error, and a role that is no number is one of the membership: neither may pass for an absent one.
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
		n, err := strconv.ParseUint(role.Value, 10, 31)
		if err != nil {
			m.RoleError = fmt.Errorf("read attribute %s: %q is no role", attrRole, role.Value)
		}
		m.Role = settings.Role(n)
	default:
		m.Role, m.RoleError = settings.RoleUser, fmt.Errorf("read attribute %s: it is a %T", attrRole, role)
	}
	return m, nil
}

func (db *DB) itemOf(r settings.Record) (item, error) {
	document, err := db.codec.encode(r.Document.Text())
	if err != nil {
		return nil, err
	}
	it := item{
		attrOrgID:     text(string(r.Org)),
		attrSettings:  document,
		attrRevision:  text(string(r.Revision)),
		attrUpdatedAt: text(r.UpdatedAt.UTC().Format(time.RFC3339Nano)),
		attrUpdatedBy: text(string(r.UpdatedBy)),
	}
	if r.Previous != "" || r.First {
		it[attrPrevious] = text(string(r.Previous))
	}
	if r.RestoredFrom != "" {
		it[attrRestoredFrom] = text(string(r.RestoredFrom))
	}
	return it, nil
}

// recordOf reads an item of the settings table; nil stands for settings that were never written. Other programs write
// items too: nothing in one is an error of the read.
func (db *DB) recordOf(org settings.OrgID, it item) settings.Record {
	r := settings.Record{Org: org}
	if it == nil {
		return r
	}
	r.Stored = it
	document, err := db.documentOf(it)
	if err == nil {
		r.Document = document
	} else {
		r.Corrupt = &settings.CorruptError{Cause: fmt.Errorf("read attribute %s of %s: %w", attrSettings, org, err)}
	}
	r.Revision = revisionOf(it, attrRevision)
	r.RestoredFrom = revisionOf(it, attrRestoredFrom)
	r.Previous = revisionOf(it, attrPrevious)
	if previous, ok := it[attrPrevious].(*types.AttributeValueMemberS); ok {
		r.First = previous.Value == ""
	}
	if by, _ := stringOf(it, attrUpdatedBy); len(by) <= maxKeyBytes { // no user id is longer
		r.UpdatedBy = settings.UserID(by)
	}
	text, _ := stringOf(it, attrUpdatedAt)
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil && at.UTC().Year() >= 0 && at.UTC().Year() <= 9999 {
		r.UpdatedAt = at
	}
	return r
}

// revisionOf returns the revision that an attribute holds; empty: it holds none.
func revisionOf(it item, name string) settings.Revision {
	s, _ := stringOf(it, name)
	r, _ := settings.ParseRevision(s)
	return r
}

func (db *DB) documentOf(it item) (settings.Document, error) {
	json, err := db.codec.decode(it[attrSettings])
	if err != nil {
		return settings.Document{}, err
	}
	return settings.ParseDocument(json)
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
