package settings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Retries of one call after a conflict with another writer.
const (
	maxReplaceRetries = 9 // about every second put succeeds even if many write at once
	maxEditRetries    = 5
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

// Read returns the current record of the organization of user. Every member
// may read. Errors: [ErrNoOrganization], [ErrUnavailable].
func (s *Service) Read(ctx context.Context, user UserID) (Record, error) {
	m, err := s.membership(ctx, user)
	if err != nil {
		return Record{}, err
	}
	r, err := s.store.Get(ctx, m.Org)
	if err != nil {
		return Record{}, fmt.Errorf("get settings of %s: %w", m.Org, err)
	}
	traceFrom(ctx).Revision = r.Revision
	return r, nil
}

// Replace makes doc the document of the organization of user if c holds, and
// returns the record that it stored. Its revision is greater than every
// revision that the organization had before.
//
// Errors: [ErrNoOrganization], [ErrForbidden] if the role of user may not
// write, a [*ConflictError] if c does not hold, [ErrContended], [ErrUnavailable].
func (s *Service) Replace(ctx context.Context, user UserID, doc Document, c Condition) (Record, error) {
	org, err := s.writable(ctx, user)
	if err != nil {
		return Record{}, err
	}
	var stored Revision
	for range 1 + maxReplaceRetries {
		r, err := s.put(ctx, Record{Org: org, Document: doc, UpdatedBy: user}, stored, c)
		conflict, ok := errors.AsType[*ConflictError](err)
		if !ok || !c.Holds(conflict.Current.Revision) {
			return r, err
		}
		// The condition holds, but the stored revision is not lower than the new one: another writer was faster, or its
		// clock is ahead. Put again with a revision above it.
		stored = conflict.Current.Revision
	}
	return Record{}, fmt.Errorf("replace settings of %s: %w", org, ErrContended)
}

// Merge applies patch to the document of the organization of user, as [Document.Merge] does, if c holds. It returns the
// record that is stored afterwards, which is the old one if nothing changes. No change of another writer is lost.
//
// Errors: those of [Service.Replace], and a [*TooLargeError] for the result. It retries at most five times after a
// conflict with another writer; then the error is a [*ConflictError] if there is a condition, else [ErrContended].
func (s *Service) Merge(ctx context.Context, user UserID, patch Document, c Condition) (Record, error) {
	return s.edit(ctx, user, c, func(d Document) (Document, error) { return d.Merge(patch) })
}

// Remove removes keys from the document of the organization of user, as [Document.Remove] does, if c holds. Results and
// errors are those of [Service.Merge].
func (s *Service) Remove(ctx context.Context, user UserID, keys []string, c Condition) (Record, error) {
	return s.edit(ctx, user, c, func(d Document) (Document, error) { return d.Remove(keys) })
}

// edit applies change to the stored document and puts the result, if that document is still the stored one.
func (s *Service) edit(ctx context.Context, user UserID, c Condition, change func(Document) (Document, error)) (Record, error) {
	org, err := s.writable(ctx, user)
	if err != nil {
		return Record{}, err
	}
	current, err := s.store.Get(ctx, org)
	if err != nil {
		return Record{}, fmt.Errorf("get settings of %s: %w", org, err)
	}
	for retry := 0; ; retry++ {
		if !c.Holds(current.Revision) {
			return Record{}, &ConflictError{Current: current}
		}
		if retry > maxEditRetries {
			break
		}
		doc, err := change(current.Document)
		if err != nil {
			return Record{}, err
		}
		if bytes.Equal(doc.Text(), current.Document.Text()) {
			traceFrom(ctx).Revision = current.Revision
			return current, nil
		}
		r, err := s.put(ctx, Record{Org: org, Document: doc, UpdatedBy: user}, current.Revision, only(current.Revision))
		conflict, ok := errors.AsType[*ConflictError](err)
		if !ok {
			return r, err
		}
		current = conflict.Current
		if err := pause(ctx, retry); err != nil {
			return Record{}, fmt.Errorf("edit settings of %s: %w: %w", org, ErrContended, err)
		}
	}
	if c != (Condition{}) {
		return Record{}, &ConflictError{Current: current}
	}
	return Record{}, fmt.Errorf("edit settings of %s: %w", org, ErrContended)
}

// only returns the condition that r is the stored revision. An empty r means that nothing is stored.
func only(r Revision) Condition {
	if r == "" {
		return Condition{IfNoneMatch: &Revisions{Any: true}}
	}
	return Condition{IfMatch: &Revisions{Listed: []Revision{r}}}
}

// pause waits for a random time that grows with each retry, so that other writers can finish.
func pause(ctx context.Context, retry int) error {
	timer := time.NewTimer(rand.N(10 * time.Millisecond << retry))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// put completes r with a revision above stored, and stores it.
func (s *Service) put(ctx context.Context, r Record, stored Revision, c Condition) (Record, error) {
	var err error
	r.UpdatedAt = s.now()
	if r.Revision, err = nextRevision(r.UpdatedAt, stored); err != nil {
		return Record{}, err
	}
	if err := s.store.Put(ctx, r, c); err != nil {
		return Record{}, fmt.Errorf("put settings of %s: %w", r.Org, err)
	}
	traceFrom(ctx).Revision = r.Revision
	return r, nil
}

// writable returns the organization of user, or [ErrForbidden] if user may not write its settings.
func (s *Service) writable(ctx context.Context, user UserID) (OrgID, error) {
	m, err := s.membership(ctx, user)
	if err != nil {
		return "", err
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
