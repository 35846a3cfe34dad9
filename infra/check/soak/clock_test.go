package soak

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
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
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	verifier, err := auth.New(auth.Config{
		Issuer: os.Getenv("JWT_ISSUER"), Audiences: []string{os.Getenv("JWT_AUDIENCE")}, JWKSURL: os.Getenv("JWKS_URL"),
		JWKSMaxAge: 5 * time.Minute, UserClaim: "sub", Logger: logger, Now: now,
	})
	if err != nil {
		panic(err)
	}
	db := dynamo.New(aws.Config{
		Region:       os.Getenv("AWS_REGION"),
		Credentials:  credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
		BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB")),
	}, dynamo.Tables{Users: os.Getenv("USERS_TABLE"), Settings: os.Getenv("SETTINGS_TABLE")})
	lambda.Start(apigw.New(api.New(api.Config{
		Service: settings.New(db, db, now), Verifier: verifier, Logger: logger, Timeout: 4500 * time.Millisecond,
	})))
}
