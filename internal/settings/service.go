package settings

import (
	"context"
	"fmt"
	"time"
)

// Config says what a [Service] works with.
type Config struct {
	Directory Directory
	Store     Store
	Now       func() time.Time

	Archive   Archive       // nil: there is no history
	Retention time.Duration // how long superseded states are kept; zero: for ever

	RequireCondition bool // refuse writes without a condition

	Schema Schema // nil: a document may be any JSON object
}

// Service reads and changes the settings of the caller's organization. It is safe for concurrent use.
type Service struct {
	Config
}

// New returns a Service as c says.
func New(c Config) *Service { return &Service{c} }

// Read returns the current record of the organization of user. Every member may read. Errors: [ErrNoOrganization],
// [ErrUnavailable], and a [*CorruptError] if the stored text is no document.
func (s *Service) Read(ctx context.Context, user UserID) (Record, error) {
	m, err := s.membership(ctx, user)
	if err != nil {
		return Record{}, err
	}
	r, err := s.get(ctx, m.Org)
	if err != nil {
		return Record{}, err
	}
	traceFrom(ctx).Revision = r.Revision
	return r, r.Corrupt
}

// Write changes the document of the organization of user as e says, if c holds, and returns the record that is stored
// afterwards. Its revision is greater than every revision that the organization had before. An edit that depends on the
// stored document loses no change of another writer. Where nothing changes, the record is the old one; without an
// archive, a replacement does not find that out. After a conflict with another writer Write tries again, for three
// seconds.
//
// Errors: [ErrNoOrganization], [ErrForbidden] if the role of user may not write, a [*ConflictError] if c does not hold, an
// [*UnconditionalError], [ErrContended], [ErrUnavailable], a [*TooLargeError] for the result, an [*InvalidError] if the
// result violates the schema, and a [*CorruptError] if the stored text is no document and e depends on it.
func (s *Service) Write(ctx context.Context, user UserID, e Edit, c Condition) (Record, error) {
	org, err := s.writable(ctx, user)
	if err != nil {
		return Record{}, err
	}
	return s.write(ctx, org, user, e, c)
}

func (s *Service) write(ctx context.Context, org OrgID, user UserID, e Edit, c Condition) (Record, error) {
	if err := s.admit(ctx, org, e, c); err != nil {
		return Record{}, err
	}
	blind := e.replaces && s.Archive == nil // what is stored need not be known: Put checks c
	return contend(ctx, c, func(current *Record) (Record, error) {
		switch {
		case current != nil:
		case blind:
			current = new(Record)
		default:
			read, err := s.get(ctx, org)
			if err != nil {
				return Record{}, err
			}
			current = &read
		}
		if !blind && !c.Holds(*current) {
			return Record{}, &ConflictError{Current: *current}
		}
		doc, err := s.result(e, *current)
		if err != nil {
			return Record{}, err
		}
		if !blind && e.keeps(*current, doc) {
			err := s.stamp(ctx, current)
			traceFrom(ctx).Revision = current.Revision
			return *current, err
		}
		r := Record{Org: org, Document: doc, UpdatedAt: s.Now(), UpdatedBy: user, RestoredFrom: e.restores}
		if s.Archive == nil {
			r.Revision = nextRevision(r.UpdatedAt, current.Revision)
			return s.stored(ctx, r, func() error { return s.replace(ctx, *current, r, blind, c) })
		}
		r.First = current.Stored == nil
		newest := current.Revision
		if r.First {
			newest, err = s.newest(ctx, org) // of settings that somebody has deleted
		} else if err = s.keep(ctx, current); err == nil {
			r.Previous, newest = current.Revision, current.Revision
		}
		if err != nil {
			return Record{}, err
		}
		r.Revision = nextRevision(r.UpdatedAt, newest)
		return s.stored(ctx, r, func() error { return s.supersede(ctx, *current, r) })
	})
}

// result returns the document that e makes of current, if the schema allows it. [Service.admit] has checked a replacement.
func (s *Service) result(e Edit, current Record) (Document, error) {
	doc, err := e.of(current)
	if err == nil && !e.replaces {
		err = s.obey(doc)
	}
	return doc, err
}

// replace stores r without an archive.
func (s *Service) replace(ctx context.Context, current, r Record, blind bool, c Condition) error {
	// Where there is no order between the two revisions, only what is known is replaced.
	if ordered := current.Stored == nil || current.Revision != "" && current.Revision < r.Revision; blind && ordered {
		return s.Store.Put(ctx, r, c)
	}
	return s.Store.Swap(ctx, current, r)
}

// admit returns an error if a write is refused whatever is stored: an [*InvalidError] if e is a replacement that violates
// the schema, an [*UnconditionalError] if c has to state something and does not.
func (s *Service) admit(ctx context.Context, org OrgID, e Edit, c Condition) error {
	if e.replaces {
		if doc, err := e.apply(Document{}); err != nil {
			return err
		} else if err := s.obey(doc); err != nil {
			return err
		}
	}
	if !s.RequireCondition || c != (Condition{}) {
		return nil
	}
	current, err := s.get(ctx, org)
	if err != nil {
		return err
	}
	return &UnconditionalError{Current: current}
}

// stored returns r after write has stored it.
func (s *Service) stored(ctx context.Context, r Record, write func() error) (Record, error) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < attemptTime {
		return Record{}, errLate
	}
	if err := write(); err != nil {
		return Record{}, fmt.Errorf("put settings of %s: %w", r.Org, err)
	}
	traceFrom(ctx).Revision = r.Revision
	return r, nil
}

func (s *Service) get(ctx context.Context, org OrgID) (Record, error) {
	r, err := s.Store.Get(ctx, org)
	if err != nil {
		return Record{}, fmt.Errorf("get settings of %s: %w", org, err)
	}
	return r, nil
}

// writable returns the organization of user, or [ErrForbidden] if user may not write its settings.
func (s *Service) writable(ctx context.Context, user UserID) (OrgID, error) {
	m, err := s.membership(ctx, user)
	if err != nil {
		return "", err
	}
	if m.RoleError != nil {
		return "", fmt.Errorf("%w: %w", ErrForbidden, m.RoleError)
	}
	if !m.Role.CanModify() {
		return "", fmt.Errorf("%w: %s", ErrForbidden, m.Role)
	}
	return m.Org, nil
}

func (s *Service) membership(ctx context.Context, user UserID) (Membership, error) {
	m, err := s.Directory.Membership(ctx, user)
	if err != nil {
		return Membership{}, fmt.Errorf("look up membership: %w", err)
	}
	traceFrom(ctx).Org = m.Org
	return m, nil
}
