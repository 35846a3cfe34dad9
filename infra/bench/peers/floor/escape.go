package main

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// escapes has the byte that a backslash and another byte stand for.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// plain has the bytes that stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := ' '; c < 256; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// escape appends s as the inside of a JSON string.
func escape(dst, s []byte) []byte {
	dst = slices.Grow(dst, len(s))
	for _, c := range s {
		switch {
		case plain[c]:
			dst = append(dst, c)
		case c >= ' ':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, '\\', 'u', '0', '0', '0'+c>>4, "0123456789abcdef"[c&15])
		}
	}
	return dst
}

// unescape appends what s, the inside of a JSON string, stands for.
func unescape(dst, s []byte) []byte {
	dst = slices.Grow(dst, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' {
			i++
			if c = escapes[s[i]]; c == 0 {
				var size int
				dst, size = unescapeUnicode(dst, s[i-1:])
				i += size - 2
				continue
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// unescapeUnicode appends what the escape or the two escapes at the start of s
// stand for, and returns their length.
func unescapeUnicode(dst, s []byte) ([]byte, int) {
	r, _ := codeUnit(s)
	if low, ok := codeUnit(s[6:]); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return utf8.AppendRune(dst, pair), 12
		}
	}
	return utf8.AppendRune(dst, r), 6
}

// codeUnit returns the UTF-16 code unit of the \u escape that s begins with.
func codeUnit(s []byte) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return rune(n), err == nil
}

// escaped returns part, an object that follows before and precedes after, as it
// stands in s, the inside of a JSON string for the three. It saves escaping it
// again, if before and after are escaped in s as escape does it.
func escaped(s, before, part, after []byte) []byte {
	before, after = escape(nil, before), escape(nil, after)
	if len(before)+len(part)+len(after) <= len(s) && bytes.HasPrefix(s, before) && bytes.HasSuffix(s, after) {
		part := s[len(before) : len(s)-len(after)]
		if part[0] == '{' && part[len(part)-1] == '}' { // which are in no escape
			return part
		}
	}
	return escape(nil, part)
}
