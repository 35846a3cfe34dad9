package dynamodb

const maxBatch = 25 // requests of a BatchWriteItem

func (e *Engine) getItem(body []byte) (any, error) {
	var (
		tableName  string
		key        item
		consistent bool // every read is
		projection *string
		in         expressions
	)
	if err := decode(body, members{
		"TableName":                &tableName,
		"Key":                      &key,
		"ConsistentRead":           &consistent,
		"ProjectionExpression":     &projection,
		"ExpressionAttributeNames": &in.names,
	}); err != nil {
		return nil, err
	}
	attributes := in.projection(projection)
	if err := in.end(); err != nil {
		return nil, err
	}

	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.table(tableName)
	if err != nil {
		return nil, err
	}
	k, err := t.onlyKey(key)
	if err != nil {
		return nil, err
	}
	found := t.get(k)
	if found != nil && projection != nil {
		found = found.project(attributes)
	}
	return struct {
		Item item `json:",omitzero"`
	}{found}, nil
}

func (e *Engine) putItem(body []byte) (any, error) {
	var (
		tableName   string
		put         item
		condition   *string
		in          expressions
		onSuccess   = "NONE"
		onCondition = "NONE"
	)
	if err := decode(body, members{
		"TableName":                           &tableName,
		"Item":                                &put,
		"ConditionExpression":                 &condition,
		"ExpressionAttributeNames":            &in.names,
		"ExpressionAttributeValues":           &in.values,
		"ReturnValues":                        &onSuccess,
		"ReturnValuesOnConditionCheckFailure": &onCondition,
	}); err != nil {
		return nil, err
	}
	for _, wanted := range []string{onSuccess, onCondition} {
		if wanted != "NONE" && wanted != "ALL_OLD" {
			return nil, invalid("return values of %q are not supported, only NONE and ALL_OLD", wanted)
		}
	}
	holds, _ := in.condition(condition)
	if err := in.end(); err != nil {
		return nil, err
	}
	if err := put.check(); err != nil {
		return nil, err
	}

	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.table(tableName)
	if err != nil {
		return nil, err
	}
	k, err := t.keyOf(put)
	if err != nil {
		return nil, err
	}
	old := t.get(k)
	if !holds(old) {
		f := &failure{Type: conditionalCheckFailed, Message: "the conditional request failed"}
		if onCondition == "ALL_OLD" {
			f.Item = old
		}
		return nil, f
	}
	var answer struct {
		Attributes item `json:",omitzero"`
	}
	if onSuccess == "ALL_OLD" {
		answer.Attributes = old
	}
	return answer, e.commit(change{Table: tableName, Put: []item{put}})
}

func (e *Engine) deleteItem(body []byte) (any, error) {
	var (
		tableName string
		key       item
	)
	if err := decode(body, members{"TableName": &tableName, "Key": &key}); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.table(tableName)
	if err != nil {
		return nil, err
	}
	if _, err := t.onlyKey(key); err != nil {
		return nil, err
	}
	return struct{}{}, e.commit(change{Table: tableName, Delete: []item{key}})
}

type writeRequest struct {
	PutRequest    *struct{ Item item }
	DeleteRequest *struct{ Key item }
}

// batchWriteItem makes all of its changes, or none if one is refused.
func (e *Engine) batchWriteItem(body []byte) (any, error) {
	var requests map[string][]writeRequest
	if err := decode(body, members{"RequestItems": &requests}); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var changes []change
	n := 0
	for name, writes := range requests {
		if n += len(writes); len(writes) == 0 || n > maxBatch {
			return nil, invalid("a batch of %d requests is not of 1 to %d", n, maxBatch)
		}
		t, err := e.table(name)
		if err != nil {
			return nil, err
		}
		c, seen := change{Table: name}, make(map[key]bool)
		for _, w := range writes {
			k, err := t.add(w, &c)
			if err != nil {
				return nil, err
			}
			if seen[k] {
				return nil, invalid("two requests of a batch have the same key")
			}
			seen[k] = true
		}
		changes = append(changes, c)
	}
	if n == 0 {
		return nil, invalid("a batch must have requests")
	}
	return struct{ UnprocessedItems struct{} }{}, e.commit(changes...)
}

// add checks a write, adds it to c and returns its key.
func (t *table) add(w writeRequest, c *change) (key, error) {
	switch {
	case w.PutRequest != nil && w.DeleteRequest == nil:
		c.Put = append(c.Put, w.PutRequest.Item)
		if err := w.PutRequest.Item.check(); err != nil {
			return key{}, err
		}
		return t.keyOf(w.PutRequest.Item)
	case w.PutRequest == nil && w.DeleteRequest != nil:
		c.Delete = append(c.Delete, w.DeleteRequest.Key)
		return t.onlyKey(w.DeleteRequest.Key)
	}
	return key{}, invalid("a request of a batch is not one PutRequest or DeleteRequest")
}
