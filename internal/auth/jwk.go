package auth

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// Sizes in bits of the RSA keys that serve: RFC 7518 section 3.3 demands 2048,
// and the work for a signature must stay bounded.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// jwk holds the members of a JWK. It is nil for an element that is not a JSON object.
type jwk map[string]json.RawMessage

// readJWKs returns the elements of the array keys of a JWK Set.
func readJWKs(text []byte) (keys []jwk, err error) {
	var set map[string]json.RawMessage
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &set); err != nil {
		return nil, err
	}
	// An element of another type is an error, but does not keep the others from being read.
	if value, ok := set["keys"]; ok && json.Unmarshal(value, &keys) != nil && keys == nil {
		return nil, errors.New("member keys is not an array")
	}
	return keys, nil
}

// verificationKey is a key of a JWK Set that can verify tokens.
type verificationKey struct {
	jwkset.JWK
	algorithms []string // that it may verify
}

// keyID returns the kid, or "" if no token can name it.
func (k jwk) keyID() (kid string) {
	if value, ok := k["kid"]; !ok || json.Unmarshal(value, &kid) != nil || utf8.RuneCountInString(kid) > maxKeyIDLength {
		return ""
	}
	return kid
}

// usableKey returns the key, or why it cannot verify tokens. It reads the members that
// decide that and no others: issuers publish thumbprints and certificates that are wrong.
func (k jwk) usableKey() (_ *verificationKey, err error) {
	kid := k.keyID()
	if kid == "" {
		return nil, refusal("kid is missing, too long or not a string")
	}
	read := func(name string, into any) {
		if value, ok := k[name]; ok && json.Unmarshal(value, into) != nil {
			err = cmp.Or(err, error(refusal(name+" has the wrong type")))
		}
	}
	var kty jwkset.KTY
	if read("kty", &kty); !slices.Contains([]jwkset.KTY{jwkset.KtyRSA, jwkset.KtyEC, jwkset.KtyOKP}, kty) {
		return nil, refusal("kty is not RSA, EC or OKP")
	}
	m := jwkset.JWKMarshal{KID: kid, KTY: kty}
	var operations []string
	read("use", &m.USE)
	read("key_ops", &operations)
	read("alg", &m.ALG)
	switch kty {
	case jwkset.KtyRSA:
		read("n", &m.N)
		read("e", &m.E)
	case jwkset.KtyEC:
		read("y", &m.Y)
		fallthrough
	case jwkset.KtyOKP:
		read("crv", &m.CRV)
		read("x", &m.X)
	}
	switch {
	case err != nil:
		return nil, err
	case m.USE != "" && m.USE != jwkset.UseSig:
		return nil, refusal("use is not sig")
	case len(operations) > 0 && !slices.Contains(operations, jwkset.KeyOpsVerify.String()):
		return nil, refusal("key_ops lacks verify")
	case m.ALG == "Ed25519":
		m.ALG = jwkset.AlgEdDSA // its older name, RFC 9864
	}
	parsed, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return nil, err
	}
	algorithms, err := algorithmsOf(parsed.Key())
	if err != nil {
		return nil, err
	}
	if alg := m.ALG.String(); alg != "" {
		if !slices.Contains(algorithms, alg) {
			return nil, refusal("alg is not one of the key type " + kty.String())
		}
		algorithms = []string{alg}
	}
	return &verificationKey{parsed, algorithms}, nil
}

// algorithmsOf returns the algorithms that the type and the curve of a key allow
// (RFC 7518 sections 3.3 to 3.5, RFC 8037 section 3.1).
func algorithmsOf(key any) ([]string, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return nil, refusal("RSA key of " + strconv.Itoa(bits) + " bits")
		}
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, nil
	case *ecdsa.PublicKey:
		for _, m := range []*jwt.SigningMethodECDSA{jwt.SigningMethodES256, jwt.SigningMethodES384, jwt.SigningMethodES512} {
			if m.CurveBits == k.Curve.Params().BitSize {
				return []string{m.Alg()}, nil
			}
		}
	case ed25519.PublicKey:
		return []string{"EdDSA"}, nil
	}
	return nil, refusal("key type or curve does not verify tokens")
}
