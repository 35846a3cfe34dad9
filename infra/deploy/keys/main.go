// Command keys fetches the key set of a token issuer into a file that is bundled
// with the function, so that a cold start need not wait for the issuer.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"orgsettings/internal/auth"
)

const (
	timeout     = 10 * time.Second
	maxSetBytes = 512 << 10 // the limit of the function
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "keys:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("keys", flag.ContinueOnError)
	url := flags.String("url", "", "`URL` of the key set, the JWKS_URL of the function")
	file := flags.String("out", "jwks.json", "`FILE` to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *url == "" {
		return errors.New("-url is missing: name the key set (make keys URL=…)")
	}
	fetched := time.Now().UTC().Truncate(time.Second)
	text, err := fetch(ctx, *url)
	if err != nil {
		return err
	}
	if text, err = bundle(text, *url, fetched); err != nil {
		return fmt.Errorf("read the key set of %s: %w", *url, err)
	}
	if err := os.WriteFile(*file, text, 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s holds the keys of %s as of %s\n", *file, *url, fetched.Format(time.RFC3339))
	return err
}

// fetch returns what is at url. Like the function, it follows no redirect.
func fetch(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: status %d", url, response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxSetBytes+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", url, err)
	}
	if len(text) > maxSetBytes {
		return nil, fmt.Errorf("get %s: more than %d bytes", url, maxSetBytes)
	}
	return text, nil
}

// bundle adds to a key set when it was fetched, and checks that the function accepts
// the result.
func bundle(set []byte, url string, fetched time.Time) ([]byte, error) {
	var members map[string]any
	if err := json.Unmarshal(set, &members); err != nil {
		return nil, err
	}
	if members == nil {
		return nil, errors.New("it is null")
	}
	members["fetched"] = fetched
	text, err := json.MarshalIndent(members, "", "  ")
	if err != nil {
		return nil, err
	}
	_, err = auth.New(auth.Config{
		Issuer: "any", Audiences: []string{"any"}, JWKSURL: url, JWKSMaxAge: time.Minute, UserClaim: "sub",
		BundledJWKS: text, BundledJWKSMaxAge: time.Hour, Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	return append(text, '\n'), err
}
