package dynamodb

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// table has items that are replaced and never modified, so that an answer can be
// written without the engine's lock.
type table struct {
	tableDescription
	creation   []byte   // request
	timeToLive string   // attribute; empty: disabled
	records    []record // sorted by key
}

type record struct {
	key  key
	item item
}

// key is the hash key of an item and its range key, which is zero in a table without one.
type key [2]scalar

func (k key) compare(l key) int { return cmp.Or(k[0].compare(l[0]), k[1].compare(l[1])) }

type (
	attributeDefinition struct{ AttributeName, AttributeType string }
	keySchemaElement    struct{ AttributeName, KeyType string }
	throughput          struct{ ReadCapacityUnits, WriteCapacityUnits int64 }
	billingModeSummary  struct{ BillingMode string }

	tableDescription struct {
		TableName            string
		TableArn             string
		TableStatus          string
		CreationDateTime     float64
		AttributeDefinitions []attributeDefinition // in the order of KeySchema
		KeySchema            []keySchemaElement
		BillingModeSummary   billingModeSummary
		ItemCount            int
	}
)

func (t *table) describe(status string) tableDescription {
	d := t.tableDescription
	d.TableStatus, d.ItemCount = status, len(t.records)
	return d
}

// keyOf returns the key of an item, which may have other attributes.
func (t *table) keyOf(it item) (k key, err error) {
	for i := range t.KeySchema {
		if k[i], err = t.keyValue(i, it[t.KeySchema[i].AttributeName]); err != nil {
			return key{}, err
		}
	}
	return k, nil
}

// onlyKey is keyOf, of an item that must have no other attribute.
func (t *table) onlyKey(it item) (key, error) {
	if len(it) != len(t.KeySchema) {
		return key{}, invalid("a key of %d attributes does not match the schema, which has %d", len(it), len(t.KeySchema))
	}
	return t.keyOf(it)
}

// keyValue returns the value of the hash key (i = 0) or of the range key (i = 1).
func (t *table) keyValue(i int, v value) (scalar, error) {
	d, limit := t.AttributeDefinitions[i], [...]int{maxHashKey, maxRangeKey}[i]
	if v.kind != d.AttributeType || v.size == 0 || v.size > limit {
		return scalar{}, invalid("key attribute %q must be of type %s and of 1 to %d bytes", d.AttributeName, d.AttributeType, limit)
	}
	return v.scalars[0], nil
}

// find returns the index in records, which are sorted, of a key, or else of the next one.
func find(records []record, k key) (int, bool) {
	return slices.BinarySearchFunc(records, k, func(r record, k key) int { return r.key.compare(k) })
}

func (t *table) get(k key) item {
	if i, found := find(t.records, k); found {
		return t.records[i].item
	}
	return nil
}

// put deletes the item of the key if it is nil.
func (t *table) put(k key, it item) {
	i, found := find(t.records, k)
	end := i
	if found {
		end++
	}
	if it == nil {
		t.records = slices.Delete(t.records, i, end)
	} else {
		t.records = slices.Replace(t.records, i, end, record{k, it})
	}
}

// table returns a table. The caller holds the engine's lock.
func (e *Engine) table(name string) (*table, error) {
	if err := checkTableName(name); err != nil {
		return nil, err
	}
	t, ok := e.tables[name]
	if !ok {
		return nil, &failure{Type: resourceNotFound, Message: "there is no table " + name}
	}
	return t, nil
}

func checkTableName(name string) error {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	if len(name) < 3 || len(name) > 255 || strings.Trim(name, alphabet) != "" {
		return invalid("table name %q is not 3 to 255 of the characters a-z, A-Z, 0-9, _ - and .", name)
	}
	return nil
}

