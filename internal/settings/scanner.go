package settings

import (
	"bytes"
	"hash/maphash"
	"strconv"
	"strings"
	"unicode/utf8"
)

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

// name is the name of a member, without its quotes.
type name struct {
	start, end int32
	escaped    bool
}

// place says what a mistake belongs to: it decides about the pointer.
type place bool

const (
	inContainer place = false // the innermost container
	inValue     place = true  // its current member or element
)

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

// memberName reads the name of a member and the colon behind it.
func (s *scanner) memberName(c *container) error {
	if s.peek() != '"' {
		return s.unexpected(`at start of string (expecting '"')`, inContainer)
	}
	start, offset := s.kept, s.at
	escaped, err := s.str(inContainer)
	if err != nil {
		return err
	}
	n := name{start: int32(start + 1), end: int32(s.kept - 1), escaped: escaped}
	isNew := s.isNew(c, n)
	s.names = append(s.names, n)
	if !isNew {
		return &InvalidError{Kind: "duplicate name", Reason: "duplicate name", Pointer: s.pointer(inValue), Offset: int64(offset)}
	}
	s.space()
	if s.peek() != ':' {
		return s.unexpected("after object name (expecting ':')", inContainer)
	}
	s.keep(1)
	return nil
}

// lastName returns the name that was read last, decoded. It is valid until the
// scanner goes on.
func (s *scanner) lastName() []byte { return s.decoded(s.names[len(s.names)-1]) }

// fewNames is up to how many names of an object are simply compared one by one.
const fewNames = 16

// isNew says whether c, the innermost container, has no name like n yet, and
// notes n as the next one.
func (s *scanner) isNew(c *container, n name) bool {
	own := s.names[c.names:]
	if len(own) < fewNames {
		for _, other := range own {
			if s.same(n, other) {
				return false
			}
		}
		return true
	}
	if len(c.table) < 2*(len(own)+1) {
		c.table = make([]int32, 8*len(own))
		for i, other := range own {
			c.table[s.slot(c, other)] = int32(c.names + i + 1)
		}
	}
	i := s.slot(c, n)
	if c.table[i] != 0 {
		return false
	}
	c.table[i] = int32(len(s.names) + 1)
	return true
}

// slot returns the place of n in the table of c: where it is, or a free one.
func (s *scanner) slot(c *container, n name) int {
	for i := int(maphash.Bytes(s.seed, s.decoded(n)) % uint64(len(c.table))); ; i++ {
		if i == len(c.table) {
			i = 0
		}
		if c.table[i] == 0 || s.same(n, s.names[c.table[i]-1]) {
			return i
		}
	}
}

func (s *scanner) same(a, b name) bool {
	text := s.decoded(a)
	if a.escaped && b.escaped {
		text = bytes.Clone(text) // b is decoded into the same place
	}
	return bytes.Equal(text, s.decoded(b))
}

// decoded returns n without escapes, valid until the next call with an escaped name.
func (s *scanner) decoded(n name) []byte {
	raw := s.text[n.start:n.end]
	if n.escaped {
		s.scratch = appendUnescaped(s.scratch[:0], raw)
		return s.scratch
	}
	return raw
}

// str reads a string, and says whether there are escapes in it.
func (s *scanner) str(p place) (escaped bool, err error) {
	i := s.at + 1
	for {
		for i < len(s.text) && isPlain(s.text[i]) {
			i++
		}
		var c byte
		if i < len(s.text) {
			c = s.text[i]
		}
		switch {
		case c == '"':
			s.keep(i + 1 - s.at)
			return escaped, nil
		case c == '\\':
			n := escapeLength(s.text[i:])
			if n == 0 {
				return escaped, s.badEscape(i, p)
			}
			escaped = true
			i += n
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(s.text[i:])
			if r == utf8.RuneError && n == 1 {
				return escaped, s.mistake("invalid UTF-8", i, p)
			}
			i += n
		default:
			s.at = i
			return escaped, s.unexpected("in string (expecting non-control character)", p)
		}
	}
}

