package soak

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
)

// marker is in every token, document and header field of these tests. The log must
// not show it.
const marker = "5ecre7"

// checkLog looks for what must never be in a log: tokens, the marker, lines that are
// not JSON, control characters, and texts that are too long.
func checkLog(log string) (problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		var members map[string]any
		err := json.Unmarshal([]byte(line), &members)
		switch {
		case strings.Contains(line, "eyJ"), strings.Contains(line, marker):
			problem("the log shows a token or the marker: %.300q", line)
		case err != nil:
			problem("a line of the log is no JSON: %.300q", line)
		case strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }):
			problem("a line of the log is not escaped: %.300q", line)
		}
		for name, most := range map[string]int{"requestId": 64, "user": 64, "kid": 64, "organization": 128, "route": 64, "reason": 256, "error": 1024} {
			// An escape may be longer than what it stands for: four characters for a byte.
			if text, _ := members[name].(string); len(text) > 4*most+len("…") {
				problem("%s in the log has %d bytes: %.300q", name, len(text), line)
			}
		}
	}
	return problems
}

// hostile is text of somebody who would like to forge a line, to colour a
// terminal, to turn it around, and to fill a disk.
var hostile = "a\x1b[31mb\r\n{\"level\":\"ERROR\",\"msg\":\"request\"}\x00\u0085\u2028\u202e\x7f\ufeff" + strings.Repeat("x", 3000)

// Nothing of a token, a claim, a header field or a document is in the log, and
// what is there of a caller's own words is escaped and cut.
func TestHostileTextInTheLog(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	good := s.token(t, "alice")
	sign := func(claims map[string]any) string {
		all := map[string]any{"iss": s.Issuer.URL(), "aud": s.Issuer.Audience(), "sub": "alice", "exp": time.Now().Add(time.Hour).Unix()}
		for name, value := range claims {
			all[name] = value
		}
		token, err := s.Issuer.Sign(all)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	withKid := func(kid any) string {
		header, err := json.Marshal(map[string]any{"alg": "RS256", "kid": kid, "x": marker})
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(good, ".")
		return base64.RawURLEncoding.EncodeToString(header) + "." + rest
	}
	printable := strings.Repeat("h\u00e9\u4e2d\\\"'<>&%s%n${jndi:x}", 40) // what HTTP lets into a field
	document := `{"settings":{"` + marker + `":"` + marker + `"}}`
	for _, tt := range []struct {
		name, method, token, body string
		fields                    []string
		status                    int
		member                    string // of the log line that has hostile text, or empty
		begins                    string
	}{
		{"a document", "POST", good, document, nil, 200, "user", "alice"},
		{"a patch", "PUT", good, `{"a":{"` + marker + `":1}}`, nil, 200, "", ""},
		{"a reading", "GET", good, "", nil, 200, "", ""},
		{"keys", "DELETE", good, `{"keys":["` + marker + `"]}`, nil, 200, "", ""},
		{"an invalid document", "POST", good, `{"settings":{"` + marker + `":1,"` + marker + `":2}}`, nil, 400, "reason", "duplicate name"},
		{"an invalid text", "POST", good, `{"settings":{"a":` + marker, nil, 400, "", ""},
		{"claims", "GET", sign(map[string]any{"email": marker, "scope": marker}), "", nil, 200, "", ""},
		{"a hostile user", "GET", sign(map[string]any{"sub": hostile}), "", nil, 404, "user", `a\x1b[31mb\r\n{"level"`},
		{"a user of escapes", "GET", sign(map[string]any{"sub": strings.Repeat("\x01", 300)}), "", nil, 404, "user", `\x01\x01`},
		{"a hostile kid", "GET", withKid(hostile[:100]), "", nil, 401, "kid", `a\x1b[31mb\r\n{"level"`},
		{"a long kid", "GET", withKid(strings.Repeat("\u202e", 1000)), "", nil, 401, "kid", `\u202e\u202e`},
		{"a kid that is an object", "GET", withKid(map[string]any{"a": marker}), "", nil, 401, "", ""},
		{"a token of another", "GET", good[:len(good)-8] + "AAAAAAAA", "", nil, 401, "reason", "invalid token"},
		{"a token that is none", "GET", marker, "", nil, 401, "reason", "invalid token"},
		{"a hostile type", "POST", good, document, []string{"Content-Type", printable + marker}, 415, "reason", "unsupported Content-Type"},
		{"hostile fields", "GET", good, "", []string{"User-Agent", printable + marker, "Cookie", "a=" + marker, "X-Forwarded-For", marker, "Apigw-Requestid", marker}, 200, "", ""},
		{"a hostile condition", "POST", good, document, []string{"If-Match", printable + marker}, 400, "reason", "If-Match is neither"},
	} {
		a, err := s.call(tt.method, tt.token, tt.body, tt.fields...)
		if err != nil || a.status != tt.status {
			t.Errorf("%s: %d %s, %v, want %d", tt.name, a.status, a.body, err, tt.status)
		}
		line := s.requestLine(t, a.header.Get("Apigw-Requestid"))
		if text, _ := line[tt.member].(string); tt.member != "" && !strings.HasPrefix(text, tt.begins) {
			t.Errorf("%s: %s is %q in the log, want it to begin with %q", tt.name, tt.member, text, tt.begins)
		}
	}
	// No line shows a hostile query either.
	r, err := http.NewRequestWithContext(t.Context(), "DELETE", s.URL+"/settings/organization?keys="+marker+"&access_token="+good, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+good)
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("a hostile query: %d", response.StatusCode)
	}
	// When the stack ends, checkLog reads all lines, as after every test here.
}

// requestLine returns the members of the line of one request. The line may come
// after the answer.
func (s *service) requestLine(t *testing.T, id string) (members map[string]any) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		for line := range strings.Lines(s.log.String()) {
			if json.Unmarshal([]byte(line), &members) == nil && members["requestId"] == id {
				return members
			}
			members = nil
		}
	}
	t.Fatalf("no line of the request %q", id)
	return nil
}

func TestCheckLog(t *testing.T) {
	t.Parallel()
	var good bytes.Buffer
	slog.New(slog.NewJSONHandler(&good, nil)).Info("request", "user", strings.Repeat(`\x00`, 64)+"…", "status", 200)
	if problems := checkLog(good.String()); len(problems) > 0 {
		t.Errorf("a good line: %q", problems)
	}
	for _, bad := range []string{
		"panic: plain text", `{"a":"Bearer eyJhbGciOi"}`, `{"a":"` + marker + `"}`, "{\"a\":\"\x7f\"}", "{\"a\":\"\u202e\"}", "{\"a\":\"\ufeff\"}", "{\"a\":\"\u2066\"}",
		fmt.Sprintf(`{"kid":%q}`, strings.Repeat("k", 300)), fmt.Sprintf(`{"user":%q}`, strings.Repeat("u", 300)),
	} {
		if problems := checkLog(bad + "\n"); len(problems) == 0 {
			t.Errorf("nothing is wrong with %.100q", bad)
		}
	}
}
