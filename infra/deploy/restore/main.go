// Command restore takes the settings of organizations from another table, such as one that DynamoDB restored to a
// point in time.
//
// It writes the old document of each organization with a new revision, above the current one, so that clients
// notice. What is stored now may be no document. It does not overwrite what somebody writes meanwhile, and writes only
// documents that the service accepts. With -history, what it replaces goes into the history, as with any write. Without
// -write it only prints what it would do. It takes region, credentials and endpoint from the environment, as the aws
// command does.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"

	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

// maxHistoryDays is the largest value of the stack's parameter HistoryDays.
const maxHistoryDays = 36_500

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "restore:", err)
		}
		stop()
		os.Exit(1)
	}
}

// run restores the organizations in args, and prints what it finds and writes.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("restore", flag.ContinueOnError)
	flags.SetOutput(out)
	from := flags.String("from", "", "`TABLE` that holds the old documents")
	to := flags.String("to", "", "`TABLE` that the service uses")
	history := flags.String("history", "", "`TABLE` of the history, for what is replaced; without it, that is lost")
	days := flags.Int("history-days", 365, "`DAYS` that the history keeps it, as in the stack's parameter HistoryDays; 0: for ever")
	by := flags.String("by", "restore", "`USER` to record as the writer")
	write := flags.Bool("write", false, "write the old documents; without it nothing changes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *from == "" || *to == "" || *from == *to || *by == "" || flags.NArg() == 0 {
		return errors.New("usage: go run ./infra/deploy/restore -from TABLE -to TABLE [-history TABLE] [-write] ORGANIZATION ..., with two tables; " +
			"-h lists all flags")
	}
	if *history == *from || *history == *to || *days < 0 || *days > maxHistoryDays {
		return fmt.Errorf("-history must be a table of its own, and -history-days a number from 0 to %d", maxHistoryDays)
	}
	aws, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	now := dynamo.New(aws, dynamo.Tables{Settings: *to, History: *history})
	r := restorer{
		old: dynamo.New(aws, dynamo.Tables{Settings: *from}), now: now, by: settings.UserID(*by), write: *write, out: out,
		retention: time.Duration(*days) * 24 * time.Hour,
	}
	if *history != "" {
		r.archive = now
	}
	var failed error
	for _, org := range flags.Args() {
		if err := r.restore(ctx, settings.OrgID(org)); err != nil {
			failed = errors.Join(failed, errors.New(printable(org+": "+err.Error())))
		}
	}
	return failed
}

type restorer struct {
	old, now  settings.Store
	archive   settings.Archive // of what is replaced; nil: none
	retention time.Duration
	by        settings.UserID
	write     bool
	out       io.Writer
}

func (r restorer) restore(ctx context.Context, org settings.OrgID) error {
	old, err := r.old.Get(ctx, org)
	if err != nil {
		return fmt.Errorf("the table of -from: %w", cause(err))
	}
	if old.Stored == nil {
		return errors.New("the old table has no settings of this organization")
	}
	if old.Corrupt != nil {
		return old.Corrupt
	}
	now, err := r.now.Get(ctx, org)
	if err != nil {
		return fmt.Errorf("the table of -to: %w", cause(err))
	}
	fmt.Fprintf(r.out, "%s: %s\n  old  %s\n  now  %s\n", printable(string(org)), old.Document, describe(old), describe(now))
	switch {
	case now.Stored == nil:
	case now.Corrupt != nil:
		fmt.Fprintf(r.out, "       is no document: %s\n", printable(now.Corrupt.Error()))
	case bytes.Equal(now.Document.Text(), old.Document.Text()):
		fmt.Fprintln(r.out, "       is the same document, nothing to restore")
		return nil
	case now.Revision != "" && now.Revision == old.Revision:
		fmt.Fprintln(r.out, "       is another document under the same revision")
	}
	if !r.write {
		return nil
	}
	service := settings.New(settings.Config{
		Directory: owner(org), Store: unchanged{r.now, now}, Archive: r.archive, Retention: r.retention, Now: time.Now,
	})
	written, err := service.Write(ctx, r.by, settings.Replacement(old.Document), condition(now))
	if err != nil {
		return cause(err)
	}
	fmt.Fprintf(r.out, "  new  %s\n", describe(written))
	return nil
}

// owner is a directory in which every user is an OWNER of this organization.
type owner settings.OrgID

func (o owner) Membership(context.Context, settings.UserID) (settings.Membership, error) {
	return settings.Membership{Org: settings.OrgID(o), Role: settings.RoleOwner}, nil
}

// condition returns the condition that seen is still stored, as far as its revision tells.
func condition(seen settings.Record) settings.Condition {
	switch {
	case seen.Stored == nil:
		return settings.Condition{IfNoneMatch: &settings.Revisions{Any: true}}
	case seen.Revision == "":
		return settings.Condition{} // unchanged looks after it
	}
	return settings.Condition{IfMatch: &settings.Revisions{Listed: []settings.Revision{seen.Revision}}}
}

// unchanged is a store that reads as it was seen. It does not replace a record without a revision by another condition than
// that it is seen.
type unchanged struct {
	settings.Store
	seen settings.Record
}

func (s unchanged) Get(context.Context, settings.OrgID) (settings.Record, error) { return s.seen, nil }

func (s unchanged) Put(ctx context.Context, r settings.Record, c settings.Condition) error {
	if s.seen.Stored == nil || s.seen.Revision != "" {
		return s.Store.Put(ctx, r, c)
	}
	return s.Swap(ctx, s.seen, r)
}

func (s unchanged) Swap(ctx context.Context, old, r settings.Record) error {
	return s.final(s.Store.Swap(ctx, old, r))
}

func (s unchanged) Stamp(ctx context.Context, old settings.Record, r settings.Revision) (settings.Record, error) {
	stamped, err := s.Store.Stamp(ctx, old, r)
	return stamped, s.final(err)
}

// final returns err or, for a conflict that the service would try again, another error.
func (s unchanged) final(err error) error {
	if _, ok := errors.AsType[*settings.ConflictError](err); ok && s.seen.Stored != nil && s.seen.Revision == "" {
		return errors.New("somebody wrote it meanwhile")
	}
	return err
}

// cause returns the error of the call that failed, without [settings.ErrUnavailable]: a table may be absent.
func cause(err error) error {
	if call, ok := errors.AsType[*smithy.OperationError](err); ok {
		return call
	}
	return err
}

func describe(r settings.Record) string {
	if r.Stored == nil && r.Revision == "" {
		return "never written"
	}
	at := "unknown time"
	if !r.UpdatedAt.IsZero() {
		at = r.UpdatedAt.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("%s  %s  by %s", cmp.Or(string(r.Revision), "no revision"), at, printable(string(r.UpdatedBy)))
}

// printable returns text as it is or, where it could deceive the reader of a terminal, quoted.
func printable(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return text
	}
	return strconv.Quote(text)
}
