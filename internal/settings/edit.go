package settings

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Edit is a change of a document.
type Edit struct {
	apply    func(Document) (Document, error)
	replaces bool     // apply does not look at the document
	restores Revision // whose document it is, if it restores one
}

// Replacement makes doc the document, whatever was stored before.
func Replacement(doc Document) Edit {
	return Edit{apply: func(Document) (Document, error) { return doc, nil }, replaces: true}
}

// MergePatch changes a document as [Document.Merge] does.
func MergePatch(patch Document) Edit {
	return Edit{apply: func(d Document) (Document, error) { return d.Merge(patch) }}
}

// Removal changes a document as [Document.Remove] does.
func Removal(keys []string) Edit {
	return Edit{apply: func(d Document) (Document, error) { return d.Remove(keys) }}
}

// of returns the document that e makes of current.
func (e Edit) of(current Record) (Document, error) {
	if current.Corrupt != nil && !e.replaces {
		return Document{}, current.Corrupt
	}
	return e.apply(current.Document)
}

// keeps says whether current is already as e makes it, which is doc. Settings that were never written are not {}.
func (e Edit) keeps(current Record, doc Document) bool {
	return current.Corrupt == nil && (current.Stored != nil || !e.replaces) && bytes.Equal(doc.Text(), current.Document.Text())
}

// Merge returns d as patch changes it (JSON Merge Patch, RFC 7396): objects
// merge at every depth, null removes a member, and anything else replaces one.
// What patch does not touch keeps its text and its place; new members come last,
// in the order of patch. It returns a [*TooLargeError] for a result over
// [MaxDocumentBytes]; the result cannot nest deeper than d or patch does.
func (d Document) Merge(patch Document) (Document, error) {
	source, target := newTrusted(patch.Text()), newTrusted(d.Text())
	w := writer{buf: make([]byte, 0, len(d.Text())+len(patch.Text()))}
	w.merge(target, readChange(source))
	if err := cmp.Or(source.err, target.err); err != nil {
		return Document{}, fmt.Errorf("merge documents: %w", err)
	}
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

func readChange(c *reader) *change {
	if !c.at('{') {
		return &change{text: c.value()}
	}
	object := &change{byName: make(map[string]*change)}
	for key := range c.members() {
		member := readChange(c)
		member.key = key
		object.members = append(object.members, member)
		object.byName[unquoted(key)] = member
	}
	return object
}

func (c *change) isObject() bool { return c.text == nil }
func (c *change) removes() bool  { return string(c.text) == "null" }

// merge writes the object at target as patch changes it.
func (w *writer) merge(target *reader, patch *change) {
	w.openObject()
	for key := range target.members() {
		name := unquoted(key)
		change := patch.byName[name]
		delete(patch.byName, name)
		switch {
		case change == nil:
			w.key(key)
			w.value(target.value())
		case change.removes():
			target.value()
		case change.isObject() && target.at('{'):
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
		if !member.removes() && patch.byName[unquoted(member.key)] != nil {
			w.key(member.key)
			w.put(member)
		}
	}
}

// Remove returns d without the members that keys name, each by the exact name of
// a top-level member or else by a path of names with dots between them. A key
// that names nothing changes nothing. What remains keeps its text and its place.
func (d Document) Remove(keys []string) (Document, error) {
	paths := slices.Compact(slices.Sorted(slices.Values(keys)))
	var exact []string
	top := newTrusted(d.Text())
	for key := range top.members() {
		top.value()
		if i, found := slices.BinarySearch(paths, unquoted(key)); found {
			exact = append(exact, paths[i])
		}
	}
	slices.Sort(exact)
	paths = slices.DeleteFunc(paths, func(path string) bool {
		_, found := slices.BinarySearch(exact, path)
		return found
	})
	target := newTrusted(d.Text())
	w := writer{buf: make([]byte, 0, len(d.Text()))}
	w.remove(target, exact, narrowed{paths: paths})
	if err := cmp.Or(top.err, target.err); err != nil {
		return Document{}, fmt.Errorf("remove keys: %w", err)
	}
	return Document{text: w.buf}, nil
}

// narrowed holds the paths that lead into one object, sorted. Their first bytes, which
// are the same, lead to it. It is narrowed by what is there and not split by what is
// asked: a path costs nothing beyond the depth of the document.
type narrowed struct {
	paths []string
	bytes int
}

// below returns the paths that lead to the member of this name, and beyond it.
func (n narrowed) below(name string) (named bool, rest narrowed) {
	if strings.Contains(name, ".") {
		return false, narrowed{} // the dots of a path separate names
	}
	_, named = slices.BinarySearchFunc(n.paths, name, func(path, name string) int {
		return strings.Compare(path[n.bytes:], name)
	})
	prefix := name + "."
	from, _ := slices.BinarySearchFunc(n.paths, prefix, func(path, prefix string) int {
		return strings.Compare(path[n.bytes:], prefix)
	})
	count := sort.Search(len(n.paths)-from, func(i int) bool {
		return !strings.HasPrefix(n.paths[from+i][n.bytes:], prefix)
	})
	return named, narrowed{paths: n.paths[from : from+count], bytes: n.bytes + len(prefix)}
}

// remove writes the object at target without the members that are named exactly or by a path.
func (w *writer) remove(target *reader, exact []string, paths narrowed) {
	w.openObject()
	for key := range target.members() {
		name := unquoted(key)
		_, doomed := slices.BinarySearch(exact, name)
		named, below := paths.below(name)
		switch {
		case doomed || named:
			target.value()
		case len(below.paths) > 0 && target.at('{'):
			w.key(key)
			w.remove(target, nil, below)
		default:
			w.key(key)
			w.value(target.value())
		}
	}
	w.closeObject()
}
