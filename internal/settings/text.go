package settings

// cursor walks once over a JSON value that is valid and has no insignificant
// white space.
type cursor struct {
	text []byte
	at   int
}

// nextKey steps into an object, or on to its next member, and returns the name
// as it is written, with its quotes. The cursor is then at the value. Behind the
// last member it steps out of the object and returns nil.
func (c *cursor) nextKey() []byte {
	if c.text[c.at] == '{' || c.text[c.at] == ',' {
		c.at++
	}
	if c.text[c.at] == '}' {
		c.at++
		return nil
	}
	start := c.at
	c.at = stringEnd(c.text, start)
	key := c.text[start:c.at]
	c.at++ // the colon
	return key
}

func (c *cursor) atObject() bool { return c.text[c.at] == '{' }

// value steps over the value at the cursor and returns it.
func (c *cursor) value() []byte {
	start, depth := c.at, 0
	for {
		switch c.text[c.at] {
		case '"':
			c.at = stringEnd(c.text, c.at)
		case '{', '[':
			depth++
			c.at++
		case '}', ']':
			depth--
			c.at++
		default: // a comma or colon in between, or a part of a number or literal
			c.at++
			if depth == 0 && !c.atEndOfValue() {
				continue
			}
		}
		if depth == 0 {
			return c.text[start:c.at]
		}
	}
}

func (c *cursor) atEndOfValue() bool {
	switch c.text[c.at] {
	case ',', '}', ']':
		return true
	}
	return false
}

// stringEnd returns the index behind the JSON string that starts at text[start].
func stringEnd(text []byte, start int) int {
	for i := start + 1; ; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// writer writes a JSON value without insignificant white space.
type writer struct {
	buf []byte
}

func (w *writer) openObject()  { w.buf = append(w.buf, '{') }
func (w *writer) closeObject() { w.buf = append(w.buf, '}') }

// key starts a member of the object that is open.
func (w *writer) key(key []byte) {
	if w.buf[len(w.buf)-1] != '{' {
		w.buf = append(w.buf, ',')
	}
	w.buf = append(append(w.buf, key...), ':')
}

func (w *writer) value(value []byte) { w.buf = append(w.buf, value...) }
