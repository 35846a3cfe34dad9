package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"orgsettings/infra/local/stack"
	"orgsettings/internal/auth"
)

// config is the configuration: flags, and environment variables for those that are not given.
type config struct {
	stack.Options // except Env and Output

	port        int    // of the API; the others follow
	corsOrigins string // separated by commas; check makes CORSOrigins of it
	logLevel    string // empty: the template's
	log         string // path; empty: standard error

	// What to do instead of serving until a signal comes. At most one is set.
	token   string   // a user: print a token of the running stack
	invoke  string   // a file: send its event to the function
	command []string // run it while the stack runs
}

// usageError is a mistake in the command line or in an environment variable.
type usageError struct{ problem error }

func (e *usageError) Error() string { return e.problem.Error() + " (see make run FLAGS=-h)" }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// number is an int flag whose error is a sentence.
type number int

func (n *number) String() string { return strconv.Itoa(int(*n)) }

func (n *number) Set(text string) error {
	value, err := strconv.Atoi(text)
	if err != nil {
		return errors.New("it is not a number")
	}
	*n = number(value)
	return nil
}

// flags returns the flags, which set c.
func (c *config) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("local", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	c.port, c.Environments = 3000, stack.DefaultEnvironments
	fs.Var((*number)(&c.port), "port", "`PORT` of the API; the issuer, DynamoDB and the API page have the next three; 0 takes free ports")
	for _, a := range c.addresses() {
		fs.StringVar(a.value, a.flag, "", "`HOST:PORT` of "+a.of+", instead of 127.0.0.1 and the port by -port")
	}
	fs.StringVar(&c.Listen, "listen", "", "`IP` address to serve API, issuer and DynamoDB on as well, such as 172.17.0.1 of a container bridge")
	fs.StringVar(&c.DynamoDBURL, "dynamodb", "", "`URL` of a DynamoDB to use instead of the embedded one, such as DynamoDB Local")
	fs.StringVar(&c.JWKSURL, "jwks-url", "", "`URL` of the JWKS of an issuer to trust instead of the stack's own; needs -issuer and -audience")
	fs.StringVar(&c.Issuer, "issuer", "", "`ISS` claim of that issuer's tokens")
	fs.StringVar(&c.Audience, "audience", "", "`AUD` claims that its tokens may have, separated by commas")
	fs.StringVar(&c.UserClaim, "jwt-user-claim", "", "`CLAIM` of the tokens that holds the user, instead of sub")
	fs.StringVar(&c.RequiredScope, "jwt-required-scope", "", "`SCOPE` that a token must have; the stack's own tokens have it")
	fs.StringVar(&c.Schema, "schema", "", "`FILE` of a JSON Schema that every document must obey")
	fs.StringVar(&c.Users, "users", "", "JSON `FILE` of the users, instead of the demo users in infra/local/stack/users.json")
	fs.StringVar(&c.Data, "data", "", "`DIR` that keeps documents, history and signing key between runs; without it they end with the stack")
	fs.StringVar(&c.corsOrigins, "cors-origins", "", "`ORIGINS` of pages that may call the API and get tokens from a browser, separated by commas; http://localhost:* is every port")
	fs.Var((*number)(&c.Environments), "environments", "largest `NUMBER` of function processes at once; a request starts one when all are busy")
	fs.StringVar(&c.Bootstrap, "bootstrap", "", "`PATH` of a built function to run instead of building it")
	fs.StringVar(&c.Template, "template", "template.yaml", "`PATH` of the SAM template")
	fs.StringVar(&c.logLevel, "log-level", "", "`LEVEL` of the function's log: debug, info, warn or error")
	fs.StringVar(&c.log, "log", "", "`FILE` for the function's log, instead of standard error")
	fs.StringVar(&c.token, "token", "", "print a token for `USER` from the stack that is running, and exit")
	fs.StringVar(&c.invoke, "invoke", "", "start a stack, send the event in `FILE` to its function, print the response, and exit")
	return fs
}

// address is one of the addresses that -port moves, in their order.
type address struct {
	flag, of string
	value    *string
}

func (c *config) addresses() []address {
	return []address{
		{"addr", "the API", &c.Addr},
		{"issuer-addr", "the token issuer", &c.IssuerAddr},
		{"dynamodb-addr", "the embedded DynamoDB", &c.DynamoDBAddr},
		{"docs-addr", "the API page", &c.DocsAddr},
	}
}

