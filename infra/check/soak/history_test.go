package soak

import (
	"strings"
	"testing"
	"time"
)

// The check itself tells right histories from wrong ones.
func TestCheckRegister(t *testing.T) {
	t.Parallel()
	write := func(document, revision string, call, end int) Operation {
		return Operation{Org: "o", Write: true, Document: document, Revision: revision, Answered: revision != "", Call: time.Duration(call), Return: time.Duration(end)}
	}
	read := func(document, revision string, call, end int) Operation {
		return Operation{Org: "o", Document: document, Revision: revision, Answered: true, Call: time.Duration(call), Return: time.Duration(end)}
	}
	commits := func(pairs ...string) (all []Commit) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, Commit{Org: "o", Revision: pairs[i], Document: pairs[i+1]})
		}
		return all
	}
	for _, tt := range []struct {
		name               string
		history            []Operation
		commits            []Commit
		problem            string // part of the first one; empty: there is none
		repeated, returned int
	}{
		{"nothing", nil, nil, "", 0, 0},
		{"in turn", []Operation{read("{}", "", 0, 1), write("a", "1", 2, 3), read("a", "1", 4, 5), write("b", "2", 6, 7), read("b", "2", 8, 9)}, commits("1", "a", "2", "b"), "", 0, 0},
		{"at once", []Operation{write("a", "2", 0, 9), write("b", "1", 0, 9), read("b", "1", 0, 9), read("a", "2", 0, 9)}, commits("1", "b", "2", "a"), "", 0, 0},
		{"in doubt, took place", []Operation{write("a", "", 0, 1), read("a", "1", 2, 3)}, commits("1", "a"), "", 0, 0},
		{"in doubt, did not", []Operation{write("a", "", 0, 1), read("{}", "", 2, 3)}, nil, "", 0, 0},
		{"repeated attempt", []Operation{write("a", "1", 0, 1)}, commits("1", "a", "1", "a"), "", 0, 0},
		{"lost write", []Operation{write("a", "1", 0, 1)}, nil, "was answered", 0, 0},
		{"overwritten under one revision", []Operation{write("a", "1", 0, 9), write("b", "1", 0, 9)}, commits("1", "a", "1", "b"), "is committed after 1", 0, 0},
		{"revision goes back", []Operation{write("a", "2", 0, 1), write("b", "1", 2, 3)}, commits("2", "a", "1", "b"), "is committed after 2", 0, 0},
		{"late attempt of an older write", []Operation{write("a", "", 0, 1), write("b", "2", 2, 3)}, commits("2", "b", "1", "a"), "is committed after 2", 0, 0},
		{"reordered", []Operation{write("a", "2", 0, 1), write("b", "1", 2, 3)}, commits("1", "b", "2", "a"), "though 2 was known before", 0, 0},
		{"stale read", []Operation{write("a", "1", 0, 1), write("b", "2", 2, 3), read("a", "1", 4, 5)}, commits("1", "a", "2", "b"), "which was known before", 0, 0},
		{"stale read of nothing", []Operation{write("a", "1", 0, 1), read("{}", "", 2, 3)}, commits("1", "a"), "which was known before", 0, 0},
		{"read of another's document", []Operation{write("a", "1", 0, 1), read("b", "1", 2, 3)}, commits("1", "a"), "is committed", 0, 0},
		{"read of the future", []Operation{read("a", "1", 0, 1), write("a", "1", 2, 3)}, commits("1", "a"), "nobody had sent", 0, 0},
		{"stored twice", []Operation{write("a", "3", 0, 9), write("b", "2", 1, 2), read("a", "1", 3, 4)}, commits("1", "a", "2", "b", "3", "a"), "which was known before", 1, 0},
		{"stored twice, not seen", []Operation{write("a", "3", 0, 9), write("b", "2", 1, 2)}, commits("1", "a", "2", "b", "3", "a"), "", 1, 0},
		{"stored twice, seen", []Operation{write("a", "3", 0, 9), read("a", "1", 1, 2), write("b", "2", 3, 4)}, commits("1", "a", "2", "b", "3", "a"), "", 1, 1},
	} {
		v := CheckRegister(tt.history, tt.commits)
		first := strings.Join(v.Problems[:min(1, len(v.Problems))], "")
		if (first == "") != (tt.problem == "") || !strings.Contains(first, tt.problem) {
			t.Errorf("%s: problems %q, want %q", tt.name, v.Problems, tt.problem)
		}
		if len(v.Repeated) != tt.repeated || len(v.Returned) != tt.returned {
			t.Errorf("%s: repeated %q, returned %q, want %d and %d", tt.name, v.Repeated, v.Returned, tt.repeated, tt.returned)
		}
	}
}

// The faults come in the shares that they are documented in, and the same ones
// from the same seed.
func TestProxyFaults(t *testing.T) {
	t.Parallel()
	const n = 100_000
	a, b, c := NewProxy(nil, 1), NewProxy(nil, 1), NewProxy(nil, 2)
	var count [faults]int
	differ := 0
	for i := range uint64(n) {
		f, _ := a.fault(i)
		count[f]++
		if same, _ := b.fault(i); same != f {
			t.Fatalf("call %d has the faults %v and %v from one seed", i, f, same)
		}
		if other, _ := c.fault(i); other != f {
			differ++
		}
	}
	if differ < n/10 {
		t.Errorf("of two seeds only %d of %d faults differ", differ, n)
	}
	for name, share := range map[string]struct {
		got  int
		want float64
	}{
		"refused or failed": {count[Refused] + count[Failed], .10},
		"reset":             {count[ResetBefore] + count[ResetAfter], .05},
		"stalled":           {count[Late] + count[StalledAfter], .02},
		"cut off":           {count[CutOff], .01},
	} {
		if got := float64(share.got) / n; got < .9*share.want || got > 1.1*share.want {
			t.Errorf("%s: %.4f of the calls, want %.2f", name, got, share.want)
		}
	}
}
