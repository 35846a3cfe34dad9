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

// event is what the log tells of one request, filled while it is served and
// written once. It never holds a token, a claim other than the user, or any
// part of a document.
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
	cause           string // of a fault of ours
	stack           []byte // of a panic
}

// write writes the line, whatever the level of the logger is: metrics are made of it.
func (ev *event) write(ctx context.Context, logger *slog.Logger) {
	level := slog.LevelInfo
	if ev.status >= 500 {
		level = slog.LevelError
	}
	line := slog.NewRecord(time.Now(), level, "request", 0)
	text := func(key, value string, most int) {
		if value != "" {
			line.AddAttrs(slog.String(key, printable(value, most)))
		}
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
	if ev.trace.Attempts > 0 {
		line.AddAttrs(
			slog.Int("databaseAttempts", ev.trace.Attempts),
			slog.Float64("databaseMs", milliseconds(ev.trace.DatabaseTime)),
		)
	}
	text("reason", ev.reason, 256)
	text("error", ev.cause, 1024)
	text("stack", string(ev.stack), 8192)
	// An error of the log has nowhere to be told.
	_ = logger.Handler().Handle(ctx, line)
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// printable cuts a text that anybody may have chosen to about most bytes and
// escapes what a terminal might act upon.
func printable(s string, most int) string {
	cut := ""
	if len(s) > most {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		s, cut = s[:most], "…"
	}
	quoted := strconv.Quote(s)
	// Quotes harm nobody, and are escaped once more where this ends up in JSON.
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`) + cut
}
