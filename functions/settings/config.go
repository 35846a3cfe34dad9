package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
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

// maxHistoryDays bounds HISTORY_DAYS: a hundred years.
const maxHistoryDays = 36_500

// readConfig reads the variables by getenv, which is [os.Getenv] or a stand-in. Its error joins one for each problem.
func readConfig(getenv func(string) string) (config, error) {
	var problems []error
	problem := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf(name+" "+format, args...))
	}
	optional := func(name, otherwise string) string {
		return cmp.Or(strings.TrimSpace(getenv(name)), otherwise)
	}
	required := func(name string) string {
		value := optional(name, "")
		if value == "" {
			problem(name, "is not set")
		}
		return value
	}
	age := func(name, otherwise string) time.Duration {
		text := optional(name, otherwise)
		d, err := time.ParseDuration(text)
		switch {
		case err != nil:
			problem(name, `is %q, not a duration such as "5m" or "90s"`, text)
		case d < minJWKSMaxAge || d > maxJWKSMaxAge:
			problem(name, "is %v, not between %v and %v", d, minJWKSMaxAge, maxJWKSMaxAge)
		}
		return d
	}
	c := config{
		Config: app.Config{
			Auth: auth.Config{
				Issuer:            required("JWT_ISSUER"),
				JWKSURL:           required("JWKS_URL"),
				JWKSMaxAge:        age("JWKS_MAX_AGE", "5m"),
				UserAgent:         "organization-settings/" + version,
				BundledJWKSMaxAge: age("JWKS_FILE_MAX_AGE", maxJWKSMaxAge.String()),
				UserClaim:         optional("JWT_USER_CLAIM", "sub"),
				RequiredScope:     optional("JWT_REQUIRED_SCOPE", ""),
			},
			Tables: dynamo.Tables{
				Users: required("USERS_TABLE"), Settings: required("SETTINGS_TABLE"), History: optional("HISTORY_TABLE", ""),
			},
			Build: version,
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
	if file := optional("JWKS_FILE", ""); file != "" {
		var err error
		if c.Auth.BundledJWKS, err = os.ReadFile(file); err != nil {
			problem("JWKS_FILE", "cannot be read: %w", err)
		}
	}
	if file := optional("SCHEMA_FILE", ""); file != "" {
		text, err := os.ReadFile(file)
		if err == nil {
			c.Schema, err = compileSchema(text)
		}
		if err != nil {
			problem("SCHEMA_FILE", "cannot be used: %w", err)
		}
	}
	if err := auth.CheckJWKSURL(c.Auth.JWKSURL); err != nil && c.Auth.JWKSURL != "" {
		problem("JWKS_URL", "%w", err)
	}
	days := optional("HISTORY_DAYS", "365")
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil || n > maxHistoryDays {
		problem("HISTORY_DAYS", "is %q, not a number of days from 0 (for ever) to %d", days, maxHistoryDays)
	}
	c.Retention = time.Duration(n) * 24 * time.Hour
	switch required := optional("REQUIRE_PRECONDITION", "false"); required {
	case "true", "false":
		c.RequireCondition = required == "true"
	default:
		problem("REQUIRE_PRECONDITION", "is %q, not true or false", required)
	}
	if strings.ContainsAny(c.Auth.RequiredScope, " ,") {
		problem("JWT_REQUIRED_SCOPE", "names more than one scope")
	}
	level := optional("LOG_LEVEL", "info")
	if err := c.logLevel.UnmarshalText([]byte(level)); err != nil {
		problem("LOG_LEVEL", "is %q, not one of debug, info, warn and error", level)
	}
	return c, errors.Join(problems...)
}

// rootCAsFile is where Amazon Linux 2023 keeps its root CAs.
const rootCAsFile = "/etc/pki/tls/certs/ca-bundle.crt"

// readRootCAsOnce makes crypto/x509 read the root CAs from one file: that of SSL_CERT_FILE, or Amazon Linux's if it is
// there. By itself, crypto/x509 reads each of them five times, from files of other names (golang/go#79018), which is
// more than half of the processor time of a cold start. An SSL_CERT_DIR that is set is respected.
func readRootCAsOnce(getenv func(string) string, setenv func(name, value string) error) {
	file := cmp.Or(getenv("SSL_CERT_FILE"), rootCAsFile)
	if _, err := os.Stat(file); err != nil || getenv("SSL_CERT_DIR") != "" {
		return
	}
	// Setenv refuses only malformed names and values, which these are not.
	_ = setenv("SSL_CERT_FILE", file)
	_ = setenv("SSL_CERT_DIR", os.DevNull) // not a directory; empty would stand for the usual directories
}
