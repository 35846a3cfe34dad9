package settings

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// str reads a string, and says whether there are escapes in it.
func (s *scanner) str(p place) (escaped bool, err error) {
	i := s.at + 1
	for {
		for i < len(s.text) && plain[s.text[i]] {
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

// plain tells which bytes of a string stand for themselves.
var plain = func() (table [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

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
