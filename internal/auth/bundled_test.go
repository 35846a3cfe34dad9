package auth_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"orgsettings/internal/auth"
)

// bundled returns a JWKS that was fetched some time before [start].
func bundled(age time.Duration, jwks ...object) []byte {
	fetched := start().Add(-age).Format(time.RFC3339)
	return []byte(strings.Replace(keySet(jwks...), "{", `{"fetched":"`+fetched+`",`, 1))
}

// withBundle returns a change of the configuration that bundles a JWKS. The JWKS
// may be six hours old.
func withBundle(set []byte) func(*auth.Config) {
	return func(c *auth.Config) { c.BundledJWKS, c.BundledJWKSMaxAge = set, 6*time.Hour }
}

func TestBundledJWKSServesWithoutAFetch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, keySet(jwk("p256", nil)), withBundle(bundled(time.Hour, jwk("p256", nil), jwk("ed", nil))))
	if err := f.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.mustAccept(t, longLived("ed"))
	f.advance(5*time.Hour - 1)
	f.mustAccept(t, longLived("ed"))
	f.wantFetches(t, 0)
	f.advance(1) // the key was withdrawn meanwhile
	f.mustRefuse(t, longLived("ed"), unknownKey)
	f.mustAccept(t, longLived("p256"))
	f.wantFetches(t, 1)
	f.advance(5 * time.Minute) // what was fetched has the usual age
	f.mustAccept(t, longLived("p256"))
	f.wantFetches(t, 2)
}

func TestBundledJWKSLacksANewKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys(), withBundle(bundled(time.Minute, jwk("ed", nil))))
	f.mustAccept(t, longLived("p256"))
	f.wantFetches(t, 1)
}

// A bundled JWKS that is too old, or dated in the future, is fetched again at the start.
func TestBundledJWKSOfAnotherTime(t *testing.T) {
	t.Parallel()
	for _, age := range []time.Duration{6 * time.Hour, 1000 * time.Hour, -time.Minute} {
		f := newFixture(t, keySet(jwk("p256", nil)), withBundle(bundled(age, jwk("p256", nil), jwk("ed", nil))))
		if err := f.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.wantFetches(t, 1)
		f.mustRefuse(t, longLived("ed"), unknownKey)
	}
}

// In an outage of the issuer a bundled JWKS serves as long as a fetched one.
func TestBundledJWKSInAnOutage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "", withBundle(bundled(23*time.Hour, jwk("ed", nil))))
	f.fail(500)
	f.mustAccept(t, longLived("ed"))
	f.advance(time.Hour)
	f.mustBeUnavailable(t, longLived("ed"))
}

func TestBundledJWKSThatCannotServe(t *testing.T) {
	t.Parallel()
	c := auth.Config{
		Issuer: issuerName, Audiences: []string{audience}, JWKSURL: "https://issuer.example/jwks.json", JWKSMaxAge: time.Minute,
		UserClaim: "sub", Logger: slog.New(slog.DiscardHandler), Now: start, BundledJWKSMaxAge: time.Hour,
	}
	for _, tt := range []struct{ set, problem string }{
		{"no JSON", "invalid character"},
		{goodKeys(), "member fetched is missing"},
		{string(bundled(0)), "no usable key"},
		{string(bundled(0, jwk("rsa-1024", nil))), "no usable key"},
		{`{"fetched":"yesterday","keys":[]}`, "yesterday"},
	} {
		c.BundledJWKS = []byte(tt.set)
		if _, err := auth.New(c); err == nil || !strings.Contains(err.Error(), "read the bundled JWKS") || !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("with the keys %.60s: error %v, want one of %q", tt.set, err, tt.problem)
		}
	}
}
