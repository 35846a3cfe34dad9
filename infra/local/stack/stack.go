// Package stack starts the whole service on this machine: gateway, function,
// database and token issuer, wired as template.yaml has them. Everything listens
// on loopback addresses, and on one other address if it is told so.
//
// It owns the wiring. The function is the deployed program itself. Its environment
// has the addresses of the other parts.
package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"orgsettings/infra/local/docs"
	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/gateway"
	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/lambda"
	"orgsettings/infra/local/template"
)

// Options says what to start, and where. An address is HOST:PORT on this machine.
// Port 0 and an empty address take a free port.
type Options struct {
	Template  string // path of template.yaml
	Bootstrap string // path of the program; empty: [Build] makes it

	Addr         string // of the gateway
	IssuerAddr   string
	DynamoDBAddr string
	DocsAddr     string // of the API page

	// Listen is an IP address at which gateway, issuer and DynamoDB are served too, on the same ports, such as that
	// of a container bridge. It need not be a loopback address: everyone who reaches it gets tokens. Empty: none.
	Listen string

	DynamoDBURL string // of another database, instead of the embedded one

	JWKSURL, Issuer, Audience string // of another issuer, instead of the stack's own

	UserClaim     string // claim that holds the user; empty: the template's
	RequiredScope string // scope that a token must have; empty: the template's

	Schema string // absolute path of a JSON Schema of the documents; empty: they may be any JSON object

	Users string // path of a JSON file of the users; empty: the demo users

	// Data is a directory that keeps documents, history and signing key between runs. Empty: they end with the stack.
	Data string

	CORSOrigins []string // of pages that may call the API, and get tokens, from a browser

	Environments int               // most function processes at once; 0: DefaultEnvironments
	Env          map[string]string // variables of the function that differ from the template's
	Output       io.Writer         // of the function's log; must be safe for concurrent use
}

// DefaultEnvironments is the usual limit of function processes.
const DefaultEnvironments = 64

// Stack is a running stack.
type Stack struct {
	URL         string         // of the gateway
	Routes      []string       // of the gateway, such as "GET /path"
	DynamoDBURL string         // of the database
	DocsURL     string         // the API page is at /docs
	ConsoleURL  string         // empty: make console has not built it
	Issuer      *issuer.Issuer // nil if another issuer is used
	Users       []User
	Function    *lambda.Function
	BuildTime   time.Duration // zero without a build

	endpoints []*endpoint
	engine    *dynamodb.Engine // nil if another database is used
	buildDir  string           // or empty
}

// Start starts a stack, which runs until [Stack.Close]. ctx bounds only the start.
// The error joins an [*AddressError] for each address that cannot
// be listened on.
func Start(ctx context.Context, o Options) (_ *Stack, err error) {
	t, err := template.Load(o.Template)
	if err != nil {
		return nil, err
	}
	s := &Stack{Routes: t.Routes, DynamoDBURL: o.DynamoDBURL}
	if s.Users, err = readUsers(o.Users); err != nil {
		return nil, fmt.Errorf("-users: %w", err)
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()

	// Listen first: the user should not wait for the build to learn which addresses are in use.
	var failures []error
	listen := func(addr, also string) *endpoint {
		e, err := s.listen(addr, also)
		failures = append(failures, err)
		return e
	}
	var tokens, database *endpoint
	api := listen(o.Addr, o.Listen)
	if o.JWKSURL == "" {
		tokens = listen(o.IssuerAddr, o.Listen)
	}
	if o.DynamoDBURL == "" {
		database = listen(o.DynamoDBAddr, o.Listen)
	}
	page := listen(o.DocsAddr, "")
	if err := errors.Join(failures...); err != nil {
		return nil, err
	}
	s.URL, s.DocsURL = api.url(), page.url()
	trust := trust{jwksURL: o.JWKSURL, issuer: o.Issuer, audience: o.Audience}
	if tokens != nil {
		if s.Issuer, err = newIssuer(tokens.url(), o.Data); err != nil {
			if o.Data != "" {
				err = fmt.Errorf("-data %s: %w", o.Data, err)
			}
			return nil, err
		}
		s.Issuer.UserClaim, s.Issuer.Scope, s.Issuer.Example = o.UserClaim, o.RequiredScope, s.Users[0].Name
		s.Issuer.Check = func(ctx context.Context, user string) error { return s.checkUser(ctx, t.Tables, o.Users, user) }
		cors := gateway.CORS{AllowOrigins: o.CORSOrigins, AllowMethods: []string{http.MethodGet}}
		tokens.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !cors.Answer(w, r) {
				s.Issuer.ServeHTTP(w, r)
			}
		}))
		trust.jwksURL, trust.issuer, trust.audience = s.Issuer.JWKSURL(), s.Issuer.URL(), s.Issuer.Audience()
	}
	if database != nil {
		s.engine = dynamodb.New()
		if o.Data != "" {
			if s.engine, err = dynamodb.Open(o.Data); err != nil {
				return nil, fmt.Errorf("-data %s: %w", o.Data, err)
			}
		}
		database.serve(s.engine)
		s.DynamoDBURL = database.url()
	}

	if err := fill(ctx, s.DynamoDBURL, t.Tables, s.Users); err != nil {
		if database == nil {
			err = fmt.Errorf("-dynamodb: %w", err)
		}
		return nil, err
	}
	if o.Bootstrap == "" {
		if o.Bootstrap, err = s.build(ctx, o); err != nil {
			return nil, err
		}
	}
	s.Function, err = lambda.New(lambda.Config{
		Name:            "organization-settings-local",
		Bootstrap:       o.Bootstrap,
		Env:             environment(t, trust, s.DynamoDBURL, o),
		MemoryMB:        t.MemoryMB,
		Timeout:         t.Timeout,
		InitTimeout:     10 * time.Second,
		MaxEnvironments: cmp.Or(o.Environments, DefaultEnvironments),
		Output:          o.Output,
	})
	if err != nil {
		return nil, err
	}
	handler, err := gateway.New(gateway.Config{
		Routes: t.Routes,
		Stage:  gateway.DefaultStage,
		Invoke: func(ctx context.Context, payload []byte) ([]byte, error) {
			response, err := s.Function.Invoke(ctx, payload)
			_, unstarted := errors.AsType[*fs.PathError](err)
			switch {
			case o.Output == nil:
			case errors.Is(err, lambda.ErrNoEnvironment):
				fmt.Fprintf(o.Output, "answered 503: %v; make run FLAGS='-environments NUMBER' allows more of them\n", err)
			case unstarted:
				fmt.Fprintf(o.Output, "answered 500: %v\n", err)
			}
			return response, err
		},
		CORS: gateway.CORS{
			AllowOrigins:  append(slices.Clone(o.CORSOrigins), s.DocsURL),
			AllowMethods:  t.CORS.AllowMethods,
			AllowHeaders:  t.CORS.AllowHeaders,
			ExposeHeaders: t.CORS.ExposeHeaders,
			MaxAge:        t.CORS.MaxAge,
			Refused:       o.refused(),
		},
	})
	if err != nil {
		return nil, err
	}
	api.serve(handler)
	console := filepath.Join(filepath.Dir(o.Template), "clients", "console", "dist")
	if _, err := os.Stat(filepath.Join(console, "index.html")); err == nil {
		s.ConsoleURL = s.DocsURL + "/console/"
	}
	page.serve(s.docs(os.DirFS(console)))
	return s, nil
}

