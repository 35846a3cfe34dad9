package auth

import (
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
	refusals map[string]refusal // by kid: of a token that names it and finds no key
	serving  int                // keys that serve
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

// readKeySet reads a key set. It must hold at least one usable key. The others are
// skipped, as RFC 7517 section 5 asks.
func readKeySet(text []byte, fetched time.Time, maxAge time.Duration) (*keySet, error) {
	jwks, err := readJWKs(text)
	if err != nil {
		return nil, err
	}
	set := &keySet{refusals: make(map[string]refusal), reasons: []string{}, fetched: fetched}
	set.maxAge = min(maxAge, maxOutage)
	var named, others []*verificationKey // with and without alg
	for i, k := range jwks {
		key, err := k.usableKey()
		kid := k.keyID()
		switch {
		case err == nil && key.Marshal().ALG != "":
			named = append(named, key)
		case err == nil:
			others = append(others, key)
		case kid == "":
			set.skip("key "+strconv.Itoa(i), err)
		default: // the kid is better than the index, since the order may change
			set.refusals[kid] = errUnusableKey
			set.skip("kid "+kid, err)
		}
	}
	// A key whose alg names an algorithm comes before one that could verify it too.
	if err := set.assign(slices.Concat(named, others)); err != nil {
		return nil, err
	}
	slices.Sort(set.reasons)
	if set.serving == 0 {
		return nil, fmt.Errorf("no usable key among %d: %s", len(jwks), strings.Join(set.reasons, "; "))
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
// kid could verify the same algorithm, the first one is taken.
func (set *keySet) assign(keys []*verificationKey) error {
	byAlgorithm := make(map[string][]jwkset.JWK)
	taken := make(map[[2]string]bool) // by algorithm and kid
	for _, k := range keys {
		kid, serves := k.Marshal().KID, false
		for _, alg := range k.algorithms {
			if slot := [2]string{alg, kid}; !taken[slot] {
				taken[slot], serves = true, true
				byAlgorithm[alg] = append(byAlgorithm[alg], k.JWK)
			}
		}
		if !serves {
			set.skip("kid "+kid, refusal("another key with this kid has its algorithms"))
			continue
		}
		set.serving++
		set.refusals[kid] = cmp.Or(set.refusals[kid], errOtherAlgorithm)
	}
	set.finders = make(map[string]keyfunc.Keyfunc)
	for _, alg := range algorithms() {
		storage := jwkset.NewMemoryStorage()
		if err := storage.KeyReplaceAll(context.Background(), byAlgorithm[alg]); err != nil {
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
	if errors.Is(err, jwkset.ErrKeyNotFound) {
		kid, _ := t.Header["kid"].(string)
		return nil, cmp.Or(set.refusals[kid], errUnknownKeyID)
	}
	return key, err
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
	if before != nil && set.serving == before.serving && set.skipped == before.skipped &&
		maps.Equal(set.refusals, before.refusals) && slices.Equal(set.reasons, before.reasons) {
		return
	}
	logger.InfoContext(ctx, "signing keys changed", "keys", set.serving, "skipped", set.skipped, "reasons", set.reasons)
}

// printable cuts s to at most limit bytes, and escapes it unless it is printable ASCII.
func printable(s string, limit int) string {
	s = s[:min(len(s), limit)]
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		s = strconv.QuoteToASCII(s)
	}
	return s[:min(len(s), limit)]
}
