package soak

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"orgsettings/infra/local/stack"
)

// Two environments whose clocks differ by 30 s write in turn. Whichever clock is
// ahead, the later write remains and has the greater revision. One of the two is the
// deployed program.
func TestClocksDiffer(t *testing.T) {
	t.Parallel()
	for _, offset := range []time.Duration{30 * time.Second, -30 * time.Second} {
		t.Run(offset.String(), func(t *testing.T) {
			t.Parallel()
			right := start(t, nil)
			wrong := *right
			var err error
			wrong.Stack, err = stack.Start(t.Context(), stack.Options{
				Template: "../../../template.yaml", Bootstrap: os.Args[0], Env: map[string]string{"SOAK_CLOCK": newWrongClock(t, offset).file}, Output: right.log,
				DynamoDBURL: right.DynamoDBURL, JWKSURL: right.Issuer.JWKSURL(), Issuer: right.Issuer.URL(), Audience: right.Issuer.Audience(),
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { wrong.Close() })
			testClocks(t, []*service{right, &wrong}, offset)
		})
	}
}

func testClocks(t *testing.T, environments []*service, offset time.Duration) {
	token := environments[0].token(t, "alice")
	last := ""
	for n := range 30 {
		writer, reader := environments[n%2], environments[n/2%2]
		written := []string{"POST", "PUT"}[n/3%2]
		sent := document(0, n)
		body := map[string]string{"POST": `{"settings":` + sent + `}`, "PUT": sent}[written]
		var fields []string
		if n%5 == 4 { // as an editor does that wrote through the other one
			fields = []string{"If-Match", `"` + last + `"`}
		}
		a := writer.mustCall(t, written, token, body, fields...)
		if a.etag() <= last {
			t.Errorf("write %d has the revision %s after %s", n, a.etag(), last)
		}
		last = a.etag()
		got := reader.mustCall(t, "GET", token, "")
		if got.etag() != last || got.body != `{"success":true,"settings":`+sent+`}` {
			t.Errorf("after write %d remains %s at %s, want %s at %s", n, got.body, got.etag(), sent, last)
		}
	}
	// Both clocks were in use: revisions begin with different times.
	times := make(map[string]bool)
	for _, c := range environments[0].proxy.Commits() {
		times[c.Revision[:10]] = true
	}
	if len(times) < 2 {
		t.Errorf("with %v all revisions have the same time", offset)
	}

	// Now at the same time: the history must be that of a register.
	histories := make([]recorder, len(environments))
	began := time.Now()
	var wg sync.WaitGroup
	for n := range histories {
		h := &histories[n]
		h.service, h.began = environments[n], began
		for client := range 4 {
			wg.Go(func() {
				for i := range 50 {
					method := []string{"POST", "GET", "PUT"}[i%3]
					if err := h.do(method, "alice", token, document(1+4*n+client, i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	history := append(histories[0].history, histories[1].history...)
	first := Operation{Org: "acme", Write: true, Answered: true, Document: document(0, 29), Revision: last}
	v := CheckRegister(append(history, first), environments[0].proxy.Commits())
	if len(v.Problems)+len(v.Repeated) > 0 {
		t.Errorf("%s\n%s", strings.Join(v.Problems, "\n"), strings.Join(v.Repeated, "\n"))
	}
}
