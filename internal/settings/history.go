package settings

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A write archives what it supersedes before it is gone: current state, copy in the archive, new state. Whatever fails in
// between leaves a copy of the current state in the archive, which readers know by its revision. So the history is the
// current state and what the archive has below it.

// History returns one page of the history of the organization of user, newest first: at most limit states without their
// documents, with revisions below before unless that is empty. If next is not empty, there are older ones, below next. A
// page may be shorter than limit, or empty. The current state may have no revision.
//
// Errors: [ErrNoHistory], [ErrNoOrganization], [ErrForbiddenHistory] if the role of user may not write, [ErrUnavailable].
func (s *Service) History(ctx context.Context, user UserID, before Revision, limit int) (page []Record, next Revision, err error) {
	org, err := s.historyOf(ctx, user)
	if err != nil {
		return nil, "", err
	}
	return s.history(ctx, org, before, limit)
}

func (s *Service) history(ctx context.Context, org OrgID, before Revision, limit int) (page []Record, next Revision, err error) {
	// First, so that what is superseded meanwhile is not missing.
	current, err := s.get(ctx, org)
	if err != nil {
		return nil, "", err
	}
	nameless := current.Stored != nil && current.Revision == ""
	below := before
	if current.Stored != nil && (before == "" || !nameless && current.Revision < before) {
		page = append(page, current)
		below = current.Revision
	}
	older, more, err := s.Archive.List(ctx, org, below, limit-len(page)+1)
	if err != nil {
		return nil, "", fmt.Errorf("list history of %s: %w", org, err)
	}
	if nameless { // it may be among the older ones by now, under a revision
		if now, err := s.get(ctx, org); err != nil {
			return nil, "", err
		} else if now.Revision != "" {
			return s.history(ctx, org, before, limit)
		}
	}
	var hidden Revision
	if room := limit - len(page); len(older) > room {
		hidden, older, more = older[room].Revision, older[:room], true
	}
	switch {
	case !more:
	case len(older) > 0:
		next = older[len(older)-1].Revision
	case below != "":
		next = below
	default: // the page is the current state, which has no revision
		next = hidden.plus(1)
	}
	for _, r := range older {
		if !s.expired(r) {
			page = append(page, r)
		}
	}
	return page, next, nil
}

// Revision returns the state with revision r of the organization of user, and what it changed: nil if the state that it
// superseded is gone or is no document.
//
// Errors: those of [Service.History], [ErrNoRevision], and a [*CorruptError] if the stored text is no document.
func (s *Service) Revision(ctx context.Context, user UserID, r Revision) (Record, *Changes, error) {
	org, err := s.historyOf(ctx, user)
	if err != nil {
		return Record{}, nil, err
	}
	found, previous, err := s.find(ctx, org, r)
	switch {
	case err != nil:
		return Record{}, nil, err
	case found.First:
		previous = Record{}
	case previous.Stored == nil || previous.Corrupt != nil:
		return found, nil, nil
	}
	changes, err := Diff(previous.Document, found.Document)
	return found, changes, err
}

// Restore makes the document of revision r the current one, as a new revision, if c holds. Results and errors are those
// of [Service.Write] and [Service.Revision].
func (s *Service) Restore(ctx context.Context, user UserID, r Revision, c Condition) (Record, error) {
	org, err := s.historyOf(ctx, user)
	if err != nil {
		return Record{}, err
	}
	found, _, err := s.find(ctx, org, r)
	if corrupt, ok := errors.AsType[*CorruptError](err); ok {
		if large, ok := errors.AsType[*TooLargeError](corrupt.Cause); ok {
			err = large // a document of a deployment with another limit
		}
	}
	if err != nil {
		return Record{}, err
	}
	e := Replacement(found.Document)
	e.restores = r
	return s.write(ctx, org, user, e, c)
}

// historyOf returns the organization of user, whose history user may read.
func (s *Service) historyOf(ctx context.Context, user UserID) (OrgID, error) {
	if s.Archive == nil {
		return "", ErrNoHistory
	}
	org, err := s.writable(ctx, user)
	if errors.Is(err, ErrForbidden) {
		err = fmt.Errorf("%w: %w", ErrForbiddenHistory, err)
	}
	return org, err
}

