package auth

import (
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

// keySet is the key set of one fetch. It never changes.
type keySet struct {
	// finders find a key by its kid among those that may verify an algorithm. Each looks
	// in a set of its own, so that a key verifies only what it is for, whatever the alg of
	// the token says, and several keys may have one kid.
	finders  map[string]keyfunc.Keyfunc
	keyIDs   []string            // of the keys that serve, sorted
	unusable map[string]struct{} // key ids of keys that cannot serve
	skipped  int                 // keys that do not serve
	reasons  []string            // why the first few were skipped, sorted
	fetched  time.Time
	maxAge   time.Duration // at this age the set is fetched again before it serves
}

// readBundledJWKS reads a key set that says when it was fetched.
func readBundledJWKS(text []byte) (*keySet, error) {
	var bundled struct {
		Fetched time.Time `json:"fetched"`
	}
	if err := json.Unmarshal(text, &bundled); err != nil {
		return nil, err
	}
	if bundled.Fetched.IsZero() {
		return nil, errors.New("member fetched is missing: fetch the set again with infra/deploy/keys")
	}
	return readKeySet(text, bundled.Fetched)
}

// readKeySet reads a key set. It must hold at least one usable key. The others are
// skipped, as RFC 7517 section 5 asks.
func readKeySet(text []byte, fetched time.Time) (*keySet, error) {
	keys, err := readJWKs(text)
	if err != nil {
		return nil, err
	}
	set := &keySet{finders: make(map[string]keyfunc.Keyfunc), unusable: make(map[string]struct{}), reasons: []string{}, fetched: fetched}
	var usable []verificationKey
	for i, text := range keys {
		kid, key, err := readJWK(text)
		switch {
		case err == nil:
			usable = append(usable, key)
		case kid == "":
			set.skip("key "+strconv.Itoa(i), err)
		default: // the key id is better than the index, since the order may change
			set.unusable[kid] = struct{}{}
			set.skip("kid "+kid, err)
		}
	}
	if err := set.assign(usable); err != nil {
		return nil, err
	}
	slices.Sort(set.reasons)
	slices.Sort(set.keyIDs)
	if len(usable) == 0 {
		return nil, fmt.Errorf("no usable key among %d: %s", len(keys), strings.Join(set.reasons, "; "))
	}
	return set, nil
}

// skip notes that a key does not serve, and why.
func (set *keySet) skip(name string, why error) {
	set.skipped++
	if len(set.reasons) < maxReasons {
		set.reasons = append(set.reasons, printable(name, maxNameLength)+": "+printable(why.Error(), maxReasonLength))
	}
}

// assign gives each algorithm the keys that may verify it. Where several keys of one
// kid could verify the same algorithm, a key whose alg names it comes before one
// without alg, and otherwise the first one is taken.
func (set *keySet) assign(keys []verificationKey) error {
	byAlgorithm := make(map[string]map[string]jwkset.JWK) // and then by kid
	for _, alg := range algorithms() {
		byAlgorithm[alg] = make(map[string]jwkset.JWK)
	}
	for _, named := range []bool{true, false} {
		for _, k := range keys {
			if k.namesItsAlg() != named {
				continue
			}
			serves := false
			for _, alg := range k.algorithms {
				if _, taken := byAlgorithm[alg][k.keyID()]; !taken {
					byAlgorithm[alg][k.keyID()], serves = k.jwk, true
				}
			}
			if serves {
				set.keyIDs = append(set.keyIDs, k.keyID())
			} else {
				set.skip("kid "+k.keyID(), refusal("another key with this kid has its algorithms"))
			}
		}
	}
	for alg, jwks := range byAlgorithm {
		storage := jwkset.NewMemoryStorage()
		if err := storage.KeyReplaceAll(context.Background(), slices.Collect(maps.Values(jwks))); err != nil {
			return err
		}
		finder, err := keyfunc.New(keyfunc.Options{Storage: storage, UseWhitelist: []jwkset.USE{"", jwkset.UseSig}})
		if err != nil {
			return err
		}
		set.finders[alg] = finder
	}
	return nil
}

// find returns the one key that may verify t, whose header has a kid.
func (set *keySet) find(ctx context.Context, t *jwt.Token) (any, error) {
	if set == nil {
		return nil, errUnknownKeyID
	}
	key, err := set.finders[t.Method.Alg()].KeyfuncCtx(ctx)(t)
	if !errors.Is(err, jwkset.ErrKeyNotFound) {
		return key, err
	}
	kid, _ := t.Header["kid"].(string)
	if _, ok := set.unusable[kid]; ok {
		return nil, errUnusableKey
	}
	if _, ok := slices.BinarySearch(set.keyIDs, kid); ok {
		return nil, errOtherAlgorithm
	}
	return nil, errUnknownKeyID
}

func (set *keySet) isFresh(now time.Time) bool {
	if set == nil {
		return false
	}
	since := now.Round(0).Sub(set.fetched)
	return since >= 0 && since < set.maxAge // a clock that was set back proves nothing
}

// logChange logs what serves and what is skipped, unless the set before was the same.
func (set *keySet) logChange(ctx context.Context, logger *slog.Logger, before *keySet) {
	if before != nil && slices.Equal(set.keyIDs, before.keyIDs) &&
		set.skipped == before.skipped && slices.Equal(set.reasons, before.reasons) {
		return
	}
	logger = logger.With("keys", len(set.keyIDs), "skipped", set.skipped)
	if set.skipped > 0 {
		logger = logger.With("reasons", set.reasons)
	}
	logger.InfoContext(ctx, "signing keys changed")
}

// printable cuts s to at most limit bytes, and escapes it unless it is printable ASCII.
func printable(s string, limit int) string {
	s = s[:min(len(s), limit)]
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		s = strconv.QuoteToASCII(s)
	}
	return s[:min(len(s), limit)]
}
