// Command settings is the Lambda function behind /settings/organization.
package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"orgsettings/internal/api"
	"orgsettings/internal/apigw"
	"orgsettings/internal/app"
	"orgsettings/internal/dynamo"
)

// version is stamped by the build.
var version = "dev"

func main() {
	readRootCAsOnce(os.Getenv, os.Setenv)
	lambda.Start(apigw.New(newHandler(context.Background(), os.Getenv, os.Stderr)))
}

// newHandler returns the service as the environment configures it: getenv gives its own variables, and the SDK reads
// those of AWS. If anything is wrong, it logs each problem once and returns a handler that answers 500: Lambda would
// start a program that exits again for every request.
func newHandler(ctx context.Context, getenv func(string) string, log io.Writer) http.Handler {
	c, err := readConfig(getenv)
	c.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: c.logLevel})).With("version", c.version)
	var awsErr error
	c.AWS, awsErr = dynamo.LoadConfig(ctx)
	var handler http.Handler
	if err = errors.Join(err, awsErr); err == nil {
		handler, err = app.New(ctx, c.Config)
	}
	if err != nil {
		logProblems(c.Logger, err)
		return api.Misconfigured(c.Logger)
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