func (e *Engine) createTable(r *request) (any, error) {
	name, billing := r.TableName, r.BillingMode
	if err := checkTableName(name); err != nil {
		return nil, err
	}
	keys, err := keysOf(r.KeySchema, r.AttributeDefinitions)
	if err != nil {
		return nil, err
	}
	switch {
	case billing != "PROVISIONED" && billing != "PAY_PER_REQUEST":
		return nil, invalid("BillingMode %q is not PROVISIONED or PAY_PER_REQUEST", billing)
	case (billing == "PROVISIONED") != (r.ProvisionedThroughput != nil):
		return nil, invalid("ProvisionedThroughput goes with BillingMode PROVISIONED, and only with that")
	}
	if _, ok := e.tables[name]; ok {
		return nil, &failure{Type: resourceInUse, Message: "table " + name + " exists"}
	}
	t := &table{creation: r.body, tableDescription: tableDescription{
		TableName:            name,
		TableArn:             "arn:aws:dynamodb:local:000000000000:table/" + name,
		CreationDateTime:     float64(time.Now().UnixMilli()) / 1000,
		AttributeDefinitions: keys,
		KeySchema:            r.KeySchema,
		BillingModeSummary:   billingModeSummary{billing},
	}}
	e.tables[name] = t
	return struct{ TableDescription tableDescription }{t.describe("ACTIVE")}, nil
}

// keysOf returns the definitions of the key attributes in the order of schema.
func keysOf(schema []keySchemaElement, definitions []attributeDefinition) ([]attributeDefinition, error) {
	if n := len(schema); n < 1 || n > 2 || schema[0].KeyType != "HASH" || n == 2 && schema[1].KeyType != "RANGE" {
		return nil, invalid("KeySchema is not a HASH attribute, followed by a RANGE attribute or nothing")
	}
	var keys []attributeDefinition
	for _, element := range schema {
		for _, d := range definitions {
			if d.AttributeName == element.AttributeName && d.AttributeName != "" && slices.Contains([]string{"S", "N", "B"}, d.AttributeType) {
				keys = append(keys, d)
			}
		}
	}
	if len(keys) != len(schema) || len(keys) != len(definitions) || len(keys) == 2 && keys[0].AttributeName == keys[1].AttributeName {
		return nil, invalid("AttributeDefinitions are not those of the key attributes, each of type S, N or B")
	}
	return keys, nil
}

func (t *table) describeTable(*request) (any, error) {
	return struct{ Table tableDescription }{t.describe("ACTIVE")}, nil
}

func (e *Engine) listTables(r *request) (any, error) {
	limit := 100
	if r.Limit != nil {
		limit = *r.Limit
	}
	if limit < 1 || limit > 100 {
		return nil, invalid("Limit %d is not between 1 and 100", limit)
	}
	names := slices.Sorted(maps.Keys(e.tables))
	names = slices.DeleteFunc(names, func(name string) bool { return name <= r.ExclusiveStartTableName })
	var answer struct {
		TableNames             []string
		LastEvaluatedTableName string `json:",omitzero"`
	}
	answer.TableNames = names[:min(limit, len(names))]
	if len(names) > limit {
		answer.LastEvaluatedTableName = names[limit-1]
	}
	return answer, nil
}

func (e *Engine) deleteTable(r *request) (any, error) {
	t, err := e.table(r.TableName)
	if err != nil {
		return nil, err
	}
	delete(e.tables, r.TableName)
	return struct{ TableDescription tableDescription }{t.describe("DELETING")}, nil
}

type timeToLive struct {
	AttributeName string
	Enabled       bool
}

func (t *table) describeTimeToLive(*request) (any, error) {
	var d struct {
		AttributeName    string `json:",omitzero"`
		TimeToLiveStatus string
	}
	if d.AttributeName, d.TimeToLiveStatus = t.timeToLive, "DISABLED"; t.timeToLive != "" {
		d.TimeToLiveStatus = "ENABLED"
	}
	return struct{ TimeToLiveDescription any }{d}, nil
}

// updateTimeToLive keeps the attribute. No item expires here: DynamoDB, too, keeps
// expired items for days.
func (t *table) updateTimeToLive(r *request) (any, error) {
	switch s := r.TimeToLiveSpecification; {
	case s.AttributeName == "" || len(s.AttributeName) > 255:
		return nil, invalid("AttributeName of %d bytes is not of 1 to 255", len(s.AttributeName))
	case s.Enabled && t.timeToLive == "":
		t.timeToLive = s.AttributeName
	case !s.Enabled && t.timeToLive == s.AttributeName:
		t.timeToLive = ""
	default:
		return nil, invalid("the time to live is enabled or disabled already, or on another attribute")
	}
	return struct{ TimeToLiveSpecification timeToLive }{r.TimeToLiveSpecification}, nil
}
