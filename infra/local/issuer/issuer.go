// Package issuer is a token issuer for the local stack and for tests. It gives a
// token to everyone who asks, and publishes its keys as a JWKS.
package issuer

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

// TTL is the default lifetime of a token.
const TTL = time.Hour

const keyBits = 2048

// Issuer signs tokens with RS256. It is safe for concurrent use. Its exported fields are set before that.
type Issuer struct {
	UserClaim string // one more claim that holds the user; empty: sub alone
	Scope     string // the claim scope; empty: none
	Example   string // a user, for the errors of /token

	// Check returns an error, for the person who asks, if /token must give no token for a user. Nil: every user gets one.
	Check func(ctx context.Context, user string) error

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
	i := newIssuer(url, audience)
	return i, i.AddKey()
}

// Open is like New, with the key in file. It makes the file if there is none. A file
// that cannot be read is left as it is.
func Open(url, audience, file string) (*Issuer, error) {
	private, err := openKey(file)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	i := newIssuer(url, audience)
	return i, i.use(private)
}

func newIssuer(url, audience string) *Issuer {
	i := &Issuer{url: url, audience: audience, Example: "alice", mux: http.NewServeMux()}
	i.mux.HandleFunc("GET /token", i.serveToken)
	i.mux.HandleFunc("GET /.well-known/jwks.json", i.serveKeys)
	return i
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
	return i.use(private)
}

// use makes private the key that signs. Its id depends on the key alone.
func (i *Issuer) use(private *rsa.PrivateKey) error {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&private.PublicKey))
	id := base64.RawURLEncoding.EncodeToString(sum[:16])
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
	return i.Sign(i.claims(user, ttl))
}

func (i *Issuer) claims(user string, ttl time.Duration) map[string]any {
	now := time.Now()
	claims := map[string]any{
		"iss": i.url,
		"aud": i.audience,
		"sub": user,
		"iat": now.Unix(),
		"exp": now.Add(ttl).Unix(),
	}
	if i.UserClaim != "" {
		claims[i.UserClaim] = user
	}
	if i.Scope != "" {
		claims["scope"] = i.Scope
	}
	return claims
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

// ServeHTTP serves the JWKS, and tokens at /token?user=NAME&ttl=DURATION&scope=SCOPES&claims=JSON. Tokens are given only
// under url, localhost, IP addresses and the names of this machine in containers.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) { i.mux.ServeHTTP(w, r) }

// NoToken is how the text of an answer begins that refuses a token.
const NoToken = "no token for "

func (i *Issuer) serveToken(w http.ResponseWriter, r *http.Request) {
	if !i.isOwnHost(r.Host) {
		http.Error(w, fmt.Sprintf(NoToken+"host %q; ask for %s%s", r.Host, i.url, i.example()), http.StatusMisdirectedRequest)
		return
	}
	claims, err := i.requestedClaims(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if i.Check != nil {
		if err := i.Check(r.Context(), r.FormValue("user")); err != nil {
			http.Error(w, fmt.Sprintf(NoToken+"user %q: %v", r.FormValue("user"), err), http.StatusNotFound)
			return
		}
	}
	token, err := i.Sign(claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	io.WriteString(w, token+"\n")
}

// requestedClaims returns the claims of the token that a request asks for.
func (i *Issuer) requestedClaims(r *http.Request) (map[string]any, error) {
	user, ttl := r.FormValue("user"), TTL
	if user == "" {
		return nil, errors.New("user is missing; ask for " + i.example())
	}
	for name := range r.Form {
		if known := []string{"user", "ttl", "scope", "claims"}; !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no parameter %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	if text := r.FormValue("ttl"); text != "" {
		var err error
		if ttl, err = time.ParseDuration(text); err != nil {
			return nil, errors.New("ttl is not a duration such as 90s, 1h or, for an expired token, -1h")
		}
	}
	claims := i.claims(user, ttl)
	if r.Form.Has("scope") {
		claims["scope"] = r.FormValue("scope")
	}
	if text := r.FormValue("claims"); text != "" {
		if err := json.Unmarshal([]byte(text), &claims); err != nil || claims == nil { // null makes it nil
			return nil, errors.New(`claims is not a JSON object such as {"email":"alice@example.com"}; curl keeps its braces only with -g`)
		}
	}
	maps.DeleteFunc(claims, func(name string, value any) bool { return value == nil || name == "scope" && value == "" })
	return claims, nil
}

func (i *Issuer) example() string { return "/token?user=" + url.QueryEscape(i.Example) }

// isOwnHost refuses other names: a web page could make its own name stand for this machine (DNS rebinding), and then
// read the tokens. It cannot do so with an IP address, nor with the names that Docker and Podman give this machine.
func (i *Issuer) isOwnHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	_, own, _ := strings.Cut(i.url, "://")
	names := []string{"localhost", "host.docker.internal", "host.containers.internal"}
	return host == own || slices.Contains(names, strings.ToLower(name)) || net.ParseIP(strings.Trim(name, "[]")) != nil
}

func (i *Issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	var set jwkset.JWKSMarshal
	i.mu.RLock()
	for _, k := range i.keys {
		set.Keys = append(set.Keys, k.public)
	}
	i.mu.RUnlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(set) // the client may be gone
}
