package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"orgsettings/infra/local/testenv"
	"orgsettings/internal/auth"
)

const (
	issuerName = "https://issuer.example"
	audience   = "settings"
)

// object is a JSON object; a member that is absent is left out of it.
type object map[string]any

type absentMember struct{}

var absent = absentMember{}

// keys are made once for all tests: RSA keys take long.
var keys = sync.OnceValue(func() map[string]crypto.Signer {
	rsaKey := func(bits int) crypto.Signer { return must(rsa.GenerateKey(rand.Reader, bits)) }
	ecKey := func(c elliptic.Curve) crypto.Signer { return must(ecdsa.GenerateKey(c, rand.Reader)) }
	edKey := func() crypto.Signer {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return must(key, err)
	}
	return map[string]crypto.Signer{
		"rsa": rsaKey(2048), "rsa-other": rsaKey(2048), "rsa-1024": rsaKey(1024),
		"p256": ecKey(elliptic.P256()), "p256-other": ecKey(elliptic.P256()),
		"p384": ecKey(elliptic.P384()), "p521": ecKey(elliptic.P521()),
		"ed": edKey(), "ed-other": edKey(),
	}
})

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwk returns the public key of the named key as a JWK of that name, changed by members.
func jwk(name string, members object) object {
	j := object{"kid": name}
	switch k := keys()[name].Public().(type) {
	case *rsa.PublicKey:
		j["kty"], j["n"], j["e"] = "RSA", b64(k.N.Bytes()), b64(big.NewInt(int64(k.E)).Bytes())
	case *ecdsa.PublicKey:
		point := must(k.Bytes())[1:]
		j["kty"], j["crv"] = "EC", k.Curve.Params().Name
		j["x"], j["y"] = b64(point[:len(point)/2]), b64(point[len(point)/2:])
	case ed25519.PublicKey:
		j["kty"], j["crv"], j["x"] = "OKP", "Ed25519", b64(k)
	}
	return j.with(members)
}

// with returns a copy of o that is changed by members.
func (o object) with(members object) object {
	o = maps.Clone(o)
	maps.Copy(o, members)
	maps.DeleteFunc(o, func(_ string, value any) bool { return value == absent })
	return o
}

// keySet returns the text of a JWK Set.
func keySet(jwks ...object) string {
	return string(must(json.Marshal(object{"keys": append([]object{}, jwks...)})))
}

// goodKeys is a set of one key of each kind.
func goodKeys() string {
	return keySet(jwk("rsa", nil), jwk("p256", nil), jwk("p384", nil), jwk("p521", nil), jwk("ed", nil))
}

// start is when the clock of every test starts.
func start() time.Time { return time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC) }

// goodClaims are accepted at [start].
func goodClaims() object {
	return object{"iss": issuerName, "aud": audience, "sub": "alice", "exp": start().Add(10 * time.Minute).Unix()}
}

// sign returns a token with the good claims, signed by the named key and with
// its name as kid; header and claims change it.
func sign(alg, key string, header, claims object) string {
	return signText(alg, key,
		string(must(json.Marshal(object{"alg": alg, "kid": key}.with(header)))),
		string(must(json.Marshal(goodClaims().with(claims)))))
}

// signText is sign for a header and claims that are given as text.
func signText(alg, key, header, claims string) string {
	text := b64([]byte(header)) + "." + b64([]byte(claims))
	return text + "." + b64(must(jwt.GetSigningMethod(alg).Sign(text, keys()[key])))
}

// fixture is a verifier with its key server, its clock and its log.
type fixture struct {
	*auth.Verifier
	url     string
	log     *testenv.Log
	fetches atomic.Int64
	answer  atomic.Pointer[http.HandlerFunc]
	now     atomic.Int64
}

// newFixture returns a verifier of what set, the text of a JWK Set, can verify.
func newFixture(t testing.TB, set string, change ...func(*auth.Config)) *fixture {
	t.Helper()
	f := &fixture{log: new(testenv.Log)}
	f.now.Store(start().UnixNano())
	f.publish(set)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.fetches.Add(1)
		(*f.answer.Load())(w, r)
	}))
	t.Cleanup(server.Close)
	f.url = server.URL
	c := auth.Config{
		Issuer: issuerName, Audiences: []string{"other", audience}, JWKSURL: server.URL, JWKSMaxAge: 5 * time.Minute,
		UserClaim: "sub", Logger: slog.New(slog.NewJSONHandler(f.log, nil)),
		Now: func() time.Time { return time.Unix(0, f.now.Load()) },
	}
	for _, change := range change {
		change(&c)
	}
	var err error
	if f.Verifier, err = auth.New(c); err != nil {
		t.Fatal(err)
	}
	return f
}

// advance moves the clock.
func (f *fixture) advance(d time.Duration) { f.now.Add(int64(d)) }

// serve makes the key server answer by h.
func (f *fixture) serve(h http.HandlerFunc) { f.answer.Store(&h) }

// publish makes the key server answer 200 with text.
func (f *fixture) publish(text string) {
	f.serve(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(text)) })
}

// fail makes the key server answer a status and nothing else.
func (f *fixture) fail(status int) {
	f.serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

func (f *fixture) mustAccept(t testing.TB, token string) auth.Identity {
	t.Helper()
	id, err := f.Verify(t.Context(), token)
	if err != nil {
		t.Fatalf("Verify = %v, want no error", err)
	}
	return id
}

// mustRefuse checks that the token is refused for the reason.
func (f *fixture) mustRefuse(t testing.TB, token, reason string) {
	t.Helper()
	id, err := f.Verify(t.Context(), token)
	invalid, ok := err.(*auth.InvalidError)
	if !ok || invalid.Reason != reason || id != (auth.Identity{}) {
		t.Errorf("Verify = %v, %v, want invalid token: %s", id, err, reason)
	}
}

func (f *fixture) mustBeUnavailable(t testing.TB, token string) {
	t.Helper()
	if id, err := f.Verify(t.Context(), token); err != auth.ErrUnavailable || id != (auth.Identity{}) {
		t.Fatalf("Verify = %v, %v, want ErrUnavailable", id, err)
	}
}

func (f *fixture) wantFetches(t testing.TB, want int64) {
	t.Helper()
	if got := f.fetches.Load(); got != want {
		t.Fatalf("key set was fetched %d times, want %d", got, want)
	}
}
