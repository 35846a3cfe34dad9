package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
	"orgsettings/internal/auth"
	"orgsettings/internal/schema"
)

// A start that takes longer than noteAfter says what it does, and again every noteEvery.
const (
	noteAfter = 3 * time.Second
	noteEvery = 5 * time.Second
)

// withStack starts the stack, calls use and ends the stack. took tells how long
// the start took, for the user.
func (c config) withStack(ctx context.Context, stderr io.Writer, use func(_ *stack.Stack, took string) error) error {
	output := stderr
	if c.log != "" {
		file, err := os.Create(c.log)
		if err != nil {
			return fmt.Errorf("-log: %w", err)
		}
		defer file.Close()
		output = file
	}
	options, err := c.options(output)
	if err != nil {
		return err
	}
	began := time.Now()
	starting, started := context.WithCancel(ctx)
	if c.Bootstrap == "" {
		go note(stderr, starting.Done())
	}
	s, err := stack.Start(ctx, options)
	started()
	if _, absent := os.Stat(c.Template); err != nil && errors.Is(absent, fs.ErrNotExist) {
		return fmt.Errorf("%w; run this in the project's root, or give the template's path: FLAGS='-template PATH'", err)
	}
	if err != nil {
		return err
	}
	defer s.Close()
	if c.JWKSURL != "" {
		if err := c.checkKeys(ctx); err != nil {
			fmt.Fprintf(stderr, "Warning: -jwks-url gives no keys, and every token is answered 503 until it does: %v. "+
				"The right URL is jwks_uri of the issuer's /.well-known/openid-configuration.\n", err)
		}
	}
	took := fmt.Sprintf("ready in %.2f s", (time.Since(began) - s.BuildTime).Seconds())
	if s.BuildTime > 0 {
		took += fmt.Sprintf(" after a build of %.1f s", s.BuildTime.Seconds())
	}
	return use(s, took)
}

// note says what a start does until it is over.
func note(w io.Writer, over <-chan struct{}) {
	text := "compiling the function, ./functions/settings; the first time this takes a minute or two ..."
	for wait := noteAfter; ; wait = noteEvery {
		select {
		case <-over:
			return
		case <-time.After(wait):
			fmt.Fprintln(w, text)
			text = "  still at it ..."
		}
	}
}

func (c config) options(output io.Writer) (stack.Options, error) {
	o := c.Options
	if o.Schema != "" {
		if err := checkSchema(&o.Schema); err != nil {
			return o, fmt.Errorf("-schema %s: %w", c.Schema, err)
		}
	}
	o.Output = output
	if c.logLevel != "" {
		o.Env = map[string]string{"LOG_LEVEL": c.logLevel}
	}
	return o, nil
}

// checkSchema reads the schema as the function does, and makes the path one for every working directory.
func checkSchema(path *string) error {
	text, err := os.ReadFile(*path)
	if err != nil {
		return err
	}
	if _, err := schema.Compile(text); err != nil {
		return err
	}
	*path, err = filepath.Abs(*path)
	return err
}

// checkKeys fetches another issuer's key set as the function does, so that a wrong URL is told at the start.
func (c config) checkKeys(ctx context.Context) error {
	var cause string // the log has it, and the error has not
	log := slog.NewTextHandler(io.Discard, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "error" {
			cause = a.Value.String()
		}
		return a
	}})
	v, err := auth.New(auth.Config{
		Issuer: c.Issuer, Audiences: []string{c.Audience}, JWKSURL: c.JWKSURL, JWKSMaxAge: time.Minute, UserClaim: "sub",
		Logger: slog.New(log), Now: time.Now,
	})
	if err == nil {
		err = v.Warm(ctx)
	}
	if err != nil {
		return errors.New(cmp.Or(cause, err.Error()))
	}
	return nil
}

// explain adds the flags that help to an error about addresses.
func explain(err error, c config) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var taken, flags []string
	for _, e := range joined.Unwrap() {
		failed, ok := errors.AsType[*stack.AddressError](e)
		if !ok {
			return err
		}
		name := c.flagOf(failed.Addr)
		if !errors.Is(e, syscall.EADDRINUSE) {
			return usage("-%s %s: %w", name, failed.Addr, failed.Err)
		}
		taken, flags = append(taken, failed.Addr), append(flags, "-"+name+" …")
	}
	is, another := "is", "another"
	if len(taken) > 1 {
		is, another = "are", "others"
	}
	return fmt.Errorf("%s %s already in use; move all ports with make run FLAGS='-port %d', or choose %s with FLAGS='%s'",
		strings.Join(taken, ", "), is, max(4000, (c.port+1000)%60_000), another, strings.Join(slices.Compact(flags), " "))
}

