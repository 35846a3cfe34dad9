package auth

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/MicahParks/jwkset"
)

// keySet is a key set as it was at a time. It is never changed.
type keySet struct {
	keys    map[string]jwkset.JWK
	skipped int // keys of the set that cannot serve
	fetched time.Time
	maxAge  time.Duration // above it the set is fetched again before it serves
}

// readShippedKeys reads a key set that tells when it was fetched.
func readShippedKeys(text []byte) (*keySet, error) {
	var shipped struct {
		Fetched time.Time `json:"fetched"`
	}
	if err := json.Unmarshal(text, &shipped); err != nil {
		return nil, err
	}
	if shipped.Fetched.IsZero() {
		return nil, errors.New("it does not tell when it was fetched")
	}
	return readKeySet(text, shipped.Fetched)
}

// readKeySet reads a key set of at least one key that can serve.
func readKeySet(text []byte, fetched time.Time) (*keySet, error) {
	keys, skipped, err := usableKeys(text)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		few := skipped[:min(len(skipped), 8)] // there may be thousands
		return nil, errors.Join(append(few, errors.New("no usable key"))...)
	}
	return &keySet{keys: keys, skipped: len(skipped), fetched: fetched}, nil
}

func (set *keySet) isFresh(now time.Time) bool {
	if set == nil {
		return false
	}
	since := now.Round(0).Sub(set.fetched)
	return since >= 0 && since < set.maxAge // a clock that was set back proves nothing
}

func (set *keySet) find(kid string) (jwkset.JWK, bool) {
	if set == nil {
		return jwkset.JWK{}, false
	}
	key, ok := set.keys[kid]
	return key, ok
}

func (set *keySet) ids() []string { return slices.Sorted(maps.Keys(set.keys)) }
