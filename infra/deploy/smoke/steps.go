package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// putBackPause is the time between two attempts to put the original document back. They may take three timeouts.
const putBackPause = 500 * time.Millisecond

var (
	// errFailed says that a step failed. The line of the step says why.
	errFailed = errors.New("a step failed")

	errToken   = errors.New("nothing was tested; set SMOKE_TOKEN to a token of a member who may write")
	errStopped = errors.New("stopped by a signal")
	errForeign = errors.New("somebody else has written meanwhile; that document stays")

	errNoHistory = errors.New("this deployment keeps no history")
	errSchema    = errors.New("this deployment has a schema, which the documents of this test may violate")
)

// try takes the steps in order and stops at the first that fails, or when ctx ends. After the first write it always
// puts the original document back. If it cannot, it prints that document.
func try(ctx context.Context, c *client, out io.Writer) (err error) {
	// Decoding and encoding would change the number text, the key order or the empty name.
	// The time makes the documents different in every run.
	now := strconv.FormatInt(time.Now().UnixNano(), 10)
	document := `{"smoke":` + now + `,"":1.0,"b":1e400,"a":"ü"}`
	refused := `{"smoke":"must not be written","at":` + now + `}`
	superseding := `{"smoke":"superseded by a restore","at":` + now + `}`
	t := &trial{client: c, out: out, own: []string{document, refused, superseding}}
	var before, written answer

	unfit := map[int]string{
		http.StatusUnauthorized: "the service refuses the token; it may have expired, or be of another issuer or audience",
		http.StatusForbidden:    "the token lacks the scope that the service requires",
		http.StatusNotFound:     "the user of the token is in no organization, or the URL is not that of the service",
	}
	t.step("GET reads the document", func() error {
		before, err = c.get(ctx)
		if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
			return fmt.Errorf("%w; check URL, and that the service runs (on this machine: make run)", dial)
		}
		if why := unfit[before.status]; why != "" {
			t.unfit = true
			return fmt.Errorf("%s: %v", why, before)
		}
		if err := want(before, err, http.StatusOK); err != nil {
			return err
		}
		if len(before.Settings) == 0 || before.Settings[0] != '{' {
			return errors.New("answered without settings")
		}
		return nil
	})
	if before.hasLink {
		t.step("GET reads the schema", func() error {
			got, err := c.below("/schema").get(ctx)
			if err == nil && got.status != http.StatusOK {
				err = fmt.Errorf("answered %v", got)
			}
			return err
		})
		t.step("POST of a preview is checked", func() error {
			got, err := c.below("/preview").post(ctx, string(before.Settings), still(before))
			if got.status == http.StatusBadRequest {
				return nil // the document is older than the schema
			}
			return want(got, err, http.StatusOK)
		})
	}
	t.step("POST replaces it", func() error {
		if before.hasLink {
			return errSchema
		}
		if err = ctx.Err(); err != nil {
			return err // a request that is not sent has certainly not written
		}
		written, err = c.post(ctx, document, still(before))
		if written.status == http.StatusForbidden {
			t.unfit = true
			return fmt.Errorf("the user of the token may read and not write: %v", written)
		}
		if isRefusal(written.status) {
			return want(written, err, http.StatusOK)
		}
		t.mayHaveWritten = true
		if err := want(written, err, http.StatusOK); err != nil {
			return err
		}
		if written.etag == "" {
			return errors.New("answered without an ETag")
		}
		return nil
	})
	if before.hasLink && !t.failed {
		return nil
	}
	if t.mayHaveWritten {
		defer func() { err = errors.Join(err, t.restore(context.WithoutCancel(ctx), before)) }()
	}
	stored := func() error {
		got, err := c.get(ctx)
		switch {
		case err != nil || got.status != http.StatusOK:
			return want(got, err, http.StatusOK)
		case got.etag != written.etag:
			return fmt.Errorf("ETag %s, the write had %s; somebody else may have written meanwhile", got.etag, written.etag)
		case string(got.Settings) != document:
			return fmt.Errorf("got %d bytes that differ from the %d bytes sent", len(got.Settings), len(document))
		}
		return nil
	}
	t.step("GET returns it, byte for byte", stored)
	t.step("POST with a stale If-Match is refused: 412", func() error {
		got, err := c.post(ctx, refused, precondition{"If-Match", `"stale"`})
		return want(got, err, http.StatusPreconditionFailed)
	})
	t.step("POST with the current If-Match succeeds", func() error {
		written, err = c.post(ctx, document, still(written))
		return want(written, err, http.StatusOK)
	})
	t.step("POST with a refused token: 401", func() error {
		got, err := c.send(ctx, http.MethodPost, "not.a.token", `{"settings":`+refused+`}`, precondition{})
		return want(got, err, http.StatusUnauthorized)
	})
	t.step("POST of a preview writes nothing", func() error {
		got, err := c.below("/preview").post(ctx, refused, still(written))
		if err := want(got, err, http.StatusOK); err != nil {
			return err
		}
		if string(got.Settings) != refused {
			return errors.New("the preview is not the document sent")
		}
		return stored()
	})
	var revision string // of document in the history
	t.step("GET of the history begins with this write", func() error {
		got, err := c.below("/history?limit=1").get(ctx)
		if got.status == http.StatusNotFound && got.Message == "Organization settings history is not available" {
			return errNoHistory
		}
		if err := want(got, err, http.StatusOK); err != nil {
			return err
		}
		if len(got.History) != 1 || strconv.Quote(got.History[0].Revision) != written.etag {
			return fmt.Errorf("%d entries without revision %s; somebody else may have written meanwhile", len(got.History), written.etag)
		}
		revision = got.History[0].Revision
		return nil
	})
	if revision != "" {
		t.step("POST restores it, byte for byte", func() error {
			got, err := c.post(ctx, superseding, still(written))
			if err := want(got, err, http.StatusOK); err != nil {
				return err
			}
			written, err = c.below("/history/"+revision+"/restore").send(ctx, http.MethodPost, c.token, "", still(got))
			if err := want(written, err, http.StatusOK); err != nil {
				return err
			}
			return stored()
		})
	}
	switch {
	case t.failed && ctx.Err() != nil:
		return errStopped
	case t.unfit:
		return errToken
	case t.failed:
		return errFailed
	}
	return nil
}

