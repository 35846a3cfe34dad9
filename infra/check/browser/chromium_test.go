// Package browser holds no program. Its tests use the API page, the console, and the API
// from pages of other origins, in a headless Chromium.
package browser

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"orgsettings/infra/local/testenv"
)

// How long a test may use the browser, and how long one action may take.
const (
	timeout       = 2 * time.Minute
	actionTimeout = 20 * time.Second
)

// tab is one tab of a running Chromium.
type tab struct {
	tb  testing.TB
	ctx context.Context

	mu       sync.Mutex
	requests []string // "METHOD URL", in their order
	problems []string // errors of the pages
}

// open starts a Chromium with an empty profile that reaches this machine only. It
// ends with tb. Without a Chromium, tb ends as by [testenv.Missing].
func open(tb testing.TB) *tab {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), timeout)
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
	b := &tab{tb: tb}
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
	testenv.Missing(tb, "there is no chromium on the PATH; Debian's package chromium has it")
	return ""
}

func (b *tab) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.Method+" "+e.Request.URL)
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, fmt.Sprint("exception: ", e.ExceptionDetails.Text))
	case *log.EventEntryAdded:
		// Chromium logs each answer that is not 2xx as a network error. The tests expect some.
		if e.Entry.Level == "error" && e.Entry.Source != "network" {
			b.problems = append(b.problems, e.Entry.Text)
		}
	}
}

// Do runs actions one after the other. The test ends if one fails.
func (b *tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.tb.Helper()
	for i, a := range actions {
		if err := b.within(func(ctx context.Context) error { return chromedp.Do(ctx, a) }); err != nil {
			b.tb.Fatalf("action %d in the browser: %v; its console: %q", i, err, b.Problems())
		}
	}
}

// ask runs an action and returns its value. The test ends if it fails.
func ask[T any](b *tab, a chromedp.Action[T]) T {
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

// within gives an action a timeout, except the first one: it starts the browser,
// which lives as long as the context of that action.
func (b *tab) within(action func(context.Context) error) error {
	if c := chromedp.FromContext(b.ctx); c.Target == nil {
		return action(b.ctx)
	}
	ctx, cancel := context.WithTimeout(b.ctx, actionTimeout)
	defer cancel()
	return action(ctx)
}

// Requests returns the requests of the pages, preflight requests included.
func (b *tab) Requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// Problems returns the errors that the pages threw or wrote to the console.
func (b *tab) Problems() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.problems)
}

// isLocal reports whether rawURL holds its own data or is on this machine.
func isLocal(rawURL string) bool {
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
