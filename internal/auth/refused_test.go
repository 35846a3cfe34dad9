package auth_test

import (
	"strings"
	"testing"
	"time"

	"orgsettings/internal/auth"
)

const (
	otherAlgorithm = "algorithm is not accepted or not that of the key"
	badSignature   = "signature does not verify or its algorithm is not accepted"
	unknownKey     = "key id is not in the key set"
	unusableKey    = "key is unusable"
	ambiguous      = "header or claims have a name twice or ill-formed text"
	notInForm      = "not base64url in three parts"
)

func TestRefusedClaims(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	const (
		notATime = " is not a time in seconds"
		illTyped = "claims are ill-typed"
		missing  = "claim exp or iss is missing"
		audience = "audience is another"
		user     = "user claim is missing, blank or not a string"
		issuer   = "issuer is another"
		expired  = "expired"
		early    = "not valid yet"
		future   = "issued in the future"
	)
	at := func(d time.Duration) int64 { return start().Add(d).Unix() }
	for _, c := range []struct {
		name   string
		claims object
		reason string
	}{
		{"exp missing", object{"exp": absent}, missing},
		{"exp null", object{"exp": nil}, illTyped},
		{"exp a string", object{"exp": "4102444800"}, illTyped},
		{"exp NaN", object{"exp": "NaN"}, illTyped},
		{"exp an array", object{"exp": []int64{at(time.Hour)}}, illTyped},
		{"exp true", object{"exp": true}, illTyped},
		{"exp 31 s ago", object{"exp": at(-31 * time.Second)}, expired},
		{"exp 30 s ago", object{"exp": at(-30 * time.Second)}, expired},
		{"exp negative", object{"exp": -1}, expired},
		{"exp 0", object{"exp": 0}, missing},
		{"exp 1e12", object{"exp": 1e12}, "claim exp" + notATime},
		{"iat in milliseconds", object{"iat": start().UnixMilli()}, future},
		{"exp in milliseconds", object{"exp": start().Add(time.Hour).UnixMilli()}, "claim exp" + notATime},
		{"exp 1e18", object{"exp": 1e18}, "claim exp" + notATime},
		{"nbf in 31 s", object{"nbf": at(31 * time.Second)}, early},
		{"nbf a string", object{"nbf": "0"}, illTyped},
		{"nbf null", object{"nbf": nil}, illTyped},
		{"nbf negative", object{"nbf": -1}, "claim nbf" + notATime},
		{"iat in 31 s", object{"iat": at(31 * time.Second)}, future},
		{"iat a string", object{"iat": "0"}, illTyped},
		{"iat negative", object{"iat": -1}, "claim iat" + notATime},
		{"iss absent", object{"iss": absent}, missing},
		{"iss empty", object{"iss": ""}, missing},
		{"iss of another", object{"iss": "https://evil.example"}, issuer},
		{"iss in other case", object{"iss": "https://Issuer.example"}, issuer},
		{"iss with a slash behind", object{"iss": issuerName + "/"}, issuer},
		{"iss in an array", object{"iss": []string{issuerName}}, illTyped},
		{"iss under another name", object{"iss": absent, "ISS": issuerName}, missing},
		{"aud absent", object{"aud": absent}, audience},
		{"aud absent, client_id of another", object{"aud": absent, "client_id": "elsewhere"}, audience},
		{"aud absent, client_id empty", object{"aud": absent, "client_id": ""}, audience},
		{"aud absent, client_id an array", object{"aud": absent, "client_id": []string{"settings"}}, audience},
		{"aud of another beside client_id", object{"aud": "elsewhere", "client_id": "settings"}, audience},
		{"aud empty beside client_id", object{"aud": []string{}, "client_id": "settings"}, audience},
		{"aud null beside client_id", object{"aud": nil, "client_id": "settings"}, audience},
		{"aud empty string beside client_id", object{"aud": "", "client_id": "settings"}, audience},
		{"aud in other case", object{"aud": "Settings"}, audience},
		{"aud all in one string", object{"aud": "settings other"}, audience},
		{"aud with a number in it", object{"aud": []any{"settings", 5}}, audience},
		{"aud an object", object{"aud": object{"settings": true}}, audience},
		{"user missing", object{"sub": absent}, user},
		{"user null", object{"sub": nil}, user},
		{"user a number", object{"sub": 5}, user},
		{"user empty", object{"sub": ""}, user},
		{"user blank", object{"sub": " \t\u00a0\u2003"}, user},
		{"user in an array", object{"sub": []string{"alice"}}, user},
		{"user under SUB", object{"sub": absent, "SUB": "alice"}, user},
		{"user under a name that folds to sub", object{"sub": absent, "\u017fub": "alice"}, user},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.mustRefuse(t, sign("ES256", "p256", nil, c.claims), c.reason)
		})
	}
	// What the encoder of the tests would mend.
	for _, c := range []struct{ name, claims, reason string }{
		{"nbf 1e300", `{"nbf":1e300,REST}`, "claim nbf" + notATime},
		{"nbf 1e400", `{"nbf":1e400,REST}`, "malformed"},
		{"exp 1e300", `{"iss":"` + issuerName + `","aud":"settings","sub":"alice","exp":1e300}`, expired},
		{"sub twice", `{"sub":"bob",REST}`, ambiguous},
		{"sub twice, once escaped", `{"s\u0075b":"bob",REST}`, ambiguous},
		{"a member twice at depth", `{"a":{"b":1,"b":2},REST}`, ambiguous},
		{"ill-formed UTF-8 in a value", "{\"a\":\"\xff\",REST}", ambiguous},
		{"a lone surrogate", `{"a":"\ud800",REST}`, ambiguous},
		{"null", `null`, missing},
		{"an array", `[{REST}]`, "malformed"},
		{"a string", `"REST"`, "malformed"},
		{"nothing", ``, "malformed"},
		{"two values", `{REST}{}`, "malformed"},
		{"a byte order mark", "\ufeff{REST}", "malformed"},
		{"NaN", `{"nbf":NaN,REST}`, "malformed"},
	} {
		t.Run("claims with "+c.name, func(t *testing.T) {
			rest := `"iss":"` + issuerName + `","aud":"settings","sub":"alice","exp":1795500000`
			claims := strings.ReplaceAll(c.claims, "REST", rest)
			f.mustRefuse(t, signText("ES256", "p256", `{"alg":"ES256","kid":"p256"}`, claims), c.reason)
		})
	}
}

