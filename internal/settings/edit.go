package settings

import "strings"

// Merge returns d as patch changes it (JSON Merge Patch, RFC 7396): objects
// merge at every depth, null removes a member, and anything else replaces one.
// What patch does not touch keeps its text and its place; new members come last,
// in the order of patch. It returns a [*TooLargeError] for a result over
// [MaxDocumentBytes]; the result cannot nest deeper than d or patch does.
func (d Document) Merge(patch Document) (Document, error) {
	changes := readChange(&cursor{text: patch.Text()})
	w := writer{buf: make([]byte, 0, len(d.Text())+len(patch.Text()))}
	w.merge(&cursor{text: d.Text()}, changes)
	if len(w.buf) > MaxDocumentBytes {
		return Document{}, &TooLargeError{Size: len(w.buf)}
	}
	return Document{text: w.buf}, nil
}

// change is a value of a patch: an object by its members, any other by its text.
type change struct {
	key     []byte // of the member that has the value
	text    []byte // nil for an object
	members []*change
	byName  map[string]*change // the members that no member of the target has met yet
}

func readChange(c *cursor) *change {
	if !c.atObject() {
		return &change{text: c.value()}
	}
	object := &change{byName: make(map[string]*change)}
	for key := c.nextKey(); key != nil; key = c.nextKey() {
		member := readChange(c)
		member.key = key
		object.members = append(object.members, member)
		object.byName[nameOf(key)] = member
	}
	return object
}

func (c *change) isObject() bool { return c.text == nil }
func (c *change) removes() bool  { return string(c.text) == "null" }

// merge writes the object at target as patch changes it.
func (w *writer) merge(target *cursor, patch *change) {
	w.openObject()
	for key := target.nextKey(); key != nil; key = target.nextKey() {
		name := nameOf(key)
		change := patch.byName[name]
		delete(patch.byName, name)
		switch {
		case change == nil:
			w.key(key)
			w.value(target.value())
		case change.removes():
			target.value()
		case change.isObject() && target.atObject():
			w.key(key)
			w.merge(target, change)
		default:
			target.value()
			w.key(key)
			w.put(change)
		}
	}
	w.putMembers(patch)
	w.closeObject()
}

// put writes a value of a patch where there is nothing to merge it with.
func (w *writer) put(value *change) {
	if !value.isObject() {
		w.value(value.text)
		return
	}
	w.openObject()
	w.putMembers(value)
	w.closeObject()
}

// putMembers writes the members of a patch that the target did not have.
func (w *writer) putMembers(patch *change) {
	if len(patch.byName) == 0 {
		return
	}
	for _, member := range patch.members {
		if !member.removes() && patch.byName[nameOf(member.key)] != nil {
			w.key(member.key)
			w.put(member)
		}
	}
}

// Remove returns d without the members that keys name, each by the exact name of
// a top-level member or else by a path of names with dots between them. A key
// that names nothing changes nothing. What remains keeps its text and its place.
func (d Document) Remove(keys []string) Document {
	top := make(map[string]bool)
	c := cursor{text: d.Text()}
	for key := c.nextKey(); key != nil; key = c.nextKey() {
		top[nameOf(key)] = true
		c.value()
	}
	var doomed removal
	for _, key := range keys {
		if top[key] {
			doomed.add([]string{key})
		} else {
			doomed.add(strings.Split(key, "."))
		}
	}
	w := writer{buf: make([]byte, 0, len(d.Text()))}
	w.remove(&cursor{text: d.Text()}, &doomed)
	return Document{text: w.buf}
}

// removal is a tree of names: what is to be removed of a value.
type removal struct {
	all   bool // the value itself
	below map[string]*removal
}

func (r *removal) add(path []string) {
	for _, name := range path {
		if r.below == nil {
			r.below = make(map[string]*removal)
		}
		if r.below[name] == nil {
			r.below[name] = new(removal)
		}
		r = r.below[name]
	}
	r.all = true
}

// remove writes the object at target without what is doomed of it.
func (w *writer) remove(target *cursor, doomed *removal) {
	w.openObject()
	for key := target.nextKey(); key != nil; key = target.nextKey() {
		r := doomed.below[nameOf(key)]
		switch {
		case r == nil || !r.all && !target.atObject():
			w.key(key)
			w.value(target.value())
		case r.all:
			target.value()
		default:
			w.key(key)
			w.remove(target, r)
		}
	}
	w.closeObject()
}
