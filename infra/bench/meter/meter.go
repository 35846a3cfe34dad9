// Package meter adds up what DynamoDB would bill for requests that succeed.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
package meter

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
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
	mu    sync.Mutex
	sizes map[string]int // bytes, by table and key
	used  Usage
	err   error
}

// New returns a Meter that knows no item.
func New() *Meter { return &Meter{sizes: make(map[string]int)} }

// Take returns the usage since the last Take. It fails if one of the requests could not be metered.
func (m *Meter) Take() (Usage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	used, err := m.used, m.err
	m.used, m.err = Usage{}, nil
	return used, err
}

// Count adds a request, given as its operation, such as "PutItem", and its JSON. An operation that Count does not
// know is an error of the next Take. Operations on tables are free.
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
		ConsistentRead bool
		Key, Item      json.RawMessage
	}
	if err := json.Unmarshal(input, &request); err != nil {
		return err
	}
	switch operation {
	case "CreateTable", "DescribeTable":
		return nil
	case "GetItem":
		if !request.ConsistentRead {
			return errors.New("an eventually consistent read costs half a unit, which is not metered")
		}
		key, err := keyOf(request.Key)
		if err != nil {
			return err
		}
		m.used.Calls++
		m.used.Reads += units(m.sizes[request.TableName+" "+key], 4<<10)
		return nil
	case "PutItem":
		key, err := keyOf(request.Item)
		if err != nil {
			return err
		}
		size, err := dynamodb.ItemSize(request.Item)
		if err != nil {
			return err
		}
		id := request.TableName + " " + key
		m.used.Calls++
		m.used.Writes += units(max(size, m.sizes[id]), 1<<10) // the larger of the item before and after
		m.sizes[id] = size
		return nil
	}
	return errors.New("the price of this operation is not known here")
}

// units returns how many blocks hold size bytes. An item that does not exist takes one.
func units(size, block int) int { return max(1, (size+block-1)/block) }

// WriteUnits returns what it costs to write a new item of size bytes.
func WriteUnits(size int) int { return units(size, 1<<10) }

// keyOf returns the key of an item: userId in the table of users, whose items also have an orgId, else orgId.
func keyOf(item json.RawMessage) (string, error) {
	var attributes struct {
		UserID, OrgID struct{ S string }
	}
	if err := json.Unmarshal(item, &attributes); err != nil {
		return "", err
	}
	key := cmp.Or(attributes.UserID.S, attributes.OrgID.S)
	if key == "" {
		return "", errors.New("an item has neither userId nor orgId")
	}
	return key, nil
}
