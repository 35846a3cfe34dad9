package settings

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
