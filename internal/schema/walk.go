package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"orgsettings/internal/settings"
)

// checkText returns an error unless text is a JSON object, as strict as a document, with bounded levels and numbers.
func checkText(text []byte) error {
	if _, err := settings.ParseDocument(text); err != nil {
		if invalid, ok := errors.AsType[*settings.InvalidError](err); ok {
			return fmt.Errorf("schema is not a JSON object: %s", invalid.Detail())
		}
		return err
	}
	d := jsontext.NewDecoder(bytes.NewReader(text))
	for depth := 0; ; {
		token, err := d.ReadToken()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		switch token.Kind() {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '0':
			if n := parseDecimal(token.String()); len(n.digits) > maxDigits || n.exponent > maxDigits || n.exponent < -maxDigits {
				return fmt.Errorf("%s: the number has more than %d digits", d.StackPointer(), maxDigits)
			}
		}
		if depth > maxDepth {
			return fmt.Errorf("%.256s: the schema is deeper than %d levels", d.StackPointer(), maxDepth)
		}
	}
}

// Bounds of a schema.
const (
	maxDepth  = 200       // levels
	maxDigits = 1_000     // of a number that is written out
	maxCount  = 1_000_000 // of minLength, maxItems and the like

	maxSubschemas   = 10_000
	maxPlaces       = 8 << 20 // bytes of the subschemas' pointers and URIs, all together
	maxInstructions = 200_000 // of the patterns, all together
)

// walker collects the subschemas and checks what the library does not.
type walker struct {
	forms      map[string]form
	places     map[string]place // by JSON Pointer
	order      []string         // the pointers, inner ones first
	targets    map[string]bool  // each subschema, by all URIs that it has
	references []reference
	resources  int

	subschemas, bytes, instructions int // see the bounds
}

type place struct {
	resource int
	object   map[string]any // nil for true and false
}

// resource is the document or a part of it with an $id.
type resource struct {
	number  int
	uri     *url.URL
	pointer string // where it begins
}

type reference struct {
	pointer, keyword, text string
	target                 string
}

// form says what the value of a keyword is.
type form int

const (
	plain      form = iota + 1
	count           // a number of things
	schemaForm      // a schema
	list            // a list of schemas
	table           // an object of schemas
)

// keywords returns those of draft 2020-12. definitions is $defs of older drafts, which the meta-schema still has.
func keywords() map[string]form {
	forms := make(map[string]form)
	for f, names := range map[form]string{
		plain: "$schema $id $ref $anchor $dynamicRef $dynamicAnchor $vocabulary $comment type const enum multipleOf maximum " +
			"exclusiveMaximum minimum exclusiveMinimum pattern uniqueItems required dependentRequired title description default " +
			"deprecated readOnly writeOnly examples format contentEncoding contentMediaType",
		count:      "maxLength minLength maxItems minItems maxContains minContains maxProperties minProperties",
		schemaForm: "additionalProperties propertyNames not if then else contains items unevaluatedItems unevaluatedProperties contentSchema",
		list:       "allOf anyOf oneOf prefixItems",
		table:      "$defs definitions properties patternProperties dependentSchemas",
	} {
		for name := range strings.FieldsSeq(names) {
			forms[name] = f
		}
	}
	return forms
}

