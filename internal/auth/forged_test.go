package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"orgsettings/internal/auth"
)

func TestNoneIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	for alg, reason := range map[string]string{"none": badSignature, "None": otherAlgorithm, "nOnE": otherAlgorithm, "NONE": otherAlgorithm, "": otherAlgorithm} {
		parts := strings.Split(sign("RS256", "rsa", object{"alg": alg}, nil), ".")
		f.mustRefuse(t, parts[0]+"."+parts[1]+".", reason)
		f.mustRefuse(t, strings.Join(parts, "."), reason)
	}
}

func TestSymmetricAlgorithmsAreRefusedWhateverTheSecret(t *testing.T) {
	t.Parallel()
	secret := []byte("a secret of 32 bytes, published..")
	f := newFixture(t, keySet(jwk("rsa", nil), object{"kty": "oct", "kid": "oct", "alg": "HS256", "k": b64(secret)}))
	public := keys()["rsa"].Public().(*rsa.PublicKey)
	der := must(x509.MarshalPKIXPublicKey(public))
	for name, key := range map[string][]byte{
		"DER":      der,
		"PKCS1":    x509.MarshalPKCS1PublicKey(public),
		"PEM":      pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"modulus":  public.N.Bytes(),
		"n":        []byte(b64(public.N.Bytes())),
		"empty":    nil,
		"oct":      secret,
		"oct text": []byte(b64(secret)),
	} {
		for _, kid := range []string{"rsa", "oct"} {
			for alg, hash := range map[string]crypto.Hash{"HS256": crypto.SHA256, "HS512": crypto.SHA512} {
				text := b64([]byte(`{"alg":"`+alg+`","kid":"`+kid+`"}`)) + "." + b64(must(json.Marshal(goodClaims())))
				mac := hmac.New(hash.New, key)
				mac.Write([]byte(text))
				t.Run(name+" as "+alg+" with kid "+kid, func(t *testing.T) {
					f.mustRefuse(t, text+"."+b64(mac.Sum(nil)), badSignature)
				})
			}
		}
	}
	f.mustRefuse(t, sign("RS256", "rsa", object{"kid": "oct"}, nil), unusableKey)
}

// A key verifies only what its type, its curve and its alg are for.
func TestAlgorithmHasToBeThatOfTheKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	for _, alg := range allAlgorithms() {
		for _, kid := range []string{"rsa", "p256", "p384", "p521", "ed"} {
			if kid == keyOf(alg) {
				continue
			}
			id, err := f.Verify(t.Context(), sign(alg, keyOf(alg), object{"kid": kid}, nil))
			if _, ok := err.(*auth.InvalidError); !ok {
				t.Errorf("%s under %s: Verify = %v, %v, want an InvalidError", alg, kid, id, err)
			}
		}
	}
	for _, named := range []string{"RS256", "RS512", "PS256"} {
		f := newFixture(t, keySet(jwk("rsa", object{"alg": named})))
		for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"} {
			if alg != named {
				f.mustRefuse(t, sign(alg, "rsa", nil, nil), otherAlgorithm)
			}
		}
		f.mustAccept(t, sign(named, "rsa", nil, nil))
	}
}

// ES384 and ES512 can be computed with a key on P-256; signatures have the length
// of the algorithm then.
func TestCurveHasToBeThatOfTheAlgorithm(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	key := keys()["p256"].(*ecdsa.PrivateKey)
	for alg, size := range map[string]int{"ES384": 48, "ES512": 66} {
		text := b64([]byte(`{"alg":"`+alg+`","kid":"p256"}`)) + "." + b64(must(json.Marshal(goodClaims())))
		digest := sha512.Sum384([]byte(text))
		sum := digest[:]
		if alg == "ES512" {
			full := sha512.Sum512([]byte(text))
			sum = full[:]
		}
		r, s, err := ecdsa.Sign(rand.Reader, key, sum)
		if err != nil {
			t.Fatal(err)
		}
		signature := append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
		f.mustRefuse(t, text+"."+b64(signature), otherAlgorithm)
	}
}

func TestSaltHasToBeAsLongAsTheHash(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	text := b64([]byte(`{"alg":"PS256","kid":"rsa"}`)) + "." + b64(must(json.Marshal(goodClaims())))
	digest := sha256.Sum256([]byte(text))
	for _, salt := range []int{0, 20, 31, 32, 33, 48, rsa.PSSSaltLengthAuto} {
		signature := must(rsa.SignPSS(rand.Reader, keys()["rsa"].(*rsa.PrivateKey), crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: max(salt, 0)}))
		if salt == 32 {
			f.mustAccept(t, text+"."+b64(signature))
		} else {
			f.mustRefuse(t, text+"."+b64(signature), badSignature)
		}
	}
}

