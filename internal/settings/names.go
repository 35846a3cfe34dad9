package settings

import (
	"bytes"
	"hash/maphash"
)

// name is the name of a member, without its quotes.
type name struct {
	start, end int32
	escaped    bool
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
	if !a.escaped && !b.escaped {
		return string(s.text[a.start:a.end]) == string(s.text[b.start:b.end])
	}
	text := bytes.Clone(s.decoded(a)) // b may be decoded into the same place
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
