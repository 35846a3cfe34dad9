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
// gives the next greater revision.
func TestRevisionIsGreaterThanStored(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	for _, tt := range []struct{ stored, want Revision }{
		{"01KDXZT9JE0000000000000000", "01KDXZT9JE0000000000000001"},
		{"01KDXZT9JE000000000000000Z", "01KDXZT9JE0000000000000010"},
		{"01KDXZT9JEZZZZZZZZZZZZZZZZ", "01KDXZT9JF0000000000000000"},
		{"01KDXZT9JE007ZZZZZZZZZZZZZ", "01KDXZT9JE0080000000000000"}, // between the two halves
		{"7ZZZZZZZZZZZZZZZZZZZZZZZZY", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"},
	} {
		got, err := nextRevision(now, tt.stored)
		if err != nil || got != tt.want {
			t.Errorf("nextRevision(%q) = %q, %v, want %q", tt.stored, got, err, tt.want)
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
