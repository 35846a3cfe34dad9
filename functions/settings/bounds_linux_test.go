package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"orgsettings/infra/local/stack"
)

// mb6 is as much as Lambda hands over in one event, less some room for what is around a body.
const mb6 = 6<<20 - 2048

// repeated returns begin, as many of unit as n bytes have room for, and end.
func repeated(n int, begin, unit, end string) string {
	return begin + strings.Repeat(unit, (n-len(begin)-len(end))/len(unit)) + end
}

// named returns an object of n bytes whose members have names of their own.
func named(n int, value string) string {
	var b strings.Builder
	for i := 0; b.Len() < n-20-len(value); i++ {
		fmt.Fprintf(&b, `,"%s":%s`, strconv.FormatInt(int64(i), 36), value)
	}
	return "{" + b.String()[1:] + "}"
}

// The requests that cost most, of every method and of none, mixed and repeated. No hundred of them takes the process above
// 128 MB, and none takes more than 2 s of processor time.
func TestWorstRequests(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *stack.Options) { o.Environments = 1 })
	bearer := "Bearer " + s.token(t, "alice")
	event := func(method string, change map[string]any) []byte {
		ev := map[string]any{
			"version": "2.0", "routeKey": "$default", "rawPath": "/settings/organization",
			"headers":        map[string]any{"authorization": bearer, "content-type": "application/json"},
			"requestContext": map[string]any{"http": map[string]any{"method": method}},
		}
		for name, value := range change {
			if fields, ok := value.(map[string]string); ok {
				for field, value := range fields {
					ev["headers"].(map[string]any)[field] = value
				}
				continue
			}
			ev[name] = value
		}
		var payload bytes.Buffer
		encoder := json.NewEncoder(&payload)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(ev); err != nil {
			t.Fatal(err)
		}
		return payload.Bytes()
	}
	body := func(method, text string) []byte { // as JSON in JSON, or as base64 if that is too long
		if payload := event(method, map[string]any{"body": text}); len(payload) <= 6<<20 {
			return payload
		}
		text = text[:min(len(text), mb6/4*3)]
		return event(method, map[string]any{"body": base64.StdEncoding.EncodeToString([]byte(text)), "isBase64Encoded": true})
	}
	below := func(path string, payload []byte) []byte {
		return bytes.Replace(payload, []byte(`"/settings/organization"`), []byte(`"/settings/organization`+path+`"`), 1)
	}
	const wide, deep = 399_900, 999
	tags := map[string]string{"if-match": repeated(13_000, `"a"`, `,"01KDXZT9JE0000000000000000"`, "")}
	requests := []struct {
		name    string
		payload []byte
		status  int // 0: 200, or 413 for what is stored at the time
	}{
		{"POST, objects", body("POST", `{"settings":`+named(wide, `{"":{}}`)+`}`), 200},
		{"POST, white space", body("POST", repeated(mb6, `{"settings":{`, " ", `}}`)), 200},
		{"POST, one string", body("POST", repeated(mb6, `{"settings":{"a":"`, "x", `"}}`)), 413},
		{"POST, one string beside", body("POST", repeated(mb6, `{"b":"`, "x", `","settings":{}}`)), 200},
		{"POST, colons beside", body("POST", repeated(mb6, `{"b":"`, ":", `","settings":{}}`)), 200},
		{"POST, escapes beside", body("POST", repeated(mb6/2, `{"b":"`, `\n`, `","settings":{}}`)), 200},
		{"POST, names", body("POST", `{"settings":`+named(mb6/4*3, "0")+`}`), 413},
		{"POST, names beside", body("POST", `{"settings":{},"b":`+named(mb6/4*3-40, "0")+`}`), 413},
		{"POST, as many names beside as may be", body("POST", `{"settings":{},"b":`+named(800_000, "0")+`}`), 200},
		{"POST, arrays beside", body("POST", repeated(mb6, `{"settings":{},"b":[0`, ",[]", `]}`)), 200},
		{"POST, levels beside", body("POST", `{"settings":{},"b":`+strings.Repeat("[", mb6-100)), 400},
		{"POST, a duplicate below a long name", body("POST", repeated(mb6, `{"settings":{"`, "~", `":{"a":1,"a":2}}}`)), 413},
		{"POST, invalid JSON below a long name", body("POST", repeated(mb6, `{"settings":{"`, "~", `":{"a":tru}}}`)), 413},
		{"POST, a duplicate below a long name beside", body("POST", repeated(mb6, `{"`, "~", `":{"a":1,"a":2}}}`)), 413},
		{"POST, a duplicate below a name as long as may be", body("POST", repeated(499_000, `{"settings":{"`, "~", `":{"a":1,"a":2}}}`)), 400},
		{"POST, a long name of the envelope", body("POST", repeated(mb6, `{"`, "x", `":1}`)), 413},
		{"PUT, objects", body("PUT", named(wide, `{"":{}}`)), 0},
		{"PUT, other objects", body("PUT", strings.ReplaceAll(named(200_000, `{"":{}}`), `":{"":{}}`, `_":{"":{}}`)), 0},
		{"PUT, no objects", body("PUT", named(wide/2, "null")), 0},
		{"PUT, levels", body("PUT", strings.Repeat(`{"a":`, deep)+"{}"+strings.Repeat("}", deep)), 0},
		{"PUT, white space", body("PUT", repeated(mb6, `{`, " ", `}`)), 200},
		{"preview of POST, objects", below("/preview", body("POST", `{"settings":`+named(wide, `{"":{}}`)+`}`)), 200},
		{"preview of POST, elements", below("/preview", body("POST", repeated(wide, `{"settings":{"a":[0`, ",1", `]}}`))), 200},
		{"POST, elements", body("POST", repeated(wide, `{"settings":{"a":[0`, ",0", `]}}`)), 200},
		{"preview of POST, other elements", below("/preview", body("POST", repeated(wide, `{"settings":{"a":[0`, ",{}", `]}}`))), 200},
		{"preview of PUT, no objects", below("/preview", body("PUT", named(wide/2, "null"))), 0},
		{"preview of PUT, levels", below("/preview", body("PUT", strings.Repeat(`{"a":`, deep)+"{}"+strings.Repeat("}", deep))), 0},
		{"preview of DELETE, dots", below("/preview", body("DELETE", repeated(400_000, `{"keys":["a`, ".a", `"]}`))), 200},
		{"history", below("/history", event("GET", map[string]any{"rawQueryString": "limit=100"})), 200},
		{"history, a query", below("/history", event("GET", map[string]any{"rawQueryString": repeated(mb6, "limit=1", "&limit", "")})), 400},
		{"history, a revision", below("/history/"+strings.Repeat("0", mb6), event("GET", nil)), 404},
		{"DELETE, dots", body("DELETE", repeated(mb6, `{"keys":["`, ".", `"]}`)), 400},
		{"DELETE, empty keys", body("DELETE", repeated(mb6/4*3, `{"keys":[""`, `,""`, `]}`)), 400},
		{"DELETE, as many dots as may be", body("DELETE", repeated(400_000, `{"keys":["a`, ".a", `"]}`)), 200},
		{"DELETE, as many keys of dots as may be", body("DELETE", repeated(400_000, `{"keys":["a"`, `,"a`+strings.Repeat(".a", 198)+`"`, `]}`)), 200},
		{"DELETE, escapes", body("DELETE", repeated(mb6/4*3, `{"keys":["`, `\u0061`, `"]}`)), 400},
		{"DELETE, names beside", body("DELETE", `{"keys":["a"],"b":`+named(mb6/4*3-40, "0")+`}`), 413},
		{"DELETE, a query", event("DELETE", map[string]any{"rawQueryString": repeated(mb6, "keys=", "&keys=", "")}), 400},
		{"DELETE, a query of other names", event("DELETE", map[string]any{"rawQueryString": repeated(mb6, "a", "&a", "")}), 400},
		{"DELETE, a query of escapes", event("DELETE", map[string]any{"rawQueryString": repeated(mb6, "keys=", "%2E", "")}), 400},
		{"GET, tags", event("GET", map[string]any{"headers": tags}), 412},
		{"POST, tags", event("POST", map[string]any{"headers": tags, "body": `{"settings":{}}`}), 412},
		{"GET, one long field", event("GET", map[string]any{"headers": map[string]string{"authorization": repeated(mb6, "Bearer ", "a.", "")}}), 404},
		{"GET, cookies", []byte(repeated(mb6, `{"cookies":[""`, `,""`, `],"version":"2.0"}`)), 404},
		{"GET, fields", []byte(`{"version":"2.0","headers":` + named(mb6, `""`) + `}`), 404},
		{"GET, a path", event("GET", map[string]any{"rawPath": repeated(mb6, "/", "%", "")}), 404},
		{"GET, a query", event("GET", map[string]any{"rawQueryString": repeated(mb6, "a", "&", "")}), 200},
		{"a route", event("GET", map[string]any{"routeKey": repeated(mb6, "GET /", "x", "")}), 404},
		{"a method", event(strings.Repeat("X", mb6), nil), 404},
		{"members", []byte(named(mb6, "0")), 404},
		{"an array", []byte(repeated(mb6, `[0`, `,0`, `]`)), 404},
		{"levels", []byte(strings.Repeat("[", mb6/2) + strings.Repeat("]", mb6/2)), 404},
	}
	try := func(name string, payload []byte, want int) string {
		before := cpuTime(t, s.Function.Environments())
		status, body := s.invoke(t, string(payload))
		spent := cpuTime(t, s.Function.Environments()) - before
		if either := want == 0 && (status == 200 || status == 413); status != want && !either {
			t.Errorf("%s: %d %.300s, want %d", name, status, body, want)
		}
		if spent > 2*time.Second {
			t.Errorf("%s: %v of processor time, want at most 2 s", name, spent)
		}
		if testing.Verbose() {
			t.Logf("%-40s %4d %8v, peak %d MB", name, status, spent, peakMemory(t, s.Function.Environments()[0])>>10)
		}
		return body
	}
	const rounds = 3
	for i := range rounds * len(requests) {
		r := requests[i*7%len(requests)] // another order than that of the list
		try(r.name, r.payload, r.status)
	}
	// Each state that these requests have left, with its changes, and back again.
	states := regexp.MustCompile(`"revision":"([^"]+)"`).FindAllStringSubmatch(try("history", below("/history", event("GET", map[string]any{"rawQueryString": "limit=100"})), 200), -1)
	if len(states) < 10 {
		t.Errorf("%d states", len(states))
	}
	for _, state := range states {
		try("state", below("/history/"+state[1], event("GET", nil)), 200)
		try("restore", below("/history/"+state[1]+"/restore", event("POST", nil)), 200)
	}
	if n := len(s.Function.Environments()); n != 1 {
		t.Errorf("%d processes have served, want 1", n)
	}
	peak := peakMemory(t, s.Function.Environments()[0])
	if peak > 128<<10 {
		t.Errorf("the function used %d KB at its peak, want at most 128 MB", peak)
	}
	t.Logf("the function used %d KB at its peak", peak)
	for line := range strings.Lines(s.log.String()) {
		if len(line) > 4096 {
			t.Errorf("a line of the log has %d bytes: %.300s", len(line), line)
		}
	}
}

