package auth_test

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// certificate returns a certificate of the named key, in DER.
func certificate(name string) []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(0x7f), NotBefore: start(), NotAfter: start().Add(time.Hour)}
	return must(x509.CreateCertificate(rand.Reader, template, template, keys()[name].Public(), keys()[name]))
}

// What a JWK holds beside the key decides nothing, however wrong it is. Issuers
// publish each of the first few.
func TestMembersThatAreNotNeeded(t *testing.T) {
	t.Parallel()
	der := certificate("rsa")
	sum1, sum256 := sha1.Sum(der), sha256.Sum256([]byte("another certificate"))
	serial := strings.Index(string(der), "\x02\x01\x7f")
	negative := append([]byte{}, der...)
	negative[serial+2] = 0xff
	if _, err := x509.ParseCertificate(negative); err == nil || !strings.Contains(err.Error(), "negative serial") {
		t.Fatalf("the certificate is refused with %v, want its serial number", err)
	}
	chain := func(der []byte) []string { return []string{base64.StdEncoding.EncodeToString(der)} }
	for name, members := range map[string]object{
		"x5t that is hexadecimal text (Auth0)":             {"x5c": chain(der), "x5t": b64([]byte(strings.ToUpper(hex.EncodeToString(sum1[:]))))},
		"certificate with a negative serial number (WSO2)": {"x5c": chain(negative), "x5t": b64(sum1[:])},
		"x5t#S256 of another certificate (WorkOS)":         {"x5c": chain(der), "x5t#S256": b64(sum256[:])},
		"certificate of another key":                       {"x5c": chain(certificate("p256"))},
		"certificate that is none":                         {"x5c": []string{"AAAA"}},
		"x5c a number":                                     {"x5c": 5},
		"x5c an object":                                    {"x5c": object{"0": "AAAA"}},
		"x5c with numbers":                                 {"x5c": []int{1}},
		"x5t an array":                                     {"x5t": []int{1}, "x5t#S256": true},
		"x5u by http":                                      {"x5u": "http://127.0.0.1:1/certificate"},
		"x5u a number":                                     {"x5u": 5},
		"unknown members":                                  {"exp": "never", "issuer": []any{nil, object{"kid": 5}}, "": 1},
		"private members of any type":                      {"d": 5, "p": "!!!", "oth": "none", "k": object{}},
		"members of another key type":                      {"x": 5, "y": []int{}, "crv": 1},
		"names in other case":                              {"KID": "other", "Kty": "EC", "N": "AQAB", "USE": "enc", "Alg": "ES256"},
		"null for what may be absent":                      {"use": nil, "alg": nil, "key_ops": nil},
		"key_ops that are not registered":                  {"key_ops": []string{"attest", "verify", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, keySet(jwk("rsa", members)))
			f.mustAccept(t, longLived("rsa"))
			f.mustRefuse(t, sign("RS256", "rsa-other", object{"kid": "rsa"}, nil), badSignature)
		})
	}
	good := strings.TrimPrefix(keySet(jwk("rsa", nil)), `{"keys":[{`)
	for name, set := range map[string]string{
		"a byte order mark":                    "\ufeff" + keySet(jwk("rsa", nil)),
		"white space":                          " \r\n" + keySet(jwk("rsa", nil)) + "\n",
		"members of the set":                   `{"fetched":5,"Keys":[],"a":{"keys":1},"a":2,"keys":[{` + good,
		"ill-formed text in an unknown member": "{\"keys\":[{\"name\":\"\xff\",\"name\":\"\\ud800\"," + good,
	} {
		t.Run(name, func(t *testing.T) { newFixture(t, set).mustAccept(t, longLived("rsa")) })
	}
}

// RFC 7518 wants no leading zeros in n and e, and some issuers write them.
func TestLeadingZeros(t *testing.T) {
	t.Parallel()
	zeros := func(key, member string) string {
		return b64(append([]byte{0, 0}, must(base64.RawURLEncoding.DecodeString(jwk(key, nil)[member].(string)))...))
	}
	f := newFixture(t, keySet(
		jwk("rsa", object{"n": zeros("rsa", "n"), "e": zeros("rsa", "e")}),
		jwk("p256", object{"x": zeros("p256", "x"), "y": zeros("p256", "y")})))
	f.mustAccept(t, longLived("rsa"))
	f.mustAccept(t, longLived("p256"))
}

