package auth_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"orgsettings/internal/auth"
)

// shipped returns a key set that was fetched some time before [start].
func shipped(age time.Duration, jwks ...object) []byte {
	fetched := start().Add(-age).Format(time.RFC3339)
	return []byte(strings.Replace(keySet(jwks...), "{", `{"fetched":"`+fetched+`",`, 1))
}

// shipping returns a change of the configuration by which a key set is shipped
// that may be six hours old.
func shipping(set []byte) func(*auth.Config) {
	return func(c *auth.Config) { c.ShippedKeys, c.ShippedKeysMaxAge = set, 6*time.Hour }
}

func TestShippedKeysServeWithoutAFetch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, keySet(jwk("p256", nil)), shipping(shipped(time.Hour, jwk("p256", nil), jwk("ed", nil))))
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

func TestShippedKeysLackANewKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys(), shipping(shipped(time.Minute, jwk("ed", nil))))
	f.mustAccept(t, longLived("p256"))
	f.wantFetches(t, 1)
}

// A set that is too old, or from a time that is not yet, is fetched again at the start.
func TestShippedKeysOfAnotherTime(t *testing.T) {
	t.Parallel()
	for _, age := range []time.Duration{6 * time.Hour, 1000 * time.Hour, -time.Minute} {
		f := newFixture(t, keySet(jwk("p256", nil)), shipping(shipped(age, jwk("p256", nil), jwk("ed", nil))))
		if err := f.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.wantFetches(t, 1)
		f.mustRefuse(t, longLived("ed"), unknownKey)
	}
}

// In an outage of the issuer shipped keys serve as long as fetched ones would.
func TestShippedKeysInAnOutage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "", shipping(shipped(23*time.Hour, jwk("ed", nil))))
	f.fail(500)
	f.mustAccept(t, longLived("ed"))
	f.advance(time.Hour)
	f.mustBeUnavailable(t, longLived("ed"))
}

func TestShippedKeysThatCannotServe(t *testing.T) {
	t.Parallel()
	c := auth.Config{
		Issuer: issuerName, Audiences: []string{audience}, JWKSURL: "https://issuer.example/jwks.json", JWKSMaxAge: time.Minute,
		UserClaim: "sub", Logger: slog.New(slog.DiscardHandler), Now: start, ShippedKeysMaxAge: time.Hour,
	}
	for _, tt := range []struct{ set, problem string }{
		{"no JSON", "invalid character"},
		{goodKeys(), "does not tell when it was fetched"},
		{string(shipped(0)), "no usable key"},
		{string(shipped(0, jwk("rsa-1024", nil))), "no usable key"},
		{`{"fetched":"yesterday","keys":[]}`, "yesterday"},
	} {
		c.ShippedKeys = []byte(tt.set)
		if _, err := auth.New(c); err == nil || !strings.Contains(err.Error(), "read the shipped key set") || !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("with the keys %.60s: error %v, want one of %q", tt.set, err, tt.problem)
		}
	}
}
