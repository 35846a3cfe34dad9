package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/MicahParks/jwkset"
)

// Sizes in bits of the RSA keys that serve: RFC 7518 section 3.3 demands 2048,
// and the work for a signature must stay bounded.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// verificationKey is a key of a JWK Set that can verify tokens.
type verificationKey struct {
	index      int // in the set
	jwk        jwkset.JWK
	algorithms []string // that it may verify
}

func (k verificationKey) id() string        { return k.jwk.Marshal().KID }
func (k verificationKey) namesItsAlg() bool { return k.jwk.Marshal().ALG != "" }

// usableKeys returns the keys of a JWK Set that can verify a token, and for each
// other one why it cannot: RFC 7517 section 5 asks to ignore such keys and not to
// refuse the set.
func usableKeys(text []byte) (usable []verificationKey, skipped []error, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, nil, err
	}
	for i, raw := range set.Keys {
		key, err := usableKey(raw)
		if err != nil {
			skipped = append(skipped, fmt.Errorf("key %d: %w", i, err))
			continue
		}
		key.index = i
		usable = append(usable, key)
	}
	return usable, skipped, nil
}

// usableKey reads one JWK without its private members. Nothing is left of a
// symmetric key then, so it is refused.
func usableKey(raw json.RawMessage) (verificationKey, error) {
	key, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{Private: false}, jwkset.JWKValidateOptions{})
	if err != nil {
		return verificationKey{}, err
	}
	jwk := key.Marshal()
	if jwk.KID == "" || utf8.RuneCountInString(jwk.KID) > maxKeyIDLength {
		return verificationKey{}, refusal("kid is missing or too long")
	}
	if jwk.USE != "" && jwk.USE != jwkset.UseSig {
		return verificationKey{}, refusal("use is not sig")
	}
	if len(jwk.KEYOPS) > 0 && !slices.Contains(jwk.KEYOPS, jwkset.KeyOpsVerify) {
		return verificationKey{}, refusal("key_ops lacks verify")
	}
	algorithms, err := algorithmsOf(key.Key())
	if err != nil {
		return verificationKey{}, err
	}
	if jwk.ALG != "" {
		if !slices.Contains(algorithms, jwk.ALG.String()) {
			return verificationKey{}, refusal("alg is not one of the key type " + jwk.KTY.String())
		}
		algorithms = []string{jwk.ALG.String()}
	}
	return verificationKey{jwk: key, algorithms: algorithms}, nil
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
		switch k.Curve.Params().BitSize {
		case 256:
			return []string{"ES256"}, nil
		case 384:
			return []string{"ES384"}, nil
		case 521:
			return []string{"ES512"}, nil
		}
	case ed25519.PublicKey:
		return []string{"EdDSA"}, nil
	}
	return nil, refusal(fmt.Sprintf("key type %T does not verify tokens", key))
}
