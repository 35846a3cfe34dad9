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

	Line, Column int // the place in a text of several lines, counted from 1, in characters; 0 in the first line
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
	switch {
	case e.Pointer == "" && e.Line == 0:
		return e.Reason + e.offset()
	case e.Pointer == "":
		return fmt.Sprintf("%s at line %d, column %d (byte %d)", e.Reason, e.Line, e.Column, e.Offset)
	case e.Line == 0:
		return fmt.Sprintf("%s at %s (byte %d)", e.Reason, e.Pointer, e.Offset)
	}
	return fmt.Sprintf("%s at %s (line %d, column %d, byte %d)", e.Reason, e.Pointer, e.Line, e.Column, e.Offset)
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
