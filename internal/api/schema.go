package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

const schemaPath = path + "/schema"

// schema serves the schema that documents obey, as its own text.
func (s *resource) schema(w http.ResponseWriter, r *http.Request, ev *event) error {
	user, err := s.authenticate(r, ev)
	if err != nil {
		return err
	}
	text, err := s.service.SchemaText(r.Context(), user)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(text)
	tag := `"` + hex.EncodeToString(hash[:]) + `"`
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Set("ETag", tag)
	// No entity tag can contain a quote, so the text of tag is found only as a whole tag.
	if sent := strings.Join(r.Header.Values("If-None-Match"), ","); strings.TrimSpace(sent) == "*" || strings.Contains(sent, tag) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeJSON(w, http.StatusOK, text)
	return nil
}