// walk visits the subschema v. within are the resources that it is in, the innermost one last. It leaves values of a wrong
// type to the meta-schema.
func (w *walker) walk(v any, pointer string, within []resource) error {
	if w.subschemas++; w.subschemas > maxSubschemas {
		return fmt.Errorf("%.256s: the schema has more than %d subschemas", pointer, maxSubschemas)
	}
	object, isObject := v.(map[string]any)
	if id, ok := object["$id"].(string); ok {
		inner := within[len(within)-1]
		uri, err := inner.uri.Parse(id)
		if err != nil || strings.TrimSuffix(id, "#") == "" {
			return fmt.Errorf("%s/$id: is not a URI reference of its own", pointer)
		}
		uri.Fragment = ""
		w.resources++
		within = append(slices.Clone(within), resource{w.resources, uri, pointer})
	}
	inner := within[len(within)-1]
	if w.target(pointer, within, object); w.bytes > maxPlaces {
		return fmt.Errorf("%.256s: the names on the way to this and other subschemas are too long together", pointer)
	}
	if !isObject {
		w.places[pointer] = place{resource: inner.number}
		w.order = append(w.order, pointer)
		return nil
	}
	if dialect, ok := object["$schema"].(string); ok && strings.TrimSuffix(dialect, "#") != jsonschema.Draft2020.String() {
		return fmt.Errorf("%s/$schema: %q is another dialect than %s", pointer, dialect, jsonschema.Draft2020)
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value, at := object[name], below(pointer, name)
		sub := func(v any, token string) error { return w.walk(v, below(at, token), within) }
		var err error
		if values, ok := value.([]any); name == "enum" && ok && len(values) == 0 {
			err = fmt.Errorf("%s: allows no value", at)
		}
		switch w.forms[name] {
		case 0:
			err = fmt.Errorf("%s: unknown keyword; notes belong in $comment or description", at)
		case count:
			if number, ok := value.(json.Number); ok && parseDecimal(string(number)).compare(parseDecimal(fmt.Sprint(maxCount))) > 0 {
				err = fmt.Errorf("%s: is more than %d", at, maxCount)
			}
		case schemaForm:
			err = w.walk(value, at, within)
		case list:
			items, _ := value.([]any)
			for i, item := range items {
				if err == nil {
					err = sub(item, fmt.Sprint(i))
				}
			}
		case table:
			members, _ := value.(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(members)) {
				if err == nil {
					err = sub(members[name], name)
				}
			}
		}
		if err == nil {
			err = w.checkPatterns(name, value, at)
		}
		if text, ok := value.(string); ok && (name == "$ref" || name == "$dynamicRef") {
			uri, parseErr := inner.uri.Parse(text)
			if parseErr != nil {
				return fmt.Errorf("%s: is not a URI reference", at)
			}
			w.references = append(w.references, reference{pointer, name, text, target(uri, uri.Fragment)})
		}
		if err != nil {
			return err
		}
	}
	w.places[pointer] = place{inner.number, object}
	w.order = append(w.order, pointer)
	return nil
}

// checkPatterns refuses a pattern that is none, of these two keywords.
func (w *walker) checkPatterns(keyword string, value any, pointer string) error {
	patterns := make(map[string]string) // by place
	switch text, isText := value.(string); {
	case keyword == "pattern" && isText:
		patterns[pointer] = text
	case keyword == "patternProperties":
		members, _ := value.(map[string]any)
		for name := range members {
			patterns[below(pointer, name)] = name
		}
	}
	for place, pattern := range patterns {
		p, err := parsePattern(pattern)
		if err != nil {
			return fmt.Errorf("%s: %w", place, err)
		}
		if w.instructions += len(p.Inst); w.instructions > maxInstructions {
			return fmt.Errorf("%.256s: the patterns are too large together", place)
		}
	}
	return nil
}

// target notes by what URIs the subschema at pointer can be referred to.
func (w *walker) target(pointer string, within []resource, object map[string]any) {
	for _, r := range within {
		uri := target(r.uri, pointer[len(r.pointer):])
		w.targets[uri] = true
		w.bytes += len(uri)
	}
	for _, keyword := range []string{"$anchor", "$dynamicAnchor"} {
		if anchor, ok := object[keyword].(string); ok {
			w.targets[target(within[len(within)-1].uri, anchor)] = true
		}
	}
}

func target(uri *url.URL, fragment string) string {
	bare := *uri
	bare.Fragment, bare.RawFragment = "", ""
	return bare.String() + "#" + fragment
}

// checkReferences refuses a reference to anything but a subschema of the same text.
func (w *walker) checkReferences() error {
	for _, r := range w.references {
		if w.targets[r.target] {
			continue
		}
		document, _, _ := strings.Cut(r.target, "#")
		why := "no schema is there"
		if !w.targets[document+"#"] {
			why = "that is another document, and none is fetched"
		}
		return fmt.Errorf("%s/%s: refers to %.200q: %s", r.pointer, r.keyword, r.text, why)
	}
	return nil
}

// below returns the JSON Pointer (RFC 6901) of what is at the tokens in the value at pointer.
func below(pointer string, tokens ...string) string {
	p := jsontext.Pointer(pointer)
	for _, token := range tokens {
		p = p.AppendToken(token)
	}
	return string(p)
}
