package dynamodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
)

// operation says which members a request may have and what is done with them.
type operation struct {
	members string
	changes bool
	do      func(*Engine, *request) (any, error)
}

func operations() map[string]operation {
	const (
		names       = " ExpressionAttributeNames"
		expressions = names + " ExpressionAttributeValues"
		reading     = "TableName ConsistentRead FilterExpression ProjectionExpression Limit ExclusiveStartKey Select" + expressions
	)
	return map[string]operation{
		"CreateTable":        {"TableName AttributeDefinitions KeySchema BillingMode ProvisionedThroughput", true, (*Engine).createTable},
		"DeleteTable":        {"TableName", true, (*Engine).deleteTable},
		"ListTables":         {"ExclusiveStartTableName Limit", false, (*Engine).listTables},
		"DescribeTable":      {"TableName", false, inTable((*table).describeTable)},
		"DescribeTimeToLive": {"TableName", false, inTable((*table).describeTimeToLive)},
		"UpdateTimeToLive":   {"TableName TimeToLiveSpecification", true, inTable((*table).updateTimeToLive)},
		"GetItem":            {"TableName Key ConsistentRead ProjectionExpression" + names, false, inTable((*table).getItem)},
		"PutItem":            {"TableName Item ConditionExpression ReturnValues ReturnValuesOnConditionCheckFailure" + expressions, true, inTable((*table).putItem)},
		"DeleteItem":         {"TableName Key", true, inTable((*table).deleteItem)},
		"BatchWriteItem":     {"RequestItems", true, (*Engine).batchWriteItem},
		"Query":              {reading + " KeyConditionExpression ScanIndexForward", false, inTable((*table).query)},
		"Scan":               {reading, false, inTable((*table).scan)},
	}
}

// inTable is an operation on the table that the request names.
func inTable(do func(*table, *request) (any, error)) func(*Engine, *request) (any, error) {
	return func(e *Engine, r *request) (any, error) {
		t, err := e.table(r.TableName)
		if err != nil {
			return nil, err
		}
		return do(t, r)
	}
}

// request has the members of all operations, under their exact names.
type request struct {
	body []byte

	TableName, ExclusiveStartTableName, BillingMode, Select                             string
	ReturnValues, ReturnValuesOnConditionCheckFailure                                   string
	ConditionExpression, FilterExpression, KeyConditionExpression, ProjectionExpression *string
	ConsistentRead, ScanIndexForward                                                    bool // every read is consistent

	Item, Key, ExclusiveStartKey item
	Limit                        *int
	AttributeDefinitions         []attributeDefinition
	KeySchema                    []keySchemaElement
	ProvisionedThroughput        *throughput
	TimeToLiveSpecification      timeToLive
	RequestItems                 map[string][]writeRequest
	expressions
}

// read reads a request. It refuses a member that is not known, because the member
// would change the meaning of the request.
func read(body []byte, known []string) (*request, error) {
	r := &request{body: body, BillingMode: "PROVISIONED", ScanIndexForward: true, ReturnValues: "NONE", ReturnValuesOnConditionCheckFailure: "NONE"}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if start, err := dec.Token(); err != nil {
		return nil, err
	} else if start != json.Delim('{') {
		return nil, errors.New("request is not a JSON object")
	}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string) // inside an object, Token returns a name before each value
		i := slices.Index(known, name)
		if i < 0 {
			return nil, invalid("request member %q is not supported here, or given twice", name)
		}
		known = slices.Delete(known, i, i+1)
		if err := dec.Decode(reflect.ValueOf(r).Elem().FieldByName(name).Addr().Interface()); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("request has data after its JSON object")
	}
	return r, nil
}
