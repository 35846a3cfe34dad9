package settings

import (
	"testing"
	"time"
)

func TestRevisionsIncreaseWithTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	first, err := nextRevision(now, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := ParseRevision(string(first)); !ok {
		t.Errorf("%q is not of the form of a revision", first)
	}
	if got, want := first[:10], Revision("01KDYAK3SE"); got != want {
		t.Errorf("time part is %q, want %q", got, want)
	}
	second, err := nextRevision(now.Add(time.Millisecond), first)
	if err != nil || second <= first {
		t.Errorf("revision of a millisecond later is %q after %q, error %v", second, first, err)
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
		first, err := nextRevision(now, stored)
		if err != nil || first <= stored {
			t.Errorf("nextRevision(%q) = %q, %v, want a greater one", stored, first, err)
		}
		// Two writers above the same revision must not take each other for themselves.
		if second, err := nextRevision(now, stored); err != nil || second == first {
			t.Errorf("nextRevision(%q) is %q twice, error %v", stored, second, err)
		}
	}
	if r, err := nextRevision(now, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"); err == nil {
		t.Errorf("after the greatest revision comes %q, want an error", r)
	}
	if r, err := nextRevision(now, "not a revision"); err == nil {
		t.Errorf("after a text that is no revision comes %q, want an error", r)
	}
}

func TestParseRevision(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"01KDXZT9JE0000000000000000":  true,
		"7ZZZZZZZZZZZZZZZZZZZZZZZZZ":  true,
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
