// Package app puts the parts of the service together into one [http.Handler] and warms them up.
//
// It owns which part works with which, and the timeout of a request. It reads no environment variable and knows
// nothing of Lambda.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"orgsettings/internal/api"
	"orgsettings/internal/auth"
	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

const (
	// requestTimeout bounds one request. It is shorter than the timeout of the Lambda function, so that the service
	// answers and not the platform.
	requestTimeout = 4500 * time.Millisecond
	// warmUpTimeout bounds what New does before the first request.
	warmUpTimeout = time.Second
)

// Config says what a handler is made of.
type Config struct {
	Auth   auth.Config // New sets Logger and Now
	AWS    aws.Config  // as of [dynamo.LoadConfig]
	Tables dynamo.Tables
	Logger *slog.Logger
	Build  string           // version of the program, for the log
	Now    func() time.Time // nil: [time.Now]

	Retention        time.Duration // of the history, if Tables has one; zero: for ever
	RequireCondition bool          // refuse writes without If-Match and If-None-Match

	Schema settings.Schema // of the documents; nil: a document may be any JSON object

	// Faults, if not nil, returns what takes the place of the database. Tests inject faults by it.
	Faults func(*dynamo.DB) Database
}

// Database is where the service keeps everything.
type Database interface {
	settings.Directory
	settings.Store
	settings.Archive
}

// New returns the handler of the HTTP contract. It fetches the signing keys and opens the connection to the database
// before it returns; if that fails, the requests try again. Its error says what is wrong with c.
func New(ctx context.Context, c Config) (http.Handler, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Auth.Logger, c.Auth.Now = c.Logger, c.Now
	verifier, err := auth.New(c.Auth)
	if err != nil {
		return nil, err
	}
	db := dynamo.New(c.AWS, c.Tables)
	warmUp(ctx, c, verifier, db)
	var database Database = db
	if c.Faults != nil {
		database = c.Faults(db)
	}
	service := settings.Config{
		Directory: database, Store: database, Now: c.Now, Retention: c.Retention, RequireCondition: c.RequireCondition,
		Schema: c.Schema,
	}
	if c.Tables.History != "" {
		service.Archive = database
	}
	return api.New(api.Config{
		Service:  settings.New(service),
		Verifier: verifier,
		Logger:   c.Logger,
		Meter:    dynamo.Meter,
		Timeout:  requestTimeout,
	}), nil
}

// warmUp fetches the keys and opens the connection at the same time.
func warmUp(ctx context.Context, c Config, verifier *auth.Verifier, db *dynamo.DB) {
	ctx, cancel := context.WithTimeout(ctx, warmUpTimeout)
	defer cancel()
	began := time.Now()
	var keys, database error
	var wg sync.WaitGroup
	wg.Go(func() { keys = verifier.Warm(ctx) })
	wg.Go(func() { database = db.Warm(ctx) })
	wg.Wait()
	if err := errors.Join(keys, database); err != nil {
		c.Logger.Warn("warm-up incomplete", "build", c.Build, "error", fmt.Sprintf("%.500s", err.Error()))
		return
	}
	c.Logger.Info("ready", "build", c.Build, "durationMs", time.Since(began).Milliseconds())
}
