package api

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"orgsettings/internal/settings"
)

// event is the log line of one request. It is filled while the request is served, and written once. It never holds a
// token, a claim other than the user, or any part of a document.
type event struct {
	requestID       string // of API Gateway
	lambdaRequestID string
	route           string
	status          int
	duration        time.Duration
	cold            bool // the first request of this process
	user            string
	kid             string
	trace           *settings.Trace
	reason          string // why the request was refused
	cause           string // of a 500
	stack           []byte // of a panic

	databaseAttempts int // requests to the database, retries included
	databaseTime     time.Duration
}

// maxLogText bounds the texts of a line together, so that no line has more than 4 KB. A text that does not fit is cut
// further than its own bound asks.
const maxLogText = 3400

// write writes the line even if the logger's level is above it: metric filters count these lines.
func (ev *event) write(ctx context.Context, logger *slog.Logger) {
	level := slog.LevelInfo
	if ev.status >= 500 {
		level = slog.LevelError
	}
	line := slog.NewRecord(time.Now(), level, "request", 0)
	left := maxLogText
	text := func(key, value string, most int) {
		if value == "" {
			return
		}
		shown := printable(value, most)
		for most > 0 && jsonBytes(shown) > left {
			most /= 2
			shown = printable(value, most)
		}
		left -= jsonBytes(shown)
		line.AddAttrs(slog.String(key, shown))
	}
	text("requestId", ev.requestID, 64)
	text("lambdaRequestId", ev.lambdaRequestID, 64)
	text("route", ev.route, 64)
	line.AddAttrs(
		slog.Int("status", ev.status),
		slog.Float64("durationMs", milliseconds(ev.duration)),
		slog.Bool("coldStart", ev.cold),
	)
	text("organization", string(ev.trace.Org), 128)
	text("user", ev.user, 64)
	text("kid", ev.kid, 64)
	text("revision", string(ev.trace.Revision), 64)
	if ev.databaseAttempts > 0 {
		line.AddAttrs(
			slog.Int("databaseAttempts", ev.databaseAttempts),
			slog.Float64("databaseMs", milliseconds(ev.databaseTime)),
		)
	}
	text("reason", ev.reason, 256)
	text("error", ev.cause, 1024)
	text("stack", string(ev.stack), 8192)
	// There is no other place to report an error of the log.
	_ = logger.Handler().Handle(ctx, line)
}

// jsonBytes returns how long a printable text is in the line.
func jsonBytes(s string) int { return len(s) + strings.Count(s, `\`) + strings.Count(s, `"`) }

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// printable cuts untrusted text to about most bytes and escapes what a terminal might act upon.
func printable(s string, most int) string {
	cut := ""
	if len(s) > most {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		s, cut = s[:most], "…"
	}
	quoted := strconv.Quote(s)
	// A quote is harmless, and the JSON of the log line escapes it anyway.
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`) + cut
}
