package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// part is a subschema with what its evaluation needs at hand.
type part struct {
	*jsonschema.Schema
	resource int
	pointer  string // of the subschema

	types  []typeName
	sets   []set   // const and enum
	sizes  []size  // minLength, maxItems and the like
	bounds []bound // minimum and the like
	step   *decimal
	shape  *regexp.Regexp // of format

	typeWords, stepWords string
}

type typeName string

// set is what const or enum allows, as canonical texts.
type set struct {
	texts map[string]bool
	words string
}

// size bounds how many things a value of this kind has.
type size struct {
	kind  jsontext.Kind
	most  bool
	limit int
	words string
}

// bound bounds a number: the comparison with limit must give least or more, and most or less.
type bound struct {
	limit       decimal
	least, most int
	words       string
}

// dynamicAnchor names a $dynamicAnchor.
type dynamicAnchor struct {
	resource int
	name     string
}

func newPart(s *jsonschema.Schema, object map[string]any) (*part, error) {
	p := &part{Schema: s}
	if name, ok := object["format"].(string); ok {
		if s.Format == nil || s.Format.Name == "uri-template" { // the library refuses most of these
			return nil, fmt.Errorf("unknown format %.100q", name)
		}
		p.shape = shapes[name]
	}
	if s.Types != nil {
		var words []string
		for _, name := range s.Types.ToStrings() {
			p.types = append(p.types, typeName(name))
			words = append(words, typeName(name).words())
		}
		p.typeWords = "must be " + strings.Join(words, " or ")
	}
	if s.Const != nil {
		if err := p.allow(*s.Const); err != nil {
			return nil, err
		}
	}
	if s.Enum != nil {
		if err := p.allow(s.Enum.Values...); err != nil {
			return nil, err
		}
	}
	for _, l := range []struct {
		kind  jsontext.Kind
		limit *int
		most  bool
		unit  string
	}{
		{'"', s.MinLength, false, "character"}, {'"', s.MaxLength, true, "character"},
		{'[', s.MinItems, false, "item"}, {'[', s.MaxItems, true, "item"},
		{'{', s.MinProperties, false, "member"}, {'{', s.MaxProperties, true, "member"},
	} {
		if l.limit != nil {
			words := "must have at least " + plural(*l.limit, l.unit)
			if l.most {
				words = "must have at most " + plural(*l.limit, l.unit)
			}
			p.sizes = append(p.sizes, size{l.kind, l.most, *l.limit, words})
		}
	}
	for _, b := range []struct {
		limit       *big.Rat
		least, most int
		words       string
	}{
		{s.Minimum, 0, 1, "must be at least "}, {s.ExclusiveMinimum, 1, 1, "must be more than "},
		{s.Maximum, -1, 0, "must be at most "}, {s.ExclusiveMaximum, -1, -1, "must be less than "},
	} {
		if b.limit != nil {
			p.bounds = append(p.bounds, bound{exact(b.limit), b.least, b.most, b.words + shortened(decimalText(b.limit))})
		}
	}
	if s.MultipleOf != nil {
		step := exact(s.MultipleOf)
		p.step, p.stepWords = &step, "must be a multiple of "+shortened(decimalText(s.MultipleOf))
	}
	return p, nil
}

// allow adds the set of these values.
func (p *part) allow(values ...any) error {
	allowed := set{texts: make(map[string]bool), words: "must be "}
	if len(values) > 1 {
		allowed.words = "must be one of "
	}
	for i, value := range values {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			return err
		}
		t, err := parse(bytes.TrimSpace(text.Bytes()))
		if err != nil {
			return err
		}
		allowed.texts[string(t.appendCanonical(nil, 0))] = true
		if len(allowed.words) < maxWords {
			allowed.words += strings.TrimSpace(text.String())
			if i < len(values)-1 {
				allowed.words += ", "
			}
		}
	}
	allowed.words = shortened(allowed.words)
	p.sets = append(p.sets, allowed)
	return nil
}

