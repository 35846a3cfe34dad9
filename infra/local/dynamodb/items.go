package dynamodb

const maxBatch = 25 // requests of a BatchWriteItem

func (t *table) getItem(r *request) (any, error) {
	attributes := r.projection(r.ProjectionExpression)
	if err := r.end(); err != nil {
		return nil, err
	}
	k, err := t.onlyKey(r.Key)
	if err != nil {
		return nil, err
	}
	found := t.get(k)
	if found != nil && r.ProjectionExpression != nil {
		found = found.project(attributes)
	}
	return struct {
		Item item `json:",omitzero"`
	}{found}, nil
}

func (t *table) putItem(r *request) (any, error) {
	for _, wanted := range []string{r.ReturnValues, r.ReturnValuesOnConditionCheckFailure} {
		if wanted != "NONE" && wanted != "ALL_OLD" {
			return nil, invalid("return values of %q are not supported, only NONE and ALL_OLD", wanted)
		}
	}
	holds, _ := r.condition(r.ConditionExpression)
	if err := r.end(); err != nil {
		return nil, err
	}
	if err := r.Item.check(); err != nil {
		return nil, err
	}
	k, err := t.keyOf(r.Item)
	if err != nil {
		return nil, err
	}
	old := t.get(k)
	if !holds(old) {
		f := &failure{Type: conditionalCheckFailed, Message: "the conditional request failed"}
		if r.ReturnValuesOnConditionCheckFailure == "ALL_OLD" {
			f.Item = old
		}
		return nil, f
	}
	t.put(k, r.Item)
	var answer struct {
		Attributes item `json:",omitzero"`
	}
	if r.ReturnValues == "ALL_OLD" {
		answer.Attributes = old
	}
	return answer, nil
}

func (t *table) deleteItem(r *request) (any, error) {
	k, err := t.onlyKey(r.Key)
	if err != nil {
		return nil, err
	}
	t.put(k, nil)
	return struct{}{}, nil
}

type writeRequest struct {
	PutRequest    *struct{ Item item }
	DeleteRequest *struct{ Key item }
}

// batchWriteItem makes all writes, or none if one is refused.
func (e *Engine) batchWriteItem(r *request) (any, error) {
	var writes []func()
	for name, requests := range r.RequestItems {
		t, err := e.table(name)
		if err != nil {
			return nil, err
		}
		if len(requests) == 0 {
			return nil, invalid("a batch has no requests for table %s", name)
		}
		seen := make(map[key]bool)
		for _, w := range requests {
			k, it, err := t.write(w)
			if err != nil {
				return nil, err
			}
			if seen[k] {
				return nil, invalid("two requests of a batch have the same key")
			}
			seen[k] = true
			writes = append(writes, func() { t.put(k, it) })
		}
	}
	if len(writes) == 0 || len(writes) > maxBatch {
		return nil, invalid("a batch of %d requests is not of 1 to %d", len(writes), maxBatch)
	}
	for _, write := range writes {
		write()
	}
	return struct{ UnprocessedItems struct{} }{}, nil
}

// write returns the key of a write and the new item, which is nil if the old one is deleted.
func (t *table) write(w writeRequest) (k key, it item, err error) {
	switch {
	case (w.PutRequest == nil) == (w.DeleteRequest == nil):
		err = invalid("a request of a batch is not one PutRequest or DeleteRequest")
	case w.PutRequest == nil:
		k, err = t.onlyKey(w.DeleteRequest.Key)
	default:
		it = w.PutRequest.Item
		if err = it.check(); err == nil {
			k, err = t.keyOf(it)
		}
	}
	return k, it, err
}
