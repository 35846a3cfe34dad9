// Package docs serves the description of the API, and a page on which calls of a
// running stack can be tried: Swagger UI, with assets of this program alone.
//
// It owns the page. It knows nothing of the API but where it is: the page reads
// the description.
package docs

import (
	"compress/gzip"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/swaggest/swgui/v5/static"

	"orgsettings/infra"
)

//go:embed page
var page embed.FS

// Config says what the page is about.
type Config struct {
	URL     string // of the page's own origin
	Gateway string // origin of the API
	Users   []User // whom calls can be made as
	// Token returns a token for one of Users; nil if there are none to be had.
	Token func(user string, ttl time.Duration) (string, error)
}

// User is one of the users that the page offers.
type User struct {
	Name string `json:"name"`
	Note string `json:"note"`
}

// tokenTTL is how long the page may stand open.
const tokenTTL = 12 * time.Hour

type server struct {
	config Config
	host   string
	mux    *http.ServeMux
}

// New returns a handler of /openapi.yaml and, at /docs, the page. It sends
// whoever comes by another name, such as localhost, to the URL of c: that is the
// origin that the gateway knows.
func New(c Config) http.Handler {
	_, host, _ := strings.Cut(c.URL, "://")
	s := &server{config: c, host: host, mux: http.NewServeMux()}
	s.mux.Handle("GET /{$}", http.RedirectHandler("/docs", http.StatusFound))
	s.mux.HandleFunc("GET /openapi.yaml", s.serveDescription)
	s.mux.HandleFunc("GET /docs", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, page, "page/page.html") })
	s.mux.HandleFunc("GET /docs/{file}", s.serveFile)
	s.mux.HandleFunc("GET /docs/stack.json", s.serveStack)
	s.mux.HandleFunc("GET /docs/token", s.serveToken)
	return s
}

// ServeHTTP serves one request. The page is held to this machine: a browser lets
// it speak to nobody but this handler and the gateway.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	// Swagger UI draws its signs by data URLs, and sets style attributes.
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "+
		"connect-src 'self' "+s.config.Gateway+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	if r.Host != s.host {
		http.Redirect(w, r, s.config.URL+r.URL.Path, http.StatusFound)
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *server) serveDescription(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = io.WriteString(w, infra.OpenAPI()) // a client that is gone cannot be told
}

// serveFile serves a file of the page or of Swagger UI, which is kept compressed.
func (s *server) serveFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if _, err := fs.Stat(page, "page/"+name); err == nil {
		http.ServeFileFS(w, r, page, "page/"+name)
		return
	}
	file, err := static.FS.Open(name + ".gz")
	if errors.Is(err, fs.ErrNotExist) {
		http.ServeFileFS(w, r, static.FS, name) // it says what is not there
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	_, _ = io.Copy(w, text)
}

// serveStack tells the page what it is about.
func (s *server) serveStack(w http.ResponseWriter, _ *http.Request) {
	users := s.config.Users
	if s.config.Token == nil {
		users = nil
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"gateway": s.config.Gateway, "users": users})
}

func (s *server) serveToken(w http.ResponseWriter, r *http.Request) {
	if s.config.Token == nil {
		http.NotFound(w, r)
		return
	}
	token, err := s.config.Token(r.FormValue("user"), tokenTTL)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, token)
}
