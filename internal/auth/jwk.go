package auth

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/MicahParks/jwkset"
)

// Sizes in bits of the RSA keys that serve: RFC 7518 section 3.3 demands 2048,
// and the work for a signature must stay bounded.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// algorithms returns the signature algorithms that are accepted, by the curve of their
// keys; RSA keys have none. All are asymmetric (RFC 8725 section 3.1).
func algorithms() map[jwkset.CRV][]string {
	return map[jwkset.CRV][]string{
		"":                {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
		jwkset.CrvP256:    {"ES256"},
		jwkset.CrvP384:    {"ES384"},
		jwkset.CrvP521:    {"ES512"},
		jwkset.CrvEd25519: {"EdDSA"},
	}
}

// jwk holds the members of a JWK. It is nil for an element that is not a JSON object.
type jwk map[string]json.RawMessage

// usableKey returns the key, or why it cannot verify tokens. It reads the members that
// decide that and no others: issuers publish thumbprints and certificates that are wrong.
func (k jwk) usableKey(kid string) (*jwkset.JWK, error) {
	if kid == "" {
		return nil, refusal("kid is missing, too long or not a string")
	}
	needed := []string{"kid", "kty", "use", "key_ops", "alg"}
	var kty jwkset.KTY
	_ = json.Unmarshal(k["kty"], &kty) // kty stays empty
	switch kty {
	case jwkset.KtyRSA:
		needed = append(needed, "n", "e")
	case jwkset.KtyEC:
		needed = append(needed, "crv", "x", "y")
	case jwkset.KtyOKP:
		needed = append(needed, "crv", "x")
	default:
		return nil, refusal("kty is not RSA, EC or OKP")
	}
	members := make(jwk)
	for _, name := range needed {
		members[name] = k[name] // null if absent
	}
	var m jwkset.JWKMarshal
	text, err := json.Marshal(members)
	if err = errors.Join(err, json.Unmarshal(text, &m)); err != nil {
		return nil, err
	}
	switch {
	case m.USE != "" && m.USE != jwkset.UseSig:
		return nil, refusal("use is not sig")
	case len(m.KEYOPS) > 0 && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify):
		return nil, refusal("key_ops lacks verify")
	case m.ALG == "Ed25519":
		m.ALG = jwkset.AlgEdDSA // its older name, RFC 9864
	}
	m.KEYOPS = nil // jwkset refuses those that are not registered
	parsed, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return nil, err
	}
	if k, ok := parsed.Key().(*rsa.PublicKey); ok && (k.N.BitLen() < minRSABits || k.N.BitLen() > maxRSABits) {
		return nil, refusal("RSA key of " + strconv.Itoa(k.N.BitLen()) + " bits")
	}
	allowed := algorithms()[m.CRV]
	if len(allowed) == 0 || m.ALG != "" && !slices.Contains(allowed, m.ALG.String()) {
		return nil, refusal("alg or crv is not one of the key type " + kty.String())
	}
	return &parsed, nil
}
