package auth_test

import (
	"crypto/ed25519"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"orgsettings/internal/auth"
)

// FuzzSignedParts signs whatever header and claims there may be: the token that
// is accepted says, to another parser too, all that the contract asks of it.
func FuzzSignedParts(f *testing.F) {
	const (
		header = `{"alg":"EdDSA","kid":"ed"}`
		claims = `{"iss":"https://issuer.example","aud":"settings","sub":"alice","exp":1795500000}`
	)
	for _, seed := range [][2]string{
		{header, claims}, {`{"typ":"at+JWT",` + header[1:], `{"nbf":1,"iat":1.5,` + claims[1:]},
		{`{"crit":["b64"],"b64":false,` + header[1:], claims}, {`{"jwk":{},"jku":"https://evil.example",` + header[1:], claims},
		{`{"KID":"ed","alg":"EdDSA"}`, claims}, {`{"kid":"ed",` + header[1:], claims}, {"\ufeff" + header, claims},
		{`{"alg":"Ed25519","kid":"ed","cty":"JWT"}`, claims},
		{header, `{"SUB":"bob",` + claims[1:]}, {header, `{"s\u0075b":"bob",` + claims[1:]}, {header, claims + "{}"},
		{header, `{"iss":"https://issuer.example","client_id":"settings","sub":"\ud800","exp":"1795500000"}`},
		{header, `{"iss":"https://issuer.example","aud":["settings",1],"sub":" ","exp":1e400}`}, {`[]`, `null`}, {``, ``},
	} {
		f.Add(seed[0], seed[1])
	}
	fix := newFixture(f, keySet(object{"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": b64(fuzzKey().Public().(ed25519.PublicKey))}))
	fix.mustAccept(f, fuzzToken(header, claims))
	f.Fuzz(func(t *testing.T, header, claims string) {
		id, err := fix.Verify(t.Context(), fuzzToken(header, claims))
		if err != nil {
			if _, ok := err.(*auth.InvalidError); !ok || id != (auth.Identity{}) {
				t.Errorf("Verify = %v, %v, want an InvalidError", id, err)
			}
			return
		}
		var h, c map[string]any
		if json.Unmarshal([]byte(header), &h) != nil || json.Unmarshal([]byte(claims), &c) != nil || !utf8.ValidString(header+claims) {
			t.Fatalf("accepted %q %q, which another parser refuses", header, claims)
		}
		typ, hasType := h["typ"].(string)
		if h["alg"] != "EdDSA" && h["alg"] != "Ed25519" || h["kid"] != "ed" || hasType && !slices.Contains([]string{"jwt", "at+jwt", "application/at+jwt"}, strings.ToLower(typ)) {
			t.Errorf("accepted the header %q", header)
		}
		for _, name := range []string{"crit", "b64", "zip"} {
			if _, ok := h[name]; ok {
				t.Errorf("accepted the header %q", header)
			}
		}
		exp, _ := c["exp"].(float64)
		if c["iss"] != issuerName || c["sub"] != id.User || strings.TrimSpace(id.User) == "" || id.KeyID != "ed" || exp < float64(start().Unix())-31 {
			t.Errorf("accepted the claims %q of %v", claims, id)
		}
		switch aud := c["aud"].(type) {
		case nil:
			if _, ok := c["aud"]; ok || c["client_id"] != audience && c["client_id"] != "other" {
				t.Errorf("accepted the claims %q", claims)
			}
		case string:
			if aud != audience && aud != "other" {
				t.Errorf("accepted the claims %q", claims)
			}
		case []any:
			if !slices.Contains(aud, any(audience)) && !slices.Contains(aud, any("other")) {
				t.Errorf("accepted the claims %q", claims)
			}
		default:
			t.Errorf("accepted the claims %q", claims)
		}
	})
}
