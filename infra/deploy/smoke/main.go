// Command smoke tests a running organization-settings service from outside, as a client: a deployment or
// the local stack. It knows only the published contract.
//
// The token must be of a member who may write. The test replaces the organization's document and puts it
// back at the end, also after a failure or a signal. It prints the document if it cannot. It never replaces
// what somebody else writes meanwhile. The documents of the test stay in the history.
package main

import (
	"context"
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
)

const resource = "/settings/organization"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "smoke:", err)
		}
		stop()
		os.Exit(1)
	}
}

// run reads the flags, tests the service and prints one line for each step. Its error says that a step
// failed.
func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	flags.SetOutput(out)
	base := flags.String("url", "", "base `URL` of the service, with or without /settings/organization")
	token := flags.String("token", "", "access `token`; SMOKE_TOKEN is safer, because lists of processes do not show it")
	timeout := flags.Duration("timeout", 15*time.Second, "timeout of one request")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *token == "" {
		*token = getenv("SMOKE_TOKEN")
	}
	u, err := url.Parse(strings.TrimSuffix(strings.TrimSuffix(*base, "/"), resource))
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("-url must be an http or https URL without user name, query and fragment")
	case strings.TrimSpace(*token) == "":
		return errors.New("the token is missing; set SMOKE_TOKEN")
	}
	c := &client{
		url:   u.String() + resource,
		token: strings.TrimSpace(*token),
		http: &http.Client{
			Timeout: *timeout,
			// A redirect could send the token to another server.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	fmt.Fprintln(out, "smoke:", c.url)
	return try(ctx, c, out)
}
