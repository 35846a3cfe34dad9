package soak

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"orgsettings/internal/apigw"
	"orgsettings/internal/app"
	"orgsettings/internal/auth"
	"orgsettings/internal/dynamo"
)

// wrongClock is a clock that is wrong by the offset in a file.
type wrongClock struct{ file string }

func newWrongClock(t *testing.T, offset time.Duration) wrongClock {
	t.Helper()
	c := wrongClock{filepath.Join(t.TempDir(), "clock")}
	c.set(t, offset)
	return c
}

func (c wrongClock) set(t *testing.T, offset time.Duration) {
	t.Helper()
	if err := os.WriteFile(c.file, []byte(offset.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (c wrongClock) now() time.Time {
	text, err := os.ReadFile(c.file)
	if err != nil {
		panic(err)
	}
	offset, err := time.ParseDuration(string(text))
	if err != nil {
		panic(err)
	}
	return time.Now().Add(offset)
}

// serveByClock is the program with a clock that may be wrong. The test binary runs
// it instead of the deployed program, whose clock is time.Now.
func serveByClock(now func() time.Time) {
	aws, err := dynamo.LoadConfig(context.Background())
	if err != nil {
		panic(err)
	}
	handler, err := app.New(context.Background(), app.Config{
		Auth: auth.Config{
			Issuer: os.Getenv("JWT_ISSUER"), Audiences: []string{os.Getenv("JWT_AUDIENCE")}, JWKSURL: os.Getenv("JWKS_URL"),
			JWKSMaxAge: 5 * time.Minute, UserClaim: "sub",
		},
		AWS:    aws,
		Tables: dynamo.Tables{Users: os.Getenv("USERS_TABLE"), Settings: os.Getenv("SETTINGS_TABLE")},
		Logger: slog.New(slog.NewJSONHandler(os.Stderr, nil)),
		Now:    now,
	})
	if err != nil {
		panic(err)
	}
	lambda.Start(apigw.New(handler))
}
