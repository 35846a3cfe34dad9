// Package providers holds no program: its tests configure the deployed program as docs/identity-providers.md says,
// and send it tokens of the shape that each provider issues.
package providers

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	gocmp "github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/stacktest"
)

var bootstrap string // set before the first test

func TestMain(m *testing.M) { os.Exit(stacktest.Main(m, &bootstrap)) }

func TestProviders(t *testing.T) {
	t.Parallel()
	page := readPage(t)
	documented, known := slices.Sorted(maps.Keys(page)), slices.Sorted(maps.Keys(shapes()))
	if diff := gocmp.Diff(documented, known); diff != "" {
		t.Errorf("providers of the page (-) and of the test (+):\n%s", diff)
	}
	keys := newKeys(t)
	for name, s := range shapes() {
		p, ok := page[name]
		if !ok {
			continue // told above
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := start(t, p, s.keys, keys.set)
			for _, alg := range p.algorithms {
				if got := get(t, service, keys.sign(t, s.token, alg)); got != http.StatusOK {
					t.Errorf("signed with %s: answer %d, want 200", alg, got)
				}
			}
			for what, other := range s.others {
				if got := get(t, service, keys.sign(t, other.token, p.algorithms[0])); got != other.want {
					t.Errorf("%s: answer %d, want %d", what, got, other.want)
				}
			}
		})
	}
}

// An address without a JWK Set is no reason to refuse a token: Google's X.509 certificates, and what a project of
// Supabase with a legacy secret publishes.
func TestNoKeySet(t *testing.T) {
	t.Parallel()
	page, signers := readPage(t), newKeys(t)
	for name, set := range map[string]string{"Firebase": `{"RS256":"-----BEGIN CERTIFICATE-----"}`, "Supabase": `{"keys":[]}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := start(t, page[name], shapes()[name].keys, []byte(set))
			if got := get(t, service, signers.sign(t, shapes()[name].token, "RS256")); got != http.StatusServiceUnavailable {
				t.Errorf("answer %d, want 503", got)
			}
		})
	}
}

// start starts the program with the configuration of the page. A server on this machine stands for the provider: it
// has the key set at path.
func start(t *testing.T, p provider, path string, set []byte) *stack.Stack {
	t.Helper()
	names := []string{"JWKS_URL", "JWT_AUDIENCE", "JWT_ISSUER", "JWT_REQUIRED_SCOPE", "JWT_USER_CLAIM"}
	if diff := gocmp.Diff(names, slices.Sorted(maps.Keys(p.environment))); diff != "" {
		t.Fatalf("rows (-want +page):\n%s", diff)
	}
	documented, err := url.Parse(p.environment["JWKS_URL"])
	if err != nil || documented.Scheme != "https" || len(p.algorithms) == 0 {
		t.Fatalf("JWKS_URL %q (%v), algorithms %q", p.environment["JWKS_URL"], err, p.algorithms)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		w.Write(set)
	}))
	t.Cleanup(server.Close)
	environment := maps.Clone(p.environment)
	environment["JWKS_URL"] = server.URL + documented.Path
	service, err := stack.Start(t.Context(), stack.Options{
		Template: "../../../template.yaml", Bootstrap: bootstrap, Output: t.Output(), Environments: 1,
		JWKSURL: environment["JWKS_URL"], Issuer: environment["JWT_ISSUER"], Audience: environment["JWT_AUDIENCE"],
		Env: environment,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	})
	return service
}

// get returns the status of reading the settings with a token.
func get(t *testing.T, s *stack.Stack, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/settings/organization", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// keys sign for all providers. The id of each key is the algorithm that it is for.
type keys struct {
	private map[string]crypto.Signer
	set     []byte // JWK Set of the public halves
}

func newKeys(t *testing.T) keys {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	k := keys{private: map[string]crypto.Signer{"RS256": rsaKey, "RS384": rsaKey, "RS512": rsaKey, "PS256": rsaKey}}
	for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		if k.private[alg], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	if _, k.private["EdDSA"], err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	var set jwkset.JWKSMarshal
	for alg, private := range k.private {
		jwk, err := jwkset.NewJWKFromKey(private.Public(), jwkset.JWKOptions{
			Metadata: jwkset.JWKMetadataOptions{KID: alg, ALG: jwkset.ALG(alg), USE: jwkset.UseSig},
		})
		if err != nil {
			t.Fatal(err)
		}
		set.Keys = append(set.Keys, jwk.Marshal())
	}
	if k.set, err = json.Marshal(set); err != nil {
		t.Fatal(err)
	}
	return k
}

// sign returns the token, signed with its own algorithm or else alg.
func (k keys) sign(t *testing.T, tok token, alg string) string {
	t.Helper()
	if tok.text != "" {
		return tok.text
	}
	alg = cmp.Or(tok.alg, alg)
	claims := jwt.MapClaims{"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(claims, tok.claims)
	unsigned := jwt.NewWithClaims(jwt.GetSigningMethod(alg), claims)
	unsigned.Header["kid"] = alg
	if delete(unsigned.Header, "typ"); tok.typ != "" {
		unsigned.Header["typ"] = tok.typ
	}
	var key any = k.private[alg]
	if alg == "HS256" {
		key = []byte("the legacy secret of a project")
	}
	signed, err := unsigned.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}
