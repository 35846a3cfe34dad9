package dynamodb

import (
	"cmp"
	"maps"
	"slices"
)

// expressions reads the expressions of one request and keeps the first error for
// end. They must use each of the names and values.
type expressions struct {
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]value

	used []string // tokens
	err  error
}

// condition is the meaning of a condition expression. It gets the nil item if none
// is stored.
type condition func(item) bool

// condition reads a condition or filter expression. A nil one always holds. It
// returns the attributes that the expression names, too.
func (e *expressions) condition(text *string) (holds condition, attributes []string) {
	if text == nil {
		return func(item) bool { return true }, nil
	}
	p := e.parser(*text)
	c := p.disjunction()
	p.end()
	return c.holds, p.attributes
}

// projection reads a projection expression: a list of attributes.
func (e *expressions) projection(text *string) []string {
	if text == nil {
		return nil
	}
	p := e.parser(*text)
	attributes := []string{p.attribute()}
	for p.accept(",") {
		name := p.attribute()
		if slices.Contains(attributes, name) {
			p.fail("attribute %q is listed twice", name)
		}
		attributes = append(attributes, name)
	}
	p.end()
	return attributes
}

func (e *expressions) parser(text string) *parser {
	tokens, err := lex(text)
	e.err = cmp.Or(e.err, err)
	e.used = append(e.used, tokens...)
	return &parser{expressions: e, tokens: tokens}
}

// end returns the first error of the request's expressions.
func (e *expressions) end() error {
	if e.err != nil {
		return e.err
	}
	names, values := e.ExpressionAttributeNames, e.ExpressionAttributeValues
	if names != nil && len(names) == 0 || values != nil && len(values) == 0 {
		return invalid("ExpressionAttributeNames and ExpressionAttributeValues must not be empty")
	}
	unused := slices.AppendSeq(slices.Collect(maps.Keys(names)), maps.Keys(values))
	unused = slices.DeleteFunc(unused, func(name string) bool { return slices.Contains(e.used, name) })
	if len(unused) > 0 {
		slices.Sort(unused)
		return invalid("expression attributes %q are not used in an expression", unused)
	}
	return nil
}
