package schema

import (
	"bytes"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// tree is a document: the values in the order of the text, each before what it contains.
type tree []node

type node struct {
	kind  jsontext.Kind
	whole bool   // a number without a fraction, as 1.0
	size  int32  // how many nodes the value has, itself included
	name  string // of the member of an object
	text  string // of a number; what a string stands for
}

// parse reads text, which is a JSON value.
func parse(text []byte) (tree, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true))
	values := bytes.Count(text, []byte{','}) + bytes.Count(text, []byte{'{'}) + bytes.Count(text, []byte{'['})
	t := make(tree, 0, 1+values)
	err := t.read(d, string(text), "")
	return t, err
}

// read adds the next value of d, whose text is whole.
func (t *tree) read(d *jsontext.Decoder, whole, name string) error {
	at := len(*t)
	kind := d.PeekKind()
	n := node{kind: kind, name: name}
	if kind != '{' && kind != '[' {
		text, err := readScalar(d, whole)
		n.text, n.size, n.whole = text, 1, kind == '0' && parseDecimal(text).isInteger()
		*t = append(*t, n)
		return err
	}
	*t = append(*t, n)
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for end := kind + 2; d.PeekKind() != end; { // '{' and '[' are two below their ends
		if kind == '{' {
			var err error
			if name, err = readScalar(d, whole); err != nil {
				return err
			}
		}
		if err := t.read(d, whole, name); err != nil {
			return err
		}
	}
	(*t)[at].size = int32(len(*t) - at)
	_, err := d.ReadToken()
	return err
}

func readScalar(d *jsontext.Decoder, whole string) (string, error) {
	value, err := d.ReadValue()
	if err != nil {
		return "", err
	}
	if value[0] == '"' && bytes.IndexByte(value, '\\') >= 0 {
		text, err := jsontext.AppendUnquote(nil, value)
		return string(text), err
	}
	end := int(d.InputOffset())
	return strings.Trim(whole[end-len(value):end], `"`), nil
}

// children yields the values directly in the one at this index.
func (t tree) children(at int) iter.Seq[int] {
	return func(yield func(int) bool) {
		end := at + int(t[at].size)
		for child := at + 1; child < end && yield(child); child += int(t[child].size) {
		}
	}
}

func (t tree) count(at int) (n int) {
	for range t.children(at) {
		n++
	}
	return n
}

// member returns the index of a member of an object, or 0.
func (t tree) member(at int, name string) int {
	for child := range t.children(at) {
		if t[child].name == name {
			return child
		}
	}
	return 0
}

// pointer returns the JSON Pointer (RFC 6901) of the value at this index, or what [shortened] leaves of it and some more.
func (t tree) pointer(at int) (pointer string) {
	for here := 0; here != at && len(pointer) <= maxWords; {
		i := 0
		for child := range t.children(here) {
			if at < child+int(t[child].size) {
				token := strconv.Itoa(i)
				if t[here].kind == '{' {
					token = t[child].name
				}
				pointer, here = below(pointer, token), child
				break
			}
			i++
		}
	}
	return pointer
}

// appendCanonical appends a text that equal values share and unequal ones do not.
func (t tree) appendCanonical(b []byte, at int) []byte {
	n := t[at]
	b = append(b, byte(n.kind))
	switch n.kind {
	case '0':
		b = append(parseDecimal(n.text).appendCanonical(b), ';')
	case '"':
		b = appendSized(b, n.text)
	case '[':
		for child := range t.children(at) {
			b = t.appendCanonical(b, child)
		}
		b = append(b, ']')
	case '{':
		members := slices.Collect(t.children(at))
		slices.SortFunc(members, func(a, b int) int { return strings.Compare(t[a].name, t[b].name) })
		for _, member := range members {
			b = t.appendCanonical(appendSized(b, t[member].name), member)
		}
		b = append(b, '}')
	}
	return b
}

func appendSized(b []byte, text string) []byte {
	return append(append(strconv.AppendInt(b, int64(len(text)), 10), ':'), text...)
}
