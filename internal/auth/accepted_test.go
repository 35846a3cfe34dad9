package auth_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"orgsettings/internal/auth"
)

// keyOf is the key of the fixture that an algorithm needs.
func keyOf(alg string) string {
	switch alg {
	case "ES256":
		return "p256"
	case "ES384":
		return "p384"
	case "ES512":
		return "p521"
	case "EdDSA", "Ed25519":
		return "ed"
	default:
		return "rsa"
	}
}

func allAlgorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
}

func TestEveryAlgorithmIsAccepted(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	for _, alg := range allAlgorithms() {
		want := auth.Identity{User: "alice", KeyID: keyOf(alg)}
		if got := f.mustAccept(t, sign(alg, keyOf(alg), nil, nil)); got != want {
			t.Errorf("%s: identity = %v, want %v", alg, got, want)
		}
		// The same with a key that names its algorithm, its use and what it is for.
		named := newFixture(t, keySet(jwk(keyOf(alg), object{"alg": alg, "use": "sig", "key_ops": []string{"verify"}})))
		named.mustAccept(t, sign(alg, keyOf(alg), nil, nil))
	}
	f.wantFetches(t, 1)
}

// RFC 9864 renames EdDSA with an Ed25519 key to Ed25519. Token and key may use either name.
func TestBothNamesOfEdDSA(t *testing.T) {
	t.Parallel()
	for _, named := range []any{absent, "EdDSA", "Ed25519"} {
		f := newFixture(t, keySet(jwk("ed", object{"alg": named})))
		for _, alg := range []string{"EdDSA", "Ed25519"} {
			f.mustAccept(t, sign(alg, "ed", nil, nil))
			f.mustRefuse(t, sign(alg, "ed-other", object{"kid": "ed"}, nil), badSignature)
		}
	}
	// Two names of one algorithm do not make two keys of one kid.
	f := newFixture(t, keySet(jwk("ed", object{"alg": "EdDSA"}), jwk("ed-other", object{"kid": "ed", "alg": "Ed25519"})))
	f.mustAccept(t, sign("Ed25519", "ed", nil, nil))
	f.mustRefuse(t, sign("Ed25519", "ed-other", object{"kid": "ed"}, nil), badSignature)
}

func TestAcceptedHeadersAndClaims(t *testing.T) {
	t.Parallel()
	longID, wideID := strings.Repeat("k", 256), strings.Repeat("\u00fc", 256)
	f := newFixture(t, keySet(jwk("rsa", nil), jwk("rsa", object{"kid": longID}), jwk("rsa", object{"kid": wideID})))
	at := func(d time.Duration) int64 { return start().Add(d).Unix() }
	for _, c := range []struct {
		name           string
		header, claims object
	}{
		{"typ JWT", object{"typ": "JWT"}, nil},
		{"typ jwt", object{"typ": "jwt"}, nil},
		{"typ at+jwt", object{"typ": "at+jwt"}, nil},
		{"typ application/at+jwt", object{"typ": "application/at+jwt"}, nil},
		{"kid of 256 characters", object{"kid": longID}, nil},
		{"kid of 256 characters, 512 bytes", object{"kid": wideID}, nil},
		{"cty", object{"cty": "JWT"}, nil},
		{"cty of any type", object{"cty": []int{1}}, nil},
		{"header members that say nothing to us", object{"x5t": "a", "jku": "https://evil.example"}, nil},
		{"aud in an array", nil, object{"aud": []string{"elsewhere", audience}}},
		{"aud the other one of ours", nil, object{"aud": "other"}},
		{"client_id without aud", nil, object{"aud": absent, "client_id": audience}},
		{"client_id of another beside aud", nil, object{"client_id": "elsewhere"}},
		{"exp 29 s ago", nil, object{"exp": at(-29 * time.Second)}},
		{"exp with a fraction", nil, object{"exp": float64(at(time.Second)) + 0.5}},
		{"exp just below 1e12", nil, object{"exp": 999999999999}},
		{"nbf in 29 s", nil, object{"nbf": at(29 * time.Second)}},
		{"nbf 0", nil, object{"nbf": 0}},
		{"iat in 29 s", nil, object{"iat": at(29 * time.Second)}},
		{"SUB beside sub", nil, object{"SUB": "bob", "Sub": "bob", "\u017fub": "bob"}},
		{"EXP beside exp", nil, object{"EXP": 1, "ISS": "other", "AUD": "x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := f.mustAccept(t, sign("RS256", "rsa", c.header, c.claims)); got.User != "alice" {
				t.Errorf("user = %q, want alice", got.User)
			}
		})
	}
	f.wantFetches(t, 1)
}

