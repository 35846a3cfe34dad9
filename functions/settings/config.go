package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"orgsettings/internal/app"
	"orgsettings/internal/auth"
	"orgsettings/internal/dynamo"
)

// config is what the function's own environment variables say. Only [readConfig] reads them; the SDK reads those of
// AWS.
type config struct {
	issuer         string
	audiences      []string
	jwksURL        string
	jwksMaxAge     time.Duration
	jwksFile       []byte // the text of the bundled JWKS; nil: none
	jwksFileMaxAge time.Duration
	userClaim      string
	requiredScope  string
	usersTable     string
	settingsTable  string
	logLevel       slog.Level
	version        string // of the function, as Lambda numbers its versions
}

// app returns the configuration of the service.
func (c config) app(aws aws.Config, logger *slog.Logger) app.Config {
	return app.Config{
		Auth: auth.Config{
			Issuer:            c.issuer,
			Audiences:         c.audiences,
			JWKSURL:           c.jwksURL,
			JWKSMaxAge:        c.jwksMaxAge,
			UserAgent:         "organization-settings/" + version,
			BundledJWKS:       c.jwksFile,
			BundledJWKSMaxAge: c.jwksFileMaxAge,
			UserClaim:         c.userClaim,
			RequiredScope:     c.requiredScope,
		},
		AWS:    aws,
		Tables: dynamo.Tables{Users: c.usersTable, Settings: c.settingsTable},
		Logger: logger,
		Build:  version,
	}
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
		issuer:         required("JWT_ISSUER"),
		jwksURL:        required("JWKS_URL"),
		jwksMaxAge:     5 * time.Minute,
		jwksFileMaxAge: maxJWKSMaxAge,
		usersTable:     required("USERS_TABLE"),
		settingsTable:  required("SETTINGS_TABLE"),
		userClaim:      cmp.Or(strings.TrimSpace(getenv("JWT_USER_CLAIM")), "sub"),
		requiredScope:  strings.TrimSpace(getenv("JWT_REQUIRED_SCOPE")),
		version:        getenv("AWS_LAMBDA_FUNCTION_VERSION"),
	}
	for audience := range strings.SplitSeq(required("JWT_AUDIENCE"), ",") {
		if audience = strings.TrimSpace(audience); audience != "" {
			c.audiences = append(c.audiences, audience)
		}
	}
	if len(c.audiences) == 0 && getenv("JWT_AUDIENCE") != "" {
		problem("JWT_AUDIENCE", "names no audience")
	}
	if file := strings.TrimSpace(getenv("JWKS_FILE")); file != "" {
		var err error
		if c.jwksFile, err = os.ReadFile(file); err != nil {
			problem("JWKS_FILE", "cannot be read: %w", err)
		}
	}
	if c.jwksURL != "" {
		if err := checkKeyURL(c.jwksURL); err != nil {
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
	readAge("JWKS_MAX_AGE", &c.jwksMaxAge)
	readAge("JWKS_FILE_MAX_AGE", &c.jwksFileMaxAge)
	if strings.ContainsAny(c.requiredScope, " ,") {
		problem("JWT_REQUIRED_SCOPE", "names more than one scope")
	}
	if text := strings.TrimSpace(getenv("LOG_LEVEL")); text != "" {
		if err := c.logLevel.UnmarshalText([]byte(text)); err != nil {
			problem("LOG_LEVEL", "is %q, not one of debug, info, warn and error", text)
		}
	}
	return c, errors.Join(problems...)
}

// checkKeyURL requires https, except for this machine: whoever can change the keys in transit can sign tokens.
func checkKeyURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return errors.New("is not an absolute URL")
	}
	if u.User != nil {
		return errors.New("holds a user name or password")
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback) {
		return errors.New("does not start with https://, which is required except for loopback hosts")
	}
	return nil
}
