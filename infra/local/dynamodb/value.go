package dynamodb

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The limits of an item. Sizes are in bytes.
const (
	maxItem     = 400 << 10
	maxHashKey  = 2 << 10
	maxRangeKey = 1 << 10
	maxName     = 64<<10 - 1
	maxNesting  = 31 // lists and maps around one another
)

// item is a set of attributes by name. The nil item is one that does not exist.
type item map[string]value

// ItemSize returns how many bytes DynamoDB counts for an item, given in the JSON of its API.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func ItemSize(text []byte) (int, error) {
	var it item
	if err := json.Unmarshal(text, &it); err != nil {
		return 0, fmt.Errorf("read an item: %w", err)
	}
	return it.size(), nil
}

func (it item) size() int {
	size := 0
	for name, v := range it {
		size += len(name) + v.size
	}
	return size
}

func (it item) check() error {
	for name, v := range it {
		if v.nesting > maxNesting {
			return invalid("attribute %q nests deeper than %d levels", name, maxNesting)
		}
	}
	if size := it.size(); size > maxItem {
		return invalid("item size of %d bytes exceeds the maximum of %d", size, maxItem)
	}
	return checkNames(it)
}

func (it item) project(attributes []string) item {
	projected := make(item)
	for _, name := range attributes {
		if v, ok := it[name]; ok {
			projected[name] = v
		}
	}
	return projected
}

func checkNames(attributes item) error {
	for name := range attributes {
		if name == "" || len(name) > maxName {
			return invalid("attribute name of %d bytes is not of 1 to %d", len(name), maxName)
		}
	}
	return nil
}

// value is an attribute value. It keeps the JSON text of its content as it was sent.
type value struct {
	kind     string // S, N, B, BOOL, NULL, M, L, SS, NS or BS
	content  json.RawMessage
	scalars  []scalar // one of an S, N or B
	members  item     // of an M
	elements []value  // of an L
	size     int      // by the rules of DynamoDB's "item sizes and formats"
	nesting  int      // levels of lists and maps
}

func (v value) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{%q:%s}`, v.kind, v.content), nil
}

func (v *value) UnmarshalJSON(text []byte) error {
	var typed map[string]json.RawMessage
	if err := json.Unmarshal(text, &typed); err != nil {
		return err
	}
	if len(typed) != 1 {
		return invalid("an attribute value must have exactly one type")
	}
	for kind, content := range typed {
		*v = value{kind: kind, content: content}
	}
	if bytes.Equal(v.content, []byte("null")) {
		return invalid("an attribute value of type %s must not be null", v.kind)
	}
	return v.parse()
}

// parse reads and checks the content.
func (v *value) parse() error {
	switch v.kind {
	case "S", "N", "B", "SS", "NS", "BS":
		texts := make([]string, 1)
		dst := any(&texts)
		if v.isScalar() {
			dst = &texts[0]
		}
		if err := json.Unmarshal(v.content, dst); err != nil {
			return err
		}
		return v.add(texts)

	case "BOOL", "NULL":
		var truth bool
		if err := json.Unmarshal(v.content, &truth); err != nil {
			return err
		}
		if v.kind == "NULL" && !truth {
			return invalid("an attribute value of type NULL must be true")
		}
		v.size = 1
		return nil

	case "M":
		if err := json.Unmarshal(v.content, &v.members); err != nil {
			return err
		}
		v.size, v.nesting = 3, 1
		for name, member := range v.members {
			v.size += len(name)
			v.contain(member)
		}
		return checkNames(v.members)

	case "L":
		if err := json.Unmarshal(v.content, &v.elements); err != nil {
			return err
		}
		v.size, v.nesting = 3, 1
		for _, element := range v.elements {
			v.contain(element)
		}
		return nil
	}
	return invalid("attribute value type %q is not supported", v.kind)
}

func (v *value) contain(inner value) {
	v.size += 1 + inner.size
	v.nesting = max(v.nesting, 1+inner.nesting)
}

func (v *value) add(texts []string) error {
	for _, text := range texts {
		s, err := parseScalar(v.kind[:1], text)
		if err != nil {
			return err
		}
		v.scalars = append(v.scalars, s)
		v.size += s.size
	}
	if n := len(v.set()); n == 0 || n < len(texts) {
		return invalid("a set must not be empty or contain a value twice")
	}
	return nil
}

func (v value) set() map[scalar]bool {
	set := make(map[scalar]bool, len(v.scalars))
	for _, s := range v.scalars {
		set[s] = true
	}
	return set
}

// equal says whether two values are the same: numbers by value, sets and maps in any order.
func (v value) equal(w value) bool {
	if v.kind != w.kind || v.kind == "BOOL" && !bytes.Equal(v.content, w.content) {
		return false
	}
	return maps.Equal(v.set(), w.set()) && maps.EqualFunc(v.members, w.members, value.equal) &&
		slices.EqualFunc(v.elements, w.elements, value.equal)
}

func (v value) isScalar() bool { return v.kind == "S" || v.kind == "N" || v.kind == "B" }

// order compares S, N or B: numbers by value, the others bytewise.
func (v value) order(w value) int { return v.scalars[0].compare(w.scalars[0]) }

// scalar is the content of an S, N or B. Equal ones of a kind are ==.
type scalar struct {
	text   string // of an S; the bytes of a B
	number decimal
	size   int
}

func parseScalar(kind, text string) (scalar, error) {
	switch kind {
	case "N":
		number, err := parseDecimal(text)
		return scalar{number: number, size: number.size()}, err
	case "B":
		raw, err := base64.StdEncoding.Strict().DecodeString(text)
		return scalar{text: string(raw), size: len(raw)}, err
	}
	return scalar{text: text, size: len(text)}, nil
}

// compare orders scalars of a kind: numbers by value, the others bytewise.
func (s scalar) compare(t scalar) int {
	return cmp.Or(s.number.compare(t.number), strings.Compare(s.text, t.text))
}
