package settings

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// ParseDocument reads body as a document, which may share its memory. Errors:
// [*InvalidError], [*TooLargeError].
func ParseDocument(body []byte) (Document, error) {
	r := newBody(body)
	d, err := r.document()
	if err != nil {
		return Document{}, err
	}
	return d, r.end()
}

// ParseDocumentMember reads the document that the JSON object body holds as its
// member name, and may share its memory. The other members must be valid JSON and are
// ignored. Errors: [*InvalidError], [*TooLargeError].
func ParseDocumentMember(body []byte, name string) (d Document, err error) {
	r := newBody(body)
	if e := r.member(name, func() { d, err = r.document() }); err == nil {
		err = e
	}
	return d, err
}

// ParseKeysMember reads the list of strings, within the bounds of [Keys], that the JSON
// object body holds as its member name. The other members must be valid JSON and are
// ignored. Errors: [*InvalidError], [*TooLargeError].
func ParseKeysMember(body []byte, name string) ([]string, error) {
	r := newBody(body)
	var keys Keys
	err := r.member(name, func() {
		for range r.inside('[') {
			if key := r.value(); r.err == nil && key[0] != '"' {
				r.refuse("a key is not a string", key)
			} else if r.err == nil {
				keys.Add(unquoted(key))
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return keys.List()
}

// decoderDepth is how deep the decoder follows a text. Members that are ignored may be that deep.
const decoderDepth = 10_000

// reader reads a text that must be one value of I-JSON (RFC 7493): the decoder
// refuses invalid UTF-8, unpaired surrogates and duplicate names. Its first error
// ends it: nothing more is read.
type reader struct {
	decoder *jsontext.Decoder
	text    []byte
	err     error // an [*InvalidError], or of newBody a [*TooLargeError]
}

// newTrusted returns a reader of a text that was checked before.
func newTrusted(text []byte) *reader { return newReader(text, jsontext.AllowDuplicateNames(true)) }

// newBody returns a reader of the body of a request. It has failed if the body has too
// many names.
func newBody(text []byte) *reader {
	r := newReader(text)
	r.err = checkNames(text)
	return r
}

func newReader(text []byte, options ...jsontext.Options) *reader {
	return &reader{decoder: jsontext.NewDecoder(bytes.NewBuffer(text), options...), text: text}
}

// value reads the next value, or the name of a member, and returns its text, which is
// a part of the whole text. It is nil after an error.
func (r *reader) value() []byte {
	if r.err != nil {
		return nil
	}
	v, err := r.decoder.ReadValue()
	if r.fail(err) {
		return nil
	}
	end := int(r.decoder.InputOffset())
	return r.text[end-len(v) : end]
}

// typed reads the next value, which must be of this kind.
func (r *reader) typed(kind jsontext.Kind) []byte {
	v := r.value()
	if r.err == nil && jsontext.Value(v).Kind() != kind {
		r.refuse(nameOf(kind)+" is needed, this is "+nameOf(jsontext.Value(v).Kind()), v)
	}
	return v
}

func (r *reader) at(kind jsontext.Kind) bool { return r.err == nil && r.decoder.PeekKind() == kind }

// inside steps into the next value, which must be an object or array as open says, and
// yields before each member or element, which the loop must read.
func (r *reader) inside(open jsontext.Kind) iter.Seq[struct{}] {
	return func(yield func(struct{}) bool) {
		if !r.at(open) {
			r.typed(open)
			return
		}
		r.step()
		for r.err == nil && !r.at(open+2) { // } and ] are two behind { and [
			if !yield(struct{}{}) {
				return
			}
		}
		r.step()
	}
}

// members steps into the next value, which must be an object, and yields the name of each
// member as it is written. The loop must read the value.
func (r *reader) members() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for range r.inside('{') {
			if key := r.value(); r.err == nil && !yield(key) {
				return
			}
		}
	}
}

// step reads the beginning or the end of an object or array.
func (r *reader) step() {
	if r.err == nil {
		_, err := r.decoder.ReadToken()
		r.fail(err)
	}
}

// member reads the whole text as an object, and the value of its member name by read.
func (r *reader) member(name string, read func()) error {
	found := false
	for key := range r.members() {
		if unquoted(key) == name {
			found = true
			read()
		} else {
			r.value()
		}
	}
	end := int(r.decoder.InputOffset())
	if err := r.end(); err != nil || found {
		return err
	}
	return r.invalid(fmt.Sprintf("%q is missing", name), "", end)
}

// end refuses a text that goes on after its value.
func (r *reader) end() error {
	rest := bytes.TrimLeft(r.text[r.decoder.InputOffset():], " \t\r\n")
	if r.err == nil && len(rest) > 0 {
		r.err = r.invalid("text after the JSON value", "", len(r.text)-len(rest))
	}
	return r.err
}

// refuse makes the value that was read last the place of an error.
func (r *reader) refuse(what string, value []byte) {
	r.err = r.invalid(what, string(r.decoder.StackPointer()), int(r.decoder.InputOffset())-len(value))
}

// fail keeps an error of the decoder and says whether there is one.
func (r *reader) fail(err error) bool {
	if err == nil || r.err != nil {
		return r.err != nil
	}
	syntactic, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok { // io.EOF at the start of a body, which must be an object
		r.err = r.invalid("an object is needed, the text ends", "", len(r.text))
		return true
	}
	at := int(syntactic.ByteOffset)
	e := r.invalid("invalid JSON", string(syntactic.JSONPointer), at)
	if _, deep := compacted(r.text[:min(at+1, len(r.text))], decoderDepth); deep >= 0 {
		e = r.tooDeep(deep)
	} else if errors.Is(err, jsontext.ErrDuplicateName) {
		e.Kind, e.Reason = "duplicate name", "duplicate name"
	} else if r.trailingComma(at) {
		e.Reason += ": trailing comma"
	} else {
		e.Reason += ": " + syntactic.Err.Error()
	}
	r.err = e
	return true
}

// trailingComma reports whether an object or array ends at an offset, and a comma is before it.
func (r *reader) trailingComma(at int) bool {
	before := bytes.TrimRight(r.text[:at], " \t\r\n")
	return bytes.HasSuffix(before, []byte{','}) && at < len(r.text) && (r.text[at] == '}' || r.text[at] == ']')
}

// invalid returns an error whose place is an offset of the text.
func (r *reader) invalid(what, pointer string, offset int) *InvalidError {
	e := invalid(what, pointer, offset)
	if line := bytes.LastIndexByte(r.text[:offset], '\n') + 1; line > 0 {
		e.Line, e.Column = 1+bytes.Count(r.text[:line], []byte{'\n'}), 1+utf8.RuneCount(r.text[line:offset])
	}
	return e
}

// unquoted returns what a valid JSON string stands for.
func unquoted(text []byte) string {
	raw, _ := jsontext.AppendUnquote(nil, text)
	return string(raw)
}

func nameOf(kind jsontext.Kind) string {
	switch kind {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	default:
		return "a boolean"
	}
}

// document reads the next value, which must be an object, as a document.
func (r *reader) document() (Document, error) {
	text := r.typed('{')
	if r.err != nil {
		return Document{}, r.err
	}
	compact, deep := compacted(text, MaxDocumentDepth)
	if len(compact) > MaxDocumentBytes {
		return Document{}, &TooLargeError{Size: len(compact)}
	}
	if deep >= 0 {
		return Document{}, r.tooDeep(int(r.decoder.InputOffset()) - len(text) + deep)
	}
	return Document{text: compact}, nil
}

func (r *reader) tooDeep(offset int) *InvalidError {
	return r.invalid(fmt.Sprintf("nesting deeper than %d levels", MaxDocumentDepth), "", offset)
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
