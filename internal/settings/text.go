package settings

import "github.com/go-json-experiment/json/jsontext"

// cursor walks once over a JSON value that was checked before. Its first error, which
// only a text that was not checked can cause, stays in err and ends the walk.
type cursor struct {
	reader *reader
	err    error
}

func newCursor(text []byte) *cursor {
	return &cursor{reader: newReader(text, jsontext.AllowDuplicateNames(true))}
}

// nextKey steps into an object, or on to its next member, and returns the name
// as it is written, with its quotes. The cursor is then at the value. Behind the
// last member it steps out of the object and returns nil.
func (c *cursor) nextKey() []byte {
	if c.atObject() {
		c.step()
	}
	if c.reader.PeekKind() == '}' {
		c.step()
		return nil
	}
	return c.value()
}

func (c *cursor) atObject() bool { return c.reader.PeekKind() == '{' }

func (c *cursor) step() {
	if _, err := c.reader.token(); c.err == nil {
		c.err = err
	}
}

// value steps over the value at the cursor and returns its text, which is nil after an error.
func (c *cursor) value() []byte {
	text, err := c.reader.value()
	if c.err == nil {
		c.err = err
	}
	return text
}

// unquoted returns what a valid JSON string stands for.
func unquoted(text []byte) string {
	raw, _ := jsontext.AppendUnquote(nil, text)
	return string(raw)
}

// writer writes a JSON object.
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
