package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
	"orgsettings/internal/auth"
)

// A start that takes longer than noteAfter says what it does, and again every noteEvery.
const (
	noteAfter = time.Second
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
	started := make(chan struct{})
	var notes sync.WaitGroup
	notes.Go(func() { note(stderr, started, c.Bootstrap == "") })
	s, err := stack.Start(ctx, options)
	close(started)
	notes.Wait()
	if errors.Is(err, fs.ErrNotExist) && c.Bootstrap == "" {
		return fmt.Errorf("%w; run this in the project's root, or give the template's path with -template", err)
	}
	if err != nil {
		return err
	}
	defer s.Close()
	if c.JWKSURL != "" {
		if err := checkKeys(ctx, c.JWKSURL); err != nil {
			fmt.Fprintf(stderr, "Warning: the key set of -jwks-url %s cannot be used: %v. Until it can, requests with a token are answered 503.\n", c.JWKSURL, err)
		}
	}
	took := fmt.Sprintf("ready in %.2f s", (time.Since(began) - s.BuildTime).Seconds())
	if s.BuildTime > 0 {
		took += fmt.Sprintf(" after a build of %.1f s", s.BuildTime.Seconds())
	}
	return use(s, took)
}

// note says what a start does until it is over.
func note(w io.Writer, over <-chan struct{}, builds bool) {
	began, next := time.Now(), time.NewTimer(noteAfter)
	defer next.Stop()
	text := "filling the database ..."
	if builds {
		text = "compiling the function, ./functions/settings; the first time this takes a minute or two ..."
	}
	for {
		select {
		case <-over:
			return
		case <-next.C:
			fmt.Fprintln(w, text)
			text = fmt.Sprintf("  ... %.0f s", (time.Since(began) + noteEvery).Seconds())
			next.Reset(noteEvery)
		}
	}
}

func (c config) options(output io.Writer) (stack.Options, error) {
	o := c.Options
	if c.users != "" {
		var err error
		if o.Users, err = stack.ReadUsers(c.users); err != nil {
			return o, fmt.Errorf("-users: %w", err)
		}
	}
	o.Output = output
	if c.logLevel != "" {
		o.Env = map[string]string{"LOG_LEVEL": c.logLevel}
	}
	return o, nil
}

// checkKeys fetches another issuer's key set as the function does, so that a wrong URL is told at the start.
func checkKeys(ctx context.Context, jwksURL string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, jwksURL, nil)
	if err != nil {
		return err
	}
	client := http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
	}
	response, err := client.Do(r)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err // the message has the URL
	} else if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s; give the jwks_uri of the issuer's /.well-known/openid-configuration", response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, auth.MaxJWKSBytes+1))
	if err == nil && len(text) > auth.MaxJWKSBytes {
		err = fmt.Errorf("it has more than %d bytes", auth.MaxJWKSBytes)
	}
	if err == nil {
		_, err = auth.Bundle(text, time.Now())
	}
	return err
}

// explain adds the flags that help to an error about addresses.
func explain(err error, c config) error {
	failed, ok := errors.AsType[*stack.AddressError](err)
	if !ok {
		return err
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return usage("-%s %s: %w", c.flagOf(failed.Addr), failed.Addr, failed.Err)
	}
	var taken, flags []string
	for _, e := range stack.AddressErrors(err) {
		taken, flags = append(taken, e.Addr), append(flags, "-"+c.flagOf(e.Addr))
	}
	next := c.port + 1000
	if next > 60_000 {
		next = 4000
	}
	is, another := "is", "another"
	if len(taken) > 1 {
		is, another = "are", "others"
	}
	return fmt.Errorf("%s %s already in use; move all ports with -port %d, or choose %s with %s",
		strings.Join(taken, ", "), is, next, another, strings.Join(slices.Compact(flags), ", "))
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
	fmt.Fprintf(table, "  API\t%s\t%s\n", s.URL, byPath(s.Routes))
	fmt.Fprintf(table, "  API page\t%s\ttry the API in a browser; its description is /openapi.yaml\n", s.DocsURL+"/docs")
	if s.Issuer != nil {
		fmt.Fprintf(table, "  tokens\t%s\tcurl '%[1]s/token?user=%s'\n", s.Issuer.URL(), url.QueryEscape(s.Users[0].Name))
	} else {
		fmt.Fprintf(table, "  tokens\t%s\tset TOKEN to a token of this issuer\n", c.Issuer)
	}
	fmt.Fprintf(table, "  DynamoDB\t%s\t%s\n", s.DynamoDBURL, stack.AWSCommand("dynamodb list-tables", s.DynamoDBURL))
	table.Flush()
	if c.Listen != "" {
		fmt.Fprintf(w, "\nWarning: API, tokens and DynamoDB are served on %s too, on the same ports: whoever reaches it gets tokens.\n", c.Listen)
	}

	if s.Issuer != nil || c.users != "" {
		fmt.Fprint(w, "\nUsers:\n\n")
		for _, u := range s.Users {
			fmt.Fprintf(table, "  %s\t%s\n", u.Name, u.Note())
		}
		table.Flush()
	} else {
		fmt.Fprint(w, "\nThe other issuer's users are in no organization yet: give their user ids in a file, with -users.\n")
	}

	for _, route := range s.Routes {
		if path, ok := strings.CutPrefix(route, "POST "); ok {
			fmt.Fprintf(w, "\nTry it:\n\ncurl -w '\\n' -X POST %s%s -H %s -H 'Content-Type: application/json' -d '{\"settings\":{\"theme\":\"dark\"}}'\n\n",
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