func TestRefusedHeaders(t *testing.T) {
	t.Parallel()
	f := newFixture(t, keySet(jwk("p256", nil), jwk("rsa", object{"kid": "5"})))
	const (
		typ = "header parameter typ is not that of an access token"
		kid = "header parameter kid is missing, empty, too long or not a string"
	)
	for _, c := range []struct {
		name   string
		header object
		reason string
	}{
		{"crit", object{"crit": []string{"exp"}, "exp": 1}, "header parameter crit"},
		{"crit empty", object{"crit": []string{}}, "header parameter crit"},
		{"crit null", object{"crit": nil}, "header parameter crit"},
		{"b64 false", object{"b64": false}, "header parameter b64"},
		{"b64 true", object{"b64": true}, "header parameter b64"},
		{"b64 false and crit", object{"b64": false, "crit": []string{"b64"}}, "header parameter crit"},
		{"zip", object{"zip": "DEF"}, "header parameter zip"},
		{"typ of an identity token", object{"typ": "id+jwt"}, typ},
		{"typ of a logout token", object{"typ": "logout+jwt"}, typ},
		{"typ of a proof", object{"typ": "dpop+jwt"}, typ},
		{"typ of a security event", object{"typ": "secevent+jwt"}, typ},
		{"typ JWS", object{"typ": "JWS"}, typ},
		{"typ empty", object{"typ": ""}, typ},
		{"typ null", object{"typ": nil}, typ},
		{"typ a number", object{"typ": 1}, typ},
		{"typ with a parameter", object{"typ": "at+jwt; v=1"}, typ},
		{"kid missing", object{"kid": absent}, kid},
		{"kid empty", object{"kid": ""}, kid},
		{"kid null", object{"kid": nil}, kid},
		{"kid a number", object{"kid": 5}, kid},
		{"kid of 257 characters", object{"kid": strings.Repeat("k", 257)}, kid},
		{"kid under another name", object{"kid": absent, "KID": "p256"}, kid},
		{"kid in other case", object{"kid": "P256"}, unknownKey},
		{"kid a path", object{"kid": "../../../dev/null"}, unknownKey},
		{"kid a query", object{"kid": "' OR 1=1 --"}, unknownKey},
		{"alg missing", object{"alg": absent}, otherAlgorithm},
		{"alg null", object{"alg": nil}, otherAlgorithm},
		{"alg an array", object{"alg": []string{"ES256"}}, otherAlgorithm},
		{"alg unknown", object{"alg": "ES256K"}, otherAlgorithm},
		{"alg in other case", object{"alg": "es256"}, otherAlgorithm},
		{"alg Ed25519", object{"alg": "Ed25519"}, otherAlgorithm},
		{"alg Ed448", object{"alg": "Ed448"}, otherAlgorithm},
		{"alg ed25519", object{"alg": "ed25519"}, otherAlgorithm},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.mustRefuse(t, sign("ES256", "p256", c.header, nil), c.reason)
		})
	}
	for _, c := range []struct{ name, header, reason string }{
		{"alg twice", `{"alg":"none","alg":"ES256","kid":"p256"}`, ambiguous},
		{"kid twice", `{"kid":"x","alg":"ES256","kid":"p256"}`, ambiguous},
		{"ill-formed UTF-8", "{\"a\":\"\xc3(\",\"alg\":\"ES256\",\"kid\":\"p256\"}", ambiguous},
		{"null", `null`, otherAlgorithm},
		{"an array", `[]`, "malformed"},
		{"nothing", ``, "malformed"},
		{"two values", `{"alg":"ES256","kid":"p256"} {}`, "malformed"},
	} {
		t.Run("header with "+c.name, func(t *testing.T) {
			f.mustRefuse(t, signText("ES256", "p256", c.header, `{"iss":"`+issuerName+`","aud":"settings","sub":"alice","exp":1795500000}`), c.reason)
		})
	}
}