// isPlain says whether a byte of a string stands for itself.
func isPlain(c byte) bool { return c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' }

// badEscape says what is wrong with the escape at offset.
func (s *scanner) badEscape(offset int, p place) error {
	escape := s.text[offset:]
	switch {
	case len(escape) == 1, len(escape) < len(`\u0000`) && escape[1] == 'u' && !bytes.ContainsRune(escape, '"'):
		return s.mistake("unexpected EOF", len(s.text), p)
	case len(escape) >= len(`\u0000`) && hex4(escape) >= 0:
		return s.mistake("unpaired surrogate "+string(escape[:len(`\u0000`)])+" in string", offset, p)
	default:
		return s.mistake("invalid escape sequence in string", offset, p)
	}
}

// number reads a number (RFC 8259 section 6).
func (s *scanner) number() error {
	i := s.at
	if s.text[i] == '-' {
		i++
	}
	digits := func() bool {
		start := i
		for i < len(s.text) && isDigit(s.text[i]) {
			i++
		}
		return i > start
	}
	is := func(set string) bool { return i < len(s.text) && strings.IndexByte(set, s.text[i]) >= 0 }
	ok := true
	if is("0") {
		i++
	} else {
		ok = digits()
	}
	if ok && is(".") {
		i++
		ok = digits()
	}
	if ok && is("eE") {
		i++
		if is("+-") {
			i++
		}
		ok = digits()
	}
	if !ok {
		s.at = i
		return s.unexpected("in number (expecting digit)", inValue)
	}
	s.keep(i - s.at)
	return nil
}

func (s *scanner) literal(text string) error {
	rest := s.text[s.at:]
	if !bytes.HasPrefix(rest, []byte(text)) {
		for len(rest) > 0 && rest[0] == text[0] {
			rest, text = rest[1:], text[1:]
		}
		s.at = len(s.text) - len(rest)
		return s.unexpected("in literal (expecting '"+text[:1]+"')", inValue)
	}
	s.keep(len(text))
	return nil
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

// unexpected returns an error about the next character.
func (s *scanner) unexpected(where string, p place) error {
	if s.at == len(s.text) {
		return s.mistake("unexpected EOF", s.at, p)
	}
	r, n := utf8.DecodeRune(s.text[s.at:])
	if r == utf8.RuneError && n == 1 {
		return s.mistake("invalid UTF-8", s.at, p)
	}
	return s.mistake("invalid character "+strconv.QuoteRune(r)+" "+where, s.at, p)
}

func (s *scanner) mistake(what string, offset int, p place) error {
	return &InvalidError{Kind: "invalid JSON", Reason: "invalid JSON: " + what, Pointer: s.pointer(p), Offset: int64(offset)}
}

func tooDeepAt(offset int) error {
	return invalid("nesting deeper than "+strconv.Itoa(MaxDocumentDepth)+" levels", "", offset)
}

// pointer returns the place (RFC 6901) of the innermost container or of its
// current value, cut where it is very long.
func (s *scanner) pointer(p place) string {
	const most = 256
	var b []byte
	open := s.open
	if p == inContainer && len(open) > 0 {
		open = open[:len(open)-1]
	}
	for i, c := range open {
		if len(b) > most {
			break
		}
		b = append(b, '/')
		if c.isArray {
			b = strconv.AppendInt(b, int64(c.count-1), 10)
			continue
		}
		last := len(s.names) - 1 // the names of a container end where those of the next one start
		if i+1 < len(s.open) {
			last = s.open[i+1].names - 1
		}
		text := string(s.decoded(s.names[last]))
		b = append(b, strings.ReplaceAll(strings.ReplaceAll(text, "~", "~0"), "/", "~1")...)
	}
	if len(b) <= most {
		return string(b)
	}
	cut := most
	for !utf8.RuneStart(b[cut]) {
		cut--
	}
	return string(b[:cut]) + "…"
}
