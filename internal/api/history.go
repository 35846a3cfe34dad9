package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"orgsettings/internal/settings"
)

// Bounds of the entries of one page of the history.
const (
	defaultEntries = 20
	maxEntries     = 100
)

// history serves the list of states, without their documents.
func (s *resource) history(w http.ResponseWriter, r *http.Request, ev *event) error {
	user, err := s.authenticate(r, ev)
	if err != nil {
		return err
	}
	if s.service.Archive == nil {
		return settings.ErrNoHistory
	}
	before, limit, err := pageOf(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if c := preconditionOf(r); c.unreadable != "" {
		return c.explain(&settings.ConflictError{})
	}
	page, next, err := s.service.History(r.Context(), user, before, limit)
	if err != nil {
		return err
	}
	body := []byte(`{"success":true,"history":[`)
	for i, record := range page {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(appendRecord(append(body, '{'), record), '}')
	}
	body = append(body, ']')
	if next != "" {
		body = appendText(append(body, `,"next":`...), string(next))
	}
	w.Header().Set("Cache-Control", "private, no-cache")
	writeJSON(w, http.StatusOK, append(body, '}'))
	return nil
}

// pageOf returns what page of the history a query asks for.
func pageOf(query string) (before settings.Revision, limit int, err error) {
	values, err := url.ParseQuery(query)
	if err != nil || len(values["limit"]) > 1 || len(values["before"]) > 1 {
		return "", 0, settings.NewInvalidError("query cannot be read, or a parameter is there more than once")
	}
	limit = defaultEntries
	if values.Has("limit") {
		n, err := strconv.ParseUint(values.Get("limit"), 10, 8)
		if err != nil || n < 1 || n > maxEntries {
			return "", 0, settings.NewInvalidError(fmt.Sprintf("limit is not a number from 1 to %d", maxEntries))
		}
		limit = int(n)
	}
	if values.Has("before") {
		var ok bool
		if before, ok = settings.ParseRevision(values.Get("before")); !ok {
			return "", 0, settings.NewInvalidError("before is not a revision; send next of the last page")
		}
	}
	return before, limit, nil
}

// revision serves one state and what it changed.
func (s *resource) revision(w http.ResponseWriter, r *http.Request, ev *event) error {
	user, err := s.authenticate(r, ev)
	if err != nil {
		return err
	}
	record, changes, err := s.service.Revision(r.Context(), user, revisionOf(r))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "private, max-age=86400, immutable")
	w.Header().Set("Vary", "Authorization") // whoever signs in next in the same browser must not see it
	if ok, err := current(w, r, record); !ok {
		return err
	}
	body := append(appendRecord([]byte(`{"success":true,`), record), `,"settings":`...)
	body = append(body, record.Document.Text()...)
	writeJSON(w, http.StatusOK, append(appendChanges(body, changes), '}'))
	return nil
}

// restore makes the document of one state the current one.
func (s *resource) restore(w http.ResponseWriter, r *http.Request, ev *event) error {
	user, err := s.authenticate(r, ev)
	if err != nil {
		return err
	}
	c := preconditionOf(r)
	record, err := s.service.Restore(r.Context(), user, revisionOf(r), c.Condition)
	if err != nil {
		return c.explain(err)
	}
	succeed(w, record, "Organization settings restored successfully")
	return nil
}

// revisionOf returns the revision that the path names, empty if it is none.
func revisionOf(r *http.Request) settings.Revision {
	revision, _ := settings.ParseRevision(r.PathValue("revision"))
	return revision
}

// appendRecord appends the members that tell which state record is. What is not known is left out.
func appendRecord(b []byte, record settings.Record) []byte {
	begin := len(b)
	member := func(name, value string) {
		if value == "" {
			return
		}
		if len(b) > begin {
			b = append(b, ',')
		}
		b = appendText(append(appendText(b, name), ':'), value)
	}
	member("revision", string(record.Revision))
	if !record.UpdatedAt.IsZero() {
		member("updatedAt", record.UpdatedAt.UTC().Format(time.RFC3339Nano))
	}
	member("updatedBy", string(record.UpdatedBy))
	member("restoredFrom", string(record.RestoredFrom))
	return b
}

// appendChanges appends the members for changes; nil: none, since they are not known.
func appendChanges(b []byte, changes *settings.Changes) []byte {
	if changes == nil {
		return b
	}
	b = append(b, `,"changes":[`...)
	for i, c := range changes.List {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"path":`...), c.Path)
		b = appendValue(b, "before", c.Before)
		b = append(appendValue(b, "after", c.After), '}')
	}
	b = append(b, ']')
	if changes.Truncated {
		b = append(b, `,"truncated":true`...)
	}
	return b
}

func appendValue(b []byte, name string, v settings.Value) []byte {
	switch {
	case v.Size == 0:
		return b
	case v.Text == nil:
		return fmt.Appendf(b, `,"%sSize":{"bytes":%d}`, name, v.Size)
	}
	return append(fmt.Appendf(b, `,"%s":`, name), v.Text...)
}