func TestKeysInTheTokenAreNeverUsed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("request for %s", r.URL)
		w.Write([]byte(keySet(jwk("rsa-other", object{"kid": "rsa"}), jwk("rsa-other", nil))))
	}))
	defer evil.Close()
	inside := jwk("rsa-other", nil)
	for _, kid := range []string{"rsa", "rsa-other", evil.URL} {
		for name, header := range map[string]object{
			"jwk": {"jwk": inside}, "jku": {"jku": evil.URL}, "x5u": {"x5u": evil.URL}, "x5t": {"x5t": "AAAA"},
			"x5c": {"x5c": []string{base64.StdEncoding.EncodeToString([]byte("certificate"))}},
			"all": {"jwk": inside, "jku": evil.URL, "x5u": evil.URL, "keys": []object{inside}},
		} {
			want := unknownKey
			if kid == "rsa" {
				want = badSignature
			}
			t.Run(name+" with kid "+kid, func(t *testing.T) {
				f.mustRefuse(t, sign("RS256", "rsa-other", header.with(object{"kid": kid}), nil), want)
			})
		}
	}
}

func TestSignaturesOfOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	for alg, other := range map[string]string{"RS256": "rsa-other", "PS384": "rsa-other", "ES256": "p256-other", "EdDSA": "ed-other"} {
		good, kid := sign(alg, keyOf(alg), nil, nil), keyOf(alg)
		f.mustRefuse(t, sign(alg, other, object{"kid": kid}, nil), badSignature)

		bob := sign(alg, kid, nil, object{"sub": "bob"})
		typed := sign(alg, kid, object{"typ": "JWT"}, nil)
		a, b, c := strings.Split(good, "."), strings.Split(bob, "."), strings.Split(typed, ".")
		f.mustRefuse(t, a[0]+"."+b[1]+"."+a[2], badSignature)
		f.mustRefuse(t, c[0]+"."+a[1]+"."+a[2], badSignature)
		f.mustRefuse(t, a[0]+"."+a[1]+"."+b[2], badSignature)
	}
}

func TestEveryByteOfASignatureCounts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	for _, alg := range []string{"RS256", "PS256", "ES256", "ES512", "EdDSA"} {
		good := sign(alg, keyOf(alg), nil, nil)
		f.mustAccept(t, good)
		cut := strings.LastIndexByte(good, '.') + 1
		signature := must(base64.RawURLEncoding.DecodeString(good[cut:]))
		for i := range signature {
			signature[i] ^= 1 << (i % 8)
			f.mustRefuse(t, good[:cut]+b64(signature), badSignature)
			signature[i] ^= 1 << (i % 8)
		}
		f.mustRefuse(t, good[:cut]+b64(make([]byte, len(signature))), badSignature) // r = s = 0
		f.mustRefuse(t, good[:cut]+b64(signature[1:]), badSignature)
		f.mustRefuse(t, good[:cut]+b64(append([]byte{0}, signature...)), badSignature)
		f.mustRefuse(t, good[:cut]+b64(append(signature, 0)), badSignature)
	}
	// The form of ECDSA signatures elsewhere: ASN.1.
	text := b64([]byte(`{"alg":"ES256","kid":"p256"}`)) + "." + b64(must(json.Marshal(goodClaims())))
	digest := sha256.Sum256([]byte(text))
	f.mustRefuse(t, text+"."+b64(must(ecdsa.SignASN1(rand.Reader, keys()["p256"].(*ecdsa.PrivateKey), digest[:]))), badSignature)
}

// The reason of a refusal is ours to the letter, and nothing of a token reaches
// the log.
func TestReasonsAndLogQuoteNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	const mark = "MARK"
	for _, name := range []string{"alg", "typ", "kid", "crit", "zip", "b64"} {
		refuseWithout(t, f, mark, sign("ES256", "p256", object{name: mark}, nil))
	}
	for _, name := range []string{"iss", "aud", "exp", "nbf", "iat"} {
		refuseWithout(t, f, mark, sign("ES256", "p256", nil, object{name: mark}))
	}
	refuseWithout(t, f, mark, sign("ES256", "p256", nil, object{"sub": []string{mark}}))
	refuseWithout(t, f, mark, signText("ES256", "p256", `{"alg":"ES256","kid":"p256"}`, `{"a":`+mark))
	refuseWithout(t, f, mark, mark+"."+mark+"."+mark)
	f.fail(http.StatusInternalServerError)
	f.advance(24 * time.Hour)
	f.mustBeUnavailable(t, sign("ES256", "p256", object{"kid": mark}, nil))
	if log := f.log.String(); strings.Contains(log, "eyJ") || strings.Contains(log, mark) || !strings.Contains(log, "signing keys refresh failed") {
		t.Errorf("log = %s", log)
	}
}

func refuseWithout(t *testing.T, f *fixture, mark, token string) {
	t.Helper()
	_, err := f.Verify(t.Context(), token)
	if invalid, ok := err.(*auth.InvalidError); !ok || strings.Contains(err.Error(), mark) || strings.Contains(invalid.Reason, "eyJ") {
		t.Errorf("Verify = %v, want an InvalidError without %s", err, mark)
	}
}