// flagOf returns the flag that an address comes from.
func (c config) flagOf(addr string) string {
	for _, a := range c.addresses() {
		if *a.value == addr {
			return a.flag
		}
	}
	return "listen"
}

// printStack prints the addresses, the users, and a command line to try.
func printStack(w io.Writer, c config, s *stack.Stack, took string) error {
	authorization := `"Authorization: Bearer $TOKEN"`
	if s.Issuer != nil {
		token, err := s.Issuer.Token(s.Users[0].Name, issuer.TTL)
		if err != nil {
			return err
		}
		authorization = "'Authorization: Bearer " + token + "'"
	}
	fmt.Fprintf(w, "\nThe organization settings service is %s. Ctrl-C stops it.\n\n", took)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if s.ConsoleURL != "" {
		fmt.Fprintf(table, "  console\t%s\tedit the settings and see their history\n", s.ConsoleURL)
	} else {
		fmt.Fprint(table, "  console\tnot built\tmake console builds this page to edit the settings and see their history; it needs npm\n")
	}
	for i, path := range byPath(s.Routes) {
		if i == 0 {
			fmt.Fprintf(table, "  API\t%s\t%s\n", s.URL, path)
		} else {
			fmt.Fprintf(table, "  \t\t%s\n", path)
		}
	}
	fmt.Fprintf(table, "  API page\t%s\ttry the API in a browser; its description is /openapi.yaml\n", s.DocsURL+"/docs")
	if s.Issuer != nil {
		fmt.Fprintf(table, "  tokens\t%s\tcurl '%[1]s/token?user=%s'\n", s.Issuer.URL(), url.QueryEscape(s.Users[0].Name))
	} else {
		fmt.Fprintf(table, "  tokens\t%s\tset TOKEN to a token of this issuer\n", c.Issuer)
	}
	fmt.Fprintf(table, "  DynamoDB\t%s\t%s\n", s.DynamoDBURL, stack.AWSCommand("dynamodb list-tables", s.DynamoDBURL))
	table.Flush()
	for _, f := range []struct{ flag, value, note string }{
		{"data", c.Data, "keeps documents, history and signing key"},
		{"schema", c.Schema, "every document must obey this schema"},
		{"users", c.Users, "has the users, instead of the demo users"},
		{"cors-origins", strings.Join(c.CORSOrigins, ","), "pages of these origins may call the API and get tokens"},
		{"log", c.log, "gets the function's log"},
	} {
		if f.value != "" {
			fmt.Fprintf(table, "  -%s\t%s\t%s\n", f.flag, f.value, f.note)
		}
	}
	table.Flush()
	if c.Listen != "" {
		fmt.Fprintf(w, "\nWarning: API, tokens and DynamoDB are served on %s too, on the same ports: whoever reaches it gets tokens.\n", c.Listen)
	}

	if s.Issuer != nil || c.Users != "" {
		fmt.Fprint(w, "\nUsers:\n\n")
		for _, u := range s.Users {
			fmt.Fprintf(table, "  %s\t%s\n", u.Name, u.Note())
		}
		table.Flush()
	} else {
		fmt.Fprint(w, "\nThe other issuer's users are in no organization yet: give their user ids in a file, make run FLAGS='… -users FILE'.\n")
	}

	for _, route := range s.Routes { // sorted: the shortest path comes first
		if path, ok := strings.CutPrefix(route, "POST "); ok {
			fmt.Fprintf(w, "\nTry it:\n\ncurl -w '\\n' -X POST %s%s -H %s -H 'Content-Type: application/json' -d '{\"settings\":{\"theme\":\"dark\"}}'\n\n",
				s.URL, path, authorization)
			break
		}
	}
	return nil
}

// byPath writes each path once, after all its methods.
func byPath(routes []string) []string {
	var paths []string
	methods := make(map[string]string)
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		if methods[path] == "" {
			paths = append(paths, path)
			methods[path] = method
		} else {
			methods[path] += ", " + method
		}
	}
	for i, path := range paths {
		paths[i] = methods[path] + " " + path
	}
	return paths
}
