package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
)

// noteAfter is how long a start may take without a message.
const noteAfter = time.Second

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
	note := time.AfterFunc(noteAfter, func() {
		fmt.Fprintln(stderr, "building the function; the first build takes a while ...")
	})
	began := time.Now()
	s, err := stack.Start(ctx, c.options(output))
	note.Stop()
	if errors.Is(err, fs.ErrNotExist) && c.Bootstrap == "" {
		return fmt.Errorf("%w; run this in the project's root, or give the template's path with -template", err)
	}
	if err != nil {
		return err
	}
	defer s.Close()
	took := fmt.Sprintf("ready in %.2f s", (time.Since(began) - s.BuildTime).Seconds())
	if s.BuildTime > 0 {
		took += fmt.Sprintf(" after a build of %.1f s", s.BuildTime.Seconds())
	}
	return use(s, took)
}

func (c config) options(output io.Writer) stack.Options {
	o := c.Options
	o.CORSOrigins = strings.FieldsFunc(c.corsOrigins, func(r rune) bool { return r == ',' || r == ' ' })
	o.Output = output
	if c.logLevel != "" {
		o.Env = map[string]string{"LOG_LEVEL": c.logLevel}
	}
	return o
}

// explain adds the flag that helps to an error about an address.
func explain(err error, c config) error {
	failed, ok := errors.AsType[*stack.AddressError](err)
	if !ok {
		return err
	}
	name := c.flagOf(failed.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is already in use; choose another with -%s", failed.Addr, name)
	}
	return usage("-%s %s: %w", name, failed.Addr, failed.Err)
}

// flagOf returns the flag that an address comes from.
func (c config) flagOf(addr string) string {
	if host, _, _ := net.SplitHostPort(addr); c.Listen != "" && (host == c.Listen || addr == c.Listen) {
		return "listen"
	}
	switch addr {
	case c.Addr:
		return "addr"
	case c.IssuerAddr:
		return "issuer-addr"
	case c.DocsAddr:
		return "docs-addr"
	default:
		return "dynamodb-addr"
	}
}

// printStack prints the addresses, the users, and a command line to try.
func printStack(w io.Writer, c config, s *stack.Stack, took string) error {
	authorization := `"Authorization: Bearer $TOKEN"`
	if s.Issuer != nil {
		token, err := s.Issuer.Token(demoUser, issuer.TTL)
		if err != nil {
			return err
		}
		authorization = "'Authorization: Bearer " + token + "'"
	}
	fmt.Fprintf(w, "\nThe organization settings service is %s. Ctrl-C stops it.\n\n", took)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "  API\t%s\t%s\n", s.URL, byPath(s.Routes))
	fmt.Fprintf(table, "  API page\t%s\ttry the API in a browser; its description is /openapi.yaml\n", s.DocsURL+"/docs")
	if s.Issuer != nil {
		fmt.Fprintf(table, "  tokens\t%s\tcurl '%[1]s/token?user=%s'\n", s.Issuer.URL(), demoUser)
	} else {
		fmt.Fprintf(table, "  tokens\t%s\tset TOKEN to a token of this issuer\n", c.Issuer)
	}
	fmt.Fprintf(table, "  DynamoDB\t%s\t%s aws dynamodb list-tables --endpoint-url %[1]s\n", s.DynamoDBURL, stack.AWSEnvironment)
	table.Flush()
	if c.Listen != "" {
		fmt.Fprintf(w, "\nWarning: API, tokens and DynamoDB are served on %s too, on the same ports: whoever reaches it gets tokens.\n", c.Listen)
	}

	fmt.Fprint(w, "\nUsers:\n\n")
	for _, u := range stack.DemoUsers() {
		fmt.Fprintf(table, "  %s\t%s\n", u.Name, u.Note)
	}
	table.Flush()

	for _, route := range s.Routes {
		if path, ok := strings.CutPrefix(route, "POST "); ok {
			fmt.Fprintf(w, "\nTry it:\n\ncurl -X POST %s%s -H %s -H 'Content-Type: application/json' -d '{\"settings\":{\"theme\":\"dark\"}}'\n\n",
				s.URL, path, authorization)
		}
	}
	return nil
}

// byPath writes each path once, after all its methods.
func byPath(routes []string) string {
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
	return strings.Join(paths, "; ")
}
