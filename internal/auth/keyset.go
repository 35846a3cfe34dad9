package auth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// Reasons for which a set has no key for a token.
const (
	errUnknownKeyID   = refusal("key id is not in the key set")
	errUnusableKey    = refusal("key is unusable")
	errOtherAlgorithm = refusal("algorithm is not accepted or not that of the key")
)

// Bounds of what is logged of a key set. Texts are counted in bytes before JSON, which
// may double them: a log line stays below 4 KB.
const (
	maxReasons      = 8 // the number of skipped keys whose reason is logged
	maxReasonLength = 150
	maxNameLength   = 40
	maxLoggedError  = 1900
)

// keySet is the key set of one fetch. It never changes. The zero value has no keys.
type keySet struct {
	// finders find a key by its kid among those that may verify an algorithm. Each looks
	// in a set of its own, so that a key verifies only what it is for, whatever the alg of
	// the token says, and several keys may have one kid.
	finders  map[string]keyfunc.Keyfunc
	refusals map[string]refusal // by kid: of a token that names it and finds no key
	total    int                // keys, whether they serve or not
	skipped  int                // keys that do not serve
	reasons  []string           // why the first few were skipped, sorted
	fetched  time.Time
	maxAge   time.Duration // at this age the set is fetched again before it serves
}

// readBundledJWKS reads a key set that says when it was fetched.
func readBundledJWKS(text []byte, maxAge time.Duration) (*keySet, error) {
	var bundled struct {
		Fetched time.Time `json:"fetched"`
	}
	if err := json.Unmarshal(text, &bundled); err != nil {
		return nil, err
	}
	if bundled.Fetched.IsZero() {
		return nil, errors.New("member fetched is missing: fetch the set again with infra/deploy/keys")
	}
	return readKeySet(text, bundled.Fetched, maxAge)
}

// UsableKeys returns the public members of the keys of a JWK Set that can verify tokens.
// It is an error if there is none.
func UsableKeys(text []byte) (keys []jwkset.JWKMarshal, err error) {
	usable, err := new(keySet).readKeys(text)
	for _, key := range usable {
		keys = append(keys, key.Marshal())
	}
	return keys, err
}

// readKeySet reads a key set. It must hold at least one usable key.
func readKeySet(text []byte, fetched time.Time, maxAge time.Duration) (*keySet, error) {
	set := &keySet{finders: make(map[string]keyfunc.Keyfunc), fetched: fetched, maxAge: min(maxAge, maxOutage)}
	usable, err := set.readKeys(text)
	if err != nil {
		return nil, err
	}
	// Of several keys for the same tokens the first one serves; those with an alg come first.
	slices.SortStableFunc(usable, func(a, b *jwkset.JWK) int { return cmp.Compare(b.Marshal().ALG, a.Marshal().ALG) })
	taken := make(map[string]bool)
	byAlgorithm := make(map[string][]jwkset.JWK)
	for _, key := range usable {
		m, serves := key.Marshal(), false
		for _, alg := range algorithms()[m.CRV] {
			if id := alg + " " + m.KID; !taken[id] && (m.ALG == "" || m.ALG.String() == alg) {
				taken[id], serves = true, true
				byAlgorithm[alg] = append(byAlgorithm[alg], *key)
			}
		}
		if !serves {
			set.skip("kid "+m.KID, refusal("another key with this kid has its algorithms"))
		}
	}
	for alg, keys := range byAlgorithm {
		storage := jwkset.NewMemoryStorage()
		if err := storage.KeyReplaceAll(context.Background(), keys); err != nil {
			return nil, err
		}
		if set.finders[alg], err = keyfunc.New(keyfunc.Options{Storage: storage}); err != nil {
			return nil, err
		}
	}
	slices.Sort(set.reasons)
	return set, nil
}

// readKeys returns the usable keys of a JWK Set. It skips the others, as RFC 7517 section 5 asks.
func (set *keySet) readKeys(text []byte) (usable []*jwkset.JWK, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &members); err != nil {
		return nil, err
	}
	// An element of another type is an error, but does not keep the others from being read.
	var jwks []jwk
	if value, ok := members["keys"]; ok && json.Unmarshal(value, &jwks) != nil && jwks == nil {
		return nil, errors.New("member keys is not an array")
	}
	set.total, set.refusals, set.reasons = len(jwks), make(map[string]refusal), []string{}
	for i, k := range jwks {
		var kid string
		if value, ok := k["kid"]; ok && json.Unmarshal(value, &kid) != nil || utf8.RuneCountInString(kid) > maxKeyIDLength {
			kid = "" // no token can name it
		}
		key, err := k.usableKey(kid)
		if err == nil {
			usable = append(usable, key)
			set.refusals[kid] = cmp.Or(set.refusals[kid], errOtherAlgorithm)
			continue
		}
		name := "kid " + kid // better than the index, since the order may change
		if kid == "" {
			name = "key " + strconv.Itoa(i)
		}
		set.skip(name, err)
		set.refusals[kid] = errUnusableKey
	}
	if len(usable) == 0 {
		return nil, fmt.Errorf("no usable key among %d: %s", len(jwks), strings.Join(set.reasons, "; "))
	}
	return usable, nil
}

// skip notes that a key does not serve, and why.
func (set *keySet) skip(name string, why error) {
	set.skipped++
	if len(set.reasons) < maxReasons {
		set.reasons = append(set.reasons, printable(name, maxNameLength)+": "+printable(why.Error(), maxReasonLength))
	}
}

// find returns the one key that may verify tokens with this alg and kid.
func (set *keySet) find(alg, kid string) (any, error) {
	if finder, ok := set.finders[alg]; ok {
		key, err := finder.Keyfunc(&jwt.Token{Header: map[string]any{"alg": alg, "kid": kid}})
		if !errors.Is(err, jwkset.ErrKeyNotFound) {
			return key, err
		}
	}
	return nil, cmp.Or(set.refusals[kid], errUnknownKeyID)
}

// logChange logs what serves and what is skipped, unless the set before was the same.
func (set *keySet) logChange(ctx context.Context, logger *slog.Logger, before *keySet) {
	if set.total == before.total && set.skipped == before.skipped &&
		maps.Equal(set.refusals, before.refusals) && slices.Equal(set.reasons, before.reasons) {
		return
	}
	serving := set.total - set.skipped
	logger.InfoContext(ctx, "signing keys changed", "keys", serving, "skipped", set.skipped, "reasons", set.reasons)
}

// printable cuts s to at most limit bytes, and escapes it unless it is printable ASCII.
func printable(s string, limit int) string {
	s = s[:min(len(s), limit)]
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		s = strconv.QuoteToASCII(s)
	}
	return s[:min(len(s), limit)]
}
