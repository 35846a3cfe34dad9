// Command local runs the whole service on this machine: gateway, function,
// database and token issuer, with nothing but Go.
//
// It owns the flags and the messages; what runs is package stack's.
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
	"os/signal"
	"strings"
	"syscall"
	"time"

	"orgsettings/infra/local/issuer"
	"orgsettings/infra/local/stack"
)

// demoUser is whom the printed command line and sample events act as.
const demoUser = "alice"

// anyPort lets the system choose.
const anyPort = "127.0.0.1:0"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go stopAfterGoRun(stop)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	if _, ok := errors.AsType[*usageError](err); ok {
		os.Exit(2)
	}
	os.Exit(1)
}

// stopAfterGoRun calls stop when the go run that started this program has ended:
// it passes Ctrl-C on but not SIGTERM, and a stack that is left would hold its
// ports (https://go.dev/issue/40467).
func stopAfterGoRun(stop func()) {
	parent := os.Getppid()
	program, err := os.Executable()
	if err != nil || !strings.Contains(program, "go-build") { // in a folder of go run's, or in its cache
		return
	}
	for os.Getppid() == parent {
		time.Sleep(250 * time.Millisecond)
	}
	stop()
}

// run is the program. Its error is a sentence for the user. To be stopped by ctx
// is no error.
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
	default:
		err = serve(ctx, c, stdout, stderr)
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
		return nil
	})
}

// invoke sends the event of a file to the function of a stack of its own and
// prints the response as it is.
func invoke(ctx context.Context, c config, stdout, stderr io.Writer) error {
	event, err := os.ReadFile(c.invoke)
	if err != nil {
		return fmt.Errorf("-invoke: %w", err)
	}
	if !json.Valid(event) {
		return fmt.Errorf("-invoke: %s is not JSON", c.invoke)
	}
	c.addr, c.issuerAddr, c.dynamoDBAddr, c.docsAddr = anyPort, anyPort, anyPort, anyPort // a stack may be running
	return c.withStack(ctx, stderr, func(s *stack.Stack, _ string) error {
		filled, err := fillToken(event, s.Issuer)
		if err != nil {
			return fmt.Errorf("-invoke: %s: %w", c.invoke, err)
		}
		if !bytes.Equal(filled, event) {
			fmt.Fprintf(stderr, "%s: put a new token for %s in the place of ${TOKEN}\n", c.invoke, demoUser)
		}
		response, err := s.Function.Invoke(ctx, filled)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(stdout, "%s\n", response)
		return err
	})
}

// fillToken puts a token in the place of ${TOKEN} or $TOKEN.
func fillToken(event []byte, i *issuer.Issuer) ([]byte, error) {
	if !bytes.Contains(event, []byte("${TOKEN}")) && !bytes.Contains(event, []byte("$TOKEN")) {
		return event, nil
	}
	if i == nil {
		return nil, errors.New("put a token of the other issuer in the place of ${TOKEN}; none can be made here")
	}
	token, err := i.Token(demoUser, issuer.TTL)
	if err != nil {
		return nil, err
	}
	return []byte(strings.NewReplacer("${TOKEN}", token, "$TOKEN", token).Replace(string(event))), nil
}

// printToken prints a token of the running stack.
func printToken(ctx context.Context, c config, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.issuerAddr+"/token?user="+url.QueryEscape(c.token), nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: new(http.Transport)} // without a proxy
	response, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("no stack answers at %s; start one with make run, or name its issuer with -issuer-addr", c.issuerAddr)
	}
	defer response.Body.Close()
	token, err := io.ReadAll(io.LimitReader(response.Body, 16<<10))
	if err != nil || response.StatusCode != http.StatusOK || bytes.Count(token, []byte(".")) != 2 {
		return fmt.Errorf("what answers at %s is not a stack's issuer; name the right one with -issuer-addr", c.issuerAddr)
	}
	_, err = stdout.Write(token)
	return err
}
