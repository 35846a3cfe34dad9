package api

import (
	"errors"
	"net/http"
	"strings"

	"orgsettings/internal/settings"
)

// precondition is If-Match and If-None-Match of a request (RFC 9110 section 13.1), and why they cannot hold.
//
// For GET, which changes nothing, an If-None-Match that is no list of entity tags is ignored. Any other field that is
// none makes a condition that never holds: the service then looks for better reasons to refuse, such as the role, before
// [precondition.explain] refuses the field.
type precondition struct {
	settings.Condition
	unreadable string // the field that is no list of entity tags
	weak       bool   // If-Match lists a weak tag
}

func preconditionOf(r *http.Request) precondition {
	ifMatch, ifNoneMatch := r.Header.Values("If-Match"), r.Header.Values("If-None-Match")
	var p precondition
	var ok, okNone bool
	p.IfMatch, p.weak, ok = entityTags(ifMatch, false)
	p.IfNoneMatch, _, okNone = entityTags(ifNoneMatch, true)
	if !okNone && r.Method != http.MethodGet {
		p.unreadable = "If-None-Match"
	}
	if !ok {
		p.unreadable = "If-Match"
	}
	if p.unreadable != "" {
		p.IfMatch = new(settings.Revisions)
	}
	return p
}

// unmetError is a conflict that no other writer has caused.
type unmetError struct {
	*settings.ConflictError
	why string
}

func (e *unmetError) Unwrap() error { return e.ConflictError }

// explain returns err or, if it is that the condition does not hold, an error that says why if that is not a change.
func (p precondition) explain(err error) error {
	conflict, ok := errors.AsType[*settings.ConflictError](err)
	switch {
	case !ok:
		return err
	case p.unreadable != "":
		return settings.NewInvalidError(p.unreadable + " is neither * nor a list of entity tags; " +
			`a tag keeps its quotes, as in "01KDXZT9JE0000000000000000"`)
	case p.IfMatch != nil && !(settings.Condition{IfMatch: p.IfMatch}).Holds(conflict.Current):
		if p.weak {
			return &unmetError{conflict, `If-Match: W/"…" is a weak tag and never matches; send the ETag as it came, without W/`}
		}
	case p.IfNoneMatch != nil && p.IfNoneMatch.Any:
		return &unmetError{conflict, "If-None-Match: * holds only as long as there are no settings, and settings exist"}
	}
	return err
}

// neededFor says which precondition a write of current needs.
func neededFor(current settings.Record) string {
	switch {
	case current.Stored == nil:
		return "a precondition is needed: there are no settings yet, so send If-None-Match: *"
	case current.Revision == "":
		return "a precondition is needed: the settings have no ETag yet, so send If-Match: *"
	default:
		return "a precondition is needed: send If-Match with the ETag of the settings that you have read"
	}
}

// entityTags reads the values of one field. It returns nil if there are none, and false if they are not a list of tags.
// It leaves out tags that match nothing: those that are not revisions and, unless weak says that weak tags match too (RFC
// 9110 section 8.8.3.2), weak ones. anyWeak says whether there are weak tags.
func entityTags(values []string, weak bool) (tags *settings.Revisions, anyWeak, ok bool) {
	if len(values) == 0 {
		return nil, false, true
	}
	list := strings.Join(values, ",")
	if strings.Trim(list, " \t") == "*" {
		return &settings.Revisions{Any: true}, false, true
	}
	tags = new(settings.Revisions)
	for {
		list = strings.TrimLeft(list, " \t,")
		if list == "" {
			return tags, anyWeak, true
		}
		tag, isWeak := strings.CutPrefix(list, "W/")
		tag, quoted := strings.CutPrefix(tag, `"`)
		opaque, rest, closed := strings.Cut(tag, `"`)
		list = strings.TrimLeft(rest, " \t")
		if !quoted || !closed || list != "" && list[0] != ',' {
			return nil, false, false
		}
		anyWeak = anyWeak || isWeak
		if r, ok := settings.ParseRevision(opaque); ok && (weak || !isWeak) {
			tags.Listed = append(tags.Listed, r)
		}
	}
}

func setETag(h http.Header, r settings.Revision) {
	if r != "" {
		h.Set("ETag", `"`+string(r)+`"`)
	}
}
