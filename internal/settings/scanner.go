package settings

import "hash/maphash"

// maxBodyDepth is how deep a scanner follows a text at all. It is above
// [MaxDocumentDepth], as what is too large is to be called that first.
const maxBodyDepth = 10_000

// scanner reads a text as I-JSON as far as RFC 7493 speaks of text: valid JSON (RFC
// 8259) in valid UTF-8, without unpaired surrogates and without duplicate names at any
// depth. Numbers may have any size. Names are compared exactly.
//
// It takes out insignificant white space as it goes, in place: text[:kept] is what it
// has read without it, text[at:] what it has not read yet. The positions of names are
// those of the former, the offsets of errors those of the text that was sent.
type scanner struct {
	text     []byte
	kept, at int

	open  []container // from the outermost to the innermost
	names []name      // of the open objects, one after the other

	seed    maphash.Seed
	scratch []byte
}

// container is an object or array that is not yet closed.
type container struct {
	isArray bool
	count   int     // members or elements that have begun
	names   int     // where its names start in scanner.names
	table   []int32 // of a large object: 1 + the index of a name, by the hash of the name; 0 is free
}

func newScanner(text []byte) *scanner {
	return &scanner{text: text, open: make([]container, 0, 16), names: make([]name, 0, 64), seed: maphash.MakeSeed()}
}

// value is what [scanner.value] has read.
type value struct {
	text    []byte // without insignificant white space
	tooDeep int    // the offset at which it goes below [MaxDocumentDepth]; negative: it does not
}

// value reads one value, whatever it holds.
func (s *scanner) value() (value, error) {
	start, floor := s.kept, len(s.open)
	v := value{tooDeep: -1}
	for {
		s.space()
		opens, err := s.begin()
		if err != nil {
			return value{}, err
		}
		if opens && len(s.open)-floor > MaxDocumentDepth && v.tooDeep < 0 {
			v.tooDeep = s.at - 1
		}
		// On to the next value, out of the containers that end before it.
		for more := false; !more; {
			if len(s.open) == floor {
				v.text = s.text[start:s.kept]
				return v, nil
			}
			if more, err = s.next(); err != nil {
				return value{}, err
			}
		}
	}
}

// begin reads a scalar, or the start of a container.
func (s *scanner) begin() (opens bool, err error) {
	switch c := s.peek(); {
	case c == '{' || c == '[':
		return true, s.enter()
	case c == '"':
		_, err = s.str(inValue)
	case c == '-' || isDigit(c):
		err = s.number()
	case c == 't':
		err = s.literal("true")
	case c == 'f':
		err = s.literal("false")
	case c == 'n':
		err = s.literal("null")
	default:
		err = s.unexpected("at start of value", inValue)
	}
	return false, err
}

// enter steps into the container that starts here.
func (s *scanner) enter() error {
	if len(s.open) == maxBodyDepth {
		return tooDeepAt(s.at)
	}
	s.open = append(s.open, container{isArray: s.text[s.at] == '[', names: len(s.names)})
	s.keep(1)
	return nil
}

// next steps on to the next value of the innermost container: over the comma, and
// in an object over the name. Where there is none it steps out of the container.
func (s *scanner) next() (more bool, err error) {
	c := &s.open[len(s.open)-1]
	closing, expecting := byte('}'), "after object value (expecting ',' or '}')"
	if c.isArray {
		closing, expecting = ']', "after array element (expecting ',' or ']')"
	}
	s.space()
	if s.peek() == closing {
		s.keep(1)
		s.names = s.names[:c.names]
		s.open = s.open[:len(s.open)-1]
		return false, nil
	}
	if c.count > 0 {
		if s.peek() != ',' {
			return false, s.unexpected(expecting, inContainer)
		}
		s.keep(1)
		s.space()
	}
	c.count++
	if c.isArray {
		return true, nil
	}
	return true, s.memberName(c)
}

// space steps over insignificant white space (RFC 8259 section 2).
func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// peek returns the next character, or NUL, which is no JSON, at the end.
func (s *scanner) peek() byte {
	if s.at == len(s.text) {
		return 0
	}
	return s.text[s.at]
}

// keep steps over n bytes that stay.
func (s *scanner) keep(n int) {
	if s.kept != s.at {
		copy(s.text[s.kept:], s.text[s.at:s.at+n])
	}
	s.kept += n
	s.at += n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
