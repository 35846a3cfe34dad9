package auth_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The worst sets of 512 KB cost bounded time, memory and log. Not parallel: the
// figures are of the process.
func TestLargestSets(t *testing.T) {
	const maxBytes = 512 << 10
	repeat := func(element string) string {
		good := jsonText(jwk("p256", nil))
		n := (maxBytes - len(good) - len(`{"keys":[]}`)) / (len(element) + 1)
		return `{"keys":[` + strings.Repeat(element+",", n) + good + "]}"
	}
	numbered := func(format string) string {
		var b strings.Builder
		good := jsonText(jwk("p256", nil))
		for i := 0; b.Len() < maxBytes-len(good)-len(format)-100; i++ {
			fmt.Fprintf(&b, format+",", i)
		}
		return `{"keys":[` + b.String() + good + "]}"
	}
	long := strings.Repeat("x", 120_000)
	hostile := strings.Repeat("\x01\u202e\"\\", 20_000)
	one := func(members object) string { return keySet(jwk("rsa", members), jwk("p256", nil)) }
	p521 := jwk("p521", nil)
	for name, set := range map[string]string{
		"262,000 numbers":          repeat("0"),
		"empty objects":            repeat("{}"),
		"empty arrays":             repeat("[]"),
		"keys of one kid":          repeat(`{"kid":"a"}`),
		"a kid each":               numbered(`{"kid":"%d"}`),
		"bad keys":                 numbered(`{"kid":"%d","kty":"RSA","n":"AQAB","e":"AQAB","use":"sig"}`),
		"keys on P-521":            numbered(`{"kid":"%d","kty":"EC","crv":"P-521","x":"` + p521["x"].(string) + `","y":"` + p521["y"].(string) + `"}`),
		"points not on P-521":      numbered(`{"kid":"%d","kty":"EC","crv":"P-521","x":"` + p521["y"].(string) + `","y":"` + p521["x"].(string) + `"}`),
		"keys of Ed25519":          numbered(`{"kid":"%d","kty":"OKP","crv":"Ed25519","x":"` + jwk("ed", nil)["x"].(string) + `"}`),
		"keys of 2048 bits":        numbered(`{"kid":"%d","kty":"RSA","e":"AQAB","n":"` + jwk("rsa", nil)["n"].(string) + `"}`),
		"one key over and over":    repeat(jsonText(jwk("rsa", object{"alg": "RS256"}))),
		"kty of 120,000":           one(object{"kty": long}),
		"kid of 120,000":           one(object{"kid": long}),
		"crv of 120,000":           keySet(jwk("ed", object{"crv": long}), jwk("p256", nil)),
		"n of 380,000":             one(object{"n": strings.Repeat("_", 380_000)}),
		"a name of 120,000":        one(object{long: 1}),
		"100,000 names":            one(object{})[:len(one(object{}))-2] + `,{` + strings.Repeat(`"":0,`, 100_000) + `"":0}]}`,
		"depth":                    one(object{})[:len(one(object{}))-2] + "," + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "]}",
		"hostile kid and crv":      repeat(jsonText(jwk("ed", object{"kid": hostile[:200], "crv": hostile[:4000]}))),
		"hostile kid in every key": numbered(`{"kid":"%d` + strings.Repeat(`\u0001`, 200) + `","use":"\u0001"}`),
	} {
		t.Run(name, func(t *testing.T) {
			if len(set) > maxBytes {
				t.Fatalf("the set has %d bytes", len(set))
			}
			f := newFixture(t, set)
			token := longLived("p256")
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := time.Now()
			f.mustAccept(t, token)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
			runtime.GC()
			runtime.ReadMemStats(&after)
			kept := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20
			t.Logf("%v, %d MB allocated, %d MB kept", took, allocated, kept)
			if took > 2*time.Second || allocated > 48 || kept > 8 {
				t.Errorf("took %v, allocated %d MB and kept %d MB, want at most 2 s, 48 MB and 8 MB", took, allocated, kept)
			}
			checkLines(t, f)
		})
	}
}

// jsonText returns the text of one key.
func jsonText(key object) string {
	return strings.TrimSuffix(strings.TrimPrefix(keySet(key), `{"keys":[`), "]}")
}

// What a server answers cannot make a log line long.
func TestLongErrorsAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\x01\\", 30_000)
	for name, answer := range map[string]http.HandlerFunc{
		"bad keys alone": func(w http.ResponseWriter, _ *http.Request) {
			key := jsonText(jwk("ed", object{"kid": long[:200], "crv": long}))
			io.WriteString(w, `{"keys":[`+strings.Repeat(key+",", 8)+key+"]}")
		},
		"a syntax error below a long name": func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, `{"keys":[{"`+strings.Repeat("x", 120_000)+`":{"a":?}}]}`)
		},
		"no HTTP": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			io.WriteString(conn, strings.Repeat("\\", 60<<10)+"\r\n\r\n")
			conn.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, "")
			f.serve(answer)
			f.mustBeUnavailable(t, longLived("p256"))
			if !strings.Contains(f.log.String(), "signing keys refresh failed") {
				t.Errorf("log = %s", f.log)
			}
			checkLines(t, f)
		})
	}
}

func checkLines(t *testing.T, f *fixture) {
	t.Helper()
	for line := range strings.Lines(f.log.String()) {
		if len(line) > 4<<10 {
			t.Errorf("a log line has %d bytes: %.200s", len(line), line)
		}
	}
}
