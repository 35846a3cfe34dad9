// Command settings is the Lambda function behind /settings/organization.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"

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

// newHandler returns the service as the environment configures it: getenv gives its own variables, and the SDK reads
// those of AWS. If anything is wrong, it logs each problem once and returns a handler that answers 500: Lambda would
// start a program that exits again for every request.
func newHandler(ctx context.Context, getenv func(string) string, logTo io.Writer) http.Handler {
	c, err := readConfig(getenv)
	logger := slog.New(slog.NewJSONHandler(logTo, &slog.HandlerOptions{Level: c.logLevel})).With("version", c.version)
	aws, awsErr := dynamo.LoadConfig(ctx)
	var handler http.Handler
	if err = errors.Join(err, awsErr); err == nil {
		handler, err = connect(ctx, c, aws, logger)
	}
	if err != nil {
		logProblems(logger, err)
		return api.Misconfigured(logger)
	}
	return handler
}

func logProblems(logger *slog.Logger, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, problem := range joined.Unwrap() {
			logProblems(logger, problem)
		}
		return
	}
	logger.Error("configuration", "error", err.Error())
}

// connect puts the parts together and warms them up.
func connect(ctx context.Context, c config, aws aws.Config, logger *slog.Logger) (http.Handler, error) {
	verifier, err := auth.New(auth.Config{
		Issuer:            c.issuer,
		Audiences:         c.audiences,
		JWKSURL:           c.jwksURL,
		JWKSMaxAge:        c.jwksMaxAge,
		UserAgent:         "organization-settings/" + version,
		BundledJWKS:       c.jwksFile,
		BundledJWKSMaxAge: c.jwksFileMaxAge,
		UserClaim:         c.userClaim,
		RequiredScope:     c.requiredScope,
		Logger:            logger,
		Now:               time.Now,
	})
	if err != nil {
		return nil, err
	}
	db := dynamo.New(aws, dynamo.Tables{Users: c.usersTable, Settings: c.settingsTable})
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
