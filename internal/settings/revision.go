package settings

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"time"
)

// Revision names one state of an organization's document. Revisions of one
// organization increase, compared as text, in the order in which its writes
// commit. To everybody else the text is opaque.
//
// It is a ULID: 26 characters of Crockford's base 32 for 128 bits, of which the
// first 48 are the time in milliseconds since 1970 and the rest is random.
type Revision string

const (
	revisionLength   = 26
	crockfordBase32  = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	highestFirstChar = '7' // 26 characters hold 130 bits: the upper two are zero
	highestTime      = "7ZZZZZZZZZ"
)

// ParseRevision returns text as a Revision if it has the form of one. A ULID of the last millisecond is none, since no
// revision of a later time exists.
func ParseRevision(text string) (Revision, bool) {
	if len(text) != revisionLength || text[0] > highestFirstChar || strings.HasPrefix(text, highestTime) {
		return "", false
	}
	for i := range len(text) {
		if strings.IndexByte(crockfordBase32, text[i]) < 0 {
			return "", false
		}
	}
	return Revision(text), true
}

// nextRevision returns a revision for a write at the time now. It is greater than stored, which is empty if there is
// none, except where no revision is.
func nextRevision(now time.Time, stored Revision) Revision {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	rand.Read(b[6:]) // never returns an error
	r := encodeRevision(binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]))
	if r > stored {
		return r
	}
	// Not simply the next one: two writers above one revision would mint the same,
	// and each take the other's write for an earlier attempt of its own.
	if above, ok := ParseRevision(string(stored.plus(binary.BigEndian.Uint64(b[8:])>>1 + 1))); ok {
		return above
	}
	return r
}

// plus returns the revision n above r.
func (r Revision) plus(n uint64) Revision {
	hi, lo := decodeRevision(r)
	if lo += n; lo < n {
		hi++
	}
	return encodeRevision(hi, lo)
}

func encodeRevision(hi, lo uint64) Revision {
	var text [revisionLength]byte
	for i := revisionLength - 1; i >= 0; i-- {
		text[i] = crockfordBase32[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return Revision(text[:])
}

func decodeRevision(r Revision) (hi, lo uint64) {
	for i := range len(r) {
		hi = hi<<5 | lo>>59
		lo = lo<<5 | uint64(strings.IndexByte(crockfordBase32, r[i]))
	}
	return hi, lo
}
