package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	jwtIssuer   = "https://issuer.example.com/"
	jwtAudience = "https://api.example.com"
	rsaID       = "bench-rsa"
	ecID        = "bench-ec"
)

// keys signs the tokens, and publishes its public keys.
type keys struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	url string

	server *http.Server
	file   string // the same keys, as they are shipped with a function
}

// newKeys serves the keys by TLS, each answer delayed, and writes them to file.
func newKeys(file string, delay time.Duration, certificate tls.Certificate) (*keys, error) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	k := &keys{rsa: rsaKey, ec: ecKey, file: file}
	set, err := k.public()
	if err != nil {
		return nil, err
	}
	if err := k.ship(set); err != nil {
		return nil, err
	}
	text, err := json.Marshal(map[string]any{"keys": set})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the signing keys: %w", err)
	}
	k.url = "https://" + listener.Addr().String() + "/.well-known/jwks.json"
	k.server = &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		alarm, err := newAlarm()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer alarm.close()
		_ = alarm.wait(delay) // too early an answer shows in the figures
		w.Header().Set("Content-Type", "application/json")
		w.Write(text)
	})}
	go k.server.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}}))
	return k, nil
}

func (k *keys) close() { k.server.Close() }

func (k *keys) public() ([]map[string]string, error) {
	encode := base64.RawURLEncoding.EncodeToString
	point, err := k.ec.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, err
	}
	coordinates := point[1:]
	return []map[string]string{
		{"kty": "RSA", "kid": rsaID, "alg": "RS256", "use": "sig",
			"n": encode(k.rsa.N.Bytes()), "e": encode(big.NewInt(int64(k.rsa.E)).Bytes())},
		{"kty": "EC", "kid": ecID, "alg": "ES256", "use": "sig", "crv": "P-256",
			"x": encode(coordinates[:len(coordinates)/2]), "y": encode(coordinates[len(coordinates)/2:])},
	}, nil
}

func (k *keys) ship(set []map[string]string) error {
	text, err := json.Marshal(map[string]any{"fetched": time.Now().UTC().Format(time.RFC3339), "keys": set})
	if err != nil {
		return err
	}
	return os.WriteFile(k.file, text, 0o644)
}

// claims returns those of a good token for user.
func claims(user string) jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": jwtIssuer, "aud": jwtAudience, "sub": user, "jti": newID(), "scope": "openid profile email",
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

// publicPEM returns the RSA key as a careless verifier would take it for a shared secret.
func (k *keys) publicPEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
}