// Keycloak publishes one kid under several algorithms, and a key for encryption
// beside those for signatures.
func TestKeycloakSet(t *testing.T) {
	t.Parallel()
	f := newFixture(t, keySet(
		jwk("rsa", object{"kid": "one", "alg": "RS256", "use": "sig"}),
		jwk("rsa", object{"kid": "one", "alg": "RS384", "use": "sig"}),
		jwk("rsa-other", object{"kid": "two", "alg": "RSA-OAEP", "use": "enc"}),
		jwk("p256", object{"kid": "one", "alg": "ES256", "use": "sig"})))
	for alg, key := range map[string]string{"RS256": "rsa", "RS384": "rsa", "ES256": "p256"} {
		f.mustAccept(t, sign(alg, key, object{"kid": "one"}, nil))
	}
	f.mustRefuse(t, sign("RS512", "rsa", object{"kid": "one"}, nil), otherAlgorithm)
	f.mustRefuse(t, sign("RS256", "rsa-other", object{"kid": "two"}, nil), unusableKey)
}

// changes returns the lines of the log that say what keys serve.
func (f *fixture) changes(t *testing.T) (lines []struct {
	Keys, Skipped int
	Reasons       []string
}) {
	t.Helper()
	for line := range strings.Lines(f.log.String()) {
		if strings.Contains(line, `"signing keys changed"`) {
			lines = append(lines, struct {
				Keys, Skipped int
				Reasons       []string
			}{})
			if err := json.Unmarshal([]byte(line), &lines[len(lines)-1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return lines
}

// Skipped keys are logged with their reasons when the set is first taken, and again
// when it changes.
func TestSkippedKeysAreLogged(t *testing.T) {
	t.Parallel()
	enc := jwk("ed", object{"use": "enc"})
	f := newFixture(t, keySet(enc, jwk("p256", nil)))
	for _, set := range []string{
		keySet(enc, jwk("p256", nil)),
		keySet(jwk("p256", object{"x5t": "new"}), enc), // the same in another order
		keySet(jwk("p256", nil), jwk("p256-other", object{"kid": "p256"}), jwk("rsa", object{"kid": 5})),
	} {
		f.publish(set)
		f.mustAccept(t, longLived("p256"))
		f.advance(5 * time.Minute)
	}
	f.wantFetches(t, 3)
	want := [][]string{
		{"kid ed: use is not sig"},
		{"key 2: kid is missing, too long or not a string", "kid p256: another key with this kid has its algorithms"},
	}
	got := f.changes(t)
	if len(got) != len(want) {
		t.Fatalf("log = %s, want %d changes", f.log, len(want))
	}
	for i, line := range got {
		if strings.Join(line.Reasons, "\n") != strings.Join(want[i], "\n") || line.Keys != 1 || line.Skipped != len(want[i]) {
			t.Errorf("change %d = %+v, want one key and the reasons %q", i, line, want[i])
		}
	}
	bundle := newFixture(t, "", withBundle(bundled(time.Hour, enc, jwk("p256", nil))))
	if got := bundle.changes(t); len(got) != 1 || len(got[0].Reasons) != 1 {
		t.Errorf("log = %s, want the reason of the bundled key that is skipped", bundle.log)
	}
}

func TestChangesOfTheSetAreLogged(t *testing.T) {
	t.Parallel()
	good, nameless := jwk("p256", nil), jwk("rsa", object{"kid": 5})
	enc, sign := jwk("ed", object{"use": "enc"}), jwk("ed", object{"key_ops": []string{"sign"}})
	nobody := jwk("p384", object{"use": "nothing"})
	rs256, rs384 := jwk("rsa", object{"alg": "RS256"}), jwk("rsa", object{"alg": "RS384"})
	for _, c := range []struct {
		name          string
		before, after []object
		logged        bool
	}{
		{"skipped keys in another order", []object{good, enc, nobody}, []object{nobody, enc, good}, false},
		{"another key id", []object{good}, []object{jwk("p256", object{"kid": "other"})}, true},
		{"one key less of a key id", []object{rs256, rs384}, []object{rs256}, true},
		{"another reason", []object{good, enc}, []object{good, sign}, true},
		{"one more above the reasons that are logged", append(slices.Repeat([]object{nameless}, 8), good),
			append(slices.Repeat([]object{nameless}, 8), nameless, good), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, keySet(c.before...))
			for range 2 {
				if err := f.Warm(t.Context()); err != nil {
					t.Fatal(err)
				}
				f.publish(keySet(c.after...))
				f.advance(5 * time.Minute)
			}
			if got := len(f.changes(t)); (got == 2) != c.logged {
				t.Errorf("%d changes are logged: %s", got, f.log)
			}
		})
	}
}
