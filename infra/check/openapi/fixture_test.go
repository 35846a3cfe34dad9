package openapi_test

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"orgsettings/infra/check/openapi"
	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/gateway"
	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/lambda"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/template"
	"orgsettings/internal/api"
	"orgsettings/internal/apigw"
	"orgsettings/internal/app"
	"orgsettings/internal/auth"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/schema"
	"orgsettings/internal/settings"
)

// faults says what fails in a service.
type faults struct {
	scope    string // that the deployment requires
	keys     bool   // the key set cannot be had
	database bool   // it cannot be reached
	store    error  // of every read of the directory
	rivals   bool   // another writer comes before every put
	forgets  bool   // no history is kept
	demands  bool   // writes need a precondition
	schema   bool   // there is a schema, and documents must obey once the rivals are at work
	function error  // of the function, as the gateway sees it
}

// service is the gateway and the handler, with a verifier that fetches keys over HTTP
// and a client of the embedded database.
type service struct {
	gateway *httptest.Server
	issuer  *issuer.Issuer
	rivals  *atomic.Bool // whether those of the faults are at work
}

// newIssuer starts an issuer, which several services may trust: it takes long to make its key.
func newIssuer(t *testing.T) *issuer.Issuer {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	i, err := issuer.New("http://"+server.Listener.Addr().String(), "settings")
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = i
	server.Start()
	t.Cleanup(server.Close)
	return i
}

func newService(t *testing.T, i *issuer.Issuer, f faults) *service {
	t.Helper()
	s := &service{issuer: i}
	keys := i.JWKSURL()
	if f.keys {
		keys = "http://127.0.0.1:1/jwks"
	}
	tables := dynamo.Tables{Users: "UsersTable", Settings: "SettingsTable", History: "HistoryTable"}
	if f.forgets {
		tables.History = ""
	}
	store := &faultyStore{faults: f}
	s.rivals = &store.atWork
	var limit settings.Schema
	if f.schema {
		compiled, err := schema.Compile([]byte(documentSchema))
		if err != nil {
			t.Fatal(err)
		}
		limit = lateSchema{compiled, s.rivals}
	}
	served, err := app.New(t.Context(), app.Config{
		Auth: auth.Config{
			Issuer: s.issuer.URL(), Audiences: []string{s.issuer.Audience()}, JWKSURL: keys, JWKSMaxAge: time.Minute,
			UserClaim: "sub", RequiredScope: f.scope,
		},
		AWS:              newDatabase(t, f),
		Tables:           tables,
		RequireCondition: f.demands,
		Schema:           limit,
		Logger:           slog.New(slog.DiscardHandler),
		Faults: func(db *dynamo.DB) app.Database {
			store.DB = db
			return store
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	handler := apigw.New(served)
	front, err := gateway.New(gateway.Config{
		Routes: api.Routes(), Stage: gateway.DefaultStage,
		Invoke: func(ctx context.Context, payload []byte) ([]byte, error) {
			switch {
			case f.function != nil:
				return nil, f.function
			case len(payload) > 6<<20:
				return nil, lambda.ErrTooLarge
			}
			return handler.Invoke(ctx, payload)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.gateway = httptest.NewServer(front)
	t.Cleanup(s.gateway.Close)
	return s
}

// documentSchema is that of the example.
const documentSchema = `{"$schema":"https://json-schema.org/draft/2020-12/schema","required":["theme"],` +
	`"properties":{"theme":{"enum":["dark","light"]},"security":{"properties":{"sessionTimeout":{"minimum":60}}}}}`

// lateSchema is a schema that was not there when the documents before were written.
type lateSchema struct {
	*schema.Schema
	atWork *atomic.Bool
}

func (s lateSchema) Validate(document []byte) error {
	if !s.atWork.Load() {
		return nil
	}
	return s.Schema.Validate(document)
}

// faultyStore is the database with the faults of a service.
type faultyStore struct {
	*dynamo.DB
	faults
	atWork atomic.Bool
}

// newDatabase starts an engine with the demo users and returns how to reach it.
func newDatabase(t *testing.T, f faults) aws.Config {
	t.Helper()
	engine := httptest.NewServer(dynamodb.New())
	t.Cleanup(engine.Close)
	cfg := aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), BaseEndpoint: &engine.URL}
	tmpl, err := template.Load("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := stack.FillDatabase(t.Context(), engine.URL, tmpl.Tables); err != nil {
		t.Fatal(err)
	}
	if f.database {
		engine.Close()
	}
	return cfg
}

func (s *faultyStore) Membership(ctx context.Context, user settings.UserID) (settings.Membership, error) {
	if s.store != nil {
		return settings.Membership{}, s.store
	}
	return s.DB.Membership(ctx, user)
}

func (s *faultyStore) Swap(ctx context.Context, old, r settings.Record) error {
	if s.rivals && s.atWork.Load() {
		// Somebody else was faster.
		document, err := settings.ParseDocument([]byte(`{"a":0}`))
		return cmp.Or[error](err, &settings.ConflictError{Current: settings.Record{Org: r.Org, Revision: r.Revision, Document: document, Stored: old.Stored}})
	}
	return s.DB.Swap(ctx, old, r)
}

// request is one call.
type request struct {
	method string
	path   string            // below the resource, with the query
	user   string            // empty: alice
	header map[string]string // added to Authorization
	body   string
}

// send sends one request and validates the answer against the description.
func (s *service) send(t *testing.T, r request) (*http.Response, string) {
	t.Helper()
	if r.user == "" {
		r.user = "alice"
	}
	token, err := s.issuer.Token(r.user, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := http.NewRequestWithContext(t.Context(), r.method, s.gateway.URL+"/settings/organization"+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	sent.Header.Set("Authorization", "Bearer "+token)
	for name, value := range r.header {
		sent.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(sent)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	openapi.Validate(t, sent, response)
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}
