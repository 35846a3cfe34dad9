package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"time"
)

// verifier verifies tokens that are signed with RS256 or ES256.
type verifier struct {
	issuer, audience string
	keys             map[string]key // by id

	header, claims, signature []byte // reused
}

// key is a public key: one of the two.
type key struct {
	rsa *rsa.PublicKey
	ec  *ecdsa.PublicKey
}

var strictBase64 = base64.RawURLEncoding.Strict()

// newVerifier fetches the key set.
func newVerifier(bundle authorities) (*verifier, error) {
	from, err := url.Parse(os.Getenv("JWKS_URL"))
	if err != nil {
		return nil, err
	}
	c := &conn{dial: bundle.dialer(from)}
	set, err := c.do([]byte("GET " + from.RequestURI() + " HTTP/1.1\r\nhost:" + from.Host + "\r\n\r\n"))
	switch {
	case err != nil:
		return nil, err
	case set.status != 200:
		return nil, fmt.Errorf("key set: status %d", set.status)
	}
	v := &verifier{issuer: os.Getenv("JWT_ISSUER"), audience: os.Getenv("JWT_AUDIENCE"), keys: make(map[string]key)}
	if err := c.kept.Close(); err != nil {
		return nil, err
	}
	return v, v.readKeys(set.body)
}

func (v *verifier) readKeys(set []byte) error {
	ok := each(set, func(name, value []byte) {
		if string(name) == "keys" {
			each(value, func(_, key []byte) { v.readKey(key) })
		}
	})
	if !ok || len(v.keys) == 0 {
		return errors.New("key set has no key that serves")
	}
	return nil
}

// readKey adds a key of the set, if it serves.
func (v *verifier) readKey(jwk []byte) {
	parameters := make(map[string]string)
	each(jwk, func(name, value []byte) { parameters[string(name)] = string(str(value)) })
	id, use, alg := parameters["kid"], parameters["use"], parameters["alg"]
	if id == "" || use != "" && use != "sig" {
		return
	}
	decode := func(name string) []byte {
		value, _ := strictBase64.DecodeString(parameters[name]) // what cannot be decoded makes no key
		return value
	}
	switch parameters["kty"] {
	case "RSA":
		n, e := new(big.Int).SetBytes(decode("n")), new(big.Int).SetBytes(decode("e"))
		if (alg == "" || alg == "RS256") && n.BitLen() >= 2048 && e.BitLen() < 32 {
			v.keys[id] = key{rsa: &rsa.PublicKey{N: n, E: int(e.Int64())}}
		}
	case "EC":
		point := append(append([]byte{4}, decode("x")...), decode("y")...)
		if public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point); err == nil && (alg == "" || alg == "ES256") {
			v.keys[id] = key{ec: public}
		}
	}
}

// verify returns the user whose token this is, until the next call.
func (v *verifier) verify(token []byte, now time.Time) (user []byte, ok bool) {
	header, rest, _ := bytes.Cut(token, []byte("."))
	claims, signature, ok := bytes.Cut(rest, []byte("."))
	if !ok {
		return nil, false
	}
	for _, part := range []struct {
		dst  *[]byte
		text []byte
	}{{&v.header, header}, {&v.claims, claims}, {&v.signature, signature}} {
		var err error
		if *part.dst, err = strictBase64.AppendDecode((*part.dst)[:0], part.text); err != nil {
			return nil, false
		}
	}
	key, rs256, ok := v.keyOf(v.header)
	signed := sha256.Sum256(token[:len(token)-len(signature)-1])
	if !ok || !key.verifies(rs256, signed[:], v.signature) {
		return nil, false
	}
	return v.check(v.claims, float64(now.Unix()))
}

func (v *verifier) keyOf(header []byte) (k key, rs256, ok bool) {
	var alg, id []byte
	critical := false
	ok = each(header, func(name, value []byte) {
		switch string(name) {
		case "alg":
			alg = str(value)
		case "kid":
			id = str(value)
		case "crit": // an extension that must be understood is not
			critical = true
		}
	})
	k, known := v.keys[string(id)]
	rs256 = string(alg) == "RS256"
	return k, rs256, ok && known && !critical && (rs256 || string(alg) == "ES256")
}

func (k key) verifies(rs256 bool, hash, signature []byte) bool {
	if rs256 {
		return k.rsa != nil && rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, hash, signature) == nil
	}
	if k.ec == nil || len(signature) != 64 {
		return false
	}
	return ecdsa.Verify(k.ec, hash, new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}

// check reads the claims and holds them against now, in seconds.
func (v *verifier) check(claims []byte, now float64) (user []byte, ok bool) {
	var issuer []byte
	var expires, notBefore float64 // NaN, and so no time, if it is no number
	forUs := false
	ok = each(claims, func(name, value []byte) {
		switch string(name) {
		case "iss":
			issuer = str(value)
		case "aud":
			forUs = string(str(value)) == v.audience
			each(value, func(_, one []byte) { forUs = forUs || string(str(one)) == v.audience })
		case "sub":
			user = str(value)
		case "exp":
			expires = number(value)
		case "nbf":
			notBefore = number(value)
		}
	})
	ok = ok && forUs && string(issuer) == v.issuer && now < expires && now >= notBefore && len(user) > 0
	return user, ok
}
