package api_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// A row of edits of one document, each with what remains.
func TestEdits(t *testing.T) {
	t.Parallel()
	s := newService(t)
	alice := s.as(t, "alice")
	large := strings.Repeat("x", 300_000)
	var etag string
	for _, tt := range []struct {
		name, method, query, body string
		fields                    []string
		status                    int
		answer, remains           string // remains "=": what was there
	}{
		{"PUT of nothing into nothing", "PUT", "", `{}`, nil, 200, merged, `{}`},
		{"DELETE from nothing", "DELETE", "", `{"keys":["a"]}`, nil, 200, removed, `{}`},
		{"PUT into nothing", "PUT", "", `{"b":1.0,"a":{"x":null,"y":[null]}}`, nil, 200, merged, `{"b":1.0,"a":{"y":[null]}}`},
		{"PUT that changes nothing", "PUT", "", `{"a":{},"b":1.0,"c":null}`, nil, 200, merged, "="},
		{"PUT as merge patch", "PUT", "", `{"c":{"d":1},"b":null}`, []string{"Content-Type", "application/merge-patch+json"}, 200, merged, `{"a":{"y":[null]},"c":{"d":1}}`},
		{"PUT under the right tag", "PUT", "", `{"e.f":"é","g":{"h":{"i":1}}}`, []string{"If-Match", "@"}, 200, merged, `{"a":{"y":[null]},"c":{"d":1},"e.f":"é","g":{"h":{"i":1}}}`},
		{"PUT under a wrong tag", "PUT", "", `{"z":1}`, []string{"If-None-Match", "@"}, 412, changed, "="},
		{"DELETE of what is not there", "DELETE", "", `{"keys":["nothing","a.z","c.d.e"]}`, nil, 200, removed, "="},
		{"DELETE under a wrong tag", "DELETE", "", `{"keys":["a"]}`, []string{"If-None-Match", "*"}, 412, because(exist), "="},
		{"DELETE", "DELETE", "", `{"keys":["a.y","e.f","g.h"],"other":1}`, nil, 200, removed, `{"a":{},"c":{"d":1},"g":{}}`},
		{"DELETE by a query with a comma", "DELETE", "?keys=a,g", "", nil, 200, removed, "="},
		{"DELETE by query", "DELETE", "?keys=c.d&keys=a&other=1&keys=%67", "", nil, 200, removed, `{"c":{}}`},
		{"DELETE by an unreadable query", "DELETE", "?keys=%zz", "", nil, 400, notRemoved("query cannot be read"), "="},
		{"DELETE by another parameter", "DELETE", "?key=a", "", nil, 400, notRemoved("the query has no parameter named keys; write ?keys=a&keys=b.c"), "="},
		{"DELETE by too many keys", "DELETE", "?" + strings.Repeat("keys=a&", 1001), "", nil, 400, notRemoved("1001 keys are given, 1 to 1000 are allowed"), "="},
		{"DELETE prefers the body", "DELETE", "?keys=c", `{"keys":["d"]}`, nil, 200, removed, "="},
		{"PUT of much", "PUT", "", `{"l":"` + large + `"}`, nil, 200, merged, `{"c":{},"l":"` + large + `"}`},
		{"PUT of too much", "PUT", "", `{"m":"` + large + `"}`, nil, 413, notMerged("document has 600022 bytes without insignificant white space, the limit is 400000"), "="},
	} {
		before := etag
		document := text(t, s.call(t, "GET", "", alice...))
		fields := slices.Concat(alice, tt.fields)
		r := httptest.NewRequestWithContext(t.Context(), tt.method, "/settings/organization"+tt.query, strings.NewReader(tt.body))
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], strings.ReplaceAll(fields[i+1], "@", etag))
		}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if got := w.Body.String(); w.Code != tt.status || got != tt.answer {
			t.Errorf("%s: %d %s, want %d %s", tt.name, w.Code, got, tt.status, tt.answer)
		}
		want := fmt.Sprintf(`{"success":true,"settings":%s}`, tt.remains)
		if tt.remains == "=" {
			want = document
		}
		after := s.call(t, "GET", "", alice...)
		etag = after.Header.Get("ETag")
		if got := text(t, after); got != want {
			t.Errorf("%s: %.300s remains, want %.300s", tt.name, got, want)
		}
		unchanged := want == document
		if unchanged != (etag == before) {
			t.Errorf("%s: ETag %s after %s, want the same = %v", tt.name, etag, before, unchanged)
		}
		if got := w.Header().Get("ETag"); tt.status != 400 && tt.status != 413 && got != etag {
			t.Errorf("%s: the answer has ETag %s, what is stored %s", tt.name, got, etag)
		}
	}
}
