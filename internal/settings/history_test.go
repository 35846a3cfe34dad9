package settings_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"orgsettings/internal/settings"
)

// archived is a store of one organization with its archive, whose calls may fail before or after they take place.
type archived struct {
	current settings.Record
	kept    []settings.Record       // newest first
	fault   func(call string) error // such as "before swap"; nil: there are none
}

func (a *archived) do(call string, f func() error) error {
	fault := a.fault
	if fault == nil {
		return f()
	}
	if err := fault("before " + call); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	return fault("after " + call)
}

func (a *archived) Get(context.Context, settings.OrgID) (r settings.Record, err error) {
	err = a.do("get", func() error { r = a.current; return nil })
	return r, err
}

func (a *archived) Put(context.Context, settings.Record, settings.Condition) error {
	return errors.New("with an archive nothing is put blindly")
}

func (a *archived) Swap(_ context.Context, old, r settings.Record) error {
	return a.do("swap", func() error {
		if a.current.Revision != old.Revision && a.current.Revision != r.Revision {
			return &settings.ConflictError{Current: a.current}
		}
		a.current = r
		a.current.Stored = true
		return nil
	})
}

func (a *archived) Stamp(_ context.Context, old settings.Record, r settings.Revision) (settings.Record, error) {
	old.Revision = r
	return old, a.do("stamp", func() error { a.current = old; return nil })
}

func (a *archived) Keep(_ context.Context, old settings.Record, _ time.Time) error {
	return a.do("keep", func() error {
		a.kept = slices.DeleteFunc(a.kept, func(r settings.Record) bool { return r.Revision == old.Revision })
		a.kept = append(a.kept, old)
		slices.SortFunc(a.kept, func(x, y settings.Record) int { return strings.Compare(string(y.Revision), string(x.Revision)) })
		return nil
	})
}

func (a *archived) Has(_ context.Context, _ settings.OrgID, r settings.Revision) (has bool, err error) {
	err = a.do("has", func() error {
		has = slices.ContainsFunc(a.kept, func(k settings.Record) bool { return k.Revision == r })
		return nil
	})
	return has, err
}

func (a *archived) Find(_ context.Context, _ settings.OrgID, r settings.Revision) ([]settings.Record, error) {
	i := slices.IndexFunc(a.kept, func(k settings.Record) bool { return k.Revision <= r })
	if i < 0 {
		return nil, nil
	}
	return a.kept[i:min(i+2, len(a.kept))], nil
}

func (a *archived) List(_ context.Context, _ settings.OrgID, before settings.Revision, limit int) (found []settings.Record, more bool, err error) {
	for _, r := range a.kept {
		if (before == "" || r.Revision < before) && len(found) < limit {
			found = append(found, r)
		}
	}
	return found, false, nil
}

func (a *archived) service() *settings.Service {
	return settings.New(settings.Config{Directory: member(settings.RoleOwner), Store: a, Archive: a, Now: time.Now})
}

func (a *archived) write(t *testing.T, text string) (settings.Record, error) {
	t.Helper()
	return a.service().Write(t.Context(), "u", settings.Replacement(document(text)), settings.Condition{})
}

// history returns the documents of the history, newest first.
func (a *archived) history(t *testing.T) string {
	t.Helper()
	var all []string
	for before := settings.Revision(""); ; {
		page, next, err := a.service().History(t.Context(), "u", before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			all = append(all, strings.Trim(string(r.Document.Text()), `{"n:}`))
		}
		if next == "" {
			return strings.Join(all, " ")
		}
		before = next
	}
}

var errDown = fmt.Errorf("%w: down", settings.ErrUnavailable)

// Wherever a write ends, the history has each state once, and what was answered is in it.
func TestWritesThatEnd(t *testing.T) {
	t.Parallel()
	for end, want := range map[string]string{
		"before get": "1", "before keep": "1", "after keep": "1", "before swap": "1", "after swap": "2 1",
	} {
		var a archived
		if _, err := a.write(t, `{"n":1}`); err != nil {
			t.Fatal(err)
		}
		a.fault = func(call string) error {
			if call == end {
				return errDown
			}
			return nil
		}
		if _, err := a.write(t, `{"n":2}`); !errors.Is(err, settings.ErrUnavailable) {
			t.Errorf("%s: %v, want an outage", end, err)
		}
		a.fault = nil
		if got := a.history(t); got != want {
			t.Errorf("%s: history %s, want %s", end, got, want)
		}
		if _, err := a.write(t, `{"n":3}`); err != nil {
			t.Fatal(err)
		}
		if got := a.history(t); got != "3 "+want {
			t.Errorf("%s, and another write: history %s, want 3 %s", end, got, want)
		}
	}
}

// A write that somebody has superseded before its answer came has succeeded, and is not stored again. One that somebody
// has overtaken is.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]string{"after swap": "3 2 1", "before swap": "2 3 1"} {
		var a archived
		if _, err := a.write(t, `{"n":1}`); err != nil {
			t.Fatal(err)
		}
		a.fault = func(call string) error {
			if call != when {
				return nil
			}
			a.fault = nil
			if _, err := a.write(t, `{"n":3}`); err != nil {
				t.Error(err)
			}
			return &settings.ConflictError{Current: a.current} // as the repeated attempt has it
		}
		r, err := a.write(t, `{"n":2}`)
		if got := a.history(t); err != nil || got != want {
			t.Errorf("somebody writes %s: %v, history %s, want %s", when, err, got, want)
		}
		if _, _, err := a.service().Revision(t.Context(), "u", r.Revision); err != nil {
			t.Errorf("somebody writes %s: the answered revision: %v", when, err)
		}
	}
}
