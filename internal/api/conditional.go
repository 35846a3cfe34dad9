package api

import (
	"net/http"
	"strings"

	"orgsettings/internal/settings"
)

// precondition reads If-Match and If-None-Match (RFC 9110 section 13.1).
//
// A field that cannot be read is taken in its strictest sense, so that no conditional write becomes unconditional:
// If-Match then matches nothing and If-None-Match matches everything. For GET, which changes nothing, an If-None-Match
// that cannot be read is ignored.
func precondition(r *http.Request) settings.Condition {
	unreadable := &settings.Revisions{Any: true}
	if r.Method == http.MethodGet {
		unreadable = nil
	}
	return settings.Condition{
		IfMatch:     entityTags(r.Header.Values("If-Match"), strong, new(settings.Revisions)),
		IfNoneMatch: entityTags(r.Header.Values("If-None-Match"), weak, unreadable),
	}
}

// comparison is how the two fields compare tags (RFC 9110 section 8.8.3.2).
type comparison bool

const (
	strong comparison = false // a weak tag matches nothing
	weak   comparison = true
)

// entityTags reads the values of one field. It returns nil if there are none, and unreadable if they are not a list of
// tags. It leaves out tags that are not revisions, since they match nothing.
func entityTags(values []string, c comparison, unreadable *settings.Revisions) *settings.Revisions {
	if len(values) == 0 {
		return nil
	}
	list := strings.Join(values, ",")
	if strings.Trim(list, " \t") == "*" {
		return &settings.Revisions{Any: true}
	}
	tags := new(settings.Revisions)
	for {
		list = strings.TrimLeft(list, " \t,")
		if list == "" {
			return tags
		}
		tag, isWeak := strings.CutPrefix(list, "W/")
		tag, quoted := strings.CutPrefix(tag, `"`)
		opaque, rest, closed := strings.Cut(tag, `"`)
		list = strings.TrimLeft(rest, " \t")
		if !quoted || !closed || list != "" && list[0] != ',' {
			return unreadable
		}
		if r, ok := settings.ParseRevision(opaque); ok && (c == weak || !isWeak) {
			tags.Listed = append(tags.Listed, r)
		}
	}
}

func setETag(h http.Header, r settings.Revision) {
	if r != "" {
		h.Set("ETag", `"`+string(r)+`"`)
	}
}
