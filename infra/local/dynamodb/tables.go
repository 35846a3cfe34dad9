package dynamodb

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// table has a hash key of type S. Its items are replaced and never modified, so
// that an answer can be written without the engine's lock.
type table struct {
	name    string
	key     string
	billing string
	created time.Time
	items   map[string]item
}

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
	return tableDescription{
		TableName:            t.name,
		TableArn:             "arn:aws:dynamodb:local:000000000000:table/" + t.name,
		TableStatus:          status,
		CreationDateTime:     float64(t.created.UnixMilli()) / 1000,
		AttributeDefinitions: []attributeDefinition{{t.key, "S"}},
		KeySchema:            []keySchemaElement{{t.key, "HASH"}},
		BillingModeSummary:   billingModeSummary{t.billing},
		ItemCount:            len(t.items),
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
	switch {
	case len(schema) != 1 || schema[0].KeyType != "HASH" || schema[0].AttributeName == "":
		return nil, invalid("a KeySchema of other than one HASH attribute is not supported")
	case !slices.Equal(definitions, []attributeDefinition{{schema[0].AttributeName, "S"}}):
		return nil, invalid("AttributeDefinitions other than that of the hash key, of type S, are not supported")
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
	t := &table{
		name:    name,
		key:     schema[0].AttributeName,
		billing: billing,
		created: time.Now(),
		items:   make(map[string]item),
	}
	e.tables[name] = t
	return struct{ TableDescription tableDescription }{t.describe("ACTIVE")}, nil
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
	delete(e.tables, name)
	return struct{ TableDescription tableDescription }{t.describe("DELETING")}, nil
}
