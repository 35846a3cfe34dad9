// Command typical is the service as tutorials teach to write it: clients in
// package variables, configuration by config.LoadDefaultConfig, the key set by
// keyfunc.NewDefault, the events package's structs, the document as a map that
// attributevalue turns into a native item, the default flags of go build. It is
// careful with tokens, as a good tutorial is.
//
// It leaves out the service's other methods, conditional requests, deadlines,
// the document's exact text (numbers become float64, the order of members is
// lost) and the difference between a bad token and keys that cannot be had.
package main

import (
	"context"
	"errors"
	"log"
	"os"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/golang-jwt/jwt/v5"
)

var (
	db     *dynamodb.Client
	keys   keyfunc.Keyfunc
	parser *jwt.Parser

	usersTable    = os.Getenv("USERS_TABLE")
	settingsTable = os.Getenv("SETTINGS_TABLE")
)

func init() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatalf("load AWS configuration: %v", err)
	}
	db = dynamodb.NewFromConfig(cfg)
	keys, err = keyfunc.NewDefault([]string{os.Getenv("JWKS_URL")})
	if err != nil {
		log.Fatalf("load key set: %v", err)
	}
	parser = jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256", "ES256"}),
		jwt.WithExpirationRequired(),
		jwt.WithIssuer(os.Getenv("JWT_ISSUER")),
		jwt.WithAudience(os.Getenv("JWT_AUDIENCE")),
	)
}

func main() { lambda.Start(handle) }

// authenticate returns the user whose token this is.
func authenticate(token string) (string, error) {
	var claims jwt.RegisteredClaims
	if _, err := parser.ParseWithClaims(token, &claims, keys.Keyfunc); err != nil {
		return "", err
	}
	if claims.Subject == "" {
		return "", errors.New("token has no subject")
	}
	return claims.Subject, nil
}
