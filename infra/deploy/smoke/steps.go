package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// errFailed says that a step failed. The line of the step says why.
var errFailed = errors.New("the service does not keep its contract")

// try takes the steps in order and stops at the first that fails. After the first write it always puts the
// original document back.
func try(ctx context.Context, c *client, out io.Writer) (err error) {
	t := &trial{client: c, out: out}
	var before, written answer
	// Decoding and encoding would change the number text, the key order or the empty name.
	// The time makes the document different in every run.
	document := `{"smoke":` + strconv.FormatInt(time.Now().UnixNano(), 10) + `,"":1.0,"b":1e400,"a":"ü"}`

	t.step("GET reads the document", func() error {
		before, err = c.get(ctx)
		return want(before, err, http.StatusOK)
	})
	if !t.failed {
		defer func() { err = errors.Join(err, t.restore(context.WithoutCancel(ctx), before, written.etag)) }()
	}
	t.step("POST replaces it", func() error {
		written, err = c.post(ctx, document, "")
		if err := want(written, err, http.StatusOK); err != nil {
			return err
		}
		if written.etag == "" {
			return errors.New("answered without an ETag")
		}
		return nil
	})
	t.step("GET returns it, byte for byte", func() error {
		got, err := c.get(ctx)
		switch {
		case err != nil || got.status != http.StatusOK:
			return want(got, err, http.StatusOK)
		case string(got.Settings) != document:
			return fmt.Errorf("got %d bytes that differ from the %d bytes sent", len(got.Settings), len(document))
		case got.etag != written.etag:
			return fmt.Errorf("ETag %s, the write had %s", got.etag, written.etag)
		}
		return nil
	})
	t.step("POST with a stale If-Match is refused: 412", func() error {
		got, err := c.post(ctx, `{"smoke":"must not be written"}`, `"stale"`)
		return want(got, err, http.StatusPreconditionFailed)
	})
	t.step("POST with the current If-Match succeeds", func() error {
		got, err := c.post(ctx, document, written.etag)
		if err == nil && got.status == http.StatusOK {
			written = got
		}
		return want(got, err, http.StatusOK)
	})
	t.step("POST with a refused token: 401", func() error {
		got, err := c.send(ctx, http.MethodPost, "not.a.token", `{"settings":{"smoke":"must not be written"}}`, "")
		return want(got, err, http.StatusUnauthorized)
	})
	if t.failed {
		return errFailed
	}
	return nil
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
	failed bool
}

func (t *trial) step(name string, do func() error) {
	if t.failed {
		return
	}
	began := time.Now()
	err := do()
	took := time.Since(began).Round(time.Millisecond)
	if err != nil {
		t.failed = true
		fmt.Fprintf(t.out, "FAIL  %-44s %6v  %v\n", name, took, err)
		return
	}
	fmt.Fprintf(t.out, "ok    %-44s %6v\n", name, took)
}

// restore writes the original document back, if the ETag is still current, the one of the last write: it
// does not overwrite what somebody else wrote meanwhile. An organization that was never written keeps an
// empty document.
func (t *trial) restore(ctx context.Context, before answer, current string) error {
	if current == "" {
		return nil // no write was answered
	}
	failed := t.failed
	t.failed = false
	t.step("POST puts the original document back", func() error {
		got, err := t.client.post(ctx, string(before.Settings), current)
		return want(got, err, http.StatusOK)
	})
	restored := !t.failed
	t.failed = failed
	if !restored {
		return errors.New("the original document was not put back")
	}
	return nil
}
