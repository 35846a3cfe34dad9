package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxKeys bounds how many keys are removed at once.
const MaxKeys = 1_000

// ParseDocument reads body as a document, which may share its memory. Errors:
// [*InvalidError], [*TooLargeError].
func ParseDocument(body []byte) (Document, error) {
	r := newReader(body)
	if err := r.expect('{'); err != nil {
		return Document{}, err
	}
	d, err := r.document()
	if err != nil {
		return Document{}, err
	}
	return d, r.expectEnd()
}

// ParseDocumentMember reads the document that the JSON object body holds as its
// member name, and may share its memory. The other members must be valid JSON and are
// ignored. Errors: [*InvalidError], [*TooLargeError].
func ParseDocumentMember(body []byte, name string) (Document, error) {
	r := newReader(body)
	var d Document
	err := r.member(name, '{', func() (err error) {
		d, err = r.document()
		return err
	})
	return d, err
}

// ParseKeysMember reads the list of one to [MaxKeys] strings that the JSON object
// body holds as its member name. The other members must be valid JSON and are
// ignored. Error: [*InvalidError].
func ParseKeysMember(body []byte, name string) ([]string, error) {
	r := newReader(body)
	var keys []string
	err := r.member(name, '[', func() error {
		if _, err := r.token(); err != nil {
			return err
		}
		for r.PeekKind() != ']' {
			key, err := r.value()
			if err != nil {
				return err
			}
			if key[0] != '"' {
				return invalid("a key is not a string", string(r.StackPointer()), int(r.InputOffset())-len(key))
			}
			keys = append(keys, unquoted(key))
		}
		_, err := r.token()
		return err
	})
	if err != nil {
		return nil, err
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

// decoderDepth is how deep the decoder follows a text. Members that are ignored may be that deep.
const decoderDepth = 10_000

// reader reads a text that must be one value of I-JSON (RFC 7493): the decoder
// refuses invalid UTF-8, unpaired surrogates and duplicate names. Every error that
// it returns is an [*InvalidError].
type reader struct {
	*jsontext.Decoder
	text []byte
}

func newReader(text []byte, options ...jsontext.Options) *reader {
	return &reader{Decoder: jsontext.NewDecoder(bytes.NewBuffer(text), options...), text: text}
}

// value reads the next value and returns its text, which is a part of the whole text.
func (r *reader) value() ([]byte, error) {
	v, err := r.ReadValue()
	if err != nil {
		return nil, r.invalid(err)
	}
	end := int(r.InputOffset())
	return r.text[end-len(v) : end], nil
}

func (r *reader) token() (jsontext.Token, error) {
	t, err := r.ReadToken()
	if err != nil {
		return t, r.invalid(err)
	}
	return t, nil
}

// member reads the whole text as an object, and its member name, which must be of
// this kind, by read.
func (r *reader) member(name string, kind jsontext.Kind, read func() error) error {
	if err := r.expect('{'); err != nil {
		return err
	}
	if _, err := r.token(); err != nil {
		return err
	}
	found := false
	for r.PeekKind() != '}' {
		t, err := r.token()
		if err != nil {
			return err
		}
		if t.String() != name {
			_, err = r.value()
		} else if err = r.expect(kind); err == nil {
			found = true
			err = read()
		}
		if err != nil {
			return err
		}
	}
	if _, err := r.token(); err != nil {
		return err
	}
	end := int(r.InputOffset())
	if err := r.expectEnd(); err != nil {
		return err
	}
	if !found {
		return invalid(fmt.Sprintf("%q is missing", name), "", end)
	}
	return nil
}

// expect refuses the next value unless it is of this kind.
func (r *reader) expect(kind jsontext.Kind) error {
	found := r.PeekKind()
	if found == kind {
		return nil
	}
	pointer := string(r.StackPointer())
	what, known := kindNames[found]
	if known {
		return invalid(kindNames[kind]+" is needed, this is "+what, pointer, r.next())
	}
	_, err := r.ReadToken()
	if r.next() == len(r.text) {
		return invalid(kindNames[kind]+" is needed, the text ends", pointer, len(r.text))
	}
	return r.invalid(err)
}

// expectEnd refuses a text that goes on after its value.
func (r *reader) expectEnd() error {
	at := r.next()
	if _, err := r.ReadToken(); err != io.EOF {
		return invalid("text after the JSON value", "", at)
	}
	return nil
}

var kindNames = map[jsontext.Kind]string{
	'{': "an object", '[': "an array", '"': "a string", '0': "a number", 't': "a boolean", 'f': "a boolean", 'n': "null",
}

// next returns where the next value begins. It is behind white space, and behind a
// colon or comma.
func (r *reader) next() int {
	at := int(r.InputOffset())
	return at + len(r.text[at:]) - len(bytes.TrimLeft(r.text[at:], " \t\r\n:,"))
}

// invalid turns an error of the decoder into an [*InvalidError].
func (r *reader) invalid(err error) error {
	syntactic, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok { // io.EOF: the decoder reads from memory
		return invalid("invalid JSON: unexpected EOF", string(r.StackPointer()), len(r.text))
	}
	at, pointer := int(syntactic.ByteOffset), string(syntactic.JSONPointer)
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return invalid("duplicate name", pointer, at)
	}
	if _, deep := compacted(r.text[:min(at+1, len(r.text))], decoderDepth); deep >= 0 {
		return tooDeep(deep)
	}
	e := invalid("invalid JSON", pointer, at)
	e.Reason += ": " + syntactic.Err.Error()
	return e
}

// document reads the next value, which is an object, as a document.
func (r *reader) document() (Document, error) {
	text, err := r.value()
	if err != nil {
		return Document{}, err
	}
	compact, deep := compacted(text, MaxDocumentDepth)
	if len(compact) > MaxDocumentBytes {
		return Document{}, &TooLargeError{Size: len(compact)}
	}
	if deep >= 0 {
		return Document{}, tooDeep(int(r.InputOffset()) - len(text) + deep)
	}
	return Document{text: compact}, nil
}

func tooDeep(offset int) *InvalidError {
	return invalid(fmt.Sprintf("nesting deeper than %d levels", MaxDocumentDepth), "", offset)
}

// compacted returns the text, which is valid JSON or begins like it, without insignificant
// white space: the text itself if there is none. deep is where it first nests deeper than
// limit, and negative if it does not. The decoder does both, at the price of reading the
// text once more: a tenth of a POST of 390 KB.
func compacted(text []byte, limit int) (compact []byte, deep int) {
	deep = -1
	depth, copied := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth > limit && deep < 0 {
				deep = i
			}
		case '}', ']':
			depth--
		case ' ', '\t', '\r', '\n':
			if compact == nil {
				compact = make([]byte, 0, len(text))
			}
			compact = append(compact, text[copied:i]...)
			copied = i + 1
		}
	}
	if compact == nil {
		return text, deep
	}
	return append(compact, text[copied:]...), deep
}
