package apigw

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// reader reads a payload. Header fields and queries may hold anything: names that are not UTF-8, and so may come twice,
// are no reason to fail.
type reader struct{ *jsontext.Decoder }

func newReader(payload []byte) reader {
	return reader{jsontext.NewDecoder(bytes.NewBuffer(payload), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// Targets of [reader.read], beside *string and *bool.
type (
	members map[string]any                 // targets of the members of an object, by name
	object  func(name string) (target any) // tells the target of each member
	list    func(element string) error     // gets each element of an array of strings
	text    func(string) error             // gets a string
	literal func(jsontext.Value) error     // gets a string as it is written
)

// read reads the next value into target. It skips null and, if target is nil, any value.
func (r reader) read(target any) error {
	kind := r.PeekKind()
	if target == nil || kind == 'n' {
		return r.SkipValue()
	}
	switch to := target.(type) {
	case members:
		return r.read(object(func(name string) any { return to[name] }))
	case object:
		return r.each('{', "an object", func() error {
			name, err := r.ReadToken()
			if err != nil {
				return err
			}
			return r.read(to(name.String()))
		})
	case list:
		return r.each('[', "an array", func() error { return r.read(text(to)) })
	case *string:
		return r.read(literal(func(v jsontext.Value) error { *to = unquoted(v); return nil }))
	case text:
		return r.read(literal(func(v jsontext.Value) error { return to(unquoted(v)) }))
	case literal:
		if kind != '"' {
			return r.refuse("a string")
		}
		v, err := r.ReadValue()
		if err != nil {
			return err
		}
		return to(v)
	case *bool:
		if kind != 't' && kind != 'f' {
			return r.refuse("a boolean")
		}
		t, err := r.ReadToken()
		*to = err == nil && t.Bool()
		return err
	default:
		panic(fmt.Sprintf("target is a %T", target))
	}
}

// each steps into the next value and calls read before each member or element.
func (r reader) each(open jsontext.Kind, what string, read func() error) error {
	if r.PeekKind() != open {
		return r.refuse(what)
	}
	_, err := r.ReadToken()
	for err == nil && r.PeekKind() != open+2 { // } and ] are two behind { and [
		err = read()
	}
	if err == nil {
		_, err = r.ReadToken()
	}
	return err
}

// refuse returns an error that says where the next value is and that it is not what is needed.
func (r reader) refuse(what string) error {
	if _, err := r.ReadToken(); err != nil {
		return err
	}
	return fmt.Errorf("%s is not %s", cmp.Or(string(r.StackPointer()), "the payload"), what)
}

// end returns an error unless everything is read.
func (r reader) end() error {
	switch _, err := r.ReadToken(); err {
	case io.EOF:
		return nil
	case nil:
		return errors.New("more than one value")
	default:
		return err
	}
}

// unquoted returns what a string stands for. What is no valid UTF-8 in it is replaced.
func unquoted(v jsontext.Value) string {
	s, _ := jsontext.AppendUnquote(nil, v)
	return string(s)
}