func TestUserIsTakenFromTheConfiguredClaimAsItStands(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys(), func(c *auth.Config) { c.UserClaim = "https://claims.example/uid" })
	for _, user := range []string{"bob", " bob ", "B\u00f6b", "\u0000", "\ufffd", "a\U0001f600", strings.Repeat("x", 4000)} {
		token := sign("ES256", "p256", nil, object{"https://claims.example/uid": user, "sub": absent})
		if got := f.mustAccept(t, token); got.User != user {
			t.Errorf("user = %q, want %q", got.User, user)
		}
	}
}

func TestRequiredScope(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys(), func(c *auth.Config) { c.RequiredScope = "settings:write" })
	for _, c := range []struct {
		name   string
		claims object
		want   error
	}{
		{"scope alone", object{"scope": "settings:write"}, nil},
		{"scope among others", object{"scope": "openid settings:write  email"}, nil},
		{"scp", object{"scp": []any{"openid", "settings:write", 5}}, nil},
		{"scp beside another scope", object{"scope": "openid", "scp": []string{"settings:write"}}, nil},
		{"none", nil, auth.ErrInsufficientScope},
		{"scope in an array", object{"scope": []string{"openid", "settings:write"}}, nil},
		{"scope in an array alone", object{"scope": []string{"settings:write"}}, nil},
		{"scp as text", object{"scp": "openid settings:write"}, nil},
		{"scp beside an empty scope", object{"scope": "", "scp": "settings:write"}, nil},
		{"two in one element", object{"scope": []string{"openid settings:write"}}, auth.ErrInsufficientScope},
		{"an array in an array", object{"scp": []any{[]string{"settings:write"}}}, auth.ErrInsufficientScope},
		{"an object", object{"scope": object{"settings:write": true}}, auth.ErrInsufficientScope},
		{"another name", object{"scopes": "settings:write", "SCP": "settings:write"}, auth.ErrInsufficientScope},
		{"a longer one", object{"scope": "settings:write2 xsettings:write"}, auth.ErrInsufficientScope},
		{"other case", object{"scope": "Settings:Write"}, auth.ErrInsufficientScope},
		{"both null", object{"scope": nil, "scp": nil}, auth.ErrInsufficientScope},
	} {
		id, err := f.Verify(t.Context(), sign("ES256", "p256", nil, c.claims))
		if !errors.Is(err, c.want) || id.User != "alice" {
			t.Errorf("%s: Verify = %v, %v, want alice, %v", c.name, id, err, c.want)
		}
	}
	// A bad token is bad first.
	f.mustRefuse(t, sign("ES256", "p256", nil, object{"exp": 1}), "expired")
}

func TestTokenOf8192BytesIsLookedAt(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	// Both parts are filled, since base64 comes in steps of two characters and one.
	padded := func(length int) string {
		for header := range 3 {
			for n := 5800; ; n++ {
				token := sign("ES256", "p256", object{"pad": strings.Repeat("x", header)}, object{"pad": strings.Repeat("x", n)})
				if len(token) == length {
					return token
				} else if len(token) > length {
					break
				}
			}
		}
		t.Fatalf("no token of %d bytes", length)
		return ""
	}
	f.mustAccept(t, padded(8192))
	f.mustRefuse(t, padded(8193), "longer than 8192 bytes")
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, clear := range map[string]func(*auth.Config){
		"Issuer":     func(c *auth.Config) { c.Issuer = "" },
		"Audiences":  func(c *auth.Config) { c.Audiences = []string{audience, ""} },
		"JWKSURL":    func(c *auth.Config) { c.JWKSURL = "" },
		"JWKSMaxAge": func(c *auth.Config) { c.JWKSMaxAge = 0 },
		"UserClaim":  func(c *auth.Config) { c.UserClaim = "" },
		"Logger":     func(c *auth.Config) { c.Logger = nil },
		"Now":        func(c *auth.Config) { c.Now = nil },
	} {
		var c auth.Config
		newFixture(t, goodKeys(), func(good *auth.Config) { c = *good })
		clear(&c)
		if _, err := auth.New(c); err == nil || err.Error() != "configure token verification: "+name+" is missing" {
			t.Errorf("New without %s = %v", name, err)
		}
	}
}

func TestWarm(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	if err := f.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.mustAccept(t, sign("ES256", "p256", nil, nil))
	f.wantFetches(t, 1)

	down := newFixture(t, "")
	down.fail(http.StatusInternalServerError)
	if err := down.Warm(t.Context()); err != auth.ErrUnavailable {
		t.Errorf("Warm = %v, want ErrUnavailable", err)
	}
}
