// Package meter adds up what DynamoDB would bill for requests that succeed.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
package meter

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"orgsettings/infra/local/dynamodb"
)

// Usage is what requests use.
type Usage struct {
	Calls  int
	Reads  int // read request units
	Writes int // write request units
}

// Meter adds up usage. It remembers the size of every item put. It is safe for concurrent use.
type Meter struct {
	mu       sync.Mutex
	sizes    map[key]int       // bytes
	sortKeys map[string]string // name of the sort key, by table
	used     Usage
	err      error
}

// key tells an item from all others. sort is empty in a table without a sort key.
type key struct{ table, partition, sort string }

// New returns a Meter that knows no item.
func New() *Meter { return &Meter{sizes: make(map[key]int), sortKeys: make(map[string]string)} }

// Take returns the usage since the last Take. It fails if one of the requests could not be metered.
func (m *Meter) Take() (Usage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	used, err := m.used, m.err
	m.used, m.err = Usage{}, nil
	return used, err
}

// Count adds a request, given as its operation, such as "PutItem", and its JSON. An operation that Count does not
// know is an error of the next Take. Operations on tables are free; CreateTable tells Count whether a table has a sort
// key.
func (m *Meter) Count(operation string, input []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.count(operation, input); err != nil {
		m.err = cmp.Or(m.err, fmt.Errorf("meter %s: %w", operation, err))
	}
}

func (m *Meter) count(operation string, input []byte) error {
	var request struct {
		TableName      string
		KeySchema      []struct{ AttributeName, KeyType string }
		ConsistentRead bool
		Key, Item      json.RawMessage
		query
	}
	if err := json.Unmarshal(input, &request); err != nil {
		return err
	}
	switch operation {
	case "CreateTable":
		for _, k := range request.KeySchema {
			if k.KeyType == "RANGE" {
				m.sortKeys[request.TableName] = k.AttributeName
			}
		}
		return nil
	case "DescribeTable":
		return nil
	case "GetItem", "Query":
		if !request.ConsistentRead {
			return errors.New("an eventually consistent read costs half a unit, which is not metered")
		}
		size, err := m.read(operation, request.TableName, request.Key, request.query)
		if err != nil {
			return err
		}
		m.used.Calls++
		m.used.Reads += units(size, 4<<10)
		return nil
	case "PutItem":
		id, err := m.keyOf(request.TableName, request.Item)
		if err != nil {
			return err
		}
		size, err := dynamodb.ItemSize(request.Item)
		if err != nil {
			return err
		}
		m.used.Calls++
		m.used.Writes += units(max(size, m.sizes[id]), 1<<10) // the larger of the item before and after
		m.sizes[id] = size
		return nil
	}
	return errors.New("the price of this operation is not known here")
}

// query is what decides which items a Query reads.
type query struct {
	KeyConditionExpression    string
	ExpressionAttributeValues map[string]struct{ S string }
	ExclusiveStartKey         map[string]struct{ S string }
	ScanIndexForward          *bool
	Limit                     int
}

var keyCondition = regexp.MustCompile(`^#\w+ = (:\w+)(?: AND #\w+ (<=?) (:\w+))?$`)

// read returns the bytes of the items that a request reads. A projection makes no item smaller.
func (m *Meter) read(operation, table string, item json.RawMessage, q query) (int, error) {
	if operation == "GetItem" {
		id, err := m.keyOf(table, item)
		return m.sizes[id], err
	}
	terms := keyCondition.FindStringSubmatch(q.KeyConditionExpression)
	if terms == nil || q.ScanIndexForward == nil || *q.ScanIndexForward {
		return 0, errors.New("only a backward Query below a sort key is metered")
	}
	most, start := q.ExpressionAttributeValues[terms[3]].S, q.ExclusiveStartKey[m.sortKeys[table]].S
	var found []string
	for id := range m.sizes {
		if id.table == table && id.partition == q.ExpressionAttributeValues[terms[1]].S &&
			(terms[3] == "" || id.sort < most || terms[2] == "<=" && id.sort == most) && (start == "" || id.sort < start) {
			found = append(found, id.sort)
		}
	}
	slices.Sort(found)
	size := 0
	for n, sort := range slices.Backward(found) {
		if q.Limit > 0 && len(found)-n > q.Limit || size >= 1<<20 {
			break
		}
		size += m.sizes[key{table, q.ExpressionAttributeValues[terms[1]].S, sort}]
	}
	return size, nil
}

// units returns how many blocks hold size bytes. An item that does not exist takes one.
func units(size, block int) int { return max(1, (size+block-1)/block) }

// WriteUnits returns what it costs to write a new item of size bytes.
func WriteUnits(size int) int { return units(size, 1<<10) }

// keyOf returns the key of an item. Its partition key is userId in the table of users, whose items also have an orgId,
// else orgId.
func (m *Meter) keyOf(table string, item json.RawMessage) (key, error) {
	var attributes map[string]struct{ S string }
	if err := json.Unmarshal(item, &attributes); err != nil {
		return key{}, err
	}
	id := key{table, cmp.Or(attributes["userId"].S, attributes["orgId"].S), attributes[m.sortKeys[table]].S}
	if id.partition == "" || (id.sort == "") != (m.sortKeys[table] == "") {
		return key{}, errors.New("an item lacks its key")
	}
	return id, nil
}
