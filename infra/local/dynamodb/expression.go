package dynamodb

import (
	"maps"
	"slices"
)

// expressions reads the expressions of one request. names and values are what
// #names and :values stand for. An expression must use each of them.
type expressions struct {
	names  map[string]string
	values map[string]value
}

// condition is the meaning of a condition expression. It gets the nil item if none
// is stored.
type condition func(item) bool

// condition reads a condition expression. A nil one always holds.
func (e *expressions) condition(text *string) (condition, error) {
	if text == nil {
		return func(item) bool { return true }, e.checkUsed(nil)
	}
	p, err := e.parser(*text)
	if err != nil {
		return nil, err
	}
	c := p.disjunction()
	return c.holds, p.end()
}

// projection reads a projection expression: a list of attributes.
func (e *expressions) projection(text *string) ([]string, error) {
	if text == nil {
		return nil, e.checkUsed(nil)
	}
	p, err := e.parser(*text)
	if err != nil {
		return nil, err
	}
	attributes := []string{p.attribute()}
	for p.accept(",") {
		name := p.attribute()
		if slices.Contains(attributes, name) {
			p.fail("attribute %q is listed twice", name)
		}
		attributes = append(attributes, name)
	}
	return attributes, p.end()
}

func (e *expressions) parser(text string) (*parser, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	return &parser{expressions: e, tokens: tokens}, e.checkUsed(tokens)
}

func (e *expressions) checkUsed(tokens []string) error {
	if e.names != nil && len(e.names) == 0 || e.values != nil && len(e.values) == 0 {
		return invalid("ExpressionAttributeNames and ExpressionAttributeValues must not be empty")
	}
	unused := slices.AppendSeq(slices.Collect(maps.Keys(e.names)), maps.Keys(e.values))
	unused = slices.DeleteFunc(unused, func(name string) bool { return slices.Contains(tokens, name) })
	if len(unused) > 0 {
		slices.Sort(unused)
		return invalid("expression attributes %q are not used in an expression", unused)
	}
	return nil
}
