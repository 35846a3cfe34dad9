package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"orgsettings/internal/settings"
)

// FuzzEntityTags compares the reader of If-Match and If-None-Match with the
// grammar of RFC 9110 section 8.8.3 as a regular expression, and holds it to
// never making a conditional write unconditional.
func FuzzEntityTags(f *testing.F) {
	const fuzzRevision = "01KDXZT9JE0000000000000000"
	for _, seed := range []string{
		"*", " *\t", `"` + fuzzRevision + `"`, `W/"` + fuzzRevision + `"`, `"a", "b" ,,	W/"c,d",`, "", ",", `"`, `"a"b`, `"a" "b"`, `W/`, `w/"a"`, `*, "a"`,
		`"` + fuzzRevision + `","` + fuzzRevision + `"`, `"\"`, "\"a\nb\"", fuzzRevision, `"7ZZZZZZZZZZZZZZZZZZZZZZZZZ",W/"80000000000000000000000000"`,
	} {
		f.Add(seed)
	}
	const tag = `(?:W/)?"[^"]*"`
	list := regexp.MustCompile(`^[ \t,]*(?:` + tag + `[ \t]*(?:,[ \t,]*` + tag + `[ \t]*)*)?[ \t,]*$`)
	each := regexp.MustCompile(`(W/)?"([^"]*)"`)
	f.Fuzz(func(t *testing.T, value string) {
		for _, weak := range []bool{false, true} {
			want, wantWeak := new(settings.Revisions), false
			switch {
			case strings.Trim(value, " \t") == "*":
				want.Any = true
			case !list.MatchString(value):
				want = nil
			default:
				for _, m := range each.FindAllStringSubmatch(value, -1) {
					wantWeak = wantWeak || m[1] != ""
					if r, ok := settings.ParseRevision(m[2]); ok && (m[1] == "" || weak) {
						want.Listed = append(want.Listed, r)
					}
				}
			}
			got, anyWeak, ok := entityTags([]string{value}, weak)
			if diff := cmp.Diff(want, got); diff != "" || ok != (want != nil) || anyWeak != wantWeak {
				t.Errorf("entityTags(%q, weak %v): list %v, weak tags %v, want %v (-want +got):\n%s", value, weak, ok, anyWeak, wantWeak, diff)
			}
			// Sent in two fields, a list is the same list.
			if first, second, ok := strings.Cut(value, ","); ok && !strings.Contains(first, `"`) {
				apart, _, _ := entityTags([]string{first, second}, weak)
				if diff := cmp.Diff(got, apart); diff != "" {
					t.Errorf("entityTags(%q, %q) (-joined +apart):\n%s", first, second, diff)
				}
			}
		}
		for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
			r := &http.Request{Method: method, Header: http.Header{"If-Match": {value}, "If-None-Match": {value}}}
			c := preconditionOf(r)
			named := strings.Contains(value, fuzzRevision) || strings.Contains(value, "*")
			if c.IfMatch == nil || !named && (settings.Condition{IfMatch: c.IfMatch}).Holds(settings.Record{Revision: fuzzRevision, Stored: true}) {
				t.Errorf("%s: If-Match %q holds for a revision that it does not name", method, value)
			}
			// A list that cannot be read holds for nothing, or only for a GET is passed over.
			_, _, ok := entityTags([]string{value}, true)
			if ok != (c.unreadable == "") || !ok && (c.Holds(settings.Record{}) || c.Holds(settings.Record{Revision: fuzzRevision, Stored: true})) {
				t.Errorf("%s: conditions %q are unreadable: %q", method, value, c.unreadable)
			}
		}
	})
}