// find returns the state of org with revision r, and the one before it as far as the archive has it. The empty revision is
// none.
func (s *Service) find(ctx context.Context, org OrgID, r Revision) (found, previous Record, err error) {
	if r == "" {
		return Record{}, Record{}, ErrNoRevision
	}
	current, err := s.get(ctx, org)
	if err != nil {
		return Record{}, Record{}, err
	}
	records, err := s.archived(ctx, org, r)
	if err != nil {
		return Record{}, Record{}, err
	}
	if current.Revision == r {
		found = current
	} else if found = record(records, r); found.Stored == nil {
		return Record{}, Record{}, fmt.Errorf("%w: %s", ErrNoRevision, r)
	}
	traceFrom(ctx).Revision = r
	if found.Corrupt != nil {
		return found, Record{}, found.Corrupt
	}
	previous = record(records, found.Previous)
	if found.Previous != "" && previous.Stored == nil { // not the next one below, if others have put items between them
		records, err = s.archived(ctx, org, found.Previous)
		previous = record(records, found.Previous)
	}
	return found, previous, err
}

// archived returns the newest records of org with a revision of at most r, two at most, whose time is not over.
func (s *Service) archived(ctx context.Context, org OrgID, r Revision) ([]Record, error) {
	records, err := s.Archive.Find(ctx, org, r)
	if err != nil {
		return nil, fmt.Errorf("find revision %s of %s: %w", r, org, err)
	}
	return slices.DeleteFunc(records, s.expired), nil
}

// record returns the one of records with revision r, or none.
func record(records []Record, r Revision) Record {
	for _, candidate := range records {
		if candidate.Revision == r {
			return candidate
		}
	}
	return Record{}
}

// expired says whether the time of r in the archive is over. The database deletes it some days later.
func (s *Service) expired(r Record) bool { return !r.Expires.IsZero() && !s.Now().Before(r.Expires) }

// keep puts current into the archive. Without a revision it gets one first: two writers must not archive it twice.
func (s *Service) keep(ctx context.Context, current *Record) error {
	if err := s.stamp(ctx, current); err != nil {
		return err
	}
	var expires time.Time
	if s.Retention > 0 {
		expires = s.Now().Add(s.Retention)
		if by := current.UpdatedAt.Add(s.Retention); by.After(expires) {
			expires = by // this clock is behind
		}
	}
	if err := s.Archive.Keep(ctx, *current, expires); err != nil {
		return fmt.Errorf("archive settings of %s: %w", current.Org, err)
	}
	return nil
}

// stamp gives current a revision above those of the archive, if it is stored without one.
func (s *Service) stamp(ctx context.Context, current *Record) error {
	if current.Stored == nil || current.Revision != "" {
		return nil
	}
	newest, err := s.newest(ctx, current.Org)
	if err != nil {
		return err
	}
	if *current, err = s.Store.Stamp(ctx, *current, nextRevision(s.Now(), newest)); err != nil {
		return fmt.Errorf("put a revision on settings of %s: %w", current.Org, err)
	}
	return nil
}

// newest returns the newest revision of org in the archive; empty: there is none.
func (s *Service) newest(ctx context.Context, org OrgID) (Revision, error) {
	if s.Archive == nil {
		return "", nil
	}
	list, _, err := s.Archive.List(ctx, org, "", 1)
	if err != nil {
		return "", fmt.Errorf("list history of %s: %w", org, err)
	}
	if len(list) == 0 {
		return "", nil
	}
	return list[0].Revision, nil
}

// supersede stores r in place of current, which is in the archive.
func (s *Service) supersede(ctx context.Context, current, r Record) error {
	err := s.Store.Swap(ctx, current, r)
	if _, lost := errors.AsType[*ConflictError](err); !lost {
		return err
	}
	// An earlier attempt may have succeeded without an answer, and others may have written since.
	switch archived, err := s.Archive.Has(ctx, r.Org, r.Revision); {
	case err != nil:
		return fmt.Errorf("look for revision %s in the archive: %w", r.Revision, err)
	case archived:
		return nil
	}
	return err
}
