package settings

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// nameOf decodes a name with its quotes, which was checked when its text was first read.
func nameOf(key []byte) string {
	raw := key[1 : len(key)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	return string(appendUnescaped(nil, raw))
}

// escapeLength returns how long the escape is that text begins with, a surrogate pair
// being one; 0: it is none (RFC 8259 section 7), or half a pair (RFC 7493 section 2.1).
func escapeLength(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	if text[1] != 'u' {
		if bytes.IndexByte([]byte(`"\/bfnrt`), text[1]) < 0 {
			return 0
		}
		return 2
	}
	r := hex4(text)
	switch {
	case r < 0:
		return 0
	case !utf16.IsSurrogate(r):
		return 6
	case len(text) < 12 || text[6] != '\\' || text[7] != 'u' || utf16.DecodeRune(r, hex4(text[6:])) == utf8.RuneError:
		return 0
	default:
		return 12
	}
}

// hex4 returns the number in an escape \uXXXX; negative: there is none.
func hex4(escape []byte) rune {
	if len(escape) < 6 {
		return -1
	}
	n, err := strconv.ParseUint(string(escape[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}

// appendUnescaped appends what raw, the valid inside of a JSON string, stands for.
func appendUnescaped(b, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return append(b, raw...)
		}
		b = append(b, raw[:i]...)
		raw = raw[i:]
		n := escapeLength(raw)
		switch n {
		case 12:
			b = utf8.AppendRune(b, utf16.DecodeRune(hex4(raw), hex4(raw[6:])))
		case 6:
			b = utf8.AppendRune(b, hex4(raw))
		default:
			b = append(b, unescaped(raw[1]))
		}
		raw = raw[n:]
	}
}

func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default: // stands for itself
		return c
	}
}
