// Command local runs the whole service on this machine: gateway, function,
// database and token issuer, with nothing but Go.
//
// It owns the flags and the messages. Package stack owns what runs.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
)

// drainTimeout is how long requests in flight may go on after Ctrl-C.
const drainTimeout = 2 * time.Second

// anyPort is the address of a free port.
const anyPort = "127.0.0.1:0"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if err == nil {
		return
	}
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(exitCode(ended)) // the command has printed its own errors
	}
	fmt.Fprintln(os.Stderr, err)
	if _, ok := errors.AsType[*usageError](err); ok {
		os.Exit(2)
	}
	os.Exit(1)
}

// run is the program. Its error is a sentence for the user, or the
// [*exec.ExitError] of the command. The end of ctx is no error.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	c, err := readConfig(args, getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return printHelp(stdout)
	case err != nil:
		return err
	case c.token != "":
		err = printToken(ctx, c, stdout)
	case c.invoke != "":
		err = invoke(ctx, c, stdout, stderr)
	case c.command != nil:
		err = runCommand(ctx, c, stdout, stderr)
	default:
		err = serve(ctx, c, stdout, stderr)
	}
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return err
	}
	if ctx.Err() != nil {
		return nil
	}
	return explain(err, c)
}

// serve runs the stack until ctx ends.
func serve(ctx context.Context, c config, stdout, stderr io.Writer) error {
	return c.withStack(ctx, stderr, func(s *stack.Stack, took string) error {
		if err := printStack(stdout, c, s, took); err != nil {
			return err
		}
		<-ctx.Done()
		fmt.Fprintln(stderr, "stopping; requests in flight have 2 seconds ...")
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		_ = s.Drain(ctx) // the others fail
		return nil
	})
}

// runCommand runs the command while a stack runs. When ctx ends, the command gets
// SIGTERM and has ten seconds to end.
func runCommand(ctx context.Context, c config, stdout, stderr io.Writer) error {
	return c.withStack(ctx, stderr, func(s *stack.Stack, _ string) error {
		issuerURL := c.Issuer
		if s.Issuer != nil {
			issuerURL = s.Issuer.URL()
		}
		cmd := exec.CommandContext(ctx, c.command[0], c.command[1:]...)
		cmd.Env = append(cmd.Environ(), "API_URL="+s.URL, "ISSUER_URL="+issuerURL, "DYNAMODB_URL="+s.DynamoDBURL, "DOCS_URL="+s.DocsURL)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = 10 * time.Second
		return cmd.Run()
	})
}

// exitCode returns the exit code of a command as a shell does: 128 and the signal
// if a signal ended it.
func exitCode(ended *exec.ExitError) int {
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return ended.ExitCode()
}

// invoke starts a stack, sends the event in a file to its function and prints the
// response unchanged.
func invoke(ctx context.Context, c config, stdout, stderr io.Writer) error {
	event, err := os.ReadFile(c.invoke)
	if err != nil {
		return fmt.Errorf("-invoke: %w", err)
	}
	if !json.Valid(event) {
		return fmt.Errorf("-invoke: %s is not JSON", c.invoke)
	}
	return c.withStack(ctx, stderr, func(s *stack.Stack, _ string) error {
		filled, err := fillToken(event, s.Issuer, s.Users[0].Name)
		if err != nil {
			return fmt.Errorf("-invoke: %s: %w", c.invoke, err)
		}
		if !bytes.Equal(filled, event) {
			fmt.Fprintf(stderr, "%s: replaced ${TOKEN} by a new token for %s\n", c.invoke, s.Users[0].Name)
		}
		response, err := s.Function.Invoke(ctx, filled)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(stdout, "%s\n", response)
		return err
	})
}

// fillToken replaces ${TOKEN} and $TOKEN in an event by a token of i for user. i may be nil.
func fillToken(event []byte, i *issuer.Issuer, user string) ([]byte, error) {
	if !bytes.Contains(event, []byte("${TOKEN}")) && !bytes.Contains(event, []byte("$TOKEN")) {
		return event, nil
	}
	if i == nil {
		return nil, errors.New("the event holds ${TOKEN}, and only the other issuer can make a token; replace it by one")
	}
	token, err := i.Token(user, issuer.TTL)
	if err != nil {
		return nil, err
	}
	return []byte(strings.NewReplacer("${TOKEN}", token, "$TOKEN", token).Replace(string(event))), nil
}

// printToken prints a token from the issuer of the stack that is running.
func printToken(ctx context.Context, c config, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.IssuerAddr+"/token?user="+url.QueryEscape(c.token), nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: new(http.Transport)} // uses no proxy
	response, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("no stack answers at %s; start one with make run, or give its port: make token FLAGS='-port PORT'", c.IssuerAddr)
	}
	defer response.Body.Close()
	token, err := io.ReadAll(io.LimitReader(response.Body, 16<<10))
	if bytes.HasPrefix(token, []byte(issuer.NoToken)) {
		return errors.New(strings.TrimSpace(string(token)))
	}
	if err != nil || response.StatusCode != http.StatusOK || bytes.Count(token, []byte(".")) != 2 {
		return fmt.Errorf("the server at %s is not the issuer of a stack; give the stack's port: make token FLAGS='-port PORT', "+
			"or the issuer's address: FLAGS='-issuer-addr HOST:PORT'", c.IssuerAddr)
	}
	_, err = stdout.Write(token)
	return err
}
