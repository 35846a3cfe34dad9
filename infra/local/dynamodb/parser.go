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
	terms      []term
	attributes []string // all that are named
}

// term is a part of an expression. It can be a key condition if it compares one
// attribute with constants.
type term struct {
	attribute string // or empty
	operator  string
	constants []value
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
		p.term("OR")
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
	p.term("NOT")
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
		return p.prefix(attribute)
	}
	p.expect(")")
	p.term(name)
	switch name {
	case "attribute_exists":
		return func(it item) bool { _, ok := it[attribute]; return ok }
	case "attribute_not_exists":
		return func(it item) bool { _, ok := it[attribute]; return !ok }
	}
	p.fail("function %q is not supported", name)
	return nil
}

// prefix reads the rest of begins_with.
func (p *parser) prefix(attribute string) condition {
	start := p.operand()
	p.expect(")")
	if start.attribute != "" || start.constant.kind != "S" && start.constant.kind != "B" {
		p.fail("begins_with needs a value of type S or B")
	}
	p.term("begins_with", operand{attribute: attribute}, start)
	return func(it item) bool {
		v := it[attribute]
		return v.kind == start.constant.kind && v.scalar().satisfies("begins_with", start.constant.scalar())
	}
}

func (p *parser) comparison() condition {
	left := p.operand()
	if p.accept("IN") {
		p.term("IN")
		return p.membership(left)
	}
	if p.accept("BETWEEN") {
		return p.between(left)
	}
	comparator := p.next()
	if !slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, comparator) {
		p.unexpected(comparator)
	}
	right := p.operand()
	if left.attribute != "" {
		p.term(comparator, left, right)
	} else {
		mirrored := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}
		p.term(cmp.Or(mirrored[comparator], comparator), right, left)
	}
	return p.compare(left, comparator, right)
}

// between reads what follows BETWEEN.
func (p *parser) between(o operand) condition {
	low := p.operand()
	p.expect("AND")
	high := p.operand()
	fromLow, toHigh := p.compare(o, ">=", low), p.compare(o, "<=", high)
	if a, b := low.constant, high.constant; p.err == nil && low.attribute == "" && high.attribute == "" &&
		(a.kind != b.kind || a.scalar().compare(b.scalar()) > 0) {
		p.fail("BETWEEN needs two values of one type, the lower one first")
	}
	p.term("BETWEEN", o, low, high)
	return func(it item) bool { return fromLow(it) && toHigh(it) }
}

// term notes a term of an attribute and constants, or of other operands as one that
// cannot be a key condition.
func (p *parser) term(operator string, operands ...operand) {
	t := term{operator: operator}
	if len(operands) > 0 && !slices.ContainsFunc(operands[1:], func(o operand) bool { return o.attribute != "" }) {
		t.attribute = operands[0].attribute
		for _, o := range operands[1:] {
			t.constants = append(t.constants, o.constant)
		}
	}
	p.terms = append(p.terms, t)
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
		if o.attribute == "" && !o.constant.isScalar() && comparator != "=" && comparator != "<>" {
			p.fail("a value of type %s has no order", o.constant.kind)
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
		return a.scalar().satisfies(comparator, b.scalar())
	}
}

func (p *parser) operand() operand {
	if len(p.tokens) == 0 || p.tokens[0][0] != ':' {
		return operand{attribute: p.attribute()}
	}
	name := p.next()
	v, ok := p.values[name]
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
		if name = p.names[token]; name == "" {
			p.fail("%s is not defined in ExpressionAttributeNames, or empty", token)
		}
	case strings.Trim(token, word) != "" || token == "":
		p.unexpected(token)
	case isReserved(token):
		p.fail("attribute name %q is a reserved word; use a #name", token)
	}
	p.attributes = append(p.attributes, name)
	return name
}
