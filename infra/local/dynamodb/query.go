package dynamodb

import "slices"

const maxPage = 1 << 20 // bytes of the items of a page, before filter and projection

// reading is what Query and Scan have in common.
type reading struct {
	tableName  string
	consistent bool // every read is
	filter     *string
	projection *string
	limit      *int
	start      item // ExclusiveStartKey
	choice     string
	in         expressions
}

func (r *reading) members() members {
	return members{
		"TableName":                 &r.tableName,
		"ConsistentRead":            &r.consistent,
		"FilterExpression":          &r.filter,
		"ProjectionExpression":      &r.projection,
		"ExpressionAttributeNames":  &r.in.names,
		"ExpressionAttributeValues": &r.in.values,
		"Limit":                     &r.limit,
		"ExclusiveStartKey":         &r.start,
		"Select":                    &r.choice,
	}
}

func (e *Engine) query(body []byte) (any, error) {
	var (
		r            reading
		keyCondition string
		forward      = true
	)
	known := r.members()
	known["KeyConditionExpression"], known["ScanIndexForward"] = &keyCondition, &forward
	if err := decode(body, known); err != nil {
		return nil, err
	}
	terms := r.in.keyTerms(keyCondition)
	p, err := r.pager()
	if err != nil {
		return nil, err
	}

	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.table(r.tableName)
	if err != nil {
		return nil, err
	}
	holds, hash, err := t.keyCondition(terms)
	if err != nil {
		return nil, err
	}
	for _, key := range t.Keys {
		if slices.Contains(p.filtered, key.AttributeName) {
			return nil, invalid("FilterExpression of a Query names the key attribute %q", key.AttributeName)
		}
	}
	if r.start != nil {
		if start, err := t.onlyKey(r.start); err != nil {
			return nil, err
		} else if !holds(start) {
			return nil, invalid("ExclusiveStartKey does not satisfy the key condition")
		}
	}
	// The records of one hash key are together, and of these the ones that hold.
	first, _ := slices.BinarySearchFunc(t.records, hash, func(r *record, hash scalar) int { return r.key[0].compare(hash) })
	records := t.records[first:]
	for len(records) > 0 && records[0].key[0] == hash && !holds(records[0].key) {
		records = records[1:]
	}
	n := slices.IndexFunc(records, func(r *record) bool { return !holds(r.key) })
	if n >= 0 {
		records = records[:n]
	}
	return p.page(t, records, forward)
}

// keyCondition returns the meaning of a key condition expression, and its hash key.
func (t *table) keyCondition(terms []term) (holds func(key) bool, hash scalar, err error) {
	var (
		operators [2]string
		constants [2][]scalar
	)
	rangeOperators := []string{"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"}
	for _, term := range terms {
		i := slices.IndexFunc(t.Keys, func(d attributeDefinition) bool { return d.AttributeName == term.attribute })
		if i < 0 || operators[i] != "" || !slices.Contains(rangeOperators, term.operator) || i == 0 && term.operator != "=" {
			return nil, scalar{}, invalid("KeyConditionExpression is not the hash key = a value, AND at most one condition of the range key")
		}
		operators[i] = term.operator
		for _, v := range term.constants {
			s, err := t.keyValue(i, v)
			if err != nil {
				return nil, scalar{}, err
			}
			constants[i] = append(constants[i], s)
		}
	}
	if operators[0] == "" {
		return nil, scalar{}, invalid("KeyConditionExpression lacks the hash key")
	}
	return func(k key) bool {
		return k[0] == constants[0][0] && (operators[1] == "" || k[1].satisfies(operators[1], constants[1]...))
	}, constants[0][0], nil
}

func (e *Engine) scan(body []byte) (any, error) {
	var r reading
	if err := decode(body, r.members()); err != nil {
		return nil, err
	}
	p, err := r.pager()
	if err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	t, err := e.table(r.tableName)
	if err != nil {
		return nil, err
	}
	return p.page(t, t.records, true)
}

// pager makes the page of a reading whose expressions have been read.
type pager struct {
	*reading
	passes     condition
	filtered   []string // attributes that the filter names
	attributes []string // projected
}

func (r *reading) pager() (*pager, error) {
	p := &pager{reading: r}
	p.passes, p.filtered = r.in.condition(r.filter)
	p.attributes = r.in.projection(r.projection)
	if err := r.in.end(); err != nil {
		return nil, err
	}
	if r.limit != nil && *r.limit < 1 {
		return nil, invalid("Limit %d is less than 1", *r.limit)
	}
	switch projected := r.projection != nil; {
	case r.choice == "", projected && r.choice == "SPECIFIC_ATTRIBUTES", !projected && (r.choice == "ALL_ATTRIBUTES" || r.choice == "COUNT"):
		return p, nil
	}
	return nil, invalid("Select %q is not supported, or does not go with the ProjectionExpression or without one", r.choice)
}

// page returns the first page of records, which are sorted, or the last one if it
// reads them backward. A page that ends by its limit has a LastEvaluatedKey even if nothing follows.
func (p *pager) page(t *table, records []*record, forward bool) (any, error) {
	var answer struct {
		Items               []item `json:",omitzero"`
		Count, ScannedCount int
		LastEvaluatedKey    item `json:",omitzero"`
	}
	if p.start != nil {
		k, err := t.onlyKey(p.start)
		if err != nil {
			return nil, err
		}
		switch i, found := find(records, k); {
		case !forward:
			records = records[:i]
		case found:
			records = records[i+1:]
		default:
			records = records[i:]
		}
	}
	if p.choice != "COUNT" {
		answer.Items = []item{}
	}
	size := 0
	for i := range records {
		it := records[i].item
		if !forward {
			it = records[len(records)-1-i].item
		}
		size += it.size()
		answer.ScannedCount++
		if p.passes(it) {
			answer.Count++
			if p.projection != nil {
				answer.Items = append(answer.Items, it.project(p.attributes))
			} else if p.choice != "COUNT" {
				answer.Items = append(answer.Items, it)
			}
		}
		if p.limit != nil && answer.ScannedCount == *p.limit || size >= maxPage && i < len(records)-1 {
			answer.LastEvaluatedKey = make(item)
			for _, key := range t.Keys {
				answer.LastEvaluatedKey[key.AttributeName] = it[key.AttributeName]
			}
			break
		}
	}
	return answer, nil
}
