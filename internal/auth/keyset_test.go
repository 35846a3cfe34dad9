package auth_test

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// badAnswers are answers of a key server that must change nothing, with what the
// log has to say of each.
func badAnswers(f *fixture) map[string]struct {
	answer http.HandlerFunc
	logged string
} {
	text := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s) }
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			io.WriteString(w, goodKeys())
		}
	}
	return map[string]struct {
		answer http.HandlerFunc
		logged string
	}{
		"nothing":          {text(""), "unexpected end of JSON input"},
		"{}":               {text("{}"), "no usable key"},
		"null":             {text("null"), "no usable key"},
		"[]":               {text("[]"), "cannot unmarshal array"},
		"a bare key":       {text(strings.TrimSuffix(strings.TrimPrefix(keySet(jwk("p256", nil)), `{"keys":[`), "]}")), "no usable key"},
		"no keys":          {text(`{"keys":[]}`), "no usable key"},
		"null keys":        {text(`{"keys":null}`), "no usable key"},
		"an error":         {text(`{"error":"down"}`), "no usable key"},
		"keys an object":   {text(`{"keys":{}}`), "keys is not an array"},
		"garbage":          {text("\x00\x01\x02"), "invalid character"},
		"HTML":             {text("<!DOCTYPE html><title>Sign in</title>"), "invalid character"},
		"cut off":          {text(goodKeys()[:500]), "unexpected end of JSON input"},
		"two values":       {text(goodKeys() + goodKeys()), "after top-level value"},
		"bad keys alone":   {text(keySet(badKeys()["RSA 1024"], badKeys()["oct"])), `no usable key`},
		"no key has an id": {text(keySet(jwk("p256", object{"kid": absent}), jwk("rsa", object{"kid": ""}))), "kid is missing"},
		"500":              {status(500), "status 500"},
		"404":              {status(404), "status 404"},
		"201":              {status(201), "status 201"},
		"206":              {status(206), "status 206"},
		"513 KB":           {text(goodKeys() + strings.Repeat(" ", 513<<10-len(goodKeys()))), "more than 524288 bytes"},
		"a broken answer":  {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"a shorter answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			io.WriteString(w, "{}")
		}, "unexpected EOF"},
		"302 to good keys": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/good" {
				io.WriteString(w, goodKeys())
				return
			}
			http.Redirect(w, r, f.url+"/good", http.StatusFound)
		}, "status 302"},
		"no end": {func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, goodKeys())
			for {
				if _, err := io.WriteString(w, strings.Repeat(" ", 32<<10)); err != nil {
					return
				}
			}
		}, "more than 524288 bytes"},
	}
}

func TestBadAnswersChangeNothing(t *testing.T) {
	t.Parallel()
	for name := range badAnswers(nil) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, token := newFixture(t, goodKeys()), longLived("p256")
			bad := badAnswers(f)[name]
			f.mustAccept(t, token)
			f.serve(bad.answer)
			f.advance(5 * time.Minute)
			f.mustAccept(t, token)
			f.wantFetches(t, 2)
			if log := f.log.String(); !strings.Contains(log, "signing keys refresh failed") || !strings.Contains(log, bad.logged) || strings.Contains(log, "%!") {
				t.Errorf("log = %s, want %q in it", log, bad.logged)
			}

			fresh := newFixture(t, "")
			fresh.serve(badAnswers(fresh)[name].answer)
			fresh.mustBeUnavailable(t, token)
			fresh.publish(goodKeys())
			fresh.advance(500 * time.Millisecond)
			fresh.mustAccept(t, token)
		})
	}
}

// A set that was cut off anywhere is refused.
func TestSetThatIsCutOff(t *testing.T) {
	t.Parallel()
	set := keySet(jwk("p256", object{"x5c": []any{1, object{}}, "key_ops": []string{"verify"}}), jwk("ed", nil))
	f := newFixture(t, "")
	for n := range len(set) {
		f.publish(set[:n])
		f.mustBeUnavailable(t, longLived("p256"))
		f.advance(500 * time.Millisecond)
	}
	f.publish(set)
	f.mustAccept(t, longLived("p256"))
}

func TestLargestSet(t *testing.T) {
	t.Parallel()
	newFixture(t, goodKeys()+strings.Repeat(" ", 512<<10-len(goodKeys()))).mustAccept(t, longLived("p256"))
}

