package settings

import (
	"fmt"
	"unicode/utf8"
)

// InvalidError says why a text is not what it should be, and where.
type InvalidError struct {
	Kind    string // what is wrong, without any of the text
	Reason  string // what is wrong, for the sender of the text; it may quote a few characters of it
	Pointer string // the place (RFC 6901), cut where it is very long; empty where there is none
	Offset  int64  // the place in bytes from the start of the text; negative where there is none
}

// NewInvalidError returns an error without a place. Its text must hold nothing
// of what was sent.
func NewInvalidError(what string) *InvalidError { return invalid(what, "", -1) }

func invalid(what, pointer string, offset int) *InvalidError {
	return &InvalidError{Kind: what, Reason: what, Pointer: shortened(pointer), Offset: int64(offset)}
}

// Error states the kind and the offset, and nothing of the text: it may be logged.
func (e *InvalidError) Error() string { return e.Kind + e.offset() }

// Detail tells the sender what is wrong and where.
func (e *InvalidError) Detail() string {
	if e.Pointer == "" {
		return e.Reason + e.offset()
	}
	return fmt.Sprintf("%s at %s (byte %d)", e.Reason, e.Pointer, e.Offset)
}

func (e *InvalidError) offset() string {
	if e.Offset < 0 {
		return ""
	}
	return fmt.Sprintf(" at byte %d", e.Offset)
}

// shortened cuts a pointer that is longer than 256 bytes.
func shortened(pointer string) string {
	cut := 256
	if len(pointer) <= cut {
		return pointer
	}
	for !utf8.RuneStart(pointer[cut]) {
		cut--
	}
	return pointer[:cut] + "…"
}
