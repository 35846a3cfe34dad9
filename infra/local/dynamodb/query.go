package dynamodb

import (
	"slices"
	"strings"
)

const maxPage = 1 << 20 // bytes of the items of a page, before filter and projection

func (t *table) query(r *request) (any, error) {
	if r.KeyConditionExpression == nil {
		return nil, invalid("a Query needs a KeyConditionExpression")
	}
	hash, holds, err := t.keyCondition(r.parser(*r.KeyConditionExpression))
	if err != nil {
		return nil, err
	}
	if r.ExclusiveStartKey != nil && !holds(r.ExclusiveStartKey) {
		return nil, invalid("ExclusiveStartKey does not satisfy the key condition")
	}
	// The items of one hash key are neighbours, and so are those of them that satisfy the condition.
	first, _ := slices.BinarySearchFunc(t.records, hash, func(r record, hash scalar) int { return r.key[0].compare(hash) })
	records := t.records[first:]
	for len(records) > 0 && records[0].key[0] == hash && !holds(records[0].item) {
		records = records[1:]
	}
	if n := slices.IndexFunc(records, func(r record) bool { return !holds(r.item) }); n >= 0 {
		records = records[:n]
	}
	return t.page(r, records, t.KeySchema)
}

// keyCondition reads a key condition expression, which is a condition of a narrow form. It returns the hash key, too.
func (t *table) keyCondition(p *parser) (hash scalar, holds condition, err error) {
	form := invalid("KeyConditionExpression is not the hash key = a value, AND at most one condition of the range key")
	for _, token := range p.tokens {
		if slices.Contains([]string{"OR", "NOT", "IN", "<>", "ATTRIBUTE_EXISTS", "ATTRIBUTE_NOT_EXISTS"}, strings.ToUpper(token)) {
			return hash, nil, form
		}
	}
	holds = p.disjunction().holds
	if p.end(); p.err != nil {
		return hash, nil, p.err
	}
	slices.Sort(p.attributes)
	if len(slices.Compact(p.attributes)) < len(p.attributes) || !slices.Contains(p.attributes, t.KeySchema[0].AttributeName) {
		return hash, nil, form
	}
	for _, c := range p.compared {
		i := slices.IndexFunc(t.AttributeDefinitions, func(d attributeDefinition) bool { return d.AttributeName == c.attribute })
		if i < 0 || i == 0 && c.comparator != "=" {
			return hash, nil, form
		}
		s, err := t.keyValue(i, c.constant)
		if err != nil {
			return hash, nil, err
		}
		if i == 0 {
			hash = s
		}
	}
	return hash, holds, nil
}

func (t *table) scan(r *request) (any, error) { return t.page(r, t.records, nil) }

// page returns the first page of records, which are sorted, or the last one if they
// are read backward. unfiltered are attributes that a filter must not name.
func (t *table) page(r *request, records []record, unfiltered []keySchemaElement) (any, error) {
	passes, filtered := r.condition(r.FilterExpression)
	projected := r.projection(r.ProjectionExpression)
	if err := r.end(); err != nil {
		return nil, err
	}
	projecting := r.ProjectionExpression != nil
	switch {
	case slices.ContainsFunc(unfiltered, func(k keySchemaElement) bool { return slices.Contains(filtered, k.AttributeName) }):
		return nil, invalid("FilterExpression of a Query names a key attribute")
	case r.Limit != nil && *r.Limit < 1:
		return nil, invalid("Limit %d is less than 1", *r.Limit)
	case projecting && r.Select != "" && r.Select != "SPECIFIC_ATTRIBUTES",
		!projecting && r.Select != "" && r.Select != "ALL_ATTRIBUTES" && r.Select != "COUNT":
		return nil, invalid("Select %q is not supported, or does not go with or without a ProjectionExpression", r.Select)
	}
	if r.ExclusiveStartKey != nil {
		k, err := t.onlyKey(r.ExclusiveStartKey)
		if err != nil {
			return nil, err
		}
		switch i, found := find(records, k); {
		case !r.ScanIndexForward:
			records = records[:i]
		case found:
			records = records[i+1:]
		default:
			records = records[i:]
		}
	}
	var answer struct {
		Items               []item `json:",omitzero"`
		Count, ScannedCount int
		LastEvaluatedKey    item `json:",omitzero"`
	}
	if r.Select != "COUNT" {
		answer.Items = []item{}
	}
	size := 0
	for i := range records {
		it := records[i].item
		if !r.ScanIndexForward {
			it = records[len(records)-1-i].item
		}
		size += it.size()
		answer.ScannedCount++
		if passes(it) {
			answer.Count++
			if projecting {
				answer.Items = append(answer.Items, it.project(projected))
			} else if r.Select != "COUNT" {
				answer.Items = append(answer.Items, it)
			}
		}
		// A full page has a LastEvaluatedKey even if nothing follows.
		if r.Limit != nil && answer.ScannedCount == *r.Limit || size >= maxPage && i < len(records)-1 {
			answer.LastEvaluatedKey = make(item)
			for _, key := range t.KeySchema {
				answer.LastEvaluatedKey[key.AttributeName] = it[key.AttributeName]
			}
			break
		}
	}
	return answer, nil
}
