// Package docs serves the description of the API, a page to call a running stack
// from (Swagger UI, with all its assets in this program), and the console, if it is
// built.
//
// It owns the API page. Of the API it knows only the address: the page reads the
// description.
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

// Config says what the page shows.
type Config struct {
	URL     string // of the page's own origin
	Gateway string // origin of the API
	Console fs.FS  // files of the built console
	Users   []User // that calls can be made as
	// Token returns a token for one of Users. It is nil if the stack cannot make tokens.
	Token func(user string, ttl time.Duration) (string, error)
}

// User is one of the users that the page offers.
type User struct {
	Name string `json:"name"`
	Note string `json:"note"`
}

// tokenTTL is how long a page that stays open works.
const tokenTTL = 12 * time.Hour

type server struct {
	config Config
	host   string
	mux    *http.ServeMux
}

// New returns a handler of the description, at /openapi.yaml, the page, at /docs,
// and the console, at /console/. It redirects requests for other host names, such as localhost, to c.URL,
// because the gateway allows calls from that origin only.
func New(c Config) http.Handler {
	_, host, _ := strings.Cut(c.URL, "://")
	s := &server{config: c, host: host, mux: http.NewServeMux()}
	s.mux.Handle("GET /{$}", http.RedirectHandler("/docs", http.StatusFound))
	s.mux.HandleFunc("GET /openapi.yaml", s.serveDescription)
	s.mux.HandleFunc("GET /docs", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, page, "page/page.html") })
	s.mux.HandleFunc("GET /docs/{file}", s.serveFile)
	s.mux.Handle("GET /console/", http.StripPrefix("/console", http.FileServerFS(c.Console)))
	for _, page := range []string{"/docs", "/console"} {
		s.mux.HandleFunc("GET "+page+"/stack.json", s.serveStack)
		s.mux.HandleFunc("GET "+page+"/token", s.serveToken)
	}
	return s
}

// ServeHTTP serves one request. Its Content-Security-Policy lets the pages call this
// handler and the gateway, and no other server.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	// Swagger UI has icons in data URLs, and sets style attributes.
	own := "style-src 'self' 'unsafe-inline'; img-src 'self' data:"
	if strings.HasPrefix(r.URL.Path, "/console/") {
		own = "style-src 'self'; img-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
	}
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; "+own+"; "+
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
	_, _ = io.WriteString(w, infra.OpenAPI()) // the client may be gone
}

// serveFile serves a file of the page or of Swagger UI, whose files are compressed.
func (s *server) serveFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if _, err := fs.Stat(page, "page/"+name); err == nil {
		http.ServeFileFS(w, r, page, "page/"+name)
		return
	}
	file, err := static.FS.Open(name + ".gz")
	if errors.Is(err, fs.ErrNotExist) {
		http.ServeFileFS(w, r, static.FS, name) // some files are not compressed; the others are 404
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

// serveStack serves what the page's script needs to know of the stack.
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
