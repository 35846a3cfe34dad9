// Package issuer is a token issuer for the local stack and for tests. It gives a
// token to everyone who asks, for any user name, and publishes its keys as a JWKS.
package issuer

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// TTL is the default lifetime of a token.
const TTL = time.Hour

const keyBits = 2048

// Issuer signs tokens with RS256. It is safe for concurrent use.
type Issuer struct {
	url, audience string
	mux           *http.ServeMux

	mu   sync.RWMutex
	keys []key // the last key signs
}

type key struct {
	id      string
	private *rsa.PrivateKey
	public  jwkset.JWKMarshal
}

// New returns an Issuer with one key. Its tokens have the claims iss, which is url,
// and aud. The Issuer must be served at url.
func New(url, audience string) (*Issuer, error) {
	i := &Issuer{url: url, audience: audience, mux: http.NewServeMux()}
	i.mux.HandleFunc("GET /token", i.serveToken)
	i.mux.HandleFunc("GET /.well-known/jwks.json", i.serveKeys)
	i.mux.HandleFunc("GET /.well-known/openid-configuration", i.serveConfiguration)
	return i, i.AddKey()
}

// URL returns the iss claim of the tokens.
func (i *Issuer) URL() string { return i.url }

// Audience returns the aud claim of the tokens.
func (i *Issuer) Audience() string { return i.audience }

// JWKSURL returns the URL of the JWKS.
func (i *Issuer) JWKSURL() string { return i.url + "/.well-known/jwks.json" }

// AddKey makes a new key, which signs all later tokens. Older keys stay published
// until [Issuer.RemoveOldKeys].
func (i *Issuer) AddKey() error {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return fmt.Errorf("make a signing key: %w", err)
	}
	id := rand.Text()
	jwk, err := jwkset.NewJWKFromKey(&private.PublicKey, jwkset.JWKOptions{
		Metadata: jwkset.JWKMetadataOptions{KID: id, ALG: jwkset.AlgRS256, USE: jwkset.UseSig},
	})
	if err != nil {
		return fmt.Errorf("make a signing key: %w", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append(i.keys, key{id: id, private: private, public: jwk.Marshal()})
	return nil
}

// RemoveOldKeys removes every key except the one that signs.
func (i *Issuer) RemoveOldKeys() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = i.keys[len(i.keys)-1:]
}

// Token returns a token for user that is valid for ttl from now.
func (i *Issuer) Token(user string, ttl time.Duration) (string, error) {
	now := time.Now()
	return i.Sign(map[string]any{
		"iss": i.url,
		"aud": i.audience,
		"sub": user,
		"iat": now.Unix(),
		"exp": now.Add(ttl).Unix(),
	})
}

// Sign returns a token with exactly these claims.
func (i *Issuer) Sign(claims map[string]any) (string, error) {
	i.mu.RLock()
	signer := i.keys[len(i.keys)-1]
	i.mu.RUnlock()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
	token.Header["kid"] = signer.id
	return token.SignedString(signer.private)
}

// ServeHTTP serves the JWKS, the issuer's OpenID configuration, and tokens at
// /token?user=NAME&ttl=DURATION. Tokens are given only under url, localhost and IP
// addresses.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) { i.mux.ServeHTTP(w, r) }

func (i *Issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	if !i.isOwnHost(r.Host) {
		http.Error(w, fmt.Sprintf("no token for host %q; ask for %s/token?user=alice", r.Host, i.url), http.StatusMisdirectedRequest)
		return
	}
	user, ttl := r.FormValue("user"), TTL
	if user == "" {
		http.Error(w, "user is missing; ask for /token?user=alice", http.StatusBadRequest)
		return
	}
	if text := r.FormValue("ttl"); text != "" {
		var err error
		if ttl, err = time.ParseDuration(text); err != nil {
			http.Error(w, "ttl is not a duration such as 90s or 1h", http.StatusBadRequest)
			return
		}
	}
	token, err := i.Token(user, ttl)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	io.WriteString(w, token+"\n")
}

// isOwnHost refuses other names: a web page could make its own name stand for this machine (DNS rebinding), and then
// read the tokens. It cannot do so with an IP address.
func (i *Issuer) isOwnHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	_, own, _ := strings.Cut(i.url, "://")
	return host == own || strings.EqualFold(name, "localhost") || net.ParseIP(strings.Trim(name, "[]")) != nil
}

func (i *Issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	var set jwkset.JWKSMarshal
	i.mu.RLock()
	for _, k := range i.keys {
		set.Keys = append(set.Keys, k.public)
	}
	i.mu.RUnlock()
	writeJSON(w, set)
}

func (i *Issuer) serveConfiguration(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{
		"issuer":                                i.url,
		"jwks_uri":                              i.JWKSURL(),
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}
