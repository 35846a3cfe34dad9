package settings

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// place says what a mistake belongs to: it decides about the pointer.
type place bool

const (
	inContainer place = false // the innermost container
	inValue     place = true  // its current member or element
)

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
