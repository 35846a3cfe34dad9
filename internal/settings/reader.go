package settings

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// The readers of this file take I-JSON as far as RFC 7493 speaks of text: valid
// JSON (RFC 8259) and UTF-8, without unpaired surrogates and without duplicate
// names at any depth; nothing may come before or after the value. Numbers may
// have any size. Names are compared exactly.
//
// A reader takes the text over: the caller must not use it again.

// MaxKeys bounds how many keys are removed at once.
const MaxKeys = 1_000

// InvalidError says why a text is not what it should be, and where.
type InvalidError struct {
	Kind    string // what is wrong in words of ours, without any of the text
	Reason  string // what is wrong for the one who sent the text; it may quote a few characters of it
	Pointer string // the place (RFC 6901), cut where it is very long; empty where there is none
	Offset  int64  // the place in bytes from the start of the text; negative where there is none
}

// NewInvalidError returns an error without a place. Its text must hold nothing
// of what was sent.
func NewInvalidError(what string) *InvalidError { return invalid(what, "", -1) }

// Error tells the kind and the offset, and nothing of the text: it may be logged.
func (e *InvalidError) Error() string { return e.Kind + e.offset() }

// Detail tells the sender what is wrong and where.
func (e *InvalidError) Detail() string {
	if e.Pointer == "" {
		return e.Reason + e.offset()
	}
	return fmt.Sprintf("%s at %s (byte %d)", e.Reason, e.Pointer, e.Offset)
}

func (e *InvalidError) offset() string {
	if e.Offset < 0 {
		return ""
	}
	return fmt.Sprintf(" at byte %d", e.Offset)
}

// ParseDocument reads body as a document. Errors: [*InvalidError], [*TooLargeError].
func ParseDocument(body []byte) (Document, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	if err := expect(d, body, '{', ""); err != nil {
		return Document{}, err
	}
	value, err := d.ReadValue()
	if err != nil {
		return Document{}, syntaxError(err)
	}
	end := int(d.InputOffset())
	if err := expectEnd(body, end); err != nil {
		return Document{}, err
	}
	start := end - len(value)
	return compact(body[start:end], start)
}

// ParseDocumentMember reads the document that the JSON object body holds as its
// member name. Other members are checked and left aside. Errors:
// [*InvalidError], [*TooLargeError].
func ParseDocumentMember(body []byte, name string) (Document, error) {
	text, start, err := readMember(body, name, '{')
	if err != nil {
		return Document{}, err
	}
	return compact(text, start)
}

// ParseKeysMember reads the list of one to [MaxKeys] strings that the JSON object
// body holds as its member name. Other members are checked and left aside.
// Error: [*InvalidError].
func ParseKeysMember(body []byte, name string) ([]string, error) {
	text, start, err := readMember(body, name, '[')
	if err != nil {
		return nil, err
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(text))
	if _, err := d.ReadToken(); err != nil {
		return nil, syntaxError(err)
	}
	var keys []string
	for d.PeekKind() != ']' {
		if d.PeekKind() != '"' {
			return nil, invalid("a key is not a string", fmt.Sprintf("/%s/%d", name, len(keys)), start+nextOffset(d, text))
		}
		key, err := d.ReadToken()
		if err != nil {
			return nil, syntaxError(err)
		}
		keys = append(keys, key.String())
	}
	return keys, CheckKeys(keys)
}

// CheckKeys returns an [*InvalidError] unless keys are one to [MaxKeys].
func CheckKeys(keys []string) error {
	if len(keys) == 0 || len(keys) > MaxKeys {
		return NewInvalidError(fmt.Sprintf("%d keys are given, 1 to %d are allowed", len(keys), MaxKeys))
	}
	return nil
}

// readMember reads the JSON object body and returns the text of its member name,
// which must begin as kind says, and where in body it starts.
func readMember(body []byte, name string, kind jsontext.Kind) (text []byte, start int, err error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	if err := expect(d, body, '{', ""); err != nil {
		return nil, 0, err
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, 0, syntaxError(err)
	}
	for d.PeekKind() == '"' {
		member, err := d.ReadToken()
		if err != nil {
			return nil, 0, syntaxError(err)
		}
		wanted := member.String() == name
		if wanted {
			if err := expect(d, body, kind, "/"+name); err != nil {
				return nil, 0, err
			}
		}
		value, err := d.ReadValue()
		if err != nil {
			return nil, 0, syntaxError(err)
		}
		if wanted {
			end := int(d.InputOffset())
			start = end - len(value)
			text = body[start:end]
		}
	}
	if _, err := d.ReadToken(); err != nil { // the closing brace
		return nil, 0, syntaxError(err)
	}
	end := int(d.InputOffset())
	if err := expectEnd(body, end); err != nil {
		return nil, 0, err
	}
	if text == nil {
		return nil, 0, invalid(fmt.Sprintf("%q is missing", name), "", end)
	}
	return text, start, nil
}

// expect refuses the next value of d if it does not begin as kind says. pointer
// is its place.
func expect(d *jsontext.Decoder, text []byte, kind jsontext.Kind, pointer string) error {
	names := map[jsontext.Kind]string{
		'n': "null", 't': "a boolean", 'f': "a boolean", '"': "a string", '0': "a number", '[': "an array", '{': "an object",
	}
	found := d.PeekKind()
	if found == kind {
		return nil
	}
	offset := nextOffset(d, text)
	switch {
	case names[found] != "":
		return invalid(names[kind]+" is needed, this is "+names[found], pointer, offset)
	case offset == len(text):
		return invalid(names[kind]+" is needed, the text ends", pointer, offset)
	default:
		_, err := d.ReadToken()
		return syntaxError(err)
	}
}

// nextOffset returns where in text the next value of d starts.
func nextOffset(d *jsontext.Decoder, text []byte) int {
	return len(text) - len(bytes.TrimLeft(text[d.InputOffset():], whiteSpace+":,"))
}

// expectEnd refuses a text that goes on behind its value.
func expectEnd(text []byte, end int) error {
	if rest := bytes.TrimLeft(text[end:], whiteSpace); len(rest) > 0 {
		return invalid("text after the JSON value", "", len(text)-len(rest))
	}
	return nil
}

// whiteSpace is what JSON allows between tokens (RFC 8259 section 2).
const whiteSpace = " \t\r\n"

func invalid(what, pointer string, offset int) *InvalidError {
	return &InvalidError{Kind: what, Reason: what, Pointer: pointer, Offset: int64(offset)}
}

// syntaxError turns an error of a decoder into an [InvalidError].
func syntaxError(err error) error {
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		return fmt.Errorf("read JSON: %w", err)
	}
	e := &InvalidError{
		Kind:    "invalid JSON",
		Reason:  "invalid JSON: " + syntax.Err.Error(),
		Pointer: cutPointer(string(syntax.JSONPointer)),
		Offset:  syntax.ByteOffset,
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		e.Kind = "duplicate name"
		e.Reason = e.Kind
	}
	return e
}

// cutPointer bounds a pointer into a text whose names may be of any length.
func cutPointer(pointer string) string {
	const most = 256
	if len(pointer) <= most {
		return pointer
	}
	cut := most
	for !utf8.RuneStart(pointer[cut]) {
		cut--
	}
	return pointer[:cut] + "…"
}
