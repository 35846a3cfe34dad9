package main

import (
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	args := []string{"-short", "-rounds", "1", "-only", "settings,hello", "-base", "settings", "-out", t.TempDir()}
	var output strings.Builder
	if err := run(t.Context(), args, &output); err != nil {
		t.Fatalf("run: %v\n%s", err, output.String())
	}
	r, err := read(args[len(args)-1])
	if err != nil {
		t.Fatal(err)
	}
	for what, reason := range r.Skipped {
		if !strings.HasPrefix(reason, "there is no ") {
			t.Errorf("%s was left out: %s", what, reason)
		}
	}
	figures := []string{startWall, startCPU, coldStartWall, coldStartCPU, firstWall, firstCPU}
	for _, size := range []int{small, medium, large} {
		figures = append(figures, warmCPU(size), warmLatency(size), growthCPU(size), allocations(size), allocatedBytes(size))
	}
	for _, c := range r.Contenders {
		for _, figure := range append(figures, peakRSS(small), peakRSS(large)) {
			if got := median(r.Samples[c.Name][figure]); !(got > 0) {
				t.Errorf("%s: %s = %v, want more than 0", c.Name, figure, got)
			}
		}
	}
	of := func(figure string) float64 { return median(r.Samples[ours][figure]) }
	if got := of(calls); got != 2 {
		t.Errorf("%s = %v, want 2", calls, got)
	}
	if got := of(units(medium)); !(got > 1 && got < float64(rawUnits(medium))) {
		t.Errorf("%s = %v, want fewer than %d", units(medium), got, rawUnits(medium))
	}
	if got := of(randomUnits); got > float64(rawUnits(medium)) {
		t.Errorf("%s = %v, want at most %d", randomUnits, got, rawUnits(medium))
	}
	if got := r.growth(ours); !(got > 0) {
		t.Errorf("growth = %v, want more than 0", got)
	}
	// Two round trips of 2 ms, and a new connection's in the second case.
	if got := of(warmLatency(small)); got < 4 {
		t.Errorf("%s = %v, less than the database takes", warmLatency(small), got)
	}
	for _, figure := range []string{thawFIN, thawRST} {
		if got := of(figure); got < 8 {
			t.Errorf("%s = %v, less than the database and a new connection take", figure, got)
		}
	}
}

// The peers in Go that are built in seconds answer as the service does.
func TestPeersAnswerAsTheService(t *testing.T) {
	root, err := moduleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWorld(t.Context(), root, t.TempDir(), options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for _, c := range contenders() {
		if c.name != "floor" && c.name != "typical" {
			continue
		}
		p, err := buildProgram(t.Context(), w, c)
		if err == nil {
			err = check(w, p)
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	root, err := moduleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := peer("hello", "")
	if reason := c.missing(root); reason != "" {
		t.Fatal(reason)
	}
	w, err := newWorld(t.Context(), root, t.TempDir(), options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	p, err := buildProgram(t.Context(), w, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := check(w, p); err != nil {
		t.Errorf("hello is not taken for what it is: %v", err)
	}
	p.hello = false // it answers everything with success, and calls no database
	err = check(w, p)
	if err == nil {
		t.Fatal("a program that does nothing passes the check")
	}
	list, trialErr := trials(w.keys)
	if trialErr != nil {
		t.Fatal(trialErr)
	}
	for _, trial := range list {
		if !strings.Contains(err.Error(), trial.name+": ") {
			t.Errorf("a program that does nothing passes %q", trial.name)
		}
	}
}

func TestFarListener(t *testing.T) {
	t.Parallel()
	const roundTrip = 20 * time.Millisecond
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	far := newFarListener(raw, roundTrip)
	defer far.Close()
	go func() {
		conn, err := far.Accept()
		if err == nil {
			io.Copy(conn, conn)
		}
	}()
	began := time.Now()
	conn, err := net.Dial("tcp", raw.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exchange := func() time.Duration {
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	if got := exchange(); got < 2*roundTrip {
		t.Errorf("connection and first exchange took %v, want at least %v", got, 2*roundTrip)
	}
	began = time.Now()
	if got := exchange(); got < roundTrip {
		t.Errorf("second exchange took %v, want at least %v", got, roundTrip)
	}
	if err := far.drop(true); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a dropped connection can be read")
	}
}

func TestAlarm(t *testing.T) {
	t.Parallel()
	a, err := newAlarm()
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	const d = 300 * time.Microsecond
	var took []float64
	for range 50 {
		began := time.Now()
		if err := a.wait(d); err != nil {
			t.Fatal(err)
		}
		if since := time.Since(began); since < d {
			t.Fatalf("wait(%v) took %v", d, since)
		} else {
			took = append(took, milliseconds(since))
		}
	}
	t.Logf("a wait of %v takes %.3f ms", d, median(took))
}

func TestCPUTime(t *testing.T) {
	t.Parallel()
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 5*time.Millisecond; {
		runtime.Gosched()
	}
	after, err := cpuTime(os.Getpid())
	if err != nil || after <= before {
		t.Errorf("CPU time %v after work, %v before, %v", after, before, err)
	}
}

func TestPrebuilt(t *testing.T) {
	t.Parallel()
	c, err := prebuilt("old=some/bootstrap,GOGC=200,GOMAXPROCS=1")
	if err != nil || c.name != "old" || len(c.env(nil)) != 2 || !c.ours {
		t.Errorf("prebuilt = %+v, %v", c, err)
	}
	for _, text := range []string{"", "old", "=path", "old="} {
		if _, err := prebuilt(text); err == nil {
			t.Errorf("prebuilt(%q) is accepted", text)
		}
	}
}