// inPlace returns the subschemas that apply to the same value.
func (p *part) inPlace() []*jsonschema.Schema {
	subs := append(append(append([]*jsonschema.Schema{p.Ref, p.Not, p.If, p.Then, p.Else}, p.AllOf...), p.AnyOf...), p.OneOf...)
	if p.DynamicRef != nil {
		subs = append(subs, p.DynamicRef.Ref)
	}
	for _, sub := range p.DependentSchemas {
		subs = append(subs, sub)
	}
	return slices.DeleteFunc(subs, func(s *jsonschema.Schema) bool { return s == nil })
}

func (t typeName) words() string {
	switch t {
	case "null":
		return "null"
	case "boolean":
		return "true or false"
	case "array", "object", "integer":
		return "an " + string(t)
	}
	return "a " + string(t)
}

// has says whether a value is of the type.
func (t typeName) has(n *node) bool {
	switch t {
	case "null":
		return n.kind == 'n'
	case "boolean":
		return n.kind == 't' || n.kind == 'f'
	case "number":
		return n.kind == '0'
	case "integer":
		return n.whole
	case "string":
		return n.kind == '"'
	case "array":
		return n.kind == '['
	}
	return n.kind == '{'
}

// decimalText writes a number of a schema, all of which are decimal fractions.
func decimalText(r *big.Rat) string {
	digits, _ := r.FloatPrec()
	return r.FloatString(digits)
}

func exact(r *big.Rat) decimal { return parseDecimal(decimalText(r)) }

func plural(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// maxWords bounds what an error tells of a schema or of a name, in bytes.
const maxWords = 200

// shortened cuts a text that is longer than [maxWords].
func shortened(text string) string {
	if len(text) <= maxWords {
		return text
	}
	return strings.ToValidUTF8(text[:maxWords], "") + "…"
}

// shapes are formats of which the library accepts more than their RFC: digits with signs, parts left out, other characters.
var shapes = map[string]*regexp.Regexp{
	"ipv4":          regexp.MustCompile(`^\d{1,3}(\.\d{1,3}){3}$`),                                                         // RFC 2673, section 3.2
	"time":          regexp.MustCompile(`^` + timeShape + `$`),                                                             // RFC 3339, section 5.6
	"date-time":     regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]` + timeShape + `$`),                                          // the same
	"duration":      regexp.MustCompile(`^P(\d+W|T` + clock + `|(\d+Y(\d+M(\d+D)?)?|\d+M(\d+D)?|\d+D)(T` + clock + `)?)$`), // RFC 3339, appendix A
	"email":         regexp.MustCompile(`^[^\x00-\x1f\x7f]+@`),                                                             // RFC 5321, section 4.1.2
	"uri":           regexp.MustCompile("^[A-Za-z][A-Za-z0-9+.-]*:" + uriShape + "+$"),                                     // RFC 3986, appendix A
	"uri-reference": regexp.MustCompile("^" + uriShape + "*$"),                                                             // the same
}

const (
	timeShape = `\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)`
	clock     = `(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S)`
	uriShape  = `([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})`
)

// maxPattern bounds a pattern, in bytes. In a document, these are the strings of format regex.
const maxPattern = 1_000

// pattern is a regular expression in the syntax of RE2, which needs time in proportion to the text.
type pattern struct {
	*regexp.Regexp
	cost int // for each character
}

func compilePattern(text string) (jsonschema.Regexp, error) {
	program, err := parsePattern(text)
	if err != nil {
		return nil, err
	}
	compiled, err := regexp.Compile(text)
	return &pattern{compiled, 1 + len(program.Inst)/8}, err
}

func parsePattern(text string) (*syntax.Prog, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("the pattern is longer than %d bytes", maxPattern)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("not a pattern of RE2: %w", err)
	}
	return syntax.Compile(parsed.Simplify())
}