// still returns the precondition that a is the stored state.
func still(a answer) precondition {
	if a.etag == "" {
		return precondition{"If-None-Match", "*"}
	}
	return precondition{"If-Match", a.etag}
}

// isRefusal reports whether nothing was written for certain. After another status, or none, a write may have taken
// place, or still do.
func isRefusal(status int) bool {
	return status >= 300 && status < 500 && status != http.StatusRequestTimeout
}

// want returns an error if the answer does not have the status.
func want(got answer, err error, status int) error {
	switch {
	case err != nil:
		return err
	case got.status != status:
		return fmt.Errorf("answered %v", got)
	case got.Success != (status < 300):
		return fmt.Errorf("answered %d with success %v", got.status, got.Success)
	}
	return nil
}

// trial prints a line for each step.
type trial struct {
	client *client
	out    io.Writer
	own    []string // documents that this test may have written
	failed bool
	unfit  bool // because of the token

	mayHaveWritten bool
}

func (t *trial) step(name string, do func() error) {
	if t.failed {
		return
	}
	began := time.Now()
	err := do()
	took := time.Since(began).Round(time.Millisecond)
	if errors.Is(err, errNoHistory) || errors.Is(err, errSchema) {
		fmt.Fprintf(t.out, "skip  %-44s %6v  %v\n", name, took, err)
		return
	}
	if err != nil {
		t.failed = true
		fmt.Fprintf(t.out, "FAIL  %-44s %6v  %v\n", name, took, err)
		return
	}
	fmt.Fprintf(t.out, "ok    %-44s %6v\n", name, took)
}

// restore puts the original document back, or prints it. An organization that was never written keeps an empty document.
func (t *trial) restore(ctx context.Context, before answer) error {
	ctx, cancel := context.WithTimeout(ctx, 3*t.client.http.Timeout)
	defer cancel()
	failed := t.failed
	t.failed = false
	t.step("POST puts the original document back", func() error {
		for {
			done, err := t.putBack(ctx, before)
			if done {
				return err
			}
			select {
			case <-ctx.Done():
				return err
			case <-time.After(putBackPause):
			}
		}
	})
	restored := !t.failed
	t.failed = failed
	if !restored {
		fmt.Fprintf(t.out, "The original document, ETag %s:\n%s\n", before.etag, before.Settings)
		return errors.New("the original document was not put back; it is printed above")
	}
	return nil
}

// putBack reads what is stored and replaces it by the original document. It does not replace what somebody else wrote.
// If the original document is still stored, it is written again: the new ETag keeps a write of this test that is still
// on its way from taking place. With a history, the same document is no new state; it is then superseded first. done says
// that another attempt is of no use.
func (t *trial) putBack(ctx context.Context, before answer) (done bool, err error) {
	now, err := t.client.get(ctx)
	if err = want(now, err, http.StatusOK); err != nil {
		return isRefusal(now.status) && now.status != http.StatusTooManyRequests, err
	}
	original := string(now.Settings) == string(before.Settings)
	switch {
	case original && now.etag != before.etag:
		return true, nil
	case !original && !slices.Contains(t.own, string(now.Settings)):
		return true, errForeign
	}
	got, err := t.client.post(ctx, string(before.Settings), still(now))
	err = want(got, err, http.StatusOK)
	if err == nil && original && got.etag == now.etag {
		got, err = t.client.post(ctx, t.own[0], still(now))
		return false, cmp.Or(want(got, err, http.StatusOK), errors.New("the original document is superseded and not yet put back"))
	}
	passing := got.status == http.StatusPreconditionFailed || got.status == http.StatusTooManyRequests
	return err == nil || isRefusal(got.status) && !passing, err
}
