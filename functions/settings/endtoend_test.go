package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"orgsettings/infra/local/dynamodblocal"
	"orgsettings/infra/local/stack"
)

const updated = `{"success":true,"message":"Organization settings updated successfully"}`

// The main job, on the embedded engine and on Amazon's DynamoDB Local.
func TestReplaceAndRead(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		testReplaceAndRead(t, start(t, nil))
	})
	t.Run("DynamoDB Local", func(t *testing.T) {
		t.Parallel()
		endpoint := dynamodblocal.Start(t)
		testReplaceAndRead(t, start(t, func(o *stack.Options) { o.DynamoDBURL = endpoint }))
	})
}

func testReplaceAndRead(t *testing.T, s service) {
	alice := s.token(t, "alice")
	if a := s.call(t, "GET", alice, ""); a.status != 200 || a.body != `{"success":true,"settings":{}}` || a.header.Get("ETag") != "" {
		t.Errorf("before the first write: %d %s", a.status, a.body)
	}
	var last string
	for name, document := range map[string]string{
		"numbers":     `{"a":1.0,"b":1e400,"c":-0,"d":1234567890123456789012345678901234567890,"e":0.10,"f":1E+2}`,
		"order":       `{"z":1,"a":{"y":2,"b":3}}`,
		"empty names": `{"":{"":{}},"__proto__":{"constructor":[]}}`,
		"escapes":     `{"NUL \u0000":"\u0000","slash":"\/","emoji":"😀\ud83d\ude00","line":"` + "\u2028" + `"}`,
		"markup":      `{"a":"<script>&amp;</script>"}`,
		"400,000":     `{"a":"` + strings.Repeat("é", 199_996) + `"}`,
		"1,000 deep":  strings.Repeat(`{"a":`, 999) + `{}` + strings.Repeat(`}`, 999),
	} {
		a := s.call(t, "POST", alice, "{ \"settings\" :\n\t"+document+" }")
		if a.status != 200 || a.body != updated {
			t.Errorf("%s: POST answers %d %s", name, a.status, a.body)
			continue
		}
		etag := a.header.Get("ETag")
		if etag <= last {
			t.Errorf("%s: ETag %s does not sort after %s", name, etag, last)
		}
		last = etag
		a = s.call(t, "GET", alice, "")
		if want := `{"success":true,"settings":` + document + `}`; a.status != 200 || a.body != want {
			t.Errorf("%s: GET answers %d %.200s, want %.200s", name, a.status, a.body, want)
		}
		if a.header.Get("ETag") != etag || a.header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s: GET has header %v, want ETag %s", name, a.header, etag)
		}
		if a := s.call(t, "GET", alice, "", "If-None-Match", etag); a.status != 304 || a.body != "" || a.header.Get("ETag") != etag {
			t.Errorf("%s: conditional GET answers %d %s", name, a.status, a.body)
		}
	}
	stale := s.call(t, "POST", alice, `{"settings":{}}`, "If-Match", `"01KDXZT9JE0000000000000000"`)
	if want := `{"success":false,"message":"Organization settings have changed"}`; stale.status != 412 || stale.body != want || stale.header.Get("ETag") != last {
		t.Errorf("stale POST answers %d %s, ETag %s", stale.status, stale.body, stale.header.Get("ETag"))
	}
}

// Sizes at which somebody along the way says no, and what that costs in memory.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *stack.Options) { o.Environments = 1 })
	alice := s.token(t, "alice")
	document := func(n int) string { return `{"settings":{"a":"` + strings.Repeat("x", n-len(`{"a":""}`)) + `"}}` }
	const tooLarge = `{"success":false,"message":"Failed to update organization settings","error":"document has %d bytes without insignificant white space, the limit is 400000"}`
	for _, tt := range []struct {
		name, body string
		status     int
		want       string
	}{
		{"400,001 bytes", document(400_001), 413, fmt.Sprintf(tooLarge, 400_001)},
		{"5 MB", document(5_000_000), 413, fmt.Sprintf(tooLarge, 5_000_000)},
		{"5 MB of escapes", `{"settings":{"a":"` + strings.Repeat(`\u0000`, 800_000) + `"}}`, 413, fmt.Sprintf(tooLarge, 4_800_008)},
		{"5 MB of white space", `{"settings":{}` + strings.Repeat(" ", 5_000_000) + `}`, 200, updated},
		{"5 MB of names", `{"settings":{` + numbered(400_000) + `}}`, 413, ""},
		{"5 MB of brackets", `{"settings":{"a":` + strings.Repeat("[", 5_000_000) + `}}`, 400, ""},
		{"7 MB", document(7_000_000), 413, `{"message":"Request Entity Too Large"}`},
		{"11 MB", document(11_000_000), 413, `{"message":"Request Entity Too Large"}`},
	} {
		a := s.call(t, "POST", alice, tt.body)
		if a.status != tt.status || tt.want != "" && a.body != tt.want {
			t.Errorf("%s: %d %.300s, want %d %s", tt.name, a.status, a.body, tt.status, tt.want)
		}
	}
	if runtime.GOOS != "linux" {
		t.Skip("the memory of a process is read from /proc")
	}
	for _, pid := range s.Function.Environments() {
		if peak := peakMemory(t, pid); peak > 128<<10 {
			t.Errorf("the function used %d KB at its peak, want at most 128 MB", peak)
		} else {
			t.Logf("the function used %d KB at its peak", peak)
		}
	}
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%d":1,`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// peakMemory returns the largest resident size that a process had, in KB.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	if !ok {
		t.Fatal("the status of a process lacks VmHWM")
	}
	peak, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return peak
}

