package settings_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"orgsettings/internal/settings"
)

// directory and store inject what a database may answer.
type directory func(settings.UserID) (settings.Membership, error)

func (f directory) Membership(_ context.Context, u settings.UserID) (settings.Membership, error) {
	return f(u)
}

type store struct {
	get  func(settings.OrgID) (settings.Record, error)
	put  func(settings.Record, settings.Condition) error
	swap func(old, r settings.Record) error
}

func (s store) Get(_ context.Context, o settings.OrgID) (settings.Record, error) { return s.get(o) }
func (s store) Put(_ context.Context, r settings.Record, c settings.Condition) error {
	return s.put(r, c)
}
func (s store) Swap(_ context.Context, old, r settings.Record) error { return s.swap(old, r) }

func member(role settings.Role) directory {
	return func(settings.UserID) (settings.Membership, error) {
		return settings.Membership{Org: "acme", Role: role}, nil
	}
}

func (store) Stamp(context.Context, settings.Record, settings.Revision) (settings.Record, error) {
	panic("nothing is archived")
}

func newService(role settings.Role, s store, now func() time.Time) *settings.Service {
	return settings.New(settings.Config{Directory: member(role), Store: s, Now: now})
}

func at(unix int64) func() time.Time { return func() time.Time { return time.Unix(unix, 0) } }

func TestReplaceDemandsARole(t *testing.T) {
	t.Parallel()
	for role, allowed := range map[settings.Role]bool{
		settings.RoleUser: false, settings.RoleBilling: false, settings.RoleWorkspaces: false, 0xfd: false, 0x100: false, -2: false,
		settings.RoleAdministrator: true, settings.RoleOwner: true, settings.RoleUnrecorded: true,
	} {
		puts := 0
		s := newService(role, store{put: func(settings.Record, settings.Condition) error { puts++; return nil }}, time.Now)
		_, err := s.Write(t.Context(), "u", settings.Replacement(settings.Document{}), settings.Condition{})
		if got := err == nil; got != allowed {
			t.Errorf("%v: error %v, want allowed = %v", role, err, allowed)
		}
		if !allowed && (puts > 0 || !errors.Is(err, settings.ErrForbidden)) {
			t.Errorf("%v: %d puts, error %v", role, puts, err)
		}
	}
}

// A writer whose clock is behind puts above what is stored, at most a few times.
func TestReplacePutsAboveANewerRevision(t *testing.T) {
	t.Parallel()
	const stored = settings.Revision("01KDXZT9JE0000000000000000")
	var tried []settings.Revision
	s := newService(settings.RoleOwner, store{put: func(r settings.Record, _ settings.Condition) error {
		tried = append(tried, r.Revision)
		if r.Revision <= stored {
			return &settings.ConflictError{Current: settings.Record{Revision: stored, Stored: true}}
		}
		return nil
	}}, at(1000))
	r, err := s.Write(t.Context(), "u", settings.Replacement(settings.Document{}), settings.Condition{})
	if err != nil {
		t.Fatal(err)
	}
	if len(tried) != 2 || r.Revision <= stored || tried[1] != r.Revision {
		t.Errorf("tried %q and returned %q", tried, r.Revision)
	}
	if r.Org != "acme" || r.UpdatedBy != "u" || !r.UpdatedAt.Equal(time.Unix(1000, 0)) {
		t.Errorf("stored %+v", r)
	}
}

// Where the condition does not hold, nothing is put again.
func TestReplaceReportsAConflict(t *testing.T) {
	t.Parallel()
	current := settings.Record{Org: "acme", Revision: "01KDXZT9JE0000000000000000", Stored: true}
	puts := 0
	s := newService(settings.RoleOwner, store{put: func(settings.Record, settings.Condition) error {
		puts++
		return &settings.ConflictError{Current: current}
	}}, time.Now)
	_, err := s.Write(t.Context(), "u", settings.Replacement(settings.Document{}), settings.Condition{IfNoneMatch: &settings.Revisions{Any: true}})
	var conflict *settings.ConflictError
	if !errors.As(err, &conflict) || conflict.Current.Revision != current.Revision || puts != 1 {
		t.Errorf("after %d puts: %v, want a ConflictError with the stored revision", puts, err)
	}
}

func TestConditionHolds(t *testing.T) {
	t.Parallel()
	list := func(rs ...settings.Revision) *settings.Revisions { return &settings.Revisions{Listed: rs} }
	anything := &settings.Revisions{Any: true}
	records := map[string]settings.Record{
		"never written": {}, "a": {Revision: "a", Stored: true}, "b": {Revision: "b", Stored: true}, "other": {Stored: true},
	}
	for _, tt := range []struct {
		name  string
		c     settings.Condition
		holds []string // of the records
	}{
		{"none", settings.Condition{}, []string{"never written", "a", "b", "other"}},
		{"match a", settings.Condition{IfMatch: list("a")}, []string{"a"}},
		{"match a or b", settings.Condition{IfMatch: list("a", "b")}, []string{"a", "b"}},
		{"match nothing", settings.Condition{IfMatch: list()}, nil},
		{"match any", settings.Condition{IfMatch: anything}, []string{"a", "b", "other"}},
		{"none match a", settings.Condition{IfNoneMatch: list("a")}, []string{"never written", "b", "other"}},
		{"none match nothing", settings.Condition{IfNoneMatch: list()}, []string{"never written", "a", "b", "other"}},
		{"none match any", settings.Condition{IfNoneMatch: anything}, []string{"never written"}},
		{"match any but a", settings.Condition{IfMatch: anything, IfNoneMatch: list("a")}, []string{"b", "other"}},
		{"contradiction", settings.Condition{IfMatch: list("a"), IfNoneMatch: anything}, nil},
	} {
		for name, r := range records {
			if got, want := tt.c.Holds(r), slices.Contains(tt.holds, name); got != want {
				t.Errorf("%s holds for %s = %v, want %v", tt.name, name, got, want)
			}
		}
	}
}