// variable returns the name of the environment variable that stands in for a flag.
// The flags that say what to do have none.
func variable(name string) string {
	if name == "token" || name == "invoke" {
		return ""
	}
	return "ORGSETTINGS_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// readConfig reads the configuration. Its errors are [flag.ErrHelp] and
// *usageError.
func readConfig(args []string, getenv func(string) string) (config, error) {
	var c config
	fs := c.flags()
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return c, err
	} else if err != nil {
		return c, usage("%v", err)
	}
	if flags := len(args) - fs.NArg(); fs.NArg() > 0 {
		if flags == 0 || args[flags-1] != "--" {
			return c, usage("%q is not a flag; a command comes after --", fs.Arg(0))
		}
		c.command = fs.Args()
	}
	given := make(map[string]bool)
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var err error
	fs.VisitAll(func(f *flag.Flag) {
		value := getenv(variable(f.Name))
		if given[f.Name] || value == "" || err != nil {
			return
		}
		if e := fs.Set(f.Name, value); e != nil {
			err = usage("invalid value %q for %s: %v", value, variable(f.Name), e)
		}
	})
	if err != nil {
		return c, err
	}
	if given["token"] && c.token == "" {
		return c, usage("-token needs a user")
	}
	if given["invoke"] && c.invoke == "" {
		return c, usage("-invoke needs a file")
	}
	if c.port < 0 || c.port > 1<<16-4 {
		return c, usage("-port %d is not from 0 to %d", c.port, 1<<16-4)
	}
	aside := c.invoke != "" || c.command != nil // the user's stack may be running at the usual addresses
	for i, a := range c.addresses() {
		switch {
		case given[a.flag] || *a.value != "" && !aside:
		case c.port == 0 || aside && !given["port"]:
			*a.value = anyPort
		default:
			*a.value = fmt.Sprintf("127.0.0.1:%d", c.port+i)
		}
	}
	return c, c.check()
}

func (c *config) check() error {
	if u, err := url.Parse(c.DynamoDBURL); c.DynamoDBURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return usage("-dynamodb %q is not an http or https URL", c.DynamoDBURL)
	}
	c.CORSOrigins = strings.FieldsFunc(c.corsOrigins, func(r rune) bool { return r == ',' || r == ' ' })
	for _, origin := range c.CORSOrigins {
		if right := rightOrigin(origin); right != origin {
			return usage("-cors-origins %q matches no page, as browsers send %s", origin, right)
		}
	}
	outside := c.JWKSURL != ""
	if err := auth.CheckJWKSURL(c.JWKSURL); outside && err != nil {
		return usage("-jwks-url %q %w", c.JWKSURL, err)
	}
	switch {
	case outside != (c.Issuer != "") || outside != (c.Audience != ""):
		return usage("-jwks-url, -issuer and -audience go together")
	case outside && c.token != "":
		return usage("-token asks the stack's own issuer, which -jwks-url replaces")
	case c.token != "" && c.invoke != "", c.command != nil && (c.token != "" || c.invoke != ""):
		return usage("-token, -invoke and a command exclude each other")
	case c.logLevel != "" && new(slog.Level).UnmarshalText([]byte(c.logLevel)) != nil:
		return usage("-log-level %q is not debug, info, warn or error", c.logLevel)
	case c.Environments < 1:
		return usage("-environments %d is not at least 1", c.Environments)
	}
	return nil
}

// rightOrigin returns the origin that a browser sends for a page at text, or examples. A port of localhost may be *.
func rightOrigin(text string) string {
	u, err := url.Parse(strings.Replace(text, ":*", ":0", 1))
	if err != nil || u.Host == "" || u.Port() == "0" && u.Hostname() != "localhost" {
		return "https://app.example.com or http://localhost:5173 (http://localhost:* for every port of it)"
	}
	usual := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return u.Scheme + "://" + strings.Replace(strings.TrimSuffix(strings.ToLower(u.Host), usual), ":0", ":*", 1)
}

const help = `Runs the whole service on this machine until Ctrl-C:

  local [FLAGS]

Or only while a command runs, on free ports. The command's environment has API_URL,
ISSUER_URL, DYNAMODB_URL and DOCS_URL. Its exit code is the exit code of local:

  local [FLAGS] -- COMMAND [ARGUMENT ...]

The token issuer answers GET /token?user=USER with a token. More parameters:

  ttl=90s                 time to live; ttl=-1h gives an expired token (401)
  scope=SCOPES            claim scope; without the scope of -jwt-required-scope: 403
  claims={"NAME":VALUE}   more claims, or others; null removes one, {"aud":null} (401); curl needs -g

A users file is a JSON list. The role is OWNER, ADMINISTRATOR, WORKSPACES, BILLING, USER or
a number; organization and role may be missing:

  [{"user":"ann","organization":"acme","role":"OWNER"}]

A flag overrides the environment variable beside it.

`

// printHelp prints every flag with its environment variable.
func printHelp(w io.Writer) error {
	fmt.Fprint(w, help)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	new(config).flags().VisitAll(func(f *flag.Flag) {
		argument, text := flag.UnquoteUsage(f)
		if f.DefValue != "" {
			text += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(table, "  -%s %s\t%s\t%s\n", f.Name, argument, variable(f.Name), text)
	})
	return table.Flush()
}
