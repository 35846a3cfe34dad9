package settings

import "slices"

// Condition is a precondition on the stored revision, as If-Match and
// If-None-Match state it (RFC 9110 section 13.1). A nil member states nothing;
// the zero Condition always holds.
type Condition struct {
	IfMatch     *Revisions
	IfNoneMatch *Revisions
}

// Revisions is a set of revisions: those listed or, with Any, whichever an
// organization that has been written has ("*").
type Revisions struct {
	Any    bool
	Listed []Revision
}

// Holds says whether c holds for the stored record current. A record whose revision is not known matches "*" alone.
func (c Condition) Holds(current Record) bool {
	return (c.IfMatch == nil || c.IfMatch.contain(current)) &&
		(c.IfNoneMatch == nil || !c.IfNoneMatch.contain(current))
}

func (rs *Revisions) contain(r Record) bool {
	return rs.Any && r.Stored != nil || r.Revision != "" && slices.Contains(rs.Listed, r.Revision)
}
