package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	jwtIssuer   = "https://issuer.example.com/"
	jwtAudience = "https://api.example.com"
	rsaID       = "bench-rsa"
	ecID        = "bench-ec"
)

// keys signs the tokens and publishes its public keys.
type keys struct {
	rsa    *rsa.PrivateKey
	ec     *ecdsa.PrivateKey
	url    string
	server *http.Server
}

// newKeys serves the keys over TLS, each answer delayed.
func newKeys(certificate tls.Certificate) (*keys, error) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := ecKey.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, err
	}
	encode, half := base64.RawURLEncoding.EncodeToString, len(point)/2
	text, err := json.Marshal(map[string]any{"keys": []map[string]string{
		{"kty": "RSA", "kid": rsaID, "alg": "RS256", "use": "sig",
			"n": encode(rsaKey.N.Bytes()), "e": encode(big.NewInt(int64(rsaKey.E)).Bytes())},
		{"kty": "EC", "kid": ecID, "alg": "ES256", "use": "sig", "crv": "P-256",
			"x": encode(point[1 : 1+half]), "y": encode(point[1+half:])},
	}})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the signing keys: %w", err)
	}
	k := &keys{rsa: rsaKey, ec: ecKey, url: "https://" + listener.Addr().String() + "/.well-known/jwks.json"}
	handler := func(w http.ResponseWriter, r *http.Request) {
		if err := wait(keysDelay); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(text)
	}
	k.server = &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(handler)}
	go k.server.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}}))
	return k, nil
}

// claims returns those of a good token for user.
func claims(user string) jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": jwtIssuer, "aud": jwtAudience, "sub": user, "jti": rand.Text(), "scope": "openid profile email",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

// sign returns a token with these claims: RS256, or ES256.
func (k *keys) sign(c jwt.Claims, elliptic bool) (string, error) {
	if elliptic {
		return signed(jwt.SigningMethodES256, ecID, c, k.ec)
	}
	return signed(jwt.SigningMethodRS256, rsaID, c, k.rsa)
}

func signed(method jwt.SigningMethod, id string, c jwt.Claims, key any) (string, error) {
	token := jwt.NewWithClaims(method, c)
	token.Header["kid"] = id
	return token.SignedString(key)
}
