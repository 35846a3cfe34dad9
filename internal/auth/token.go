package auth

import (
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"
)

const (
	maxTokenBytes  = 8 << 10
	maxKeyIDLength = 256 // characters
	leeway         = 30 * time.Second
	latestTime     = 1e12 // seconds since 1970; greater numbers are milliseconds
)

// refusal is a reason to refuse a token or a key. It quotes neither.
type refusal string

func (r refusal) Error() string { return string(r) }

// algorithms returns the signature algorithms that are accepted: asymmetric ones only
// (RFC 8725 section 3.1).
func algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// newParser returns the parser of tokens. It also makes Ed25519 a name of EdDSA
// (RFC 9864). golang-jwt keeps names for the whole process and not for a parser;
// registering one again changes nothing.
func newParser(c Config) *jwt.Parser {
	jwt.RegisterSigningMethod("Ed25519", func() jwt.SigningMethod { return jwt.SigningMethodEdDSA })
	return jwt.NewParser(
		jwt.WithValidMethods(algorithms()),
		jwt.WithIssuer(c.Issuer),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(c.Now),
	)
}

// checkForm refuses what cannot be a token before anything is decoded. The base64
// decoder ignores line feeds, so the characters are checked here.
func checkForm(token string) error {
	if len(token) > maxTokenBytes {
		return refusal("longer than 8192 bytes")
	}
	for _, c := range []byte(token) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return refusal("not base64url in three parts")
		}
	}
	return nil
}

// checkHeader checks what RFC 8725 asks of a JOSE header and the parser does not check.
func checkHeader(header map[string]any) error {
	// No critical extension is supported (RFC 7515 section 4.1.11), and the others change
	// how the payload is read (RFC 7797 section 7).
	for _, name := range []string{"crit", "b64", "zip"} {
		if _, ok := header[name]; ok {
			return refusal("header parameter " + name)
		}
	}
	if typ, ok := header["typ"]; ok {
		s, _ := typ.(string)
		if !slices.ContainsFunc([]string{"JWT", "at+jwt", "application/at+jwt"}, func(t string) bool { return strings.EqualFold(s, t) }) {
			return refusal("header parameter typ is not that of an access token")
		}
	}
	// Without a kid every key of the set would be tried.
	if kid, _ := header["kid"].(string); kid == "" || utf8.RuneCountInString(kid) > maxKeyIDLength {
		return refusal("header parameter kid is missing, empty, too long or not a string")
	}
	return nil
}

// checkText refuses a header or claims that two parsers can read in two ways. This
// one would take the last of several members with one name, which RFC 7515 section 4
// and RFC 7519 section 4 allow to refuse. It would also replace ill-formed text, so
// that two ids could become one.
func checkText(token string) error {
	for _, part := range strings.Split(token, ".")[:2] {
		text, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || !jsontext.Value(text).IsValid() {
			return refusal("header or claims have a name twice or ill-formed text")
		}
	}
	return nil
}

// requireSalt makes the salt of an RSASSA-PSS signature as long as its hash
// (RFC 7518 section 3.5). The library accepts any length.
func requireSalt(t *jwt.Token) {
	if m, ok := t.Method.(*jwt.SigningMethodRSAPSS); ok {
		strict := *m
		strict.VerifyOptions = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		t.Method = &strict
	}
}

// checkClaims checks what the parser does not check of verified claims, and returns
// the user id.
func (v *Verifier) checkClaims(claims jwt.MapClaims) (user string, err error) {
	for _, name := range []string{"exp", "nbf", "iat"} {
		if value, ok := claims[name]; ok {
			if n, ok := value.(float64); !ok || n < 0 || n >= latestTime {
				return "", refusal("claim " + name + " is not a time in seconds")
			}
		}
	}
	if !v.isForUs(claims) {
		return "", refusal("audience is another")
	}
	user, _ = claims[v.config.UserClaim].(string)
	if strings.TrimSpace(user) == "" {
		return "", refusal("user claim is missing, blank or not a string")
	}
	return user, nil
}

// isForUs says whether the token is for this service: aud holds one of the audiences
// or, in a token without aud, client_id is one. API Gateway's JWT authorizer has the
// same rule, for the access tokens of Amazon Cognito.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
func (v *Verifier) isForUs(claims jwt.MapClaims) bool {
	audiences, err := claims.GetAudience()
	if _, ok := claims["aud"]; !ok {
		client, _ := claims["client_id"].(string)
		audiences = jwt.ClaimStrings{client}
	}
	return err == nil && slices.ContainsFunc(audiences, func(a string) bool {
		return slices.Contains(v.config.Audiences, a)
	})
}

// checkScope looks for the required scope in scope and scp. Each may be text with
// spaces (RFC 8693 section 4.2, Microsoft Entra) or an array of strings (SAP XSUAA,
// Okta).
func (v *Verifier) checkScope(claims jwt.MapClaims) error {
	required := v.config.RequiredScope
	if required == "" {
		return nil
	}
	for _, name := range []string{"scope", "scp"} {
		switch scopes := claims[name].(type) {
		case string:
			if slices.Contains(strings.Fields(scopes), required) {
				return nil
			}
		case []any:
			if slices.Contains(scopes, any(required)) {
				return nil
			}
		}
	}
	return ErrInsufficientScope
}

// reasonOf returns a fixed text for an error of the parser. The error itself may
// quote the token.
func reasonOf(err error) string {
	var ours refusal
	if errors.As(err, &ours) {
		return string(ours)
	}
	for _, known := range []struct {
		err    error
		reason string
	}{
		{jwt.ErrTokenMalformed, "malformed"},
		{jwt.ErrTokenRequiredClaimMissing, "claim exp or iss is missing"},
		{jwt.ErrTokenExpired, "expired"},
		{jwt.ErrTokenNotValidYet, "not valid yet"},
		{jwt.ErrTokenUsedBeforeIssued, "issued in the future"},
		{jwt.ErrTokenInvalidIssuer, "issuer is another"},
		{jwt.ErrTokenInvalidClaims, "claims are ill-typed"},
		{jwt.ErrTokenSignatureInvalid, "signature does not verify or its algorithm is not accepted"},
		{jwt.ErrTokenUnverifiable, string(errOtherAlgorithm)},
	} {
		if errors.Is(err, known.err) {
			return known.reason
		}
	}
	return "not acceptable"
}
