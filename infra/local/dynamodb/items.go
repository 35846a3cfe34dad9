package dynamodb

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
	attributes, err := in.projection(projection)
	if err != nil {
		return nil, err
	}

	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.table(tableName)
	if err != nil {
		return nil, err
	}
	k, err := key.only(t.key)
	if err != nil {
		return nil, err
	}
	found := t.items[k]
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
	holds, err := in.condition(condition)
	if err != nil {
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
	k, err := put.key(t.key)
	if err != nil {
		return nil, err
	}
	old := t.items[k]
	if !holds(old) {
		f := &failure{Type: conditionalCheckFailed, Message: "the conditional request failed"}
		if onCondition == "ALL_OLD" {
			f.Item = old
		}
		return nil, f
	}
	t.items[k] = put
	var answer struct {
		Attributes item `json:",omitzero"`
	}
	if onSuccess == "ALL_OLD" {
		answer.Attributes = old
	}
	return answer, nil
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
	k, err := key.only(t.key)
	if err != nil {
		return nil, err
	}
	delete(t.items, k)
	return struct{}{}, nil
}
