// Command restore takes the settings of organizations from another table, such as one that DynamoDB restored to a
// point in time.
//
// It writes the old document of each organization with a new revision, above the current one, so that clients
// notice. It does not overwrite what somebody writes meanwhile. Without -write it only prints what it would do. It
// takes region, credentials and endpoint from the environment, as the aws command does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"orgsettings/internal/dynamo"
	"orgsettings/internal/settings"
)

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
	by := flags.String("by", "restore", "`USER` to record as the writer")
	write := flags.Bool("write", false, "write the old documents; without it nothing changes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *from == "" || *to == "" || *from == *to || *by == "" || flags.NArg() == 0 {
		return errors.New("-from and -to must be two tables, and the arguments are organizations")
	}
	aws, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	r := restorer{
		old: dynamo.New(aws, dynamo.Tables{Settings: *from}),
		now: dynamo.New(aws, dynamo.Tables{Settings: *to}),
		by:  settings.UserID(*by), write: *write, out: out,
	}
	var failed error
	for _, org := range flags.Args() {
		if err := r.restore(ctx, settings.OrgID(org)); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", org, err))
		}
	}
	return failed
}

type restorer struct {
	old, now settings.Store
	by       settings.UserID
	write    bool
	out      io.Writer
}

func (r restorer) restore(ctx context.Context, org settings.OrgID) error {
	old, err := r.old.Get(ctx, org)
	if err != nil {
		return err
	}
	if old.Stored == nil {
		return errors.New("the old table has no settings of this organization")
	}
	if old.Corrupt != nil {
		return old.Corrupt
	}
	now, err := r.now.Get(ctx, org)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "%s: %s\n  old  %s\n  now  %s\n", org, old.Document, describe(old), describe(now))
	if !r.write || now.Revision != "" && now.Revision == old.Revision {
		return nil
	}
	service := settings.New(owner(org), r.now, time.Now)
	written, err := service.Replace(ctx, r.by, old.Document, unchanged(now))
	if err != nil {
		return err
	}
	fmt.Fprintf(r.out, "  new  %s\n", describe(written))
	return nil
}

// owner is a directory in which every user is an OWNER of this organization.
type owner settings.OrgID

func (o owner) Membership(context.Context, settings.UserID) (settings.Membership, error) {
	return settings.Membership{Org: settings.OrgID(o), Role: settings.RoleOwner}, nil
}

// unchanged returns the condition that seen is still stored, as far as its revision tells.
func unchanged(seen settings.Record) settings.Condition {
	switch {
	case seen.Stored == nil:
		return settings.Condition{IfNoneMatch: &settings.Revisions{Any: true}}
	case seen.Revision == "":
		return settings.Condition{IfMatch: &settings.Revisions{Any: true}}
	}
	return settings.Condition{IfMatch: &settings.Revisions{Listed: []settings.Revision{seen.Revision}}}
}

func describe(r settings.Record) string {
	if r.Stored == nil && r.Revision == "" {
		return "never written"
	}
	return fmt.Sprintf("%s  %s  by %s", r.Revision, r.UpdatedAt.UTC().Format(time.RFC3339), r.UpdatedBy)
}
