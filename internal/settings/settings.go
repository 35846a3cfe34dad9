// Package settings is the domain: what a settings document is, who may read
// and change it, and what a revision of it means.
//
// It owns the rules and the interfaces that it needs: [Directory], [Store] and [Archive]. It knows nothing of HTTP, tokens
// or databases.
package settings

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// UserID identifies a caller: the user claim of a verified token.
type UserID string

// OrgID identifies an organization. It comes only from a [Membership]: no request can name one.
type OrgID string

// Membership is what the directory records of one user.
type Membership struct {
	Org       OrgID
	Role      Role
	RoleError error // why the recorded role cannot be read; the user may then not write
}

// Record is one state of an organization's settings as it is stored: the current one or, in the archive, a superseded
// one. Other programs write records too, which may lack anything but Stored.
type Record struct {
	Org       OrgID
	Document  Document
	Corrupt   error     // a [*CorruptError] if the stored text is no document; nil: Document is what is stored
	Revision  Revision  // empty: nothing is stored, or what is stored has a revision that [ParseRevision] refuses, or none
	UpdatedAt time.Time // zero: unknown
	UpdatedBy UserID    // empty: unknown

	RestoredFrom Revision  // whose document this is, if a restore wrote it
	Previous     Revision  // of the state that it superseded; empty: unknown, or First
	First        bool      // it superseded nothing
	Expires      time.Time // the end of its time in the archive; zero: none

	// Stored is what the [Store] keeps and nobody else looks into. It is nil if the organization was never written.
	Stored any
}

// Directory knows which organization a user belongs to.
type Directory interface {
	// Membership returns the current membership of user, not a cached one: it decides an authorization. It returns
	// [ErrNoOrganization] for an unknown user and for one in no organization, and an error that wraps [ErrUnavailable]
	// if it does not know.
	Membership(ctx context.Context, user UserID) (Membership, error)
}

// Store keeps one record for each organization.
type Store interface {
	// Get returns the record of org: the last acknowledged write or a newer one. An error that wraps [ErrUnavailable]
	// means that the store does not know.
	Get(ctx context.Context, org OrgID) (Record, error)

	// Put replaces the record of r.Org by r in one atomic step, if c holds for the stored revision and the stored
	// revision is lower than r.Revision. Otherwise nothing changes and the error is a [*ConflictError] with the stored
	// record. If r.Revision is already stored, an earlier attempt of this put has succeeded, and so does this one. Put
	// may therefore be repeated, and an attempt that arrives late cannot replace a newer record.
	//
	// An error that wraps [ErrUnavailable] leaves open whether r was stored.
	Put(ctx context.Context, r Record, c Condition) error

	// Swap replaces old, which this store returned, by r in one atomic step, if the stored revision is still that of
	// old. The revision of old may be missing, malformed or higher than r.Revision. In all else Swap is like Put.
	Swap(ctx context.Context, old, r Record) error

	// Stamp gives old, which this store returned, the revision r and leaves the rest of it as it is stored. It is one
	// atomic step with the condition of Swap, and returns the new record.
	Stamp(ctx context.Context, old Record, r Revision) (Record, error)
}

// Archive keeps superseded records, each under the organization and the revision. An error that wraps [ErrUnavailable]
// means that the archive does not know, or that it is open whether it has kept a record.
type Archive interface {
	// Keep adds old, as the [Store] returned it, until expires, or for ever if that is zero. It has a revision. Keep may
	// be repeated.
	Keep(ctx context.Context, old Record, expires time.Time) error

	// Has says whether the record of org with revision r is there.
	Has(ctx context.Context, org OrgID, r Revision) (bool, error)

	// Find returns at most two records of org: the newest ones with a revision of at most r, newest first.
	Find(ctx context.Context, org OrgID, r Revision) ([]Record, error)

	// List returns records of org without their documents, newest first: at most limit, with revisions below before
	// unless that is empty. more says that there may be older ones.
	List(ctx context.Context, org OrgID, before Revision, limit int) (found []Record, more bool, err error)
}

// Reasons for which the service refuses or fails. Any other error is an [*InvalidError], a [*TooLargeError], a
// [*ConflictError], an [*UnconditionalError], a [*CorruptError] or a bug.
var (
	ErrNoOrganization   = errors.New("user is not associated with an organization")
	ErrForbidden        = errors.New("role may not modify organization settings")
	ErrForbiddenHistory = errors.New("role may not read the history of organization settings")
	ErrNoHistory        = errors.New("no history is kept")
	ErrNoRevision       = errors.New("no such revision")
	ErrNoSchema         = errors.New("no schema is configured")
	ErrUnavailable      = errors.New("database unavailable")
	ErrContended        = errors.New("lost against other writers")
)

// ConflictError says that a put did not take place, and what is stored.
type ConflictError struct {
	Current Record
}

func (e *ConflictError) Error() string {
	return "precondition does not hold for the stored revision " + cmp.Or(string(e.Current.Revision), "(none)")
}

// CorruptError says why a stored text is no document. It does not wrap the cause: in a request the same error would be
// the caller's fault.
type CorruptError struct {
	Cause error
}

func (e *CorruptError) Error() string { return e.Cause.Error() }

// UnconditionalError says that a write needs a [Condition], and what is stored.
type UnconditionalError struct {
	Current Record
}

func (e *UnconditionalError) Error() string { return "write without a precondition" }
