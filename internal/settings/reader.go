package settings

import "fmt"

// The readers of this file take what a [scanner] accepts, with nothing before or
// after the value.
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
	s := newScanner(body)
	if err := s.expect('{', ""); err != nil {
		return Document{}, err
	}
	v, err := s.value()
	if err != nil {
		return Document{}, err
	}
	if err := s.expectEnd(); err != nil {
		return Document{}, err
	}
	return v.document()
}

// ParseDocumentMember reads the document that the JSON object body holds as its
// member name. Other members are checked and left aside. Errors:
// [*InvalidError], [*TooLargeError].
func ParseDocumentMember(body []byte, name string) (Document, error) {
	s := newScanner(body)
	var v value
	err := s.member(name, '{', func() (err error) {
		v, err = s.value()
		return err
	})
	if err != nil {
		return Document{}, err
	}
	return v.document()
}

// ParseKeysMember reads the list of one to [MaxKeys] strings that the JSON object
// body holds as its member name. Other members are checked and left aside.
// Error: [*InvalidError].
func ParseKeysMember(body []byte, name string) ([]string, error) {
	s := newScanner(body)
	var keys []string
	err := s.member(name, '[', func() error {
		if err := s.enter(); err != nil {
			return err
		}
		for {
			more, err := s.next()
			if err != nil || !more {
				return err
			}
			s.space()
			if c := s.peek(); c != '"' && kindOf(c) != "" {
				return invalid("a key is not a string", s.pointer(inValue), s.at)
			}
			key, err := s.value()
			if err != nil {
				return err
			}
			keys = append(keys, nameOf(key.text))
		}
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

// document holds v to the limits of a document.
func (v value) document() (Document, error) {
	if len(v.text) > MaxDocumentBytes {
		return Document{}, &TooLargeError{Size: len(v.text)}
	}
	if v.tooDeep >= 0 {
		return Document{}, tooDeepAt(v.tooDeep)
	}
	return Document{text: v.text}, nil
}

// member reads the whole text as an object, and its member name, which must begin
// with the character first, by read.
func (s *scanner) member(name string, first byte, read func() error) error {
	if err := s.expect('{', ""); err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	found := false
	for {
		more, err := s.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if string(s.lastName()) != name {
			_, err = s.value()
		} else if err = s.expect(first, "/"+name); err == nil {
			found = true
			err = read()
		}
		if err != nil {
			return err
		}
	}
	end := s.at
	if err := s.expectEnd(); err != nil {
		return err
	}
	if !found {
		return invalid(fmt.Sprintf("%q is missing", name), "", end)
	}
	return nil
}

// expect refuses the next value if it does not begin with the character first.
// pointer is its place.
func (s *scanner) expect(first byte, pointer string) error {
	s.space()
	found := s.peek()
	switch {
	case found == first:
		return nil
	case s.at == len(s.text):
		return invalid(kindOf(first)+" is needed, the text ends", pointer, s.at)
	case kindOf(found) == "":
		return s.unexpected("at start of value", inValue)
	default:
		return invalid(kindOf(first)+" is needed, this is "+kindOf(found), pointer, s.at)
	}
}

// kindOf says what a value is that begins with the character first; empty: nothing does.
func kindOf(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	if first == '-' || isDigit(first) {
		return "a number"
	}
	return ""
}

// expectEnd refuses a text that goes on behind its value.
func (s *scanner) expectEnd() error {
	if s.space(); s.at < len(s.text) {
		return invalid("text after the JSON value", "", s.at)
	}
	return nil
}

func invalid(what, pointer string, offset int) *InvalidError {
	return &InvalidError{Kind: what, Reason: what, Pointer: pointer, Offset: int64(offset)}
}
