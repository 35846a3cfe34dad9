package settings

import (
	"testing"
	"time"
)

func TestRevisionsIncreaseWithTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	first := nextRevision(now, "")
	if _, ok := ParseRevision(string(first)); !ok {
		t.Errorf("%q is not of the form of a revision", first)
	}
	if got, want := first[:10], Revision("01KDYAK3SE"); got != want {
		t.Errorf("time part is %q, want %q", got, want)
	}
	if second := nextRevision(now.Add(time.Millisecond), first); second <= first {
		t.Errorf("revision of a millisecond later is %q after %q", second, first)
	}
}

// A clock that is behind, or a carry through any number of characters, still
// gives a greater revision, and another one each time.
func TestRevisionIsGreaterThanStored(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	for _, stored := range []Revision{
		"01KDXZT9JE0000000000000000",
		"01KDXZT9JE000000000000000Z",
		"01KDXZT9JEZZZZZZZZZZZZZZZZ", // carries into the time
		"01KDXZT9JE007ZZZZZZZZZZZZZ",
	} {
		first := nextRevision(now, stored)
		if first <= stored {
			t.Errorf("nextRevision(%q) = %q, want a greater one", stored, first)
		}
		// Two writers above the same revision must not take each other for themselves.
		if second := nextRevision(now, stored); second == first {
			t.Errorf("nextRevision(%q) is %q twice", stored, second)
		}
	}
}

// Above the last revision there is none: time begins anew.
func TestLastRevision(t *testing.T) {
	t.Parallel()
	r := nextRevision(time.UnixMilli(1), "7ZZZZZZZZYZZZZZZZZZZZZZZZZ")
	if _, ok := ParseRevision(string(r)); !ok || r[:10] != "0000000001" {
		t.Errorf("after the last revision comes %q", r)
	}
}

func TestParseRevision(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"01KDXZT9JE0000000000000000":  true,
		"7ZZZZZZZZYZZZZZZZZZZZZZZZZ":  true,
		"7ZZZZZZZZZ0000000000000000":  false,
		"7ZZZZZZZZZZZZZZZZZZZZZZZZZ":  false,
		"80000000000000000000000000":  false,
		"01KDXZT9JE000000000000000":   false,
		"01KDXZT9JE00000000000000000": false,
		"01KDXZT9JE000000000000000I":  false,
		"01kdxzt9je0000000000000000":  false,
		"":                            false,
	} {
		if _, ok := ParseRevision(text); ok != want {
			t.Errorf("ParseRevision(%q) = %v, want %v", text, ok, want)
		}
	}
}
