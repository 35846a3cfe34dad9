package auth

import (
	"encoding/base64"
	"errors"
	"maps"
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

// newParser returns the parser of tokens. It also makes Ed25519 a name of EdDSA
// (RFC 9864). golang-jwt keeps names for the whole process and not for a parser;
// registering one again changes nothing.
func newParser(c Config) *jwt.Parser {
	jwt.RegisterSigningMethod("Ed25519", func() jwt.SigningMethod { return jwt.SigningMethodEdDSA })
	return jwt.NewParser(
		jwt.WithValidMethods(slices.Concat(slices.Collect(maps.Values(algorithms()))...)),
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
	if strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return refusal("not base64url in three parts")
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
		typ, _ := typ.(string)
		accepted := []string{"JWT", "at+jwt", "application/at+jwt"}
		if !slices.ContainsFunc(accepted, func(t string) bool { return strings.EqualFold(t, typ) }) {
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

// checkClaims checks what the parser does not check of verified claims, whose times are
// numbers, and returns the user id.
func (v *Verifier) checkClaims(claims jwt.MapClaims) (user string, err error) {
	for _, name := range []string{"exp", "nbf", "iat"} {
		if n, _ := claims[name].(float64); n < 0 || n >= latestTime {
			return "", refusal("claim " + name + " is not a time in seconds")
		}
	}
	// In a token without aud, client_id takes its place. API Gateway's JWT authorizer has the
	// same rule, for the access tokens of Amazon Cognito.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
	audiences, _ := claims.GetAudience() // none if aud is ill-typed
	if _, ok := claims["aud"]; !ok {
		client, _ := claims["client_id"].(string)
		audiences = jwt.ClaimStrings{client}
	}
	if !slices.ContainsFunc(audiences, func(a string) bool { return slices.Contains(v.config.Audiences, a) }) {
		return "", refusal("audience is another")
	}
	user, _ = claims[v.config.UserClaim].(string)
	if strings.TrimSpace(user) == "" {
		return "", refusal("user claim is missing, blank or not a string")
	}
	return user, nil
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
		text, _ := claims[name].(string)
		list, _ := claims[name].([]any)
		if slices.Contains(strings.Fields(text), required) || slices.Contains(list, any(required)) {
			return nil
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
