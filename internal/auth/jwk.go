package auth

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/MicahParks/jwkset"
	"github.com/go-json-experiment/json/jsontext"
)

// Sizes in bits of the RSA keys that serve: RFC 7518 section 3.3 demands 2048,
// and the work for a signature must stay bounded.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// jwk holds the members of a JWK that decide what it verifies. The others are not
// read: issuers publish thumbprints and certificates that are wrong.
type jwk map[string]jsontext.Value

// eachJWK calls do for each element of the array keys of a JWK Set, in order. An
// element that is not a JSON object is an empty jwk. do must not keep the jwk.
func eachJWK(text []byte, do func(jwk)) error {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	// Members that are not read may be wrong in these two ways as well.
	d := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if d.PeekKind() != '{' {
		return cmp.Or(d.SkipValue(), errors.New("it is not a JSON object"))
	}
	seen := false
	err := readObject(d, func(name string) error {
		switch {
		case name != "keys" || d.PeekKind() == 'n':
			return d.SkipValue()
		case seen:
			return errors.New("member keys is there twice")
		case d.PeekKind() != '[':
			return cmp.Or(d.SkipValue(), errors.New("member keys is not an array"))
		}
		seen = true
		return readArray(d, do)
	})
	if err != nil {
		return err
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return cmp.Or(err, errors.New("something follows the JSON object"))
	}
	return nil
}

func readArray(d *jsontext.Decoder, do func(jwk)) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for key := make(jwk); d.PeekKind() != ']'; clear(key) {
		read := d.SkipValue
		if d.PeekKind() == '{' {
			read = func() error { return key.read(d) }
		}
		if err := read(); err != nil {
			return err
		}
		do(key)
	}
	_, err := d.ReadToken()
	return err
}

func (k jwk) read(d *jsontext.Decoder) error {
	return readObject(d, func(name string) error {
		switch name {
		case "kid", "kty", "use", "key_ops", "alg", "n", "e", "crv", "x", "y":
			value, err := d.ReadValue()
			k[name] = value.Clone()
			return err
		}
		return d.SkipValue()
	})
}

// readObject reads the JSON object that comes next. It calls readValue after each
// name, to read the value.
func readObject(d *jsontext.Decoder, readValue func(name string) error) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := readValue(name.String()); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// text returns a member that must be a string. It is empty for null and for a member
// that is absent.
func (k jwk) text(name string) (text string, err error) {
	if value, ok := k[name]; ok && json.Unmarshal(value, &text) != nil {
		return "", refusal(name + " is not a string")
	}
	return text, nil
}

// keyID returns the kid, or "" if no token can name it.
func (k jwk) keyID() string {
	kid, err := k.text("kid")
	if err != nil || utf8.RuneCountInString(kid) > maxKeyIDLength {
		return ""
	}
	return kid
}

// verificationKey is a key of a JWK Set that can verify tokens.
type verificationKey struct {
	jwk        jwkset.JWK
	algorithms []string // that it may verify
}

func (k verificationKey) keyID() string     { return k.jwk.Marshal().KID }
func (k verificationKey) namesItsAlg() bool { return k.jwk.Marshal().ALG != "" }

// usableKey returns the key, or why it cannot verify tokens.
func (k jwk) usableKey() (verificationKey, error) {
	m, err := k.public()
	if err != nil {
		return verificationKey{}, err
	}
	if err := k.checkUse(); err != nil {
		return verificationKey{}, err
	}
	key, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return verificationKey{}, err
	}
	algorithms, err := algorithmsOf(key.Key())
	if err != nil {
		return verificationKey{}, err
	}
	if alg := m.ALG.String(); alg != "" {
		if !slices.Contains(algorithms, alg) {
			return verificationKey{}, refusal("alg is not one of the key type " + m.KTY.String())
		}
		algorithms = []string{alg}
	}
	return verificationKey{jwk: key, algorithms: algorithms}, nil
}

// public returns the key id, the alg and the public key, not yet checked.
func (k jwk) public() (m jwkset.JWKMarshal, err error) {
	if m.KID = k.keyID(); m.KID == "" {
		return m, refusal("kid is missing, too long or not a string")
	}
	text := func(name string) string {
		text, e := k.text(name)
		err = cmp.Or(err, e)
		return text
	}
	m.KTY, m.ALG = jwkset.KTY(text("kty")), jwkset.ALG(text("alg"))
	if m.ALG == "Ed25519" {
		m.ALG = jwkset.AlgEdDSA // its older name, RFC 9864
	}
	switch m.KTY {
	case jwkset.KtyRSA:
		m.N, m.E = text("n"), text("e")
	case jwkset.KtyEC:
		m.CRV, m.X, m.Y = jwkset.CRV(text("crv")), text("x"), text("y")
	case jwkset.KtyOKP:
		m.CRV, m.X = jwkset.CRV(text("crv")), text("x")
	default:
		err = cmp.Or(err, error(refusal("kty is not RSA, EC or OKP")))
	}
	return m, err
}

// checkUse refuses a key whose use or key_ops is another than to verify signatures.
// Unregistered values of key_ops are ignored (RFC 7517 section 4.3).
func (k jwk) checkUse() error {
	if use, err := k.text("use"); err != nil {
		return err
	} else if use != "" && use != jwkset.UseSig.String() {
		return refusal("use is not sig")
	}
	var operations []string
	if value, ok := k["key_ops"]; ok && json.Unmarshal(value, &operations) != nil {
		return refusal("key_ops is not an array of strings")
	}
	if len(operations) > 0 && !slices.Contains(operations, jwkset.KeyOpsVerify.String()) {
		return refusal("key_ops lacks verify")
	}
	return nil
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
