// Command erase deletes the settings of one organization and their history for good.
//
// It asks for the organization's name before it deletes anything. It may be stopped at any time and run again. If nothing
// is stored, it ends with an error, also when it repeats an erasure: a mistyped name looks the same. It takes
// region, credentials and endpoint from the environment, as the aws command does, and needs the permissions Query and
// BatchWriteItem on both tables. It never prints a document.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/logging"
)

const (
	// requestTime is how long a request of the service may take. A write that has read the settings may archive them
	// that long after they were deleted.
	requestTime = 5 * time.Second

	maxBatch    = 25 // requests of one BatchWriteItem
	maxSweeps   = 5
	maxRefusals = 12 // of BatchWriteItem in a row, to delete anything
)

const remains = `Copies that remain:
- Point-in-time recovery of both tables keeps deleted items for its period: 35 days, or as few as 1 where that was set.
- Backups and exports of the tables, and tables restored from them, stay until you delete them. Erase restored tables too.
- A browser may keep a state of the history that it has read for a day.
The log has the ids of the organization and its users, but no documents, for the retention time of the log groups.
The memberships stay: the users table belongs to the identity side. A member who may write can write settings again.
`

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, requestTime); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "erase:", err)
		}
		os.Exit(1)
	}
}

// run erases the organization in args after it has been confirmed by a flag or on in. It waits for settle before it looks
// for writes that were under way.
func run(
	ctx context.Context, args []string, in io.Reader, out io.Writer, settle time.Duration, options ...func(*awsconfig.LoadOptions) error,
) error {
	flags := flag.NewFlagSet("erase", flag.ContinueOnError)
	flags.SetOutput(out)
	e := eraser{out: out, settle: settle}
	flags.StringVar(&e.settings, "settings", "", "`TABLE` of the settings, output SettingsTableName of the stack")
	flags.StringVar(&e.history, "history", "", "`TABLE` of the history, output HistoryTableName of the stack")
	confirm := flags.String("confirm", "", "`NAME` of the organization once more, for scripts; without it erase asks")
	if err := flags.Parse(args); err != nil {
		return err
	}
	e.org = flags.Arg(0)
	if e.settings == "" || e.history == "" || e.settings == e.history || flags.NArg() != 1 || e.org == "" {
		return errors.New("usage: make erase ORG=ORGANIZATION SETTINGS=TABLE HISTORY=TABLE, with two tables: " +
			"the outputs SettingsTableName and HistoryTableName of the stack")
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, append(options,
		awsconfig.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(10*time.Second)),
		awsconfig.WithRetryMaxAttempts(10), // for throttling: a partition deletes two items of 400 KB a second
		awsconfig.WithLogger(logging.Nop{}),
	)...)
	if err != nil {
		return err
	}
	e.client = dynamodb.NewFromConfig(cfg)

	if err := e.look(ctx); err != nil {
		return err
	}
	if len(e.states)+len(e.current) == 0 {
		return fmt.Errorf("nothing is stored of %q in %s and %s; if it was not erased before, check ORG (case matters) and the tables",
			e.org, e.settings, e.history)
	}
	fmt.Fprintf(out, "Of %q are stored\n  superseded states: %d in %s\n  current document:  %d in %s\n", e.org, len(e.states), e.history, len(e.current), e.settings)
	if *confirm == "" {
		fmt.Fprint(out, "Erasing them cannot be undone. Type the name of the organization to erase them: ")
		*confirm, _ = bufio.NewReader(in).ReadString('\n')
		*confirm = strings.TrimRight(*confirm, "\r\n")
	}
	if *confirm != e.org && *confirm != strconv.Quote(e.org) {
		return fmt.Errorf("the name typed is %q, not %q; nothing was erased", *confirm, e.org)
	}
	if err := e.erase(ctx); err != nil {
		return fmt.Errorf("%w; run erase again for what is left", err)
	}
	fmt.Fprint(out, remains)
	return nil
}

type item = map[string]types.AttributeValue

type eraser struct {
	client            *dynamodb.Client
	org               string
	settings, history string // tables
	out               io.Writer
	settle            time.Duration

	current, states []item // keys of what look has found in the two tables
}

// erase deletes what look has found, and looks again until there is nothing.
func (e *eraser) erase(ctx context.Context) error {
	for range maxSweeps {
		if err := e.deleteAll(ctx, e.history, e.states); err != nil {
			return err
		}
		if err := e.deleteAll(ctx, e.settings, e.current); err != nil {
			return err
		}
		fmt.Fprintf(e.out, "Erased: %d superseded states, %d current document. Looking again in %v, for writes that were under way.\n",
			len(e.states), len(e.current), e.settle)
		time.Sleep(e.settle)
		if err := e.look(ctx); err != nil {
			return err
		}
		if len(e.states)+len(e.current) == 0 {
			fmt.Fprintf(e.out, "Nothing is left of %q in the two tables.\n", e.org)
			return nil
		}
	}
	return errors.New("somebody still writes settings; have the memberships removed first")
}

func (e *eraser) look(ctx context.Context) (err error) {
	if e.current, err = e.keys(ctx, e.settings, "orgId"); err != nil {
		return err
	}
	e.states, err = e.keys(ctx, e.history, "orgId, revision")
	return err
}

// keys returns the keys, which are these attributes, of all items of the organization in a table.
func (e *eraser) keys(ctx context.Context, table, attributes string) (found []item, err error) {
	pages := dynamodb.NewQueryPaginator(e.client, &dynamodb.QueryInput{
		TableName: &table, ConsistentRead: aws.Bool(true), ProjectionExpression: &attributes, KeyConditionExpression: aws.String("orgId = :org"),
		ExpressionAttributeValues: item{":org": &types.AttributeValueMemberS{Value: e.org}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		found = append(found, page.Items...)
	}
	return found, nil
}

// deleteAll deletes items by their keys.
func (e *eraser) deleteAll(ctx context.Context, table string, keys []item) error {
	done, told := 0, time.Now()
	for batch := range slices.Chunk(keys, maxBatch) {
		requests := make([]types.WriteRequest, len(batch))
		for i, key := range batch {
			requests[i].DeleteRequest = &types.DeleteRequest{Key: key}
		}
		for refusals := 0; len(requests) > 0; {
			out, err := e.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: requests}})
			if err != nil {
				return err
			}
			left := out.UnprocessedItems[table]
			switch refusals++; {
			case len(left) < len(requests):
				refusals = 0
			case refusals == maxRefusals:
				return fmt.Errorf("table %s is throttled and deletes nothing", table)
			}
			if requests = left; len(left) > 0 {
				time.Sleep(rand.N(min(e.settle>>6<<refusals, e.settle)))
			}
		}
		if done += len(batch); time.Since(told) > 10*time.Second {
			told = time.Now()
			fmt.Fprintf(e.out, "Erased %d of %d items of %s.\n", done, len(keys), table)
		}
	}
	return nil
}
