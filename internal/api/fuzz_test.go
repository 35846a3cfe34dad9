package api_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"orgsettings/internal/app"
	"orgsettings/internal/auth"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

const (
	fuzzRevision = "01KDXZT9JE0000000000000000"
	fuzzIssuer   = "https://issuer.example"
)

// memory is a directory of one user, and a store of one record.
type memory struct {
	settings.Archive
	record settings.Record
}

func (*memory) Membership(context.Context, settings.UserID) (settings.Membership, error) {
	return settings.Membership{Org: "acme", Role: settings.RoleOwner}, nil
}

func (m *memory) Get(context.Context, settings.OrgID) (settings.Record, error) { return m.record, nil }

func (m *memory) Put(_ context.Context, r settings.Record, c settings.Condition) error {
	if !c.Holds(m.record) || m.record.Revision >= r.Revision {
		return &settings.ConflictError{Current: m.record}
	}
	m.record = r
	return nil
}

func (m *memory) Stamp(context.Context, settings.Record, settings.Revision) (settings.Record, error) {
	panic("every record has a revision")
}

func (m *memory) Swap(_ context.Context, _, r settings.Record) error {
	m.record = r
	return nil
}

// newFuzzHandler returns the handler over m, and a token that it accepts.
func newFuzzHandler(f *testing.F, m *memory) (handler http.Handler, token string) {
	key := ed25519.NewKeyFromSeed([]byte("thirty-two bytes of no secret..."))
	b64 := base64.RawURLEncoding.EncodeToString
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"ed","x":%q}]}`, b64(key.Public().(ed25519.PublicKey)))
	}))
	f.Cleanup(issuer.Close)
	handler, err := app.New(f.Context(), app.Config{
		Auth:   auth.Config{Issuer: fuzzIssuer, Audiences: []string{"settings"}, JWKSURL: issuer.URL, JWKSMaxAge: time.Hour, UserClaim: "sub"},
		Logger: slog.New(slog.DiscardHandler),
		Faults: func(*dynamo.DB) app.Database { return m },
	})
	if err != nil {
		f.Fatal(err)
	}
	claims := fmt.Sprintf(`{"iss":%q,"aud":"settings","sub":"alice","exp":%d}`, fuzzIssuer, time.Now().Add(24*time.Hour).Unix())
	text := b64([]byte(`{"alg":"EdDSA","kid":"ed"}`)) + "." + b64([]byte(claims))
	return handler, text + "." + b64(ed25519.Sign(key, []byte(text)))
}

// FuzzRequests holds whole requests to the contract: every answer has the
// documented shape, none is a fault of ours, nothing refused is stored, and what
// was accepted of a POST is read back as the text that was sent.
func FuzzRequests(f *testing.F) {
	const current = `"` + fuzzRevision + `"`
	f.Add("POST", "application/json", "", "", "", []byte(`{"settings": {"a" : 1.0}}`))
	f.Add("POST", "text/plain", "", current, "*", []byte(`{"settings":{}}`))
	f.Add("POST", "", "", `"other"`, "", []byte(`{"settings":{"a":1,"a":2}}`))
	f.Add("PUT", "application/merge-patch+json", "", current, "", []byte(`{"a":{"b":null},"c":[1e400]}`))
	f.Add("DELETE", "", "keys=a&keys=b.c", "", "", []byte(``))
	f.Add("DELETE", "application/json", "keys=%zz", "", current, []byte(`{"keys":["a.b",""]}`))
	f.Add("GET", "", "", "", "W/"+current, []byte(``))
	m := new(memory)
	handler, token := newFuzzHandler(f, m)
	document, err := settings.ParseDocument([]byte(`{"a":{"b":1},"c":"\u0000"}`))
	if err != nil {
		f.Fatal(err)
	}
	before := settings.Record{Org: "acme", Revision: fuzzRevision, Document: document, Stored: true}
	statuses := []int{200, 304, 400, 404, 412, 413, 415}
	f.Fuzz(func(t *testing.T, method, contentType, query, ifMatch, ifNoneMatch string, body []byte) {
		m.record = before
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/settings/organization", bytes.NewReader(body))
		r.Method, r.URL.RawQuery = method, query
		r.Header.Set("Authorization", "Bearer "+token)
		for name, value := range map[string]string{"Content-Type": contentType, "If-Match": ifMatch, "If-None-Match": ifNoneMatch} {
			if value != "" {
				r.Header[name] = []string{value}
			}
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)

		if !slices.Contains(statuses, w.Code) {
			t.Errorf("status %d %s", w.Code, w.Body)
		}
		if w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("status %d has Content-Type %q", w.Code, w.Header().Get("Content-Type"))
		}
		var shape struct {
			Success  *bool
			Message  string
			Settings json.RawMessage
		}
		if w.Code != 304 && json.Unmarshal(w.Body.Bytes(), &shape) != nil {
			t.Fatalf("status %d has the body %q", w.Code, w.Body)
		}
		if w.Code != 304 && (shape.Success == nil || *shape.Success != (w.Code == 200) || (shape.Message == "") == (shape.Settings == nil)) {
			t.Errorf("status %d has the body %s", w.Code, w.Body)
		}
		stored := string(m.record.Document.Text())
		if changed := m.record.Revision != before.Revision; changed && (w.Code != 200 || method == "GET") || !changed && stored != string(before.Document.Text()) {
			t.Errorf("%s %d stored %s", method, w.Code, stored)
		}
		if ifMatch != "" && !strings.Contains(ifMatch, fuzzRevision) && !strings.Contains(ifMatch, "*") && w.Code == 200 {
			t.Errorf("%s took place in spite of If-Match %q", method, ifMatch)
		}
		if w.Code == 200 && method == "POST" {
			var envelope map[string]json.RawMessage
			var want bytes.Buffer
			if err := json.Unmarshal(body, &envelope); err != nil {
				t.Fatalf("accepted %q: %v", body, err)
			}
			if err := json.Compact(&want, envelope["settings"]); err != nil || want.String() != stored {
				t.Errorf("of %q is stored %s, want %s", body, stored, want.String())
			}
		}
	})
}
