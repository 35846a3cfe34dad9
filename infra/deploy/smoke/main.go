// Command smoke tries a running organization-settings service from outside, as a client does: against a
// deployment or the local stack. It knows the published contract and nothing of how the service is made.
//
// The caller needs a token of a member who may write. The organization's document is replaced and,
// at the end, put back as it was.
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
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "smoke:", err)
		}
		stop()
		os.Exit(1)
	}
}

// run reads the flags, tries the service and prints one line for each step. It returns an error if any
// step failed.
func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	flags := flag.NewFlagSet("smoke", flag.ContinueOnError)
	flags.SetOutput(out)
	base := flags.String("url", "", "base `URL` of the service, without a path")
	token := flags.String("token", "", "access `token`; better given as SMOKE_TOKEN, which no list of processes shows")
	timeout := flags.Duration("timeout", 15*time.Second, "longest wait for one answer")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *token == "" {
		*token = getenv("SMOKE_TOKEN")
	}
	u, err := url.Parse(strings.TrimSuffix(*base, "/"))
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("there is no argument %q", flags.Arg(0))
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("-url must be an http or https URL")
	case strings.TrimSpace(*token) == "":
		return errors.New("a token is needed: -token or SMOKE_TOKEN")
	}
	c := &client{
		url:   u.String() + "/settings/organization",
		token: strings.TrimSpace(*token),
		http: &http.Client{
			Timeout: *timeout,
			// A redirect would take the token somewhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	fmt.Fprintln(out, "smoke:", c.url)
	return try(ctx, c, out)
}
