package soak

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"orgsettings/infra/local/stack"
)

// Under a steady stream of reads and writes, over several environments, every answer
// is right and no process grows.
func TestLoad(t *testing.T) {
	const environments = 4
	s := start(t, func(o *stack.Options) { o.Environments = 32 })
	tokens := map[string]string{}
	for _, user := range users {
		tokens[user] = s.token(t, user)
		s.mustCall(t, "POST", tokens[user], loadDocument(0))
	}
	s.warm(t, environments, tokens["alice"])
	first := s.goroutines(t, s.living()[0])
	s.warm(t, environments, tokens["alice"])

	watch := s.watch(t)
	load := Load{Rate: run.rate, Together: environments, For: run.time, InFlight: 256}
	slots := make(chan struct{}, load.InFlight)
	if !run.long { // other tests run on this machine too: what they delay must not pile up
		slots = make(chan struct{}, environments)
	}
	var once sync.Once
	samples := load.Run(t.Context(), func(n int) bool {
		slots <- struct{}{}
		defer func() { <-slots }()
		token := tokens[users[n%len(users)]]
		method, body := "GET", ""
		if n%2 == 1 {
			method, body = "POST", loadDocument(n)
		}
		a, err := s.call(method, token, body)
		if err != nil || a.status != 200 {
			once.Do(func() { t.Errorf("request %d: %d %s, %v", n, a.status, a.body, err) })
		}
		return err == nil && a.status == 200
	})
	processes := watch()

	var all, begin, end Latencies
	failed := 0
	for _, sample := range samples {
		if !sample.OK {
			failed++
			continue
		}
		all = append(all, sample.Took)
		switch tenth := int(10 * sample.At / run.time); {
		case tenth == 0:
			begin = append(begin, sample.Took)
		case tenth >= 9:
			end = append(end, sample.Took)
		}
	}
	var plot strings.Builder
	all.Plot(&plot)
	t.Logf("%.0f requests a second for %v: %v\n%s", run.rate, run.time, all, plot.String())
	t.Logf("first tenth: %v", begin)
	t.Logf("last tenth: %v", end)
	if failed > 0 || len(samples) == 0 {
		t.Errorf("%d of %d requests failed", failed, len(samples))
	}
	checkGrowth(t, processes)
	// The number of connections varies, and each has two goroutines.
	const slack = 8
	for _, pid := range s.living() {
		last := s.goroutines(t, pid)
		t.Logf("process %d ends with %d goroutines, another had %d before", pid, last, first)
		if last > first+slack {
			t.Errorf("process %d has %d goroutines after the load, one had %d before", pid, last, first)
		}
	}
}

// loadDocument is the body of the n-th write: of 1 KB, every fiftieth of 100 KB.
func loadDocument(n int) string {
	size := 1 << 10
	if n%50 == 1 {
		size = 100 << 10
	}
	return fmt.Sprintf(`{"settings":{"n":%d,"text":%q}}`, n, strings.Repeat(marker+" ", size/(len(marker)+1)))
}

// warm lets n environments serve some requests before the measurement, so that they
// have their connections.
func (s *service) warm(t *testing.T, n int, token string) {
	t.Helper()
	for round := 0; len(s.living()) < n || round < 30; round++ {
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				if _, err := s.call("POST", token, loadDocument(1)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if round == 1000 {
			t.Fatalf("%d environments, want %d", len(s.living()), n)
		}
	}
}

// living returns the processes of the environments that have not ended.
func (s *service) living() []int {
	return slices.DeleteFunc(s.Function.Environments(), func(pid int) bool { return syscall.Kill(pid, 0) != nil })
}

// watch reads the processes of the environments until end is called, which returns
// the readings of each process.
func (s *service) watch(t *testing.T) (end func() map[int][]Process) {
	t.Helper()
	seen := make(map[int][]Process)
	if runtime.GOOS != "linux" {
		return func() map[int][]Process { t.Log("processes are read on Linux only"); return nil }
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	pids := s.living()
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(max(run.time/200, 20*time.Millisecond))
		defer ticker.Stop()
		for {
			for _, pid := range pids {
				p, err := ReadProcess(pid)
				if err != nil {
					t.Error(err)
					return
				}
				seen[pid] = append(seen[pid], p)
			}
			select {
			case <-ticker.C:
			case <-stop:
				return
			}
		}
	}()
	return func() map[int][]Process { close(stop); <-stopped; return seen }
}

// checkGrowth compares the last tenth of what was seen of each process with the
// first. Memory is that of a garbage collector: it has some play.
func checkGrowth(t *testing.T, processes map[int][]Process) {
	t.Helper()
	playKB := 8 << 10
	if run.long {
		playKB = 4 << 10
	}
	for _, pid := range slices.Sorted(maps.Keys(processes)) {
		seen := processes[pid]
		tenth := max(len(seen)/10, 1)
		median := func(part []Process, of func(Process) int) int {
			var values []int
			for _, p := range part {
				values = append(values, of(p))
			}
			slices.Sort(values)
			return values[len(values)/2]
		}
		var text strings.Builder
		for _, m := range []struct {
			name string
			of   func(Process) int
			play int
		}{
			{"KB resident", func(p Process) int { return p.ResidentKB }, playKB},
			{"threads", func(p Process) int { return p.Threads }, 3},
			{"files", func(p Process) int { return p.Files }, 3},
		} {
			before, after := median(seen[:tenth], m.of), median(seen[len(seen)-tenth:], m.of)
			fmt.Fprintf(&text, " %d → %d %s", before, after, m.name)
			if after > before+m.play {
				t.Errorf("process %d grew from %d to %d %s", pid, before, after, m.name)
			}
		}
		t.Logf("process %d, first and last tenth:%s", pid, text.String())
	}
}

// goroutines ends the process pid and returns how many goroutines it had: after
// SIGQUIT a Go program writes all of them to its log.
func (s *service) goroutines(t *testing.T, pid int) int {
	t.Helper()
	at := len(s.log.String())
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	dump := ""
	lastRegister := regexp.MustCompile(`\n(gs|fault) .*\n$`) // of amd64 and arm64
	for deadline := time.Now().Add(5 * time.Second); !lastRegister.MatchString(dump); dump = s.log.String()[at:] {
		if time.Now().After(deadline) {
			t.Fatal("the process does not write its goroutines after SIGQUIT")
		}
		time.Sleep(10 * time.Millisecond)
	}
	log := s.log.Take()[:at]
	io.WriteString(s.log, log) // without the goroutines, which are not JSON
	n := len(regexp.MustCompile(`(?m)^goroutine [1-9]\d* `).FindAllString(dump, -1))
	if n == 0 {
		t.Errorf("process %d had no goroutine:\n%s", pid, dump)
	}
	return n
}
