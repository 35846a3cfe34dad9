package settings

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

const (
	// retryTime bounds the retries of one write that loses against other writers.
	retryTime = 3 * time.Second
	// attemptTime is how long one attempt may take. No attempt begins if less is left of the call.
	attemptTime = 900 * time.Millisecond

	// A pause lasts up to firstPause, and each later one up to twice as long as the one before, doublings times.
	firstPause = 20 * time.Millisecond
	doublings  = 3
)

var errLate = fmt.Errorf("%w: too little time is left for a write", ErrUnavailable)

// contend calls attempt until it does not lose against another writer. An attempt has lost if its error is a
// [*ConflictError] although c holds. The next one gets the record that it has lost against; nil means that the stored
// record is not known, or not any more because of a pause.
func contend(ctx context.Context, c Condition, attempt func(current *Record) (Record, error)) (Record, error) {
	end := time.Now().Add(retryTime)
	var current *Record
	for lost := 1; ; lost++ {
		r, err := attempt(current)
		conflict, ok := errors.AsType[*ConflictError](err)
		switch {
		case ok && c.Holds(conflict.Current):
			current = &conflict.Current
		case lost > 1 && errors.Is(err, errLate):
			return Record{}, fmt.Errorf("%w %d times", ErrContended, lost-1)
		default:
			return r, err
		}
		pause := pauseAfter(lost)
		if time.Until(end) < pause {
			return Record{}, fmt.Errorf("%w %d times", ErrContended, lost)
		}
		if pause == 0 {
			continue
		}
		current = nil
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return Record{}, fmt.Errorf("%w %d times", ErrContended, lost)
		}
	}
}

// pauseAfter returns how long to wait after so many lost attempts. Most attempts follow at once: with the record of the
// last one they have the best chance against writers that do not wait. Random pauses after 3, 8, 15, 24 … attempts let
// others finish. They become longer, for many writers that wait for each other, and rarer, for one beside others that
// do not.
func pauseAfter(lost int) time.Duration {
	n := int(math.Sqrt(float64(lost + 1)))
	if n*n != lost+1 {
		return 0
	}
	return rand.N(firstPause << min(n-2, doublings))
}