// Whatever a request says, it reaches the caller's own organization alone.
func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for user, org := range map[string]string{"alice": "acme", "carol": "globex", "erin": "initech"} {
		a := s.call(t, "POST", s.token(t, user), `{"settings":{"owner":"`+org+`"},"orgId":"acme","organization":"acme","org":{"id":"acme"}}`,
			"X-Organization", "acme", "X-Org-Id", "acme", "Cookie", "orgId=acme")
		if a.status != 200 {
			t.Errorf("%s: %d %s", user, a.status, a.body)
		}
	}
	claims := map[string]any{
		"iss": s.Issuer.URL(), "aud": s.Issuer.Audience(), "sub": "carol", "exp": 4102444800, "org": "acme", "orgId": "acme", "SUB": "alice", "Sub": "alice",
	}
	forged, err := s.Issuer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{s.token(t, "alice"): "acme", s.token(t, "dave"): "acme", s.token(t, "carol"): "globex", forged: "globex", s.token(t, "erin"): "initech"} {
		for _, query := range []string{"", "?orgId=acme", "?organization=acme&org=acme"} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/settings/organization"+query, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("X-Organization", "acme")
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body := make([]byte, 200)
			n, _ := response.Body.Read(body)
			response.Body.Close()
			if got, want := string(body[:n]), `{"success":true,"settings":{"owner":"`+want+`"}}`; got != want {
				t.Errorf("query %q reads %s, want %s", query, got, want)
			}
		}
	}
	for _, path := range []string{"/settings/organization/acme", "/settings/acme", "/settings/organization/", "/settings//organization", "/settings/organization%2Facme"} {
		response, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 404 {
			t.Errorf("%s answers %d, want the gateway's 404", path, response.StatusCode)
		}
	}
}

// Writers of one organization and of another at once: every write is confirmed,
// its revision is its own and later than those confirmed before it began, and
// the last one confirmed is what remains.
func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *stack.Options) { o.Environments = 4 })
	const writers, writes = 4, 25
	var mu sync.Mutex
	etags := map[string][]string{} // by user, in the order of their confirmation
	var wg sync.WaitGroup
	for n := range writers {
		user := []string{"alice", "carol"}[n%2]
		token := s.token(t, user)
		wg.Go(func() {
			for i := range writes {
				mu.Lock()
				var before string
				if known := etags[user]; len(known) > 0 {
					before = slices.Max(known)
				}
				mu.Unlock()
				a := s.call(t, "POST", token, fmt.Sprintf(`{"settings":{"user":%q,"writer":%d,"write":%d}}`, user, n, i))
				etag := a.header.Get("ETag")
				if a.status != 200 || etag <= before {
					t.Errorf("writer %d, write %d: %d %s, ETag %s after %s", n, i, a.status, a.body, etag, before)
				}
				mu.Lock()
				etags[user] = append(etags[user], etag)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for user, known := range etags {
		sorted := slices.Sorted(slices.Values(known))
		if len(slices.Compact(sorted)) != writers/2*writes {
			t.Errorf("%s: %d different revisions of %d writes", user, len(slices.Compact(sorted)), writers/2*writes)
		}
		a := s.call(t, "GET", s.token(t, user), "")
		if a.header.Get("ETag") != slices.Max(known) || !strings.Contains(a.body, `"user":"`+user+`"`) {
			t.Errorf("%s: %s at %s remains, want %s", user, a.body, a.header.Get("ETag"), slices.Max(known))
		}
	}
}

// Of writers that each change what they have read, one wins each round.
func TestConditionalWriters(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *stack.Options) { o.Environments = 4 })
	alice := s.token(t, "alice")
	first := s.call(t, "POST", alice, `{"settings":{"round":0}}`)
	etag := first.header.Get("ETag")
	for round := range 5 {
		answers := make([]answer, 4)
		var wg sync.WaitGroup
		for n := range answers {
			wg.Go(func() {
				answers[n] = s.call(t, "POST", alice, fmt.Sprintf(`{"settings":{"round":%d,"winner":%d}}`, round, n), "If-Match", etag)
			})
		}
		wg.Wait()
		won := -1
		for n, a := range answers {
			switch a.status {
			case 200:
				if won >= 0 {
					t.Errorf("round %d: both %d and %d won", round, won, n)
				}
				won = n
			case 412:
			default:
				t.Errorf("round %d: %d %s", round, a.status, a.body)
			}
		}
		if won < 0 {
			t.Fatalf("round %d: nobody won", round)
		}
		etag = answers[won].header.Get("ETag")
		if a := s.call(t, "GET", alice, ""); a.body != fmt.Sprintf(`{"success":true,"settings":{"round":%d,"winner":%d}}`, round, won) || a.header.Get("ETag") != etag {
			t.Errorf("round %d: %s remains, want that of %d", round, a.body, won)
		}
	}
}
