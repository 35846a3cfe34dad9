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

// usableKeys returns the keys of a JWK Set that can verify a token, by key id,
// and for each other one why it cannot: RFC 7517 section 5 asks to leave such
// keys aside and not to refuse the set.
func usableKeys(text []byte) (usable map[string]jwkset.JWK, skipped []error, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, nil, err
	}
	usable = make(map[string]jwkset.JWK, len(set.Keys))
	for i, raw := range set.Keys {
		key, err := usableKey(raw)
		if err == nil {
			if _, twice := usable[key.Marshal().KID]; twice {
				err = refusal("kid is that of an earlier key")
			}
		}
		if err != nil {
			skipped = append(skipped, fmt.Errorf("key %d: %w", i, err))
			continue
		}
		usable[key.Marshal().KID] = key
	}
	return usable, skipped, nil
}

// usableKey reads one JWK. Private members are left out of it, which leaves
// nothing of a symmetric key: it is refused.
func usableKey(raw json.RawMessage) (jwkset.JWK, error) {
	key, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{Private: false}, jwkset.JWKValidateOptions{})
	if err != nil {
		return jwkset.JWK{}, err
	}
	jwk := key.Marshal()
	if jwk.KID == "" || utf8.RuneCountInString(jwk.KID) > maxKeyIDLength {
		return jwkset.JWK{}, refusal("kid is missing or too long")
	}
	if jwk.USE != "" && jwk.USE != jwkset.UseSig {
		return jwkset.JWK{}, refusal("use is not sig")
	}
	if len(jwk.KEYOPS) > 0 && !slices.Contains(jwk.KEYOPS, jwkset.KeyOpsVerify) {
		return jwkset.JWK{}, refusal("key_ops lacks verify")
	}
	algorithms, err := algorithmsOf(key.Key())
	if err != nil {
		return jwkset.JWK{}, err
	}
	if jwk.ALG != "" && !slices.Contains(algorithms, jwk.ALG.String()) {
		return jwkset.JWK{}, refusal("alg is not one of the key type " + jwk.KTY.String())
	}
	return key, nil
}

// algorithmsOf returns the algorithms that a key may verify.
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
