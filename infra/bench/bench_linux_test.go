package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const repository = "../.."

// A partial run measures everything, says what it does and leaves the committed results alone.
func TestPartialRun(t *testing.T) {
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	before := contents(t, ".")
	o, err := readOptions([]string{"-rounds", "1", "-only", "settings,hello"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.noZip = true
	o.counts = counts{warmUp: 2, warm: map[int]int{small: 6, middling: 4, medium: 4, large: 3}}
	var output bytes.Buffer
	if err := bench(t.Context(), root, o, &output); err != nil {
		t.Fatalf("bench: %v\n%s", err, output.String())
	}
	if diff := cmp.Diff(before, contents(t, ".")); diff != "" {
		t.Errorf("a partial run changed the committed results (-before +after):\n%s", diff)
	}
	for _, want := range []string{
		"settings: building", "hello: checking its answers", "round 1 of 1: settings: 390 KB", "| start, CPU | 0.40 |", latestResults,
	} {
		if !strings.Contains(output.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, output.String())
		}
	}
	r, err := read(filepath.Join(root, latestResults))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ours, "hello"} {
		figures := []string{startWall, startCPU, firstWall, firstCPU, peakRSS(small), peakRSS(large)}
		for _, size := range []int{small, middling, medium, large} {
			figures = append(figures, warmCPU(size), warmLatency(size))
		}
		for _, figure := range figures {
			if got := r.median(name, figure); !(got > 0) {
				t.Errorf("%s: %s = %v, want more than 0", name, figure, got)
			}
		}
	}
	if got := r.median(ours, databaseCalls); got != 2 {
		t.Errorf("%s = %v, want 2", databaseCalls, got)
	}
	for _, size := range []int{middling, medium, large} {
		if got := r.median(ours, writeUnits(size)); !(got > 1 && got < float64(textUnits(size))) {
			t.Errorf("%s = %v, want fewer than %d", writeUnits(size), got, textUnits(size))
		}
	}
	// Two calls of the database take two round trips. After a freeze a connection takes two more.
	if got := r.median(ours, warmLatency(small)); got < milliseconds(2*roundTrip) {
		t.Errorf("%s = %v, less than the database takes", warmLatency(small), got)
	}
	for _, reset := range []bool{false, true} {
		if got := r.median(ours, thawed(reset)); got < milliseconds(4*roundTrip) {
			t.Errorf("%s = %v, less than the database and a new connection take", thawed(reset), got)
		}
	}
}

// contents returns the results in dir, by file.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, name := range []string{resultsFile, pageFile} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all[name] = string(text)
	}
	return all
}

// Only a complete run replaces the committed results, and only the repository's own contenders are in them.
func TestPublish(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args     string
		skipped  bool
		complete bool
	}{
		{"", false, true},
		{"-rounds 20", false, true},
		{"-contender old=" + os.Args[0], false, true},
		{"", true, false},
		{"-rounds 14", false, false},
		{"-rounds 15 -only settings", false, false},
		{"-contender old=" + os.Args[0] + " -rounds 1", false, false},
	} {
		o, err := readOptions(strings.Fields(tt.args), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		root, r := t.TempDir(), sample()
		if !tt.skipped {
			clear(r.Skipped)
		}
		for _, c := range o.prebuilt {
			r.Contenders = append(r.Contenders, described{c.name, c.note})
			r.add(c.name, startWall, 1)
		}
		latest, committed := filepath.Join(root, latestResults), filepath.Join(root, committedResults)
		for _, dir := range []string{latest, committed} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		var output bytes.Buffer
		if err := publish(root, o, r, &output); err != nil {
			t.Fatal(err)
		}
		if got, err := read(latest); err != nil || !cmp.Equal(got, r) {
			t.Errorf("%q: the results in %s differ: %v", tt.args, latestResults, err)
		}
		if !strings.Contains(output.String(), r.goalTable()) || !strings.Contains(output.String(), latestResults) {
			t.Errorf("%q prints no table, or not where the results are:\n%s", tt.args, output.String())
		}
		page := contents(t, committed)[pageFile]
		if (page != "") != tt.complete {
			t.Errorf("%q: %d bytes of committed results, complete: %t", tt.args, len(page), tt.complete)
		}
		if strings.Contains(page, "| old |") {
			t.Errorf("%q: a program of the command line is in the committed results", tt.args)
		}
	}
}

// newBed returns a testbed and a way to build with it.
func newBed(t *testing.T) *session {
	t.Helper()
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	bed, err := newTestbed(root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bed.close)
	return &session{bed: bed, progress: io.Discard}
}

// peer builds a contender of the repository.
func (s *session) peer(t *testing.T, name string) program {
	t.Helper()
	for _, c := range contenders() {
		if c.name == name {
			p, err := s.build(t.Context(), c, "build", runtime.GOARCH)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
	}
	t.Fatalf("there is no %s", name)
	return program{}
}

func TestTypicalAnswersAsTheService(t *testing.T) {
	t.Parallel()
	s := newBed(t)
	if err := check(s.bed, s.peer(t, base)); err != nil {
		t.Error(err)
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	s := newBed(t)
	p := s.peer(t, "hello")
	if err := check(s.bed, p); err != nil {
		t.Errorf("hello: %v", err)
	}
	p.hello = false // it answers everything with success, and calls no database
	err := check(s.bed, p)
	if err == nil {
		t.Fatal("a program that does nothing passes the check")
	}
	list, caseErr := testCases(s.bed.keys)
	if caseErr != nil {
		t.Fatal(caseErr)
	}
	for _, c := range list {
		if !strings.Contains(err.Error(), c.name+": ") {
			t.Errorf("a program that does nothing passes %q", c.name)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	c, err := prebuilt("old=some/bootstrap,GOGC=200,GOMAXPROCS=1")
	if err != nil || c.name != "old" || len(c.env) != 2 || !c.deployed {
		t.Errorf("prebuilt = %+v, %v", c, err)
	}
	for _, args := range [][]string{
		{"-contender", "old"}, {"-contender", "=path"}, {"-contender", "old="}, {"-contender", "settings=path"},
		{"-rounds", "0"}, {"settings"},
	} {
		if _, err := readOptions(args, io.Discard); err == nil {
			t.Errorf("readOptions(%q) is accepted", args)
		}
	}
	s := newBed(t)
	if err := s.assemble(t.Context(), options{only: []string{"absent"}}); err == nil {
		t.Error("-only takes a name that no contender has")
	}
}

func TestDelayListener(t *testing.T) {
	t.Parallel()
	const roundTrip = 20 * time.Millisecond
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := newDelayListener(raw, roundTrip)
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
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
	if err := listener.drop(true); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a dropped connection can be read")
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	const d = 300 * time.Microsecond
	var took []float64
	for range 50 {
		began := time.Now()
		if err := wait(d); err != nil {
			t.Fatal(err)
		}
		since := time.Since(began)
		if since < d {
			t.Fatalf("wait(%v) took %v", d, since)
		}
		took = append(took, milliseconds(since))
	}
	t.Logf("wait(%v) takes %.3f ms", d, quantile(took, 0.5))
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
