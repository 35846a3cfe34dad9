// Package schema compiles a JSON Schema (draft 2020-12) and checks documents against it.
//
// The library jsonschema reads the schema: it checks it against the meta-schema, resolves references and knows the
// formats. Documents are evaluated here and not by the library, because it has no bounds: it keeps every violation with
// its path, compares the items of an array pairwise in the worst case, and expands exponents of numbers. A test compares
// the two. The package knows nothing of HTTP or files.
package schema

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// MaxBytes bounds the text of a schema.
const MaxBytes = 200_000

// root is the base URI of a schema without $id. Nothing is ever fetched from it.
const root = "file:///settings.schema.json"

// Schema is a compiled schema. It is safe for concurrent use.
type Schema struct {
	text    []byte
	parts   map[*jsonschema.Schema]*part
	root    *part
	anchors map[dynamicAnchor]*part
}

// Text returns the text that was compiled. It must not be changed.
func (s *Schema) Text() []byte { return s.text }

// Compile returns the schema of a text. It refuses what it would not assert in full: another dialect than 2020-12, an
// unknown keyword or format, a reference to another document, a reference that leads back to itself. The error says what
// is wrong and where, as JSON Pointer (RFC 6901).
func Compile(text []byte) (*Schema, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("schema has %d bytes, the limit is %d", len(text), MaxBytes)
	}
	w := walker{forms: keywords(), places: make(map[string]place), targets: make(map[string]bool)}
	if err := checkText(text); err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(root)
	if err != nil {
		return nil, err
	}
	if err := w.walk(doc, "", []resource{{uri: base}}); err != nil {
		return nil, err
	}
	if err := w.checkReferences(); err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(noLoader{})
	c.UseRegexpEngine(compilePattern)
	if err := c.AddResource(root, doc); err != nil {
		return nil, err
	}
	s := &Schema{text: text, parts: make(map[*jsonschema.Schema]*part), anchors: make(map[dynamicAnchor]*part)}
	for _, pointer := range w.order { // inner ones first: the library is quadratic in what it does not know yet
		compiled, err := c.Compile(location(pointer))
		if err != nil {
			return nil, explain(err, pointer)
		}
		at := w.places[pointer]
		p, err := newPart(compiled, at.object)
		if err != nil {
			return nil, fmt.Errorf("%s/format: %w", pointer, err)
		}
		p.resource, p.pointer = at.resource, pointer
		s.parts[compiled] = p
		if compiled.DynamicAnchor != "" {
			s.anchors[dynamicAnchor{at.resource, compiled.DynamicAnchor}] = p
		}
		s.root = p
	}
	if types := s.root.types; len(types) > 0 && !slices.Contains(types, "object") {
		return nil, errors.New("/type: no document can obey it, because every document is an object")
	}
	return s, s.checkCycles()
}

// noLoader is asked for a document that is neither the schema nor a meta-schema.
type noLoader struct{}

func (noLoader) Load(string) (any, error) { return nil, errors.New("no other document is read") }

// location returns the URL by which the library knows a place.
func location(pointer string) string {
	tokens := strings.Split(pointer, "/")
	for i := range tokens {
		tokens[i] = url.PathEscape(tokens[i])
	}
	return root + "#" + strings.Join(tokens, "/")
}

// explain returns an error of the library as one line. Of the violations of the meta-schema it tells the innermost one.
func explain(err error, pointer string) error {
	var invalid *jsonschema.SchemaValidationError
	var violation *jsonschema.ValidationError
	if !errors.As(err, &invalid) || !errors.As(invalid.Err, &violation) {
		return fmt.Errorf("%s: %s", cmp.Or(pointer, "schema"), strings.ReplaceAll(err.Error(), root, ""))
	}
	best := violation
	var visit func(*jsonschema.ValidationError)
	visit = func(v *jsonschema.ValidationError) {
		if len(v.Causes) == 0 && (len(best.Causes) > 0 || len(v.InstanceLocation) > len(best.InstanceLocation)) {
			best = v
		}
		for _, cause := range v.Causes {
			visit(cause)
		}
	}
	visit(violation)
	_, why, _ := strings.Cut(best.Error(), "': ")
	return fmt.Errorf("%s: %s", cmp.Or(below("", best.InstanceLocation...), "schema"), why)
}

// checkCycles refuses references that lead back to themselves without a step into the document: no evaluation would end.
func (s *Schema) checkCycles() error {
	const open, done = 1, 2
	state := make(map[*part]int)
	var visit func(p *part) error
	visit = func(p *part) error {
		switch state[p] {
		case open:
			return fmt.Errorf("%s: a reference leads back to this schema, so that no check would end", cmp.Or(p.pointer, "schema"))
		case done:
			return nil
		}
		state[p] = open
		for _, sub := range p.inPlace() {
			if err := visit(s.parts[sub]); err != nil {
				return err
			}
		}
		state[p] = done
		return nil
	}
	var places []*part
	for _, p := range s.parts {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b *part) int { return strings.Compare(a.pointer, b.pointer) })
	for _, p := range places {
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}
