package dynamodb

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// table is sorted by key. Its records are replaced and never modified, so that an
// answer can be written without the engine's lock.
type table struct {
	definition
	name    string
	records []*record
}

// definition is a table without its name and items.
type definition struct {
	Billing    string
	Created    time.Time
	Keys       []attributeDefinition // the hash key, and the range key if there is one
	TimeToLive string                `json:",omitzero"` // attribute; empty: disabled
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
		AttributeDefinitions []attributeDefinition
		KeySchema            []keySchemaElement
		BillingModeSummary   billingModeSummary
		ItemCount            int
	}
)

func (t *table) describe(status string) tableDescription {
	schema := []keySchemaElement{{t.Keys[0].AttributeName, "HASH"}}
	if len(t.Keys) > 1 {
		schema = append(schema, keySchemaElement{t.Keys[1].AttributeName, "RANGE"})
	}
	return tableDescription{
		TableName:            t.name,
		TableArn:             "arn:aws:dynamodb:local:000000000000:table/" + t.name,
		TableStatus:          status,
		CreationDateTime:     float64(t.Created.UnixMilli()) / 1000,
		AttributeDefinitions: t.Keys,
		KeySchema:            schema,
		BillingModeSummary:   billingModeSummary{t.Billing},
		ItemCount:            len(t.records),
	}
}

// keyOf returns the key of an item, which may have other attributes.
func (t *table) keyOf(it item) (k key, err error) {
	for i, attribute := range t.Keys {
		v, ok := it[attribute.AttributeName]
		if !ok {
			return key{}, invalid("key attribute %q is missing", attribute.AttributeName)
		}
		if k[i], err = t.keyValue(i, v); err != nil {
			return key{}, err
		}
	}
	return k, nil
}

// onlyKey is keyOf, of an item that must have no other attribute.
func (t *table) onlyKey(it item) (key, error) {
	if len(it) != len(t.Keys) {
		return key{}, invalid("a key of %d attributes does not match the schema, which has %d", len(it), len(t.Keys))
	}
	return t.keyOf(it)
}

// keyValue checks the value of the hash key (i = 0) or of the range key (i = 1).
func (t *table) keyValue(i int, v value) (scalar, error) {
	limit := [...]int{maxHashKey, maxRangeKey}[i]
	name, kind := t.Keys[i].AttributeName, t.Keys[i].AttributeType
	if v.kind != kind {
		return scalar{}, invalid("key attribute %q is of type %s and not %s", name, v.kind, kind)
	}
	if v.size == 0 || v.size > limit {
		return scalar{}, invalid("key attribute %q is of %d bytes and not of 1 to %d", name, v.size, limit)
	}
	return v.scalar(), nil
}

// find returns the index in records, which are sorted, of a key, or else of the next one.
func find(records []*record, k key) (int, bool) {
	return slices.BinarySearchFunc(records, k, func(r *record, k key) int { return r.key.compare(k) })
}

func (t *table) get(k key) item {
	if i, found := find(t.records, k); found {
		return t.records[i].item
	}
	return nil
}

func (t *table) put(k key, it item) {
	i, found := find(t.records, k)
	if !found {
		t.records = slices.Insert(t.records, i, nil)
	}
	t.records[i] = &record{k, it}
}

func (t *table) delete(k key) {
	if i, found := find(t.records, k); found {
		t.records = slices.Delete(t.records, i, i+1)
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

func (e *Engine) createTable(body []byte) (any, error) {
	var (
		name        string
		definitions []attributeDefinition
		schema      []keySchemaElement
		billing     = "PROVISIONED"
		provisioned *throughput
	)
	if err := decode(body, members{
		"TableName":             &name,
		"AttributeDefinitions":  &definitions,
		"KeySchema":             &schema,
		"BillingMode":           &billing,
		"ProvisionedThroughput": &provisioned,
	}); err != nil {
		return nil, err
	}
	if err := checkTableName(name); err != nil {
		return nil, err
	}
	keys, err := keysOf(schema, definitions)
	if err != nil {
		return nil, err
	}
	switch {
	case billing != "PROVISIONED" && billing != "PAY_PER_REQUEST":
		return nil, invalid("BillingMode %q is not PROVISIONED or PAY_PER_REQUEST", billing)
	case (billing == "PROVISIONED") != (provisioned != nil):
		return nil, invalid("ProvisionedThroughput goes with BillingMode PROVISIONED, and only with that")
	}

	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.tables[name]; ok {
		return nil, &failure{Type: resourceInUse, Message: "table " + name + " exists"}
	}
	if err := e.commit(change{Table: name, Define: &definition{Billing: billing, Created: time.Now(), Keys: keys}}); err != nil {
		return nil, err
	}
	return struct{ TableDescription tableDescription }{e.tables[name].describe("ACTIVE")}, nil
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

func (e *Engine) describeTable(body []byte) (any, error) {
	var name string
	if err := decode(body, members{"TableName": &name}); err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.table(name)
	if err != nil {
		return nil, err
	}
	return struct{ Table tableDescription }{t.describe("ACTIVE")}, nil
}

func (e *Engine) listTables(body []byte) (any, error) {
	var (
		start string
		limit = 100
	)
	if err := decode(body, members{"ExclusiveStartTableName": &start, "Limit": &limit}); err != nil {
		return nil, err
	}
	if limit < 1 || limit > 100 {
		return nil, invalid("Limit %d is not between 1 and 100", limit)
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	names := slices.Sorted(maps.Keys(e.tables))
	names = slices.DeleteFunc(names, func(name string) bool { return name <= start })
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

func (e *Engine) deleteTable(body []byte) (any, error) {
	var name string
	if err := decode(body, members{"TableName": &name}); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.table(name)
	if err != nil {
		return nil, err
	}
	return struct{ TableDescription tableDescription }{t.describe("DELETING")}, e.commit(change{Table: name, Drop: true})
}

func (e *Engine) describeTimeToLive(body []byte) (any, error) {
	var name string
	if err := decode(body, members{"TableName": &name}); err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.table(name)
	if err != nil {
		return nil, err
	}
	type description struct {
		TimeToLiveStatus string
		AttributeName    string `json:",omitzero"`
	}
	answer := description{"DISABLED", ""}
	if t.TimeToLive != "" {
		answer = description{"ENABLED", t.TimeToLive}
	}
	return struct{ TimeToLiveDescription description }{answer}, nil
}

// updateTimeToLive sets the attribute. No item expires here: DynamoDB, too, keeps
// expired items for days.
func (e *Engine) updateTimeToLive(body []byte) (any, error) {
	var (
		name          string
		specification struct {
			AttributeName string
			Enabled       bool
		}
	)
	if err := decode(body, members{"TableName": &name, "TimeToLiveSpecification": &specification}); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.table(name)
	if err != nil {
		return nil, err
	}
	attribute, d := specification.AttributeName, t.definition
	switch {
	case attribute == "" || len(attribute) > 255:
		return nil, invalid("AttributeName of %d bytes is not of 1 to 255", len(attribute))
	case specification.Enabled == (d.TimeToLive != ""):
		return nil, invalid("TimeToLive is already enabled or disabled")
	case !specification.Enabled && d.TimeToLive != attribute:
		return nil, invalid("TimeToLive is enabled on %q", d.TimeToLive)
	}
	d.TimeToLive = ""
	if specification.Enabled {
		d.TimeToLive = attribute
	}
	return struct{ TimeToLiveSpecification any }{specification}, e.commit(change{Table: name, Define: &d})
}
