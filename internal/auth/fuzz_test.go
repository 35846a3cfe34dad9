package auth_test

import (
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"

	"orgsettings/internal/auth"
)

// fuzzKey is the same in every run, so that kept inputs keep their meaning.
func fuzzKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("thirty-two bytes of no secret..."))
}

func fuzzToken(header, claims string) string {
	text := b64([]byte(header)) + "." + b64([]byte(claims))
	return text + "." + b64(ed25519.Sign(fuzzKey(), []byte(text)))
}

// FuzzVerify looks for a text that makes Verify panic, or that is accepted
// though it was not signed here.
func FuzzVerify(f *testing.F) {
	const (
		header = `{"alg":"EdDSA","kid":"ed"}`
		claims = `{"iss":"https://issuer.example","aud":"settings","sub":"alice","exp":1795500000}`
	)
	good := []string{fuzzToken(header, claims), fuzzToken(`{"typ":"at+jwt",`+header[1:], claims)}
	for _, token := range append(good,
		fuzzToken(header, `{"sub":"bob",`+claims[1:]),
		fuzzToken(`{"crit":[],`+header[1:], claims),
		fuzzToken(`{"alg":"none","kid":"ed"}`, claims),
		fuzzToken(`{"alg":"HS256","kid":"ed"}`, claims),
		fuzzToken(`{"alg":"RS256","kid":"ed"}`, claims),
		fuzzToken(`{"alg":"ES256","kid":"ec"}`, claims),
		fuzzToken(header, `{"exp":1e999}`),
		fuzzToken(`null`, `null`),
		fuzzToken(header, strings.Repeat("[", 4000)),
		good[0]+".", "..", "",
	) {
		f.Add(token)
	}
	public := b64(fuzzKey().Public().(ed25519.PublicKey))
	fix := newFixture(f, keySet(object{"kty": "OKP", "crv": "Ed25519", "x": public, "kid": "ed"}, jwk("p256", object{"kid": "ec"})))
	for _, token := range good {
		fix.mustAccept(f, token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		id, err := fix.Verify(t.Context(), token)
		if slices.Contains(good, token) != (err == nil) {
			t.Errorf("Verify(%q) = %v, %v", token, id, err)
		}
		if _, ok := err.(*auth.InvalidError); err != nil && (!ok || id != (auth.Identity{})) {
			t.Errorf("Verify(%q) = %v, %v, want an InvalidError", token, id, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, alg := range []string{"RS256", "ES256"} {
		b.Run(alg, func(b *testing.B) {
			f, token := newFixture(b, goodKeys()), sign(alg, keyOf(alg), object{"typ": "at+jwt"}, object{"scope": "openid email", "client_id": "web"})
			f.mustAccept(b, token)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
