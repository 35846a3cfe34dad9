// Command keys fetches the JWKS of a token issuer into a file that is bundled with the function, so that a cold start
// does not wait for the issuer. The file has only the public members of the keys that can verify tokens.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"orgsettings/internal/auth"
)

const timeout = 10 * time.Second

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "keys:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("keys", flag.ContinueOnError)
	url := flags.String("url", "", "`URL` of the JWKS, the JWKS_URL of the function")
	file := flags.String("out", "jwks.json", "`FILE` to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *url == "" {
		return errors.New("-url is missing; give the URL of the JWKS (make keys URL=…)")
	}
	if err := auth.CheckJWKSURL(*url); err != nil {
		return fmt.Errorf("-url %w", err)
	}
	fetched := time.Now().UTC().Truncate(time.Second)
	set, err := fetch(ctx, *url)
	if err != nil {
		return err
	}
	text, err := bundle(set, fetched)
	if err != nil {
		return fmt.Errorf("read the JWKS of %s: %w", *url, err)
	}
	if err := os.WriteFile(*file, append(text, '\n'), 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s holds the keys of %s as of %s\n", *file, *url, fetched.Format(time.RFC3339))
	return err
}

// bundle returns the text of the bundled JWKS: of each usable key the members that decide what it verifies, and no
// others.
func bundle(set []byte, fetched time.Time) ([]byte, error) {
	keys, err := auth.UsableKeys(set)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(map[string]any{"fetched": fetched, "keys": keys}, "", "  ")
	if err == nil && len(text) > auth.MaxJWKSBytes {
		err = fmt.Errorf("the usable keys have %d bytes, the limit is %d", len(text), auth.MaxJWKSBytes)
	}
	return text, err
}

// fetch returns what url answers. It follows no redirect and uses no proxy: the keys come from this address and no
// other.
func fetch(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	r.Header.Set("User-Agent", "organization-settings-keys") // some firewalls refuse Go's own
	client := &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
	}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: status %d", url, response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, auth.MaxJWKSBytes+1))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", url, err)
	}
	if len(text) > auth.MaxJWKSBytes {
		return nil, fmt.Errorf("get %s: more than %d bytes", url, auth.MaxJWKSBytes)
	}
	return text, nil
}
