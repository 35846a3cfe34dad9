package settings_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"orgsettings/internal/settings"
)

// distant is a directory, a store and an archive of one organization, five milliseconds away.
type distant struct {
	settings.Archive // for what a write does not call
	keepsHistory     bool

	mu     sync.Mutex
	record settings.Record
	kept   map[settings.Revision]bool
	calls  int
}

// call runs f at the other end.
func (d *distant) call(f func()) {
	way := func() { time.Sleep(2*time.Millisecond + rand.N(time.Millisecond)) }
	way()
	defer way()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	f()
}

func (d *distant) Membership(context.Context, settings.UserID) (m settings.Membership, err error) {
	d.call(func() { m = settings.Membership{Org: "acme", Role: settings.RoleOwner} })
	return m, nil
}

func (d *distant) Get(context.Context, settings.OrgID) (r settings.Record, err error) {
	d.call(func() { r = d.record })
	return r, nil
}

func (d *distant) Put(_ context.Context, r settings.Record, c settings.Condition) error {
	return d.write(r, func() bool { return c.Holds(d.record) && d.record.Revision < r.Revision })
}

func (d *distant) Swap(_ context.Context, old, r settings.Record) error {
	return d.write(r, func() bool { return d.record.Revision == old.Revision })
}

func (d *distant) Stamp(context.Context, settings.Record, settings.Revision) (settings.Record, error) {
	panic("every record has a revision")
}

func (d *distant) Keep(_ context.Context, old settings.Record, _ time.Time) error {
	d.call(func() {
		if d.kept == nil {
			d.kept = make(map[settings.Revision]bool)
		}
		d.kept[old.Revision] = true
	})
	return nil
}

func (d *distant) Has(_ context.Context, _ settings.OrgID, r settings.Revision) (has bool, err error) {
	d.call(func() { has = d.kept[r] })
	return has, nil
}

func (d *distant) List(context.Context, settings.OrgID, settings.Revision, int) ([]settings.Record, bool, error) {
	d.call(func() {}) // only asked for before the first write
	return nil, false, nil
}

func (d *distant) write(r settings.Record, allowed func() bool) (err error) {
	d.call(func() {
		if !allowed() {
			err = &settings.ConflictError{Current: d.record}
			return
		}
		d.record = r
		d.record.Stored = true
	})
	return err
}

func (d *distant) merge(ctx context.Context, key int) error {
	c := settings.Config{Directory: d, Store: d, Now: time.Now}
	if d.keepsHistory {
		c.Archive = d
	}
	_, err := settings.New(c).Write(ctx, "u", settings.MergePatch(document(fmt.Sprintf(`{"key-%d":1}`, key))), settings.Condition{})
	return err
}

// Writers of different keys at once all get through within three seconds, and no key is lost. They send fewer requests
// than writers that never wait, of which each sends one for every other writer.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		keepsHistory bool
		writers      []int
		most         int // calls of the database for each writer
	}{
		{false, []int{1, 2, 4, 8, 16, 32, 64, 128}, 60},
		{true, []int{1, 2, 4, 8, 16, 32, 64}, 90}, // each attempt takes up to three calls instead of one
	} {
		for _, writers := range c.writers {
			synctest.Test(t, func(t *testing.T) {
				d := distant{keepsHistory: c.keepsHistory}
				began := time.Now()
				var wg sync.WaitGroup
				for n := range writers {
					wg.Go(func() {
						if err := d.merge(t.Context(), n); err != nil {
							t.Errorf("%d writers: %v", writers, err)
						}
					})
				}
				wg.Wait()
				if keys := strings.Count(string(d.record.Document.Text()), "key-"); keys != writers {
					t.Errorf("%d writers: %d keys", writers, keys)
				}
				if c.keepsHistory && len(d.kept) != writers-1 {
					t.Errorf("%d writers: %d states are archived", writers, len(d.kept))
				}
				t.Logf("%3d writers, history %v: %4v, %.1f calls of the database each", writers, c.keepsHistory, time.Since(began).Round(time.Millisecond), float64(d.calls)/float64(writers))
				if d.calls > c.most*writers {
					t.Errorf("%d writers: %d calls of the database", writers, d.calls)
				}
			})
		}
	}
}

// One that merges gets through beside eight that replace without end.
func TestMergeBesideReplacers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var d distant
		s := settings.New(settings.Config{Directory: &d, Store: &d, Now: time.Now})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for ctx.Err() == nil {
					if _, err := s.Write(t.Context(), "u", settings.Replacement(settings.Document{}), settings.Condition{}); err != nil {
						t.Error(err)
					}
					time.Sleep(rand.N(20 * time.Millisecond)) // gateway and client
				}
			})
		}
		began := time.Now()
		for n := range 15 {
			if err := d.merge(t.Context(), n); err != nil {
				t.Errorf("merge %d: %v", n, err)
			}
		}
		t.Logf("15 merges in %v", time.Since(began))
		cancel()
		wg.Wait()
	})
}

// A write that always loses is given up when three seconds are over, or earlier where the call ends: no attempt begins
// that could not be finished. What it lost is not its condition, which holds.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	for _, within := range []time.Duration{time.Minute, 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var last time.Time
			lose := func(r settings.Record) error {
				time.Sleep(5 * time.Millisecond)
				last = time.Now()
				return &settings.ConflictError{Current: settings.Record{Revision: r.Revision, Stored: true}}
			}
			s := newService(settings.RoleOwner, store{
				get:  func(settings.OrgID) (settings.Record, error) { return settings.Record{Stored: true}, nil },
				put:  func(r settings.Record, _ settings.Condition) error { return lose(r) },
				swap: func(_, r settings.Record) error { return lose(r) },
			}, time.Now)
			anything := settings.Condition{IfMatch: &settings.Revisions{Any: true}}
			for name, write := range map[string]func(context.Context) error{
				"replace": func(ctx context.Context) error {
					_, err := s.Write(ctx, "u", settings.Replacement(settings.Document{}), anything)
					return err
				},
				"merge": func(ctx context.Context) error {
					_, err := s.Write(ctx, "u", settings.MergePatch(document(`{"a":1}`)), anything)
					return err
				},
			} {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), within)
				err := write(ctx)
				took, begun := time.Since(began), last.Sub(began)
				cancel()
				if conflict := new(settings.ConflictError); !errors.Is(err, settings.ErrContended) || errors.Is(err, settings.ErrUnavailable) || errors.As(err, &conflict) {
					t.Errorf("%s within %v: %v, want ErrContended alone", name, within, err)
				}
				if most := min(within-800*time.Millisecond, 3010*time.Millisecond); took > most+100*time.Millisecond || begun > most || took < most-300*time.Millisecond {
					t.Errorf("%s within %v: the last attempt ended after %v, the call after %v", name, within, begun, took)
				}
			}
		})
	}
}

// A call that has too little time left does not begin to write.
func TestTooLateToWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var d distant
		if err := d.merge(ctx, 1); !errors.Is(err, settings.ErrUnavailable) || d.record.Stored != nil {
			t.Errorf("error %v, stored %v", err, d.record)
		}
	})
}
