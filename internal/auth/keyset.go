package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// Reasons for which a set has no key for a token.
const (
	errUnknownKeyID   = refusal("key id is not in the key set")
	errOtherAlgorithm = refusal("algorithm is not accepted or not that of the key")
)

// keySet is the key set of one fetch. It never changes.
type keySet struct {
	// finders find a key by its kid among those that may verify an algorithm. Each looks
	// in a set of its own, so that a key verifies only what it is for, whatever the alg of
	// the token says, and several keys may have one kid.
	finders map[string]keyfunc.Keyfunc
	keyIDs  []string // of all keys that serve, sorted
	skipped int      // keys of the set that cannot serve
	fetched time.Time
	maxAge  time.Duration // at this age the set is fetched again before it serves
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

// readKeySet reads a key set. It must hold at least one usable key.
func readKeySet(text []byte, fetched time.Time) (*keySet, error) {
	keys, skipped, err := usableKeys(text)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		few := skipped[:min(len(skipped), 8)] // there may be thousands
		return nil, errors.Join(append(few, errors.New("no usable key"))...)
	}
	set := &keySet{finders: make(map[string]keyfunc.Keyfunc), skipped: len(skipped), fetched: fetched}
	byAlgorithm, idle := assign(keys)
	set.skipped += len(idle)
	for _, alg := range algorithms() {
		storage := jwkset.NewMemoryStorage()
		if err := storage.KeyReplaceAll(context.Background(), slices.Collect(maps.Values(byAlgorithm[alg]))); err != nil {
			return nil, err
		}
		set.finders[alg], err = keyfunc.New(keyfunc.Options{Storage: storage, UseWhitelist: []jwkset.USE{"", jwkset.UseSig}})
		if err != nil {
			return nil, err
		}
	}
	for _, k := range keys {
		set.keyIDs = append(set.keyIDs, k.id())
	}
	slices.Sort(set.keyIDs)
	set.keyIDs = slices.Compact(set.keyIDs)
	return set, nil
}

// assign gives each algorithm its keys by kid, and returns the keys that are left
// with none. Where several keys of one kid could verify the same algorithm, a key
// whose alg names it comes before one without alg, and else the first one is taken.
func assign(keys []verificationKey) (byAlgorithm map[string]map[string]jwkset.JWK, idle []verificationKey) {
	byAlgorithm = make(map[string]map[string]jwkset.JWK)
	for _, named := range []bool{true, false} {
		for _, k := range keys {
			if k.namesItsAlg() != named {
				continue
			}
			serves := false
			for _, alg := range k.algorithms {
				if byAlgorithm[alg] == nil {
					byAlgorithm[alg] = make(map[string]jwkset.JWK)
				}
				if _, taken := byAlgorithm[alg][k.id()]; !taken {
					byAlgorithm[alg][k.id()], serves = k.jwk, true
				}
			}
			if !serves {
				idle = append(idle, k)
			}
		}
	}
	return byAlgorithm, idle
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
	if _, known := slices.BinarySearch(set.keyIDs, fmt.Sprint(t.Header["kid"])); known {
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
