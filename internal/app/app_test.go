package app_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"orgsettings/internal/app"
	"orgsettings/internal/auth"
	"orgsettings/internal/dynamo"
)

// New asks the issuer and the database once each, so that the first request need not. It does not depend on them.
func TestWarmUp(t *testing.T) {
	t.Parallel()
	var keys, reads atomic.Int32
	issuer := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { keys.Add(1) }))
	t.Cleanup(issuer.Close)
	database := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reads.Add(1)
		w.Write([]byte("{}"))
	}))
	t.Cleanup(database.Close)
	c := app.Config{
		Auth: auth.Config{
			Issuer: "https://issuer.example", Audiences: []string{"a"}, JWKSURL: issuer.URL, JWKSMaxAge: time.Minute, UserClaim: "sub",
		},
		AWS: aws.Config{
			Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), BaseEndpoint: &database.URL,
		},
		Tables: dynamo.Tables{Users: "users", Settings: "settings"},
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, state := range []string{"up", "down"} {
		if h, err := app.New(t.Context(), c); err != nil || h == nil {
			t.Errorf("%s: handler %v, error %v", state, h, err)
		}
		if keys.Load() != 1 || reads.Load() != 1 {
			t.Errorf("%s: %d requests to the issuer and %d to the database, want one each", state, keys.Load(), reads.Load())
		}
		issuer.Close()
		database.Close()
	}
}

// What is wrong with the configuration is an error, not a handler that refuses every token.
func TestBrokenConfig(t *testing.T) {
	t.Parallel()
	h, err := app.New(t.Context(), app.Config{Logger: slog.New(slog.DiscardHandler)})
	if h != nil || err == nil || !strings.Contains(err.Error(), "configure token verification") {
		t.Errorf("handler %v, error %v", h, err)
	}
}