// The key id that a refused token claims is told apart from the reason, whole.
func TestRefusedTokenNamesItsKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	for kid, claims := range map[string]object{"p256": {"exp": 1}, "nobody's": nil, strings.Repeat("k", 300): nil} {
		_, err := f.Verify(t.Context(), sign("ES256", "p256", object{"kid": kid}, claims))
		if invalid, ok := err.(*auth.InvalidError); !ok || invalid.KeyID != kid {
			t.Errorf("kid %q: Verify = %#v", kid, err)
		}
	}
}

func TestRefusedForms(t *testing.T) {
	t.Parallel()
	f := newFixture(t, goodKeys())
	good := sign("RS256", "rsa", nil, object{"pad": "???>>>\u00ff"}) // - and _ in its base64url
	parts := strings.Split(good, ".")
	header, claims, signature := parts[0], parts[1], parts[2]
	f.mustAccept(t, good)
	// The 342 characters of 256 bytes leave four bits over in the last, which are zero.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, signature[len(signature)-1])
	tail := signature[:len(signature)-1] + alphabet[last+1:last+2]

	for _, c := range []struct{ name, token, reason string }{
		{"empty", "", "malformed"},
		{"one part", header, "malformed"},
		{"two parts", header + "." + claims, "malformed"},
		{"two parts and a point", header + "." + claims + ".", badSignature},
		{"four parts", good + "." + signature, "malformed"},
		{"five parts, an encrypted token", good + ".." + signature, "malformed"},
		{"a point behind", good + ".", "malformed"},
		{"points alone", "..", "malformed"},
		{"padded", good + "==", notInForm},
		{"padded claims", header + "." + claims + "=." + signature, notInForm},
		{"standard base64", strings.NewReplacer("-", "+", "_", "/").Replace(good), notInForm},
		{"other bits at the end", header + "." + claims + "." + tail, "malformed"},
		{"a character left over", good + "AAA", "malformed"},
		{"a line feed behind", good + "\n", notInForm},
		{"a line feed in the claims", header + "." + claims[:8] + "\n" + claims[8:] + "." + signature, notInForm},
		{"a carriage return", header + "." + claims + "." + signature[:4] + "\r" + signature[4:], notInForm},
		{"a blank before", " " + good, notInForm},
		{"NUL behind", good + "\x00", notInForm},
		{"a comma and another token", good + "," + good, notInForm},
		{"the JSON form", `{"payload":"` + claims + `","protected":"` + header + `","signature":"` + signature + `"}`, notInForm},
		{"8193 bytes", strings.Repeat("A", 8193), "longer than 8192 bytes"},
		{"8192 bytes", strings.Repeat("A", 8192), "malformed"},
		{"a megabyte", strings.Repeat(".", 1<<20), "longer than 8192 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) { f.mustRefuse(t, c.token, c.reason) })
	}
}
