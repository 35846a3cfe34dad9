package api_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/template"
	"orgsettings/infra/local/testenv"
	"orgsettings/internal/app"
	"orgsettings/internal/auth"
	"orgsettings/internal/dynamo"
)

// service is the whole program without a Lambda: the handler over a real
// verifier with keys over HTTP, and a real client of a database engine.
type service struct {
	handler  http.Handler
	issuer   *issuer.Issuer
	keys     *httptest.Server // serves the issuer
	database *httptest.Server
	log      *testenv.Log
}

func newService(t testing.TB, change ...func(*app.Config)) *service {
	t.Helper()
	s := &service{log: new(testenv.Log)}
	s.keys = httptest.NewUnstartedServer(nil)
	var err error
	if s.issuer, err = issuer.New("http://"+s.keys.Listener.Addr().String(), "settings"); err != nil {
		t.Fatal(err)
	}
	s.keys.Config.Handler = s.issuer
	s.keys.Start()
	t.Cleanup(s.keys.Close)
	s.database = httptest.NewServer(dynamodb.New())
	t.Cleanup(s.database.Close)

	tmpl, err := template.Load("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := stack.FillDatabase(t.Context(), s.database.URL, tmpl.Tables); err != nil {
		t.Fatal(err)
	}

	c := app.Config{
		Auth: auth.Config{
			Issuer: s.issuer.URL(), Audiences: []string{s.issuer.Audience()},
			JWKSURL: s.issuer.JWKSURL(), JWKSMaxAge: time.Minute, UserClaim: "sub",
		},
		AWS: aws.Config{
			Region:       "eu-central-1",
			Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
			BaseEndpoint: &s.database.URL,
		},
		Tables: dynamo.Tables{Users: "UsersTable", Settings: "SettingsTable"},
		Logger: slog.New(slog.NewJSONHandler(s.log, nil)),
	}
	for _, f := range change {
		f(&c)
	}
	if s.handler, err = app.New(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return s
}

// token returns a good token of user, changed by claims.
func (s *service) token(t testing.TB, user string, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"iss": s.issuer.URL(), "aud": s.issuer.Audience(), "sub": user, "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(all, claims)
	signed, err := s.issuer.Sign(all)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// kid returns the key id in a token.
func kid(t *testing.T, token string) string {
	t.Helper()
	header, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil {
		t.Fatal(err)
	}
	var h struct{ Kid string }
	if err := json.Unmarshal(text, &h); err != nil {
		t.Fatal(err)
	}
	return h.Kid
}

// call sends one request to the resource. Header fields are given in pairs of name and value.
func (s *service) call(t testing.TB, method, body string, fields ...string) *http.Response {
	t.Helper()
	return s.callAt(t, method, "", body, fields...)
}

// callAt sends one request to a path below the resource.
func (s *service) callAt(t testing.TB, method, below, body string, fields ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/settings/organization"+below, strings.NewReader(body))
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Result()
}

func (s *service) as(t testing.TB, user string) []string {
	return []string{"Authorization", "Bearer " + s.token(t, user, nil)}
}

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
