package schema

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Bounds of one validation.
const (
	// maxSteps bounds the time. A step takes about 100 ns: the visit of a value by a subschema, 8 bytes of a value that is
	// compared, or a character by 8 instructions of a pattern.
	maxSteps = 5_000_000
	// maxNesting bounds the stack: subschemas within each other, of all levels of the document.
	maxNesting = 20_000
	// maxViolations is where the search for more ends.
	maxViolations = 100
)

var errTooLong = errors.New("the settings are too large for the schema: the check would take too long")

// Validate returns nil if document, which is JSON without duplicate names, obeys the schema. Otherwise the error is for its
// sender: the place of the first violation as JSON Pointer (RFC 6901), or "settings" for the whole document, why, and how
// many more there are. It shows no value of the document.
func (s *Schema) Validate(document []byte) error {
	doc, err := parse(document)
	if err != nil {
		return fmt.Errorf("the settings are not JSON: %w", err)
	}
	e := evaluation{schema: s, doc: doc, left: maxSteps}
	obeys := e.check(s.root, 0, nil, true)
	switch {
	case e.left < 0:
		return errTooLong
	case obeys:
		return nil
	}
	return e.summary()
}

// evaluation is one validation.
type evaluation struct {
	schema     *Schema
	doc        tree
	left       int   // steps; negative: the validation is given up, and its results mean nothing
	scope      []int // the resources that are being evaluated, if there are dynamic anchors
	nesting    int
	buffer     []byte // of canonical
	violations []violation
}

type violation struct {
	at    int
	words string
}

// summary tells the violation that comes first in the text.
func (e *evaluation) summary() error {
	first := slices.MinFunc(e.violations, func(a, b violation) int {
		if a.at != b.at {
			return a.at - b.at
		}
		return strings.Compare(a.words, b.words)
	})
	where := "settings"
	if first.at > 0 {
		where = shortened(e.doc.pointer(first.at))
	}
	more := ""
	if n := len(e.violations) - 1; n >= maxViolations-1 {
		more = fmt.Sprintf(" (and at least %d more)", n)
	} else if n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	return fmt.Errorf("%s: %s%s", where, first.words, more)
}

// refuse notes a violation if it is asked for. It returns false.
func (e *evaluation) refuse(loud bool, at int, format string, args ...any) bool {
	if !loud || len(e.violations) == maxViolations || !e.spend(20) {
		return false
	}
	if v := (violation{at, fmt.Sprintf(format, args...)}); !slices.Contains(e.violations, v) {
		e.violations = append(e.violations, v)
	}
	return false
}

// spend takes steps, and says whether there were enough.
func (e *evaluation) spend(steps int) bool {
	e.left -= steps
	return e.left >= 0
}

// over says whether the result of a subschema is known.
func (e *evaluation) over(ok, loud bool) bool {
	return e.left < 0 || !ok && !loud || len(e.violations) == maxViolations
}

// marks says which children of a value have been evaluated, for unevaluatedProperties and unevaluatedItems.
type marks []bool

func (m marks) add(other marks) {
	for i, marked := range other {
		m[i] = m[i] || marked
	}
}

