package settings

import (
	"fmt"
	"log/slog"
)

// Limits of a document.
const (
	// MaxDocumentBytes bounds the JSON text without insignificant white space.
	// An item of DynamoDB holds 409,600 bytes, names and key included.
	MaxDocumentBytes = 400_000
	// MaxDocumentDepth bounds how deep objects and arrays nest; the document
	// itself is the first level.
	MaxDocumentDepth = 1_000
)

// Document is a JSON object, kept as its own text without insignificant white
// space: number text, order of members and escapes are those of the sender.
// The zero Document is the empty object.
type Document struct {
	text []byte
}

// Text returns the JSON text. It must not be changed.
func (d Document) Text() []byte {
	if d.text == nil {
		return []byte("{}")
	}
	return d.text
}

// String tells the size alone: documents do not belong into logs.
func (d Document) String() string { return fmt.Sprintf("document of %d bytes", len(d.Text())) }

// LogValue tells the size alone, like String.
func (d Document) LogValue() slog.Value { return slog.StringValue(d.String()) }

// TooLargeError says that a document is over [MaxDocumentBytes], or that the rest of a body is too large.
type TooLargeError struct {
	Size  int    // of the document in bytes, without insignificant white space
	other string // what else is too large
}

func (e *TooLargeError) Error() string {
	if e.other != "" {
		return e.other
	}
	return fmt.Sprintf("document has %d bytes without insignificant white space, the limit is %d", e.Size, MaxDocumentBytes)
}
