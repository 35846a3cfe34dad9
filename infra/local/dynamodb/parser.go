package dynamodb

import (
	"cmp"
	"slices"
	"strings"
)

const maxInOperands = 100

// parser reads the tokens of one expression by recursive descent, in DynamoDB's
// order of precedence: comparators and IN, functions, parentheses, NOT, AND, OR.
// fail removes the remaining tokens, so that every loop ends.
type parser struct {
	*expressions
	tokens     []string
	attributes []string     // all that are named
	compared   []comparison // with constants
}

// comparison is one of an attribute, or of none if that is empty, with a constant.
type comparison struct {
	attribute, comparator string
	constant              value
}

// clause is a part of a condition.
type clause struct {
	holds         condition
	parenthesized bool // it is a group in parentheses
}

// operand is one side of a comparison: an attribute of the item or, if that is
// empty, a constant.
type operand struct {
	attribute string
	constant  value
}

func (o operand) of(it item) (value, bool) {
	if o.attribute == "" {
		return o.constant, true
	}
	v, ok := it[o.attribute]
	return v, ok
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = invalid(format, args...)
	}
	p.tokens = nil
}

// unexpected fails at token, or at the end of the expression.
func (p *parser) unexpected(token string) {
	p.fail("syntax error at %q", token)
}

// end fails if tokens are left.
func (p *parser) end() {
	if len(p.tokens) > 0 {
		p.unexpected(p.tokens[0])
	}
}

// next returns the next token, or "" at the end.
func (p *parser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token
}

// accept takes the next token if it is the wanted one. Case does not matter.
func (p *parser) accept(wanted string) bool {
	if len(p.tokens) == 0 || !strings.EqualFold(p.tokens[0], wanted) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(wanted string) {
	if !p.accept(wanted) {
		p.unexpected(p.next())
	}
}

func (p *parser) disjunction() clause {
	left := p.conjunction()
	for p.accept("OR") {
		a, b := left.holds, p.conjunction().holds
		left = clause{holds: func(it item) bool { return a(it) || b(it) }}
	}
	return left
}

func (p *parser) conjunction() clause {
	left := p.negation()
	for p.accept("AND") {
		a, b := left.holds, p.negation().holds
		left = clause{holds: func(it item) bool { return a(it) && b(it) }}
	}
	return left
}

func (p *parser) negation() clause {
	if !p.accept("NOT") {
		return p.primary()
	}
	inner := p.negation().holds
	return clause{holds: func(it item) bool { return !inner(it) }}
}

func (p *parser) primary() clause {
	if p.accept("(") {
		inner := p.disjunction()
		p.expect(")")
		if inner.parenthesized {
			p.fail("expression has redundant parentheses")
		}
		return clause{inner.holds, true}
	}
	if len(p.tokens) > 1 && p.tokens[1] == "(" {
		return clause{holds: p.function()}
	}
	return clause{holds: p.comparison()}
}

func (p *parser) function() condition {
	name := p.next()
	p.expect("(")
	attribute := p.attribute()
	if name == "begins_with" {
		p.expect(",")
		prefix := p.operand()
		p.expect(")")
		return p.compare(operand{attribute: attribute}, name, prefix)
	}
	p.expect(")")
	switch name {
	case "attribute_exists":
		return func(it item) bool { _, ok := it[attribute]; return ok }
	case "attribute_not_exists":
		return func(it item) bool { _, ok := it[attribute]; return !ok }
	}
	p.fail("function %q is not supported", name)
	return nil
}

func (p *parser) comparison() condition {
	left := p.operand()
	if p.accept("IN") {
		return p.membership(left)
	}
	if p.accept("BETWEEN") {
		return p.between(left)
	}
	comparator := p.next()
	if !slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, comparator) {
		p.unexpected(comparator)
	}
	return p.compare(left, comparator, p.operand())
}

// between reads what follows BETWEEN.
func (p *parser) between(o operand) condition {
	low := p.operand()
	p.expect("AND")
	high := p.operand()
	fromLow, toHigh := p.compare(o, ">=", low), p.compare(o, "<=", high)
	if a, b := low.constant, high.constant; p.err == nil && low.attribute == "" && high.attribute == "" &&
		(a.kind != b.kind || a.order(b) > 0) {
		p.fail("BETWEEN needs two values of one type, the lower one first")
	}
	return func(it item) bool { return fromLow(it) && toHigh(it) }
}

// membership reads what follows IN.
func (p *parser) membership(left operand) condition {
	p.expect("(")
	equals := []condition{p.compare(left, "=", p.operand())}
	for p.accept(",") {
		equals = append(equals, p.compare(left, "=", p.operand()))
	}
	p.expect(")")
	if len(equals) > maxInOperands {
		p.fail("IN with %d operands exceeds the maximum of %d", len(equals), maxInOperands)
	}
	return func(it item) bool {
		return slices.ContainsFunc(equals, func(c condition) bool { return c(it) })
	}
}

// compare returns the condition of a comparison. If an operand is missing or the
// types differ, only <> holds.
func (p *parser) compare(left operand, comparator string, right operand) condition {
	if left.attribute != "" && right.attribute != "" {
		p.fail("comparing two attributes is not supported")
	}
	for _, o := range []operand{left, right} {
		if o.attribute != "" {
			continue
		}
		p.compared = append(p.compared, comparison{cmp.Or(left.attribute, right.attribute), comparator, o.constant})
		if comparator != "=" && comparator != "<>" && !o.constant.isScalar() || comparator == "begins_with" && o.constant.kind == "N" {
			p.fail("%s does not go with a value of type %s", comparator, o.constant.kind)
		}
	}
	return func(it item) bool {
		a, aok := left.of(it)
		b, bok := right.of(it)
		equal := aok && bok && a.equal(b)
		switch {
		case comparator == "=":
			return equal
		case comparator == "<>":
			return !equal
		case !aok || !bok || a.kind != b.kind:
			return false
		}
		switch order := a.order(b); comparator {
		case "begins_with":
			return strings.HasPrefix(a.scalars[0].text, b.scalars[0].text)
		case "<":
			return order < 0
		case "<=":
			return order <= 0
		case ">":
			return order > 0
		default:
			return order >= 0
		}
	}
}

func (p *parser) operand() operand {
	if len(p.tokens) == 0 || p.tokens[0][0] != ':' {
		return operand{attribute: p.attribute()}
	}
	name := p.next()
	v, ok := p.ExpressionAttributeValues[name]
	if !ok {
		p.fail("%s is not defined in ExpressionAttributeValues", name)
	}
	return operand{constant: v}
}

// attribute reads an attribute's name: a word or a #name.
func (p *parser) attribute() string {
	token := p.next()
	name := token
	switch {
	case strings.HasPrefix(token, "#"):
		if name = p.ExpressionAttributeNames[token]; name == "" {
			p.fail("%s is not defined in ExpressionAttributeNames, or empty", token)
		}
	case token == "" || strings.ContainsAny(token[:1], ":=<>(),"):
		p.unexpected(token)
	case isReserved(token):
		p.fail("attribute name %q is a reserved word; use a #name", token)
	}
	p.attributes = append(p.attributes, name)
	return name
}
