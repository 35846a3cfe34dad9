package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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

// readJWKs returns the elements of the array keys of a JWK Set.
func readJWKs(text []byte) (keys []json.RawMessage, err error) {
	var set map[string]json.RawMessage
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &set); err != nil {
		return nil, err
	}
	if value, ok := set["keys"]; ok && json.Unmarshal(value, &keys) != nil {
		return nil, errors.New("member keys is not an array")
	}
	return keys, nil
}

// verificationKey is a key of a JWK Set that can verify tokens.
type verificationKey struct {
	jwk        jwkset.JWK
	algorithms []string // that it may verify
}

func (k verificationKey) keyID() string     { return k.jwk.Marshal().KID }
func (k verificationKey) namesItsAlg() bool { return k.jwk.Marshal().ALG != "" }

// readJWK reads the members of a JWK that decide what it verifies. The others are not
// looked at: issuers publish thumbprints and certificates that are wrong. The error says
// why the key cannot verify tokens. The key id is returned with it, if a token can name it.
func readJWK(text json.RawMessage) (kid string, key verificationKey, err error) {
	var members map[string]json.RawMessage
	if text[0] == '{' {
		err = json.Unmarshal(text, &members)
	}
	if value, ok := members["kid"]; ok && err == nil {
		err = json.Unmarshal(value, &kid)
	}
	if err != nil || kid == "" || utf8.RuneCountInString(kid) > maxKeyIDLength {
		return "", key, refusal("kid is missing, too long or not a string")
	}
	var m jwkset.JWKMarshal
	_ = json.Unmarshal(members["kty"], &m.KTY)
	needed := []string{"kid", "kty", "use", "key_ops", "alg"}
	switch m.KTY {
	case jwkset.KtyRSA:
		needed = append(needed, "n", "e")
	case jwkset.KtyEC, jwkset.KtyOKP:
		needed = append(needed, "crv", "x", "y")
	default:
		return kid, key, refusal("kty is not RSA, EC or OKP")
	}
	maps.DeleteFunc(members, func(name string, _ json.RawMessage) bool { return !slices.Contains(needed, name) })
	if text, err = json.Marshal(members); err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return kid, key, err
	}
	if m.USE != "" && m.USE != jwkset.UseSig {
		return kid, key, refusal("use is not sig")
	}
	if len(m.KEYOPS) > 0 && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify) {
		return kid, key, refusal("key_ops lacks verify")
	}
	m.KEYOPS = nil // may hold values that are not registered (RFC 7517 section 4.3)
	if m.ALG == "Ed25519" {
		m.ALG = jwkset.AlgEdDSA // its older name, RFC 9864
	}
	if key.jwk, err = jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{}); err != nil {
		return kid, key, err
	}
	if key.algorithms, err = algorithmsOf(key.jwk.Key()); err != nil {
		return kid, key, err
	}
	if alg := m.ALG.String(); alg != "" {
		if !slices.Contains(key.algorithms, alg) {
			return kid, key, refusal("alg is not one of the key type " + m.KTY.String())
		}
		key.algorithms = []string{alg}
	}
	return kid, key, nil
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
