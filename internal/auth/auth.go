// Package auth proves who is calling: it turns a bearer token into an identity.
//
// It owns which JSON Web Tokens are accepted (RFC 7519, as RFC 8725 and RFC 9068
// ask) and the JSON Web Key Set (RFC 7517) that they are verified against. It
// knows nothing of HTTP requests and statuses, of organizations or of roles.
package auth

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Config says whose tokens are accepted.
type Config struct {
	Issuer        string        // the exact iss claim
	Audiences     []string      // one of them must be in aud or, in a token without aud, be client_id
	JWKSURL       string        // where the issuer publishes its keys
	JWKSMaxAge    time.Duration // age at which the keys are fetched again before they serve
	UserAgent     string        // of the fetches; empty: none
	UserClaim     string        // the claim that holds the user id
	RequiredScope string        // a scope that the token must carry; empty: none

	// BundledJWKS is a JWK Set that was fetched before the deployment, so that a cold
	// start need not wait for the issuer; empty: none. Its member fetched says when, in
	// the form of RFC 3339. The keys are fetched again when the set is BundledJWKSMaxAge
	// old, or when a token names a key that it lacks.
	BundledJWKS       []byte
	BundledJWKSMaxAge time.Duration

	Logger *slog.Logger     // reports key sets that change or cannot be fetched
	Now    func() time.Time // the clock for the times of tokens and the ages of keys
}

// Identity is what a verified token proves.
type Identity struct {
	User  string // value of the user claim, not blank
	KeyID string // kid of the key that signed the token
}

// The errors of [Verifier.Verify] beside [*InvalidError].
var (
	// ErrUnavailable says that there are no keys to verify with. The token may be good.
	ErrUnavailable = errors.New("signing keys unavailable")
	// ErrInsufficientScope says that the token is good but lacks the required scope.
	ErrInsufficientScope = errors.New("required scope is missing")
)

// InvalidError says why a token is not acceptable. It is meant for the log, not for
// the caller. The key id is the only part of the token that it holds.
type InvalidError struct {
	Reason string
	KeyID  string // the token's kid, unverified: any text up to the length of a token
}

func (e *InvalidError) Error() string { return "invalid token: " + e.Reason }

// Verifier verifies tokens. It is safe for concurrent use. Nothing runs in the
// background: keys are fetched within the calls that need them.
type Verifier struct {
	config Config
	keys   *keyCache
	parser *jwt.Parser
}

// New returns a Verifier for c, or an error that names what is missing in c.
func New(c Config) (*Verifier, error) {
	for name, missing := range map[string]bool{
		"Issuer": c.Issuer == "", "Audiences": len(c.Audiences) == 0 || slices.Contains(c.Audiences, ""), "JWKSURL": c.JWKSURL == "",
		"JWKSMaxAge": c.JWKSMaxAge <= 0, "UserClaim": c.UserClaim == "", "Logger": c.Logger == nil, "Now": c.Now == nil,
	} {
		if missing {
			return nil, fmt.Errorf("configure token verification: %s is missing", name)
		}
	}
	keys, err := newKeyCache(c)
	if err != nil {
		return nil, fmt.Errorf("configure token verification: %w", err)
	}
	return &Verifier{config: c, keys: keys, parser: newParser(c)}, nil
}

// Warm fetches the keys if there are none that serve, so that the first token does
// not have to wait for them.
func (v *Verifier) Warm(ctx context.Context) error {
	return v.keys.expired(v.keys.serving(ctx))
}

// Verify returns the identity that token proves. Its errors are [*InvalidError],
// [ErrUnavailable] and [ErrInsufficientScope]; the identity is returned with the
// last one too. A call that fetches keys takes up to one second, or two while there
// are none.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	if err := checkForm(token); err != nil {
		return Identity{}, &InvalidError{Reason: err.Error()}
	}
	claims := jwt.MapClaims{}
	parsed, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) { return v.key(ctx, t) })
	var id Identity
	if parsed != nil {
		id.KeyID, _ = parsed.Header["kid"].(string)
	}
	if err == nil {
		id.User, err = v.checkClaims(claims)
	}
	switch {
	case err == nil:
		return id, v.checkScope(claims)
	case errors.Is(err, ErrUnavailable):
		return Identity{}, ErrUnavailable
	default:
		return Identity{}, &InvalidError{Reason: reasonOf(err), KeyID: id.KeyID}
	}
}

// key returns the key of a token that is parsed and not yet verified.
func (v *Verifier) key(ctx context.Context, t *jwt.Token) (any, error) {
	if err := cmp.Or(checkHeader(t.Header), checkText(t.Raw)); err != nil {
		return nil, err
	}
	alg, kid := t.Method.Alg(), t.Header["kid"].(string)
	// The salt of an RSASSA-PSS signature is as long as its hash (RFC 7518 section 3.5). The
	// library accepts any length.
	if m, ok := t.Method.(*jwt.SigningMethodRSAPSS); ok {
		strict := *m
		strict.VerifyOptions = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		t.Method = &strict
	}
	return v.keys.find(ctx, alg, kid)
}
