package apigw

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// body is the member "body" of an event.
type body struct {
	text []byte // decoded, if there is no err
	err  error  // it is ill-formed: it must not be mended in silence
}

var (
	errInvalidUTF8       = errors.New("invalid UTF-8")
	errUnpairedSurrogate = errors.New("unpaired surrogate")
	errInvalidString     = errors.New("invalid character or escape in body")
)

// cutBody takes the body, which may be large, out of a payload in one pass, and decodes it where it
// stands. The rest is a copy with null in its place, and yet to be checked. A payload without a body
// that is a string comes back as it is.
func cutBody(payload []byte) (rest []byte, b body, err error) {
	start := findBody(payload)
	if start < 0 {
		return payload, body{}, nil
	}
	b, n, err := unquote(payload[start:])
	if err != nil {
		return nil, body{}, err
	}
	return slices.Concat(payload[:start], []byte("null"), payload[start+n:]), b, nil
}

// findBody returns where the string begins that is the body; negative: there is none.
func findBody(payload []byte) int {
	depth := 0
	for i := 0; i < len(payload); i++ {
		switch payload[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			start := i
			for i++; i < len(payload) && payload[i] != '"'; i++ {
				if payload[i] == '\\' {
					i++
				}
			}
			if depth != 1 || i >= len(payload) || string(payload[start:i+1]) != `"body"` {
				continue
			}
			colon := space(payload, i+1)
			if colon == len(payload) || payload[colon] != ':' {
				continue // it was no name
			}
			if value := space(payload, colon+1); value < len(payload) && payload[value] == '"' {
				return value
			}
		}
	}
	return -1
}

// space returns where the white space from i on ends.
func space(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n') {
		i++
	}
	return i
}

// Strings by RFC 8259 section 7: plain tells which bytes stand for themselves, and escapes what a
// character behind a backslash stands for; zero is left to others.
var (
	plain = func() (table [256]bool) {
		for c := ' '; c < utf8.RuneSelf; c++ {
			table[c] = c != '"' && c != '\\'
		}
		return table
	}()
	escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}
)

// unquote decodes the string that text begins with, and returns how long it was with its quotes. What
// an escape or a character stands for is never longer than itself, so that it is done in place.
func unquote(text []byte) (b body, n int, err error) {
	kept := 0
	for i := 1; i < len(text); {
		c := text[i]
		switch {
		case plain[c]:
			text[kept] = c
			kept++
			i++
		case c == '"':
			b.text = text[:kept:kept]
			return b, i + 1, nil
		case c == '\\' && i+1 < len(text) && escapes[text[i+1]] != 0:
			text[kept] = escapes[text[i+1]]
			kept++
			i += 2
		case c == '\\':
			r, size := codePoint(text[i:])
			switch {
			case size == 0:
				return body{}, 0, errInvalidString
			case utf16.IsSurrogate(r):
				b.err = errUnpairedSurrogate
			}
			kept += utf8.EncodeRune(text[kept:], r)
			i += size
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && size == 1 {
				b.err = errInvalidUTF8
			}
			kept += copy(text[kept:], text[i:i+size])
			i += size
		default:
			return body{}, 0, errInvalidString
		}
	}
	return body{}, 0, io.ErrUnexpectedEOF
}

// codePoint reads the escape that text begins with, two of them if they are a pair of surrogates. Its
// length is 0 if it is not \u and four hexadecimal digits.
func codePoint(text []byte) (r rune, size int) {
	const one, two = len(`\uD83D`), len(`\uD83D\uDE00`)
	if r = hex4(text); r < 0 {
		return 0, 0
	}
	if utf16.IsSurrogate(r) {
		if pair := utf16.DecodeRune(r, hex4(text[one:])); pair != utf8.RuneError {
			return pair, two
		}
	}
	return r, one
}

// hex4 returns the number in an escape \uXXXX that text begins with; negative: there is none.
func hex4(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}