// check says whether the value at this index obeys p. It adds to evaluated, unless that is nil, which children p has
// evaluated; if the value does not obey, that means nothing. If loud, it notes all violations, else it ends at the first
// one.
func (e *evaluation) check(p *part, at int, evaluated marks, loud bool) bool {
	if e.nesting++; e.nesting > maxNesting {
		e.left = -1
	}
	defer func() { e.nesting-- }()
	if !e.spend(1) {
		return false
	}
	if p.Bool != nil {
		return *p.Bool || e.refuse(loud, at, "is not allowed")
	}
	if length := len(e.scope); len(e.schema.anchors) > 0 && (length == 0 || e.scope[length-1] != p.resource) {
		e.scope = append(e.scope, p.resource)
		defer func() { e.scope = e.scope[:length] }()
	}
	n := &e.doc[at]
	if len(p.types) > 0 && !slices.ContainsFunc(p.types, func(t typeName) bool { return t.has(n) }) {
		return e.refuse(loud, at, "%s", p.typeWords)
	}
	outer := evaluated
	isContainer := n.kind == '{' || n.kind == '['
	if !isContainer {
		evaluated = nil
	} else if p.UnevaluatedProperties != nil || p.UnevaluatedItems != nil {
		evaluated = e.newMarks(at)
	}
	ok := e.checkValue(p, at, loud)
	if e.over(ok, loud) {
		return false
	}
	if ok = e.checkInPlace(p, at, evaluated, loud) && ok; e.over(ok, loud) {
		return false
	}
	switch n.kind {
	case '{':
		ok = e.checkMembers(p, at, evaluated, loud) && ok
	case '[':
		ok = e.checkItems(p, at, evaluated, loud) && ok
	}
	if !ok || e.left < 0 {
		return false
	}
	rest := p.UnevaluatedItems
	if n.kind == '{' {
		rest = p.UnevaluatedProperties
	}
	if isContainer && rest != nil {
		i := 0
		for child := range e.doc.children(at) {
			if !evaluated[i] {
				ok = e.check(e.schema.parts[rest], child, nil, loud) && ok
				evaluated[i] = true
			}
			i++
		}
	}
	if outer != nil && isContainer && len(outer) > 0 && &outer[0] != &evaluated[0] {
		outer.add(evaluated)
	}
	return ok && e.left >= 0
}

func (e *evaluation) newMarks(at int) marks {
	n := e.doc.count(at)
	e.spend(n / 8)
	return make(marks, n)
}

// checkValue checks what concerns the value alone.
func (e *evaluation) checkValue(p *part, at int, loud bool) bool {
	n, ok := &e.doc[at], true
	for _, set := range p.sets {
		if !set.texts[string(e.canonical(at))] {
			ok = e.refuse(loud, at, "%s", set.words)
		}
	}
	for _, size := range p.sizes {
		if size.kind != n.kind {
			continue
		}
		length := 0
		if n.kind == '"' {
			e.spend(len(n.text) / 8)
			length = utf8.RuneCountInString(n.text)
		} else {
			length = e.doc.count(at)
			e.spend(length / 8)
		}
		if size.most && length > size.limit || !size.most && length < size.limit {
			ok = e.refuse(loud, at, "%s", size.words)
		}
	}
	if n.kind == '0' && (len(p.bounds) > 0 || p.step != nil) {
		e.spend(len(n.text) / 8)
		number := parseDecimal(n.text)
		for _, b := range p.bounds {
			if c := number.compare(b.limit); c < b.least || c > b.most {
				ok = e.refuse(loud, at, "%s", b.words)
			}
		}
		if p.step != nil {
			e.spend(len(n.text)/2 + len(p.step.digits))
			if !number.isMultipleOf(*p.step) {
				ok = e.refuse(loud, at, "%s", p.stepWords)
			}
		}
	}
	if n.kind != '"' {
		return ok
	}
	if p.Pattern != nil && !e.matches(p.Pattern, n.text) {
		ok = e.refuse(loud, at, "must match the pattern %s", shortened(p.Pattern.String()))
	}
	if p.Format != nil && !e.hasFormat(p, n.text) {
		ok = e.refuse(loud, at, "must have the format %s", p.Format.Name)
	}
	return ok
}

// canonical returns a text that equal values share, until the next call.
func (e *evaluation) canonical(at int) []byte {
	e.buffer = e.doc.appendCanonical(e.buffer[:0], at)
	e.spend(len(e.buffer)/8 + int(e.doc[at].size))
	return e.buffer
}

func (e *evaluation) matches(expression jsonschema.Regexp, text string) bool {
	p, ok := expression.(*pattern)
	return ok && e.spend(1+p.cost*len(text)) && p.MatchString(text)
}

func (e *evaluation) hasFormat(p *part, text string) bool {
	if p.Format.Name != "regex" {
		return e.spend(len(text)) && p.Format.Validate(text) == nil && (p.shape == nil || p.shape.MatchString(text))
	}
	if len(text) > maxPattern || !e.spend(200*len(text)) {
		return false
	}
	_, err := syntax.Parse(text, syntax.Perl) // compiling takes much memory
	return err == nil
}
