package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"orgsettings/internal/app"
	"orgsettings/internal/auth"
	"orgsettings/internal/dynamo"
)

// config is what the function's own environment variables say. Only [readConfig] reads them; the SDK reads those of
// AWS.
type config struct {
	app.Config // but for AWS and Logger
	logLevel   slog.Level
	version    string // of the function, as Lambda numbers its versions
}

// Bounds of JWKS_MAX_AGE and JWKS_FILE_MAX_AGE. A shorter age would burden the issuer with a fetch for every request.
// A withdrawn key must not verify tokens for longer than a day.
const (
	minJWKSMaxAge = time.Second
	maxJWKSMaxAge = 24 * time.Hour
)

// readConfig reads the variables by getenv, which is [os.Getenv] or a stand-in. Its error joins one for each problem.
func readConfig(getenv func(string) string) (config, error) {
	var problems []error
	problem := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf(name+" "+format, args...))
	}
	required := func(name string) string {
		value := strings.TrimSpace(getenv(name))
		if value == "" {
			problem(name, "is not set")
		}
		return value
	}
	c := config{
		Config: app.Config{
			Auth: auth.Config{
				Issuer:            required("JWT_ISSUER"),
				JWKSURL:           required("JWKS_URL"),
				JWKSMaxAge:        5 * time.Minute,
				UserAgent:         "organization-settings/" + version,
				BundledJWKSMaxAge: maxJWKSMaxAge,
				UserClaim:         cmp.Or(strings.TrimSpace(getenv("JWT_USER_CLAIM")), "sub"),
				RequiredScope:     strings.TrimSpace(getenv("JWT_REQUIRED_SCOPE")),
			},
			Tables: dynamo.Tables{Users: required("USERS_TABLE"), Settings: required("SETTINGS_TABLE")},
			Build:  version,
		},
		version: getenv("AWS_LAMBDA_FUNCTION_VERSION"),
	}
	for audience := range strings.SplitSeq(required("JWT_AUDIENCE"), ",") {
		if audience = strings.TrimSpace(audience); audience != "" {
			c.Auth.Audiences = append(c.Auth.Audiences, audience)
		}
	}
	if len(c.Auth.Audiences) == 0 && getenv("JWT_AUDIENCE") != "" {
		problem("JWT_AUDIENCE", "names no audience")
	}
	if file := strings.TrimSpace(getenv("JWKS_FILE")); file != "" {
		var err error
		if c.Auth.BundledJWKS, err = os.ReadFile(file); err != nil {
			problem("JWKS_FILE", "cannot be read: %w", err)
		}
	}
	if c.Auth.JWKSURL != "" {
		if err := auth.CheckJWKSURL(c.Auth.JWKSURL); err != nil {
			problem("JWKS_URL", "%w", err)
		}
	}
	readAge := func(name string, age *time.Duration) {
		text := strings.TrimSpace(getenv(name))
		if text == "" {
			return
		}
		var err error
		*age, err = time.ParseDuration(text)
		switch {
		case err != nil:
			problem(name, `is %q, not a duration such as "5m" or "90s"`, text)
		case *age < minJWKSMaxAge || *age > maxJWKSMaxAge:
			problem(name, "is %v, not between %v and %v", *age, minJWKSMaxAge, maxJWKSMaxAge)
		}
	}
	readAge("JWKS_MAX_AGE", &c.Auth.JWKSMaxAge)
	readAge("JWKS_FILE_MAX_AGE", &c.Auth.BundledJWKSMaxAge)
	if strings.ContainsAny(c.Auth.RequiredScope, " ,") {
		problem("JWT_REQUIRED_SCOPE", "names more than one scope")
	}
	if text := strings.TrimSpace(getenv("LOG_LEVEL")); text != "" {
		if err := c.logLevel.UnmarshalText([]byte(text)); err != nil {
			problem("LOG_LEVEL", "is %q, not one of debug, info, warn and error", text)
		}
	}
	return c, errors.Join(problems...)
}