// A server that never answers, or drips, delays one call by 0.9 s, or by 2 s while
// there are no keys, and the calls after it not at all.
func TestServerThatHangs(t *testing.T) {
	t.Parallel()
	for _, begin := range []string{"", `{"keys":[`} {
		t.Run(fmt.Sprintf("after %q", begin), func(t *testing.T) {
			t.Parallel()
			f, token := newFixture(t, goodKeys()), longLived("p256")
			f.mustAccept(t, token)
			f.serve(func(w http.ResponseWriter, r *http.Request) {
				if begin != "" {
					io.WriteString(w, begin)
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
			})
			f.advance(5 * time.Minute)
			began := time.Now()
			f.mustAccept(t, token)
			f.mustAccept(t, token)
			if took := time.Since(began); took > 1900*time.Millisecond {
				t.Errorf("took %v, want about 0.9 s", took)
			}
			f.advance(24 * time.Hour)
			began = time.Now()
			f.mustBeUnavailable(t, token)
			f.mustBeUnavailable(t, token)
			if took := time.Since(began); took > 3500*time.Millisecond {
				t.Errorf("without keys it took %v, want about 2 s", took)
			}
			if log := f.log.String(); !strings.Contains(log, "context deadline exceeded") {
				t.Errorf("log = %s", log)
			}
		})
	}
}

// badKeys are keys that do not serve, each under its own name as kid. Most could
// verify what [longLived] and the like sign, if they were taken.
func badKeys() map[string]object {
	p256 := func(members object) object { return jwk("p256", members) }
	wide := strings.Repeat("_", 2048*4/3+1) // 16384 bits
	bad := map[string]object{
		"use enc":               p256(object{"use": "enc"}),
		"use unknown":           p256(object{"use": "verify"}),
		"use a number":          p256(object{"use": 1}),
		"key_ops encrypt":       p256(object{"key_ops": []string{"encrypt"}}),
		"key_ops sign":          p256(object{"key_ops": []string{"sign"}}),
		"key_ops unknown":       p256(object{"key_ops": []string{"attest"}}),
		"key_ops a string":      p256(object{"key_ops": "verify"}),
		"key_ops with a number": p256(object{"key_ops": []any{"verify", 5}}),
		"alg a number":          p256(object{"alg": 256}),
		"x a number":            p256(object{"x": 1}),
		"x in other case":       p256(object{"x": absent, "X": p256(nil)["x"]}),
		"alg of another type":   p256(object{"alg": "RS256"}),
		"alg of another curve":  p256(object{"alg": "ES384"}),
		"alg of agreement":      p256(object{"alg": "ECDH-ES"}),
		"alg Ed25519":           p256(object{"alg": "Ed25519"}),
		"alg HS256":             p256(object{"alg": "HS256"}),
		"alg none":              p256(object{"alg": "none"}),
		"point elsewhere":       p256(object{"y": b64([]byte{1})}),
		"point zero":            p256(object{"x": b64(make([]byte, 32)), "y": b64(make([]byte, 32))}),
		"bad base64":            p256(object{"x": "!!!"}),
		"curve of another":      p256(object{"crv": "P-384"}),
		"secp256k1":             p256(object{"crv": "secp256k1"}),
		"no curve":              p256(object{"crv": absent}),
		"kty missing":           p256(object{"kty": absent}),
		"kty unknown":           p256(object{"kty": "AKP"}),
		"kty in other case":     p256(object{"kty": "ec"}),
		"RSA 1024":              jwk("rsa-1024", nil),
		"RSA 16384":             jwk("rsa", object{"n": wide[:2731]}),
		"RSA e 1":               jwk("rsa", object{"e": "AQ"}),
		"RSA e too long":        jwk("rsa", object{"e": b64([]byte{1, 0, 0, 0, 0, 0, 1, 0, 1})}),
		"RSA n empty":           jwk("rsa", object{"n": ""}),
		"Ed448":                 jwk("ed", object{"crv": "Ed448"}),
		"X25519":                jwk("ed", object{"crv": "X25519"}),
		"Ed25519 short":         jwk("ed", object{"x": "AAAA"}),
		"oct":                   {"kty": "oct", "k": b64([]byte("secret"))},
	}
	for name, key := range bad {
		key["kid"] = name
	}
	return bad
}

func TestOneBadKeyBesideAGoodOne(t *testing.T) {
	t.Parallel()
	for name, bad := range badKeys() {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, keySet(bad, jwk("p256", nil)))
			f.mustAccept(t, longLived("p256"))
			for key, alg := range map[string]string{"p256": "ES256", "rsa": "RS256", "rsa-1024": "RS256", "ed": "EdDSA"} {
				f.mustRefuse(t, sign(alg, key, object{"kid": name}, nil), unusableKey)
			}
		})
	}
	// Those that no token can name.
	for name, bad := range map[string]string{
		"kid missing": keySet(jwk("rsa", object{"kid": absent})), "kid empty": keySet(jwk("rsa", object{"kid": ""})), "kid a number": keySet(jwk("rsa", object{"kid": 5})),
		"kid of 257": keySet(jwk("rsa", object{"kid": strings.Repeat("k", 257)})), "null": `{"keys":[null]}`, "a string": `{"keys":["key"]}`, "an array": `{"keys":[[]]}`,
	} {
		set := strings.TrimSuffix(bad, "]}") + "," + strings.TrimPrefix(keySet(jwk("p256", nil)), `{"keys":[`)
		t.Run(name, func(t *testing.T) { newFixture(t, set).mustAccept(t, longLived("p256")) })
	}
}

