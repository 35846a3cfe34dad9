package api_test

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"orgsettings/internal/settings"
)

// FuzzAuthorization holds the reading of the Authorization field to RFC 6750: a
// good token counts behind the scheme, in any case, and nowhere else. In values
// TOKEN stands for a good one.
func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{
		"Bearer TOKEN", "bEARER   TOKEN  ", "Bearer", "Bearer ", "", "TOKEN", "Bearer\tTOKEN", " Bearer TOKEN", "Bearer Bearer TOKEN", "Basic TOKEN", "BearerTOKEN",
		"Bearer TOKEN,Bearer TOKEN", "Bearer TOKEN, Basic x", `Bearer "TOKEN"`, "Bearer TOKEN=", "Bearer TOKEN\x00", "Bearer TOKEN\r\nX: y", "Bearer=TOKEN", "Token TOKEN",
	} {
		f.Add(seed)
	}
	m := new(memory)
	handler, token := newFuzzHandler(f, m)
	good := regexp.MustCompile(`^(?i:bearer) +TOKEN *$`)
	some := regexp.MustCompile(`^(?i:bearer) +[^ ]`)
	before := settings.Record{Org: "acme", Revision: fuzzRevision}
	f.Fuzz(func(t *testing.T, value string) {
		m.record = before
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/settings/organization", strings.NewReader(`{"settings":{"a":1}}`))
		r.Header["Authorization"] = []string{strings.ReplaceAll(value, "TOKEN", token)}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		status, message, challenge := 401, `{"success":false,"message":"Authentication required"}`, "Bearer"
		switch {
		case good.MatchString(value):
			status, message, challenge = 200, `{"success":true,"message":"Organization settings updated successfully"}`, ""
		case some.MatchString(value):
			message, challenge = `{"success":false,"message":"Invalid access token"}`, `Bearer error="invalid_token"`
		}
		if w.Code != status || w.Body.String() != message || w.Header().Get("WWW-Authenticate") != challenge {
			t.Errorf("with Authorization %q: %d %s, challenge %q, want %d %s, %q",
				value, w.Code, w.Body, w.Header().Get("WWW-Authenticate"), status, message, challenge)
		}
		if stored := m.record.Revision != before.Revision; stored != (status == 200) {
			t.Errorf("with Authorization %q, answered %d: stored %v", value, w.Code, stored)
		}
	})
}