// The same bounds hold with a schema and a document that are made to take long.
func TestWorstSchema(t *testing.T) {
	t.Parallel()
	var doubled []string
	for i := range 40 {
		doubled = append(doubled, fmt.Sprintf(`"d%d":{"anyOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]}`, i, i+1, i+1))
	}
	file := schemaFile(t, `{"properties":{"exponential":{"$ref":"#/$defs/d0"},"unique":{"uniqueItems":true},"text":{"pattern":"^(a{1,200}b?){1,4}$"},`+
		`"list":{"items":{"type":"string"}},"deep":{"$ref":"#/$defs/deep"},"huge":{"items":{"multipleOf":7,"maximum":1e300}}},`+
		`"$defs":{"deep":{"items":{"$ref":"#/$defs/deep"},"type":"array"},`+strings.Join(doubled, ",")+`,"d40":{"type":"null"}}}`)
	s := start(t, func(o *stack.Options) { o.Bootstrap, o.Schema, o.Environments = "", file, 1 })
	alice := s.token(t, "alice")
	const wide = 399_000
	for range 5 {
		for name, tt := range map[string]struct {
			document string
			status   int
		}{
			"exponential": {`{"exponential":1}`, 400},
			"unique":      {repeated(wide, `{"unique":[`, `["a","b"],["b","a"],[1e9],`, `0]}`), 400},
			"objects":     {`{"unique":[` + named(wide/2, `{"":{}}`) + `,` + named(wide/2-100, `{"":{}}`) + `]}`, 200},
			"text":        {repeated(wide, `{"text":"`, "a", `"}`), 400},
			"list":        {repeated(wide, `{"list":[0`, ",0", `]}`), 400},
			"deep":        {repeated(wide, `{"deep":`+strings.Repeat("[", 990)+"0", ",0", strings.Repeat("]", 990)+`}`), 400},
			"huge":        {repeated(wide, `{"huge":[0`, ",-7e99999", `]}`), 200},
		} {
			before := cpuTime(t, s.Function.Environments())
			a := s.call(t, "POST", alice, `{"settings":`+tt.document+`}`)
			if a.status != tt.status {
				t.Errorf("%s: %d %.300s, want %d", name, a.status, a.body, tt.status)
			}
			if spent := cpuTime(t, s.Function.Environments()) - before; spent > 2*time.Second {
				t.Errorf("%s: %v of processor time, want at most 2 s", name, spent)
			} else if testing.Verbose() {
				t.Logf("%-12s %v %.100s", name, spent, a.body)
			}
		}
	}
	peak := peakMemory(t, s.Function.Environments()[0])
	if peak > 128<<10 {
		t.Errorf("the function used %d KB at its peak, want at most 128 MB", peak)
	}
	t.Logf("the function used %d KB at its peak", peak)
}

// cpuTime returns the processor time that the processes have used: the 14th and 15th field of /proc/PID/stat, in
// hundredths of a second.
func cpuTime(t *testing.T, pids []int) (used time.Duration) {
	t.Helper()
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(string(stat))
		for _, field := range fields[13:15] {
			ticks, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			used += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return used
}