func TestKeysWithOneID(t *testing.T) {
	t.Parallel()
	one := func(key string, members object) object { return jwk(key, object{"kid": "one"}.with(members)) }
	signed := func(alg, key string) string { return sign(alg, key, object{"kid": "one"}, nil) }
	for _, c := range []struct {
		name   string
		set    []object
		accept []string // by "alg key": tokens of the kid
		refuse map[string]string
	}{
		{"one key under several algorithms",
			[]object{one("rsa", object{"alg": "RS256"}), one("rsa", object{"alg": "RS384"}), one("rsa", object{"alg": "RS512"})},
			[]string{"RS256 rsa", "RS384 rsa", "RS512 rsa"},
			map[string]string{"PS256 rsa": otherAlgorithm, "RS256 rsa-other": badSignature}},
		{"types that differ",
			[]object{one("rsa", nil), one("p256", nil), one("p384", nil), one("ed", nil)},
			[]string{"RS256 rsa", "PS512 rsa", "ES256 p256", "ES384 p384", "EdDSA ed"},
			map[string]string{"ES512 p521": otherAlgorithm, "ES256 p256-other": badSignature}},
		{"an alg each",
			[]object{one("rsa", object{"alg": "RS256"}), one("rsa-other", object{"alg": "PS256"})},
			[]string{"RS256 rsa", "PS256 rsa-other"},
			map[string]string{"RS256 rsa-other": badSignature, "PS256 rsa": badSignature, "RS512 rsa": otherAlgorithm}},
		{"the first of two that could verify one algorithm",
			[]object{one("p256", nil), one("p256-other", nil)},
			[]string{"ES256 p256"},
			map[string]string{"ES256 p256-other": badSignature}},
		{"the first of two whose alg names one algorithm",
			[]object{one("rsa", object{"alg": "RS256"}), one("rsa-other", object{"alg": "RS256"})},
			[]string{"RS256 rsa"},
			map[string]string{"RS256 rsa-other": badSignature, "RS384 rsa-other": otherAlgorithm}},
		{"a key whose alg names the algorithm before one without alg",
			[]object{one("rsa", nil), one("rsa-other", object{"alg": "RS256"})},
			[]string{"RS256 rsa-other", "RS384 rsa"},
			map[string]string{"RS256 rsa": badSignature, "RS384 rsa-other": badSignature}},
		{"a key that cannot serve is in nobody's way",
			[]object{one("p256-other", object{"use": "enc"}), one("p256", nil)},
			[]string{"ES256 p256"},
			map[string]string{"ES256 p256-other": badSignature, "RS256 rsa": unusableKey}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, keySet(c.set...))
			for _, token := range c.accept {
				alg, key, _ := strings.Cut(token, " ")
				f.mustAccept(t, signed(alg, key))
			}
			for token, reason := range c.refuse {
				alg, key, _ := strings.Cut(token, " ")
				f.mustRefuse(t, signed(alg, key), reason)
			}
		})
	}
}

// Some issuers publish what they should keep: the public part serves all the same.
func TestPrivateMembersAreLeftAside(t *testing.T) {
	t.Parallel()
	ec, rsaKey := keys()["p256"].(*ecdsa.PrivateKey), keys()["rsa"].(*rsa.PrivateKey)
	f := newFixture(t, keySet(
		jwk("p256", object{"d": b64(must(ec.Bytes()))}),
		jwk("rsa", object{"d": b64(rsaKey.D.Bytes()), "p": b64(rsaKey.Primes[0].Bytes()), "q": "!!!"}),
		jwk("ed", object{"d": "no private key"}),
		object{"kty": "oct", "kid": "oct", "k": b64([]byte("secret"))}))
	for _, key := range []string{"p256", "rsa", "ed"} {
		f.mustAccept(t, longLived(key))
	}
	if log := f.log.String(); !strings.Contains(log, `"signing keys changed","keys":3`) {
		t.Errorf("log = %s", log)
	}
}

// A key that Go itself refuses at verification is an unacceptable token, no panic.
func TestModulusThatIsNoModulus(t *testing.T) {
	t.Parallel()
	for _, n := range []string{strings.Repeat("_", 341) + "8", strings.Repeat("_", 341) + "w"} {
		f := newFixture(t, keySet(jwk("rsa", object{"n": n}), jwk("p256", nil)))
		for _, alg := range []string{"RS256", "PS512"} {
			f.mustRefuse(t, sign(alg, "rsa", nil, nil), badSignature)
		}
	}
}