// refused returns a function that logs each origin that may not call the API, once.
func (o Options) refused() func(origin string) {
	var logged sync.Map
	return func(origin string) {
		if _, again := logged.LoadOrStore(origin, true); !again && o.Output != nil {
			fmt.Fprintf(o.Output, "a page of %s may not call the API; make run FLAGS='-cors-origins %s' allows it\n",
				origin, strings.Join(append(slices.Clone(o.CORSOrigins), origin), ","))
		}
	}
}

func newIssuer(url, data string) (*issuer.Issuer, error) {
	const audience = "organization-settings"
	if data == "" {
		return issuer.New(url, audience)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	return issuer.Open(url, audience, filepath.Join(data, "signing-key.pem"))
}

// docs returns the API page and the console.
func (s *Stack) docs(console fs.FS) http.Handler {
	c := docs.Config{URL: s.DocsURL, Gateway: s.URL, Console: console}
	if s.Issuer != nil {
		c.Token = s.Issuer.Token
		for _, u := range s.Users {
			c.Users = append(c.Users, docs.User{Name: u.Name, Note: u.Note()})
		}
	}
	return docs.New(c)
}

func (s *Stack) build(ctx context.Context, o Options) (bootstrap string, err error) {
	began := time.Now()
	defer func() { s.BuildTime = time.Since(began) }()
	sweep(os.TempDir())
	if s.buildDir, err = os.MkdirTemp("", fmt.Sprintf("%s%d-", buildDirPrefix, os.Getpid())); err != nil {
		return "", err
	}
	if o.Schema != "" {
		return Build(ctx, s.buildDir, SchemaTag)
	}
	return Build(ctx, s.buildDir)
}

// Drain takes no new requests to the gateway, and waits until those in flight are answered, or ctx ends.
func (s *Stack) Drain(ctx context.Context) error { return s.endpoints[0].server.Shutdown(ctx) }

// Close ends the function's processes and the servers. Open requests fail.
func (s *Stack) Close() error {
	var errs []error
	if s.Function != nil {
		errs = append(errs, s.Function.Close())
	}
	for _, e := range s.endpoints {
		errs = append(errs, e.close())
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close())
	}
	if s.buildDir != "" {
		errs = append(errs, os.RemoveAll(s.buildDir))
	}
	return errors.Join(errs...)
}

// trust is what the function needs to know of the issuer.
type trust struct{ jwksURL, issuer, audience string }

// environment returns the function's variables: the template's, this stack's
// addresses, and those of o.
func environment(t *template.Template, trust trust, dynamoDBURL string, o Options) []string {
	values := make(map[string]string)
	for name, value := range t.Environment {
		values[name] = cmp.Or(value.Table, value.Text)
	}
	maps.Copy(values, map[string]string{
		"AWS_REGION":                awsRegion,
		"AWS_ACCESS_KEY_ID":         awsKey,
		"AWS_SECRET_ACCESS_KEY":     awsKey,
		"AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ENDPOINT_URL_DYNAMODB": dynamoDBURL,
		"JWKS_URL":                  trust.jwksURL,
		"JWT_ISSUER":                trust.issuer,
		"JWT_AUDIENCE":              trust.audience,
	})
	values["SCHEMA_FILE"] = cmp.Or(o.Schema, values["SCHEMA_FILE"])
	values["JWT_USER_CLAIM"] = cmp.Or(o.UserClaim, values["JWT_USER_CLAIM"])
	values["JWT_REQUIRED_SCOPE"] = cmp.Or(o.RequiredScope, values["JWT_REQUIRED_SCOPE"])
	maps.Copy(values, o.Env)
	env := make([]string, 0, len(values))
	for name, value := range values {
		env = append(env, name+"="+value)
	}
	return env
}
