// Package browser drives a headless Chromium for tests. It owns how that is
// found, started and watched; it knows no page. What a page asks of any other
// machine is refused and noted.
package browser

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// How long a test may use the browser, and how long one action may take.
const (
	patience       = 2 * time.Minute
	actionPatience = 20 * time.Second
)

// Browser is one tab of a running Chromium.
type Browser struct {
	tb  testing.TB
	ctx context.Context

	mu       sync.Mutex
	requests []string // "METHOD URL", in their order
	problems []string // what the console tells
}

// Start starts a Chromium that knows nothing and reaches this machine alone. It
// ends with tb. Where there is none tb is skipped, but fails if the environment
// has CI=true.
func Start(tb testing.TB) *Browser {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	tb.Cleanup(cancel)
	ctx, end := chromedp.NewExecAllocator(ctx,
		chromedp.ExecPath(find(tb)),
		chromedp.UserDataDir(tb.TempDir()),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), // small in containers
		chromedp.Flag("proxy-server", "direct://"),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
		chromedp.WindowSize(1200, 1600),
	)
	tb.Cleanup(end)
	b := &Browser{tb: tb}
	b.ctx, end = chromedp.NewContext(ctx, chromedp.WithListener(b.note))
	tb.Cleanup(end)
	tb.Cleanup(func() { _ = chromedp.Cancel(b.ctx) }) // waits, so that its directory can go
	b.Do(chromedp.Navigate("about:blank"))
	if _, err := chromedp.Call(b.ctx, network.Enable, network.EnableParams{}); err != nil {
		tb.Fatalf("watch the network: %v", err)
	}
	if _, err := chromedp.Call(b.ctx, log.Enable, struct{}{}); err != nil {
		tb.Fatalf("watch the console: %v", err)
	}
	return b
}

func find(tb testing.TB) string {
	tb.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	absent := tb.Skip
	if os.Getenv("CI") == "true" {
		absent = tb.Fatal
	}
	absent("there is no chromium on the PATH: install Debian's package chromium to test in a browser")
	return ""
}

func (b *Browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.Method+" "+e.Request.URL)
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, fmt.Sprint("exception: ", e.ExceptionDetails.Text))
	case *log.EventEntryAdded:
		// A status that is not 2xx is an error to the log, but nothing wrong.
		if e.Entry.Level == "error" && e.Entry.Source != "network" {
			b.problems = append(b.problems, e.Entry.Text)
		}
	}
}

// Do runs actions one after the other; tb ends if one fails.
func (b *Browser) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.tb.Helper()
	for i, a := range actions {
		if err := b.within(func(ctx context.Context) error { return chromedp.Do(ctx, a) }); err != nil {
			b.tb.Fatalf("action %d in the browser: %v; its console: %q", i, err, b.Problems())
		}
	}
}

// Ask runs an action and returns its value; the test of b ends if it fails.
func Ask[T any](b *Browser, a chromedp.Action[T]) T {
	b.tb.Helper()
	var value T
	err := b.within(func(ctx context.Context) (err error) {
		value, err = chromedp.Run(ctx, a)
		return err
	})
	if err != nil {
		b.tb.Fatalf("ask the browser: %v; its console: %q", err, b.Problems())
	}
	return value
}

// within bounds an action. The first one starts the browser, which lives as long
// as its context does.
func (b *Browser) within(action func(context.Context) error) error {
	if c := chromedp.FromContext(b.ctx); c.Target == nil {
		return action(b.ctx)
	}
	ctx, cancel := context.WithTimeout(b.ctx, actionPatience)
	defer cancel()
	return action(ctx)
}

// Requests returns what the pages have asked for, preflights included.
func (b *Browser) Requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// Problems returns the errors that pages have thrown or written to the console.
func (b *Browser) Problems() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.problems)
}

// IsLocal says whether rawURL is data or on this machine.
func IsLocal(rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	if u.Scheme == "data" || u.Scheme == "about" || u.Scheme == "blob" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}
