// Command settings is the Lambda function behind /settings/organization.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"orgsettings/internal/api"
	"orgsettings/internal/apigw"
	"orgsettings/internal/auth"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

// version is stamped by the build.
var version = "dev"

const (
	// requestTimeout bounds one request below the timeout of the function, so that
	// the function answers and not the platform.
	requestTimeout = 4500 * time.Millisecond
	// warmUpTimeout bounds what is done before the first request. Nothing of it has
	// to succeed.
	warmUpTimeout = time.Second
)

func main() {
	readRootCAsOnce(os.Getenv, os.Setenv)
	lambda.Start(apigw.New(newHandler(context.Background(), os.Getenv, os.Stderr)))
}

// newHandler builds the program from its environment. With a broken
// configuration it logs each problem once and returns a handler that answers 500:
// a function that ends instead would be started again for every request.
func newHandler(ctx context.Context, getenv func(string) string, logTo io.Writer) http.Handler {
	c, err := readConfig(getenv)
	logger := slog.New(slog.NewJSONHandler(logTo, &slog.HandlerOptions{Level: c.logLevel})).
		With("version", c.version)
	if err != nil {
		logProblems(logger, err)
		return api.Misconfigured(logger)
	}
	handler, err := connect(ctx, c, logger)
	if err != nil {
		logProblems(logger, err)
		return api.Misconfigured(logger)
	}
	return handler
}

func logProblems(logger *slog.Logger, err error) {
	problems := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		problems = joined.Unwrap()
	}
	for _, p := range problems {
		logger.Error("configuration", "error", p.Error())
	}
}

// connect puts the parts together and warms them up.
func connect(ctx context.Context, c config, logger *slog.Logger) (http.Handler, error) {
	var bundled []byte
	if c.jwksFile != "" {
		var err error
		if bundled, err = os.ReadFile(c.jwksFile); err != nil {
			return nil, fmt.Errorf("JWKS_FILE: %w", err)
		}
	}
	verifier, err := auth.New(auth.Config{
		Issuer:            c.issuer,
		Audiences:         c.audiences,
		JWKSURL:           c.jwksURL,
		JWKSMaxAge:        c.jwksMaxAge,
		UserAgent:         "organization-settings/" + version,
		BundledJWKS:       bundled,
		BundledJWKSMaxAge: c.jwksFileMaxAge,
		UserClaim:         c.userClaim,
		RequiredScope:     c.requiredScope,
		Logger:            logger,
		Now:               time.Now,
	})
	if err != nil {
		return nil, err
	}
	// Filled by hand: what looks for profiles, SSO and instance metadata would be linked
	// and started for a place where there is none of them.
	db := dynamo.New(aws.Config{
		Region:       c.region,
		Credentials:  credentials.StaticCredentialsProvider{Value: c.credentials},
		BaseEndpoint: c.endpoint,
	}, dynamo.Tables{Users: c.usersTable, Settings: c.settingsTable})
	warmUp(ctx, verifier, db, logger)
	return api.New(api.Config{
		Service:  settings.New(db, db, time.Now),
		Verifier: verifier,
		Logger:   logger,
		Timeout:  requestTimeout,
	}), nil
}

// warmUp fetches the keys and opens the database connection side by side. What
// fails here is left to the requests to meet.
func warmUp(ctx context.Context, verifier *auth.Verifier, db *dynamo.DB, logger *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, warmUpTimeout)
	defer cancel()
	began := time.Now()
	var keys, database error
	var wg sync.WaitGroup
	wg.Go(func() { keys = verifier.Warm(ctx) })
	wg.Go(func() { database = db.Warm(ctx) })
	wg.Wait()
	if err := errors.Join(keys, database); err != nil {
		logger.Warn("warm-up incomplete", "build", version, "error", err)
		return
	}
	logger.Info("ready", "build", version, "durationMs", time.Since(began).Milliseconds())
}
