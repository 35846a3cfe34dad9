package main

import (
	"bytes"
	"math"
	"strconv"
)

// maxDepth is how many arrays and objects may be around one another.
const maxDepth = 1000

// each yields the members of an object, or the elements of an array without
// names. A value is its text in place. ok says that s was such a value, as RFC
// 8259 has it, and nothing else.
func each(s []byte, yield func(name, value []byte)) (ok bool) {
	i := skipSpace(s, 0)
	if i == len(s) || s[i] != '{' && s[i] != '[' {
		return false
	}
	i = walk(s, i, maxDepth, yield)
	return i >= 0 && skipSpace(s, i) == len(s)
}

// str returns what a value that is a string stands for; nil for any other.
func str(value []byte) []byte {
	if len(value) == 0 || value[0] != '"' {
		return nil
	}
	s := value[1 : len(value)-1]
	if bytes.IndexByte(s, '\\') >= 0 {
		return unescape(nil, s)
	}
	return s
}

// number returns NaN for a value that is no number.
func number(value []byte) float64 {
	n, err := strconv.ParseFloat(string(value), 64)
	if err != nil {
		return math.NaN()
	}
	return n
}

// walk yields what is in the object or array at i. Like the functions below it
// returns the index behind it, or -1 if that is not JSON. yield may be nil.
func walk(s []byte, i, depth int, yield func(name, value []byte)) int {
	if depth == 0 {
		return -1
	}
	object, end := s[i] == '{', s[i]+2 // } and ] are two after { and [
	if i = skipSpace(s, i+1); i < len(s) && s[i] == end {
		return i + 1
	}
	for {
		var name []byte
		if object {
			from := i
			if i == len(s) || s[i] != '"' {
				return -1
			}
			if i = skipString(s, i); i < 0 {
				return -1
			}
			name = s[from:i]
			if i = skipSpace(s, i); i == len(s) || s[i] != ':' {
				return -1
			}
			i = skipSpace(s, i+1)
		}
		from := i
		if i = skipValue(s, i, depth); i < 0 {
			return -1
		}
		if yield != nil {
			yield(str(name), s[from:i])
		}
		i = skipSpace(s, i)
		switch {
		case i == len(s):
			return -1
		case s[i] == end:
			return i + 1
		case s[i] != ',':
			return -1
		}
		i = skipSpace(s, i+1)
	}
}

func skipValue(s []byte, i, depth int) int {
	if i == len(s) {
		return -1
	}
	switch s[i] {
	case '"':
		return skipString(s, i)
	case '{', '[':
		return walk(s, i, depth-1, nil)
	case 't':
		return skipWord(s, i, "true")
	case 'f':
		return skipWord(s, i, "false")
	case 'n':
		return skipWord(s, i, "null")
	}
	return skipNumber(s, i)
}

func skipString(s []byte, i int) int {
	for i++; i < len(s); i++ {
		if plain[s[i]] {
			continue
		}
		if s[i] == '"' {
			return i + 1
		}
		if s[i] != '\\' || i+1 == len(s) {
			return -1
		}
		if escapes[s[i+1]] != 0 {
			i++
		} else if _, ok := codeUnit(s[i:]); ok {
			i += 5
		} else {
			return -1
		}
	}
	return -1
}

func skipWord(s []byte, i int, word string) int {
	if !bytes.HasPrefix(s[i:], []byte(word)) {
		return -1
	}
	return i + len(word)
}

func skipNumber(s []byte, i int) int {
	if s[i] == '-' {
		i++
	}
	from := i
	if i = skipDigits(s, from); i == from || s[from] == '0' && i > from+1 {
		return -1
	}
	if i < len(s) && s[i] == '.' {
		from = i + 1
		if i = skipDigits(s, from); i == from {
			return -1
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		from = i
		if i = skipDigits(s, from); i == from {
			return -1
		}
	}
	return i
}

func skipDigits(s []byte, i int) int {
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}

func skipSpace(s []byte, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}
