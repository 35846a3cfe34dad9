package soak

import (
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/stack"
)

// Lambda freezes an environment between two requests. Whatever happened to its
// connections and keys meanwhile, the first answer afterwards is right, and about as
// fast as any other.
//
// Cases with a clock that jumps run the program of serveByClock. The monotonic clock
// does not stop here, as it may in Lambda: only a time namespace could stop it.
// TestClockThatJumps of internal/auth shows that the age of keys does not depend on
// it.
func TestFreeze(t *testing.T) {
	for name, f := range map[string]freeze{
		"nothing happens":                           {lasts: time.Millisecond, rounds: 5},
		"connections are closed":                    {lasts: 50 * time.Millisecond, rounds: 5, closed: true},
		"keys age, connections are closed":          {lasts: keysAge, rounds: 1, closed: true, aged: true},
		"keys age, connections die without a trace": {lasts: keysAge, rounds: 1, silent: true, aged: true},
		"the clock goes on by an hour":              {lasts: time.Millisecond, rounds: 3, jump: time.Hour, aged: true},
		"the clock goes back by an hour":            {lasts: time.Millisecond, rounds: 3, jump: -time.Hour, aged: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testFreeze(t, f)
		})
	}
}

// keysAge is longer than JWKS_MAX_AGE (1 s), than the pause between two fetches of
// the keys (5 s), and than the time for which an idle connection is kept (4 s).
const keysAge = 5200 * time.Millisecond

type freeze struct {
	lasts          time.Duration
	rounds         int // five times as many in the long form
	closed, silent bool
	aged           bool          // the keys are to be fetched again
	jump           time.Duration // of the clock, each round
}

func testFreeze(t *testing.T, f freeze) {
	rounds := f.rounds
	if run.long {
		rounds *= 5
	}
	clock := newWrongClock(t, 0)
	s, i, keys := startWithKeys(t, &silence{next: dynamodb.New(), on: f.silent}, func(o *stack.Options) {
		if f.jump != 0 {
			o.Bootstrap, o.Env = os.Args[0], map[string]string{"SOAK_CLOCK": clock.file}
		}
	})
	token := tokenOf(t, i, "alice")
	n, last := 0, ""
	post := func() time.Duration {
		n++
		a := s.mustCall(t, "POST", token, `{"settings":`+document(0, n)+`}`)
		if a.etag() <= last {
			t.Errorf("write %d has the revision %s after %s", n, a.etag(), last)
		}
		last = a.etag()
		return a.took
	}
	var usual, thawed Latencies
	for round := range rounds {
		for range 20 {
			usual = append(usual, post())
		}
		pid := s.Function.Environments()[0]
		before := keys.asked.Load()
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(f.lasts)
		clock.set(t, time.Duration(round+1)*f.jump)
		if f.closed {
			s.database.CloseClientConnections()
		}
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		thawed = append(thawed, post())
		if f.aged && keys.asked.Load() == before {
			t.Error("keys older than their maximum age served without being fetched again")
		}
	}
	if len(s.Function.Environments()) != 1 {
		t.Error("the environment did not survive")
	}
	t.Logf("usual %v; first after a thaw %v", usual, slices.Sorted(slices.Values(thawed)))
	// A slow moment of this machine may delay one round of the short form, but not half of the rounds.
	limit, first := usual.Percentile(.5)+100*time.Millisecond, thawed.Percentile(.5)
	if run.long {
		first = thawed.Percentile(1)
	}
	if first > limit {
		t.Errorf("the first answer after a thaw took %v, the usual one %v: want at most 100 ms more", first, usual.Percentile(.5))
	}
}

// silence, if it is on, does not answer calls over a connection that was idle for
// four seconds, like a load balancer or a NAT that has dropped the connection.
type silence struct {
	next http.Handler
	on   bool

	mu   sync.Mutex
	last map[string]time.Time // by the client's address
}

func (s *silence) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.last == nil {
		s.last = make(map[string]time.Time)
	}
	before, known := s.last[r.RemoteAddr]
	s.last[r.RemoteAddr] = time.Now()
	s.mu.Unlock()
	if s.on && known && time.Since(before) > 4*time.Second {
		time.Sleep(stall)
		panic(http.ErrAbortHandler)
	}
	s.next.ServeHTTP(w, r)
}
