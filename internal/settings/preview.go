package settings

import "context"

// Preview is what a write would do.
type Preview struct {
	Current  Record
	Document Document // after the write
	Changes  *Changes // nil if what is stored is no document
}

// Preview returns what [Service.Write] would do, and refuses what that would refuse. It writes nothing.
func (s *Service) Preview(ctx context.Context, user UserID, e Edit, c Condition) (Preview, error) {
	org, err := s.writable(ctx, user)
	if err != nil {
		return Preview{}, err
	}
	if err := s.admit(ctx, org, e, c); err != nil {
		return Preview{}, err
	}
	current, err := s.get(ctx, org)
	if err != nil {
		return Preview{}, err
	}
	traceFrom(ctx).Revision = current.Revision
	if !c.Holds(current) {
		return Preview{}, &ConflictError{Current: current}
	}
	p := Preview{Current: current}
	if p.Document, err = s.result(e, current); err != nil {
		return Preview{}, err
	}
	if current.Corrupt == nil {
		p.Changes, err = Diff(current.Document, p.Document)
	}
	return p, err
}
