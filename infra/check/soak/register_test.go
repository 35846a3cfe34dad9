package soak

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Operation is one request of a history, with its answer.
type Operation struct {
	Org      string
	Write    bool
	Document string // that a write sent or a read got
	Revision string // of the answer; empty if there was none, or nothing is stored
	Answered bool   // with success
	Call     time.Duration
	Return   time.Duration
}

func (o Operation) String() string {
	kind := map[bool]string{true: "write", false: "read"}[o.Write]
	return fmt.Sprintf("%s of %s in %s at %q, from %v to %v", kind, o.Document, o.Org, o.Revision, o.Call, o.Return)
}

// Verdict says what is wrong with a history.
type Verdict struct {
	Problems []string
	Repeated []string // documents that one write stored under two revisions
	Returned []string // the repeated ones that came back after a later write was answered
}

// CheckRegister compares the history of all clients with the commits of the
// database. Every write has its own document. Problems are:
//
//   - a revision that is not greater than the one committed before, unless revision
//     and document are the same: a repeated attempt;
//   - a write that was answered, but not committed as it was answered;
//   - a read of something that was never committed, or that nobody had sent;
//   - a write that is committed below a revision that some client knew before the
//     write began, or a read of such a state: an answered write is lost.
func CheckRegister(history []Operation, commits []Commit) Verdict {
	v := Verdict{}
	byOrg := make(map[string][]Operation)
	for _, o := range history {
		byOrg[o.Org] = append(byOrg[o.Org], o)
	}
	committed := make(map[string][]Commit)
	for _, c := range commits {
		committed[c.Org] = append(committed[c.Org], c)
	}
	for _, org := range slices.Sorted(maps.Keys(byOrg)) {
		v.check(byOrg[org], committed[org])
	}
	return v
}

func (v *Verdict) problem(format string, args ...any) {
	v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
}

// check checks the history of one organization.
func (v *Verdict) check(history []Operation, commits []Commit) {
	documents := map[string]string{}   // by revision
	revisions := map[string][]string{} // by document, in their order
	last := ""
	for _, c := range commits {
		switch {
		case c.Revision == last && c.Document == documents[last]:
			continue
		case c.Revision <= last:
			v.problem("revision %s of %s is committed after %s", c.Revision, c.Document, last)
		}
		last = max(last, c.Revision)
		documents[c.Revision] = c.Document
		revisions[c.Document] = append(revisions[c.Document], c.Revision)
	}
	writes := map[string]Operation{} // by document
	answered := map[string]Operation{}
	for _, o := range history {
		if o.Write {
			writes[o.Document] = o
			if o.Answered && answered[o.Revision].Write {
				v.problem("%v has the revision of %v", o, answered[o.Revision])
			}
			if o.Answered {
				answered[o.Revision] = o
			}
		}
	}
	known := newKnowledge(history)
	for _, o := range history {
		before := known.before(o.Call)
		switch {
		case o.Write:
			if o.Answered && documents[o.Revision] != o.Document {
				v.problem("%v was answered, at that revision %s is committed", o, documents[o.Revision])
			}
			for _, r := range revisions[o.Document] {
				if r <= before {
					v.problem("%v is committed at %s, though %s was known before", o, r, before)
				}
			}
		case o.Answered:
			if o.Revision < before {
				v.problem("%v is older than %s, which was known before", o, before)
			}
			if o.Revision != "" && documents[o.Revision] != o.Document {
				v.problem("%v, but at that revision %s is committed", o, documents[o.Revision])
			}
			if w, ok := writes[o.Document]; o.Revision != "" && (!ok || w.Call > o.Return) {
				v.problem("%v, which nobody had sent", o)
			}
		}
	}
	v.repeated(history, revisions, answered)
}

// repeated looks for writes that are committed twice: an attempt whose answer was
// lost, a write of another client, and a second attempt above it. That is wrong if
// somebody saw the first attempt before the other write began.
func (v *Verdict) repeated(history []Operation, revisions map[string][]string, answered map[string]Operation) {
	seen := map[string]time.Duration{} // by revision: the time of its first read
	for _, o := range history {
		if at, ok := seen[o.Revision]; !o.Write && o.Answered && (!ok || o.Return < at) {
			seen[o.Revision] = o.Return
		}
	}
	for _, document := range slices.Sorted(maps.Keys(revisions)) {
		all := revisions[document]
		if len(all) == 1 {
			continue
		}
		v.Repeated = append(v.Repeated, fmt.Sprintf("%s at %q", document, all))
		for _, o := range answered {
			if at, ok := seen[all[0]]; ok && all[0] < o.Revision && o.Revision < all[len(all)-1] && at < o.Call {
				v.Returned = append(v.Returned, fmt.Sprintf("%s at %q, seen at %v, in spite of %v", document, all, at, o))
				break
			}
		}
	}
}

// knowledge is the highest revision that any client knew at a time.
type knowledge struct {
	at        []time.Duration
	revisions []string // the highest known after at
}

func newKnowledge(history []Operation) knowledge {
	answered := slices.DeleteFunc(slices.Clone(history), func(o Operation) bool { return !o.Answered || o.Revision == "" })
	slices.SortFunc(answered, func(a, b Operation) int { return cmp.Compare(a.Return, b.Return) })
	var k knowledge
	highest := ""
	for _, o := range answered {
		highest = max(highest, o.Revision)
		k.at = append(k.at, o.Return)
		k.revisions = append(k.revisions, highest)
	}
	return k
}

// before returns the highest revision that was known before t, or "".
func (k knowledge) before(t time.Duration) string {
	n, _ := slices.BinarySearch(k.at, t)
	if n == 0 {
		return ""
	}
	return k.revisions[n-1]
}
