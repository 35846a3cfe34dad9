package settings

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// Service reads and changes the settings of the caller's organization. It is safe for concurrent use.
type Service struct {
	directory Directory
	store     Store
	now       func() time.Time
}

// New returns a Service over d and s that takes the time from now.
func New(d Directory, s Store, now func() time.Time) *Service {
	return &Service{directory: d, store: s, now: now}
}

// Read returns the current record of the organization of user. Every member may read. Errors: [ErrNoOrganization],
// [ErrUnavailable], and one without a kind if the stored text is no document.
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
// stored document loses no change of another writer; where it changes nothing, the record is the old one. After a
// conflict with another writer Write tries again, for three seconds.
//
// Errors: [ErrNoOrganization], [ErrForbidden] if the role of user may not write, a [*ConflictError] if c does not hold,
// [ErrContended], [ErrUnavailable], a [*TooLargeError] for the result, and one without a kind if the stored text is no
// document and e depends on it.
func (s *Service) Write(ctx context.Context, user UserID, e Edit, c Condition) (Record, error) {
	org, err := s.writable(ctx, user)
	if err != nil {
		return Record{}, err
	}
	return contend(ctx, c, func(current *Record) (Record, error) {
		if current == nil && e.replaces {
			current = new(Record) // need not be known
		} else if current == nil {
			read, err := s.get(ctx, org)
			if err != nil {
				return Record{}, err
			}
			current = &read
		}
		doc, err := e.of(*current, c)
		if err != nil {
			return Record{}, err
		}
		if !e.replaces && bytes.Equal(doc.Text(), current.Document.Text()) {
			traceFrom(ctx).Revision = current.Revision
			return *current, nil
		}
		r := Record{Org: org, Document: doc, UpdatedAt: s.now(), UpdatedBy: user}
		r.Revision = nextRevision(r.UpdatedAt, current.Revision)
		// Where there is no order between the two revisions, only what is known is replaced.
		ordered := current.Stored == nil || current.Revision != "" && current.Revision < r.Revision
		if e.replaces && ordered {
			return s.stored(ctx, r, func() error { return s.store.Put(ctx, r, c) })
		}
		return s.stored(ctx, r, func() error { return s.store.Swap(ctx, *current, r) })
	})
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
	r, err := s.store.Get(ctx, org)
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
	m, err := s.directory.Membership(ctx, user)
	if err != nil {
		return Membership{}, fmt.Errorf("look up membership: %w", err)
	}
	traceFrom(ctx).Org = m.Org
	return m, nil
}
