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

// Replace makes doc the document of the organization of user if c holds, and returns the record that it stored. Its
// revision is greater than every revision that the organization had before. It does not matter whether what is
// replaced is a document. After a conflict with another writer it tries again, for three seconds.
//
// Errors: [ErrNoOrganization], [ErrForbidden] if the role of user may not
// write, a [*ConflictError] if c does not hold, [ErrContended], [ErrUnavailable].
func (s *Service) Replace(ctx context.Context, user UserID, doc Document, c Condition) (Record, error) {
	org, err := s.writable(ctx, user)
	if err != nil {
		return Record{}, err
	}
	var known Record // what is stored, as far as an attempt has told
	return contend(ctx, c, func(current *Record) (Record, error) {
		if current != nil {
			known = *current
		}
		r := s.above(known, Record{Org: org, Document: doc, UpdatedBy: user})
		if known.Stored != nil && (known.Revision == "" || r.Revision < known.Revision) {
			// No order between the two: only what is known is replaced.
			return s.stored(ctx, r, func() error { return s.store.Swap(ctx, known, r) })
		}
		return s.stored(ctx, r, func() error { return s.store.Put(ctx, r, c) })
	})
}

// Merge applies patch to the document of the organization of user, as [Document.Merge] does, if c holds. It returns the
// record that is stored afterwards, which is the old one if nothing changes. No change of another writer is lost.
//
// Errors: those of [Service.Replace], a [*TooLargeError] for the result, and one without a kind if the stored text is no
// document.
func (s *Service) Merge(ctx context.Context, user UserID, patch Document, c Condition) (Record, error) {
	return s.edit(ctx, user, c, func(d Document) (Document, error) { return d.Merge(patch) })
}

// Remove removes keys from the document of the organization of user, as [Document.Remove] does, if c holds. Results and
// errors are those of [Service.Merge].
func (s *Service) Remove(ctx context.Context, user UserID, keys []string, c Condition) (Record, error) {
	return s.edit(ctx, user, c, func(d Document) (Document, error) { return d.Remove(keys) })
}

// edit applies change to the stored document and stores the result, if that document is still the stored one.
func (s *Service) edit(ctx context.Context, user UserID, c Condition, change func(Document) (Document, error)) (Record, error) {
	org, err := s.writable(ctx, user)
	if err != nil {
		return Record{}, err
	}
	return contend(ctx, c, func(current *Record) (Record, error) {
		if current == nil {
			read, err := s.get(ctx, org)
			if err != nil {
				return Record{}, err
			}
			current = &read
		}
		if !c.Holds(*current) {
			return Record{}, &ConflictError{Current: *current}
		}
		if current.Corrupt != nil {
			return Record{}, current.Corrupt
		}
		doc, err := change(current.Document)
		if err != nil {
			return Record{}, err
		}
		if bytes.Equal(doc.Text(), current.Document.Text()) {
			traceFrom(ctx).Revision = current.Revision
			return *current, nil
		}
		r := s.above(*current, Record{Org: org, Document: doc, UpdatedBy: user})
		return s.stored(ctx, r, func() error { return s.store.Swap(ctx, *current, r) })
	})
}

// above completes r with the time and a revision above that of known.
func (s *Service) above(known, r Record) Record {
	r.UpdatedAt = s.now()
	r.Revision = nextRevision(r.UpdatedAt, known.Revision)
	return r
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
