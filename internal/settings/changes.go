package settings

import (
	"bytes"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of [Changes].
const (
	maxChanges     = 1_000
	maxChangeBytes = 1 << 20 // of the paths and values together, as JSON text
	maxValueBytes  = 4_096   // of a value that is told
)

// Changes is what differs between two documents: first the members of the later one in its order, then those that it
// lacks. The order of members and the escapes in strings make no difference; the text of a number does.
type Changes struct {
	List      []Change
	Truncated bool // there are more
}

// Change is one value that differs.
type Change struct {
	Path          string // JSON Pointer (RFC 6901)
	Before, After Value
}

// Value is one side of a [Change].
type Value struct {
	Text []byte // JSON text; nil: there is no value, or a larger one than is told
	Size int    // of the text in bytes; zero: there is no value
}

// Diff returns what differs between before and after. Objects are compared member by member, and arrays of the same
// length element by element. It lists at most 1,000 changes with 1 MB of text, and of a value above 4,096 bytes the size
// alone.
func Diff(before, after Document) (*Changes, error) {
	b, err := parseTree(before)
	if err != nil {
		return nil, err
	}
	a, err := parseTree(after)
	if err != nil {
		return nil, err
	}
	d := differ{before: b, after: a, escape: strings.NewReplacer("~", "~0", "/", "~1")}
	d.compare(0, 0)
	return &d.changes, nil
}

// tree is a document whose values can be visited without reading its text again for each level.
type tree struct {
	text  []byte
	nodes []node // in the order of the text: a value, then what it contains
}

// node is one value of a tree. Numbers of 32 bits keep a document of many small values within a few megabytes.
type node struct {
	nameBegin, nameEnd int32 // the name in the text, of the member of an object
	begin, end         int32 // the value in the text
	size               int32 // how many nodes the value has, itself included
}

func parseTree(d Document) (*tree, error) {
	r := newTrusted(d.Text())
	t := &tree{text: d.Text()}
	t.nodes = make([]node, 0, 1+bytes.Count(t.text, []byte{','})+bytes.Count(t.text, []byte{'{'})+bytes.Count(t.text, []byte{'['}))
	t.add(r, node{})
	if r.err != nil {
		return nil, fmt.Errorf("read a document: %w", r.err)
	}
	return t, nil
}

// add adds the next value of r as n, which has its name and beginning.
func (t *tree) add(r *reader, n node) {
	at := len(t.nodes)
	t.nodes = append(t.nodes, n)
	read := func() int32 { return int32(r.decoder.InputOffset()) }
	switch {
	case r.at('{'):
		for key := range r.members() {
			end := read()
			t.add(r, node{nameBegin: end - int32(len(key)), nameEnd: end, begin: end + 1}) // behind the colon
		}
	case r.at('['):
		begin := n.begin + 1
		for range r.inside('[') {
			t.add(r, node{begin: begin})
			begin = read() + 1 // behind the comma
		}
	default:
		r.value()
	}
	t.nodes[at].end, t.nodes[at].size = read(), int32(len(t.nodes)-at)
}

func (t *tree) textOf(at int) []byte { return t.text[t.nodes[at].begin:t.nodes[at].end] }
func (t *tree) nameOf(at int) string {
	return unquoted(t.text[t.nodes[at].nameBegin:t.nodes[at].nameEnd])
}

// children yields the values directly in the one at this index.
func (t *tree) children(at int) iter.Seq[int] {
	return func(yield func(int) bool) {
		end := at + int(t.nodes[at].size)
		for child := at + 1; child < end && yield(child); child += int(t.nodes[child].size) {
		}
	}
}

func (t *tree) count(at int) (n int) {
	for range t.children(at) {
		n++
	}
	return n
}

type differ struct {
	before, after *tree
	escape        *strings.Replacer
	path          []byte
	bytes         int // of the changes
	changes       Changes
}

// absent is the index of a value that is not there.
const absent = -1

// compare adds what differs between two values.
func (d *differ) compare(before, after int) {
	b, a := d.before.textOf(before), d.after.textOf(after)
	switch {
	case bytes.Equal(b, a):
	case b[0] == '{' && a[0] == '{':
		d.compareMembers(before, after)
	case b[0] == '[' && a[0] == '[':
		d.compareElements(before, after)
	case b[0] == '"' && a[0] == '"' && unquoted(b) == unquoted(a):
	default:
		d.add(before, after)
	}
}

func (d *differ) compareMembers(before, after int) {
	old := make(map[string]int)
	for member := range d.before.children(before) {
		old[d.before.nameOf(member)] = member
	}
	for member := range d.after.children(after) {
		name := d.after.nameOf(member)
		was, found := old[name]
		if !found {
			was = absent
		}
		delete(old, name)
		d.below(name, was, member)
	}
	for member := range d.before.children(before) {
		if name := d.before.nameOf(member); len(old) > 0 && old[name] == member {
			d.below(name, member, absent)
		}
	}
}

func (d *differ) compareElements(before, after int) {
	if d.before.count(before) != d.after.count(after) {
		d.add(before, after)
		return
	}
	i, old := 0, before+1
	for element := range d.after.children(after) {
		d.below(strconv.Itoa(i), old, element)
		i, old = i+1, old+int(d.before.nodes[old].size)
	}
}

// below adds what differs between members or elements, as long as there is room for changes.
func (d *differ) below(name string, before, after int) {
	if d.changes.Truncated {
		return
	}
	length := len(d.path)
	d.path = append(append(d.path, '/'), d.escape.Replace(name)...)
	if before == absent || after == absent {
		d.add(before, after)
	} else {
		d.compare(before, after)
	}
	d.path = d.path[:length]
}

// add adds one change, or says that there is no room for it.
func (d *differ) add(before, after int) {
	path, _ := jsontext.AppendQuote(nil, d.path)
	c := Change{Path: string(d.path), Before: valueOf(d.before, before), After: valueOf(d.after, after)}
	d.bytes += len(path) + len(c.Before.Text) + len(c.After.Text)
	if len(d.changes.List) == maxChanges || d.bytes > maxChangeBytes {
		d.changes.Truncated = true
		return
	}
	d.changes.List = append(d.changes.List, c)
}

func valueOf(t *tree, at int) Value {
	if at == absent {
		return Value{}
	}
	text := t.textOf(at)
	if len(text) > maxValueBytes {
		return Value{Size: len(text)}
	}
	return Value{Text: text, Size: len(text)}
}
