package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"text/tabwriter"
)

// config is what the flags and their twins in the environment tell.
type config struct {
	addr, issuerAddr, dynamoDBAddr, docsAddr string

	dynamoDBURL               string // empty: the embedded one
	jwksURL, issuer, audience string // all of them or none
	corsOrigins               string
	environments              int
	bootstrap                 string // empty: is built
	template                  string
	logLevel                  string // empty: the template's

	token  string // a user: print a token and do nothing else
	invoke string // a file: serve its event and do nothing else
}

// usageError is a problem with the command line or its twin.
type usageError struct{ problem error }

func (e *usageError) Error() string { return e.problem.Error() + " (see -h)" }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// flags returns the flags, which set c.
func (c *config) flags() *flag.FlagSet {
	fs := flag.NewFlagSet("local", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&c.addr, "addr", "127.0.0.1:3000", "`HOST:PORT` of the API; port 0 takes any free one")
	fs.StringVar(&c.issuerAddr, "issuer-addr", "127.0.0.1:3001", "`HOST:PORT` of the token issuer")
	fs.StringVar(&c.dynamoDBAddr, "dynamodb-addr", "127.0.0.1:3002", "`HOST:PORT` of the embedded DynamoDB")
	fs.StringVar(&c.docsAddr, "docs-addr", "127.0.0.1:3003", "`HOST:PORT` of the API page")
	fs.StringVar(&c.dynamoDBURL, "dynamodb", "", "`URL` of another DynamoDB, such as DynamoDB Local, to use instead")
	fs.StringVar(&c.jwksURL, "jwks-url", "", "`URL` of the keys of another issuer to trust instead; with -issuer, -audience")
	fs.StringVar(&c.issuer, "issuer", "", "`ISS` claim of the tokens of that issuer")
	fs.StringVar(&c.audience, "audience", "", "`AUD` claim that its tokens must have, or several with commas")
	fs.StringVar(&c.corsOrigins, "cors-origins", "", "`ORIGINS` of pages that may call the API from a browser, separated by commas")
	fs.IntVar(&c.environments, "environments", 4, "`NUMBER` of function processes that there may be at once")
	fs.StringVar(&c.bootstrap, "bootstrap", "", "`PATH` of a built program to run instead of building it")
	fs.StringVar(&c.template, "template", "template.yaml", "`PATH` of the SAM template")
	fs.StringVar(&c.logLevel, "log-level", "", "`LEVEL` of the function's log: debug, info, warn or error")
	fs.StringVar(&c.token, "token", "", "print a token of the running stack for `USER` and end")
	fs.StringVar(&c.invoke, "invoke", "", "send the event of `FILE` to the function of a stack of its own, print the response and end")
	return fs
}

// twin returns the name of the environment variable that stands in for a flag;
// what the program does instead of running the stack has none.
func twin(name string) string {
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
	if fs.NArg() > 0 {
		return c, usage("%q is no flag", fs.Arg(0))
	}
	given := make(map[string]bool)
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var err error
	fs.VisitAll(func(f *flag.Flag) {
		value := getenv(twin(f.Name))
		if given[f.Name] || value == "" || err != nil {
			return
		}
		if e := fs.Set(f.Name, value); e != nil {
			err = usage("invalid value %q for %s: %v", value, twin(f.Name), e)
		}
	})
	if err != nil {
		return c, err
	}
	if given["token"] && c.token == "" {
		return c, usage("-token wants a user")
	}
	if given["invoke"] && c.invoke == "" {
		return c, usage("-invoke wants a file")
	}
	return c, c.check()
}

func (c *config) check() error {
	for name, value := range map[string]string{"dynamodb": c.dynamoDBURL, "jwks-url": c.jwksURL} {
		if u, err := url.Parse(value); value != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return usage("-%s %q is not an http or https URL", name, value)
		}
	}
	outside := 0
	for _, value := range []string{c.jwksURL, c.issuer, c.audience} {
		if value != "" {
			outside++
		}
	}
	switch {
	case outside != 0 && outside != 3:
		return usage("-jwks-url, -issuer and -audience go together")
	case outside != 0 && c.token != "":
		return usage("-token asks the stack's own issuer, which -jwks-url replaces")
	case c.token != "" && c.invoke != "":
		return usage("-token and -invoke exclude each other")
	case c.logLevel != "" && new(slog.Level).UnmarshalText([]byte(c.logLevel)) != nil:
		return usage("-log-level %q is not debug, info, warn or error", c.logLevel)
	case c.environments < 1:
		return usage("-environments %d is not at least 1", c.environments)
	}
	return nil
}

// printHelp prints every flag with its twin.
func printHelp(w io.Writer) error {
	fmt.Fprint(w, "Runs the whole service on this machine until Ctrl-C. A flag wins over the\nenvironment variable beside it.\n\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	new(config).flags().VisitAll(func(f *flag.Flag) {
		argument, text := flag.UnquoteUsage(f)
		if f.DefValue != "" {
			text += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(table, "  -%s %s\t%s\t%s\n", f.Name, argument, twin(f.Name), text)
	})
	return table.Flush()
}
