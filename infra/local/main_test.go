package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/dynamodb"
	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/testenv"
)

// timeout is how long a program may take to end or to print.
const timeout = time.Minute

func noEnv(string) string { return "" }

// session is a program that runs, from the root of the project as a user has it.
type session struct {
	stdout *io.PipeReader
	stop   context.CancelFunc
	result chan error
}

func start(t *testing.T, args ...string) *session {
	t.Helper()
	return startWith(t, io.Discard, args...)
}

func startWith(t *testing.T, stderr io.Writer, args ...string) *session {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), timeout)
	read, write := io.Pipe()
	s := &session{stdout: read, stop: stop, result: make(chan error, 1)}
	go func() {
		err := run(ctx, append([]string{"-template", "../../template.yaml"}, args...), noEnv, write, stderr)
		write.CloseWithError(io.EOF)
		s.result <- err
	}()
	t.Cleanup(stop)
	return s
}

// readTo returns what the program prints up to a match of pattern, and the match.
func (s *session) readTo(t *testing.T, pattern *regexp.Regexp) (string, []string) {
	t.Helper()
	var text []byte
	buffer := make([]byte, 4096)
	for {
		n, err := s.stdout.Read(buffer)
		text = append(text, buffer[:n]...)
		if match := pattern.FindStringSubmatch(string(text)); match != nil {
			return string(text), match
		}
		if err != nil {
			t.Fatalf("ended (%v) after printing:\n%s", <-s.result, text)
		}
	}
}

var (
	curlLine = regexp.MustCompile(`(?m)^curl -w '\\n' -X POST (http://127\.0\.0\.1:\d+/\S+) -H 'Authorization: (Bearer [\w.-]+)' -H 'Content-Type: application/json' -d '(.*)'\n`)
	issuerAt = regexp.MustCompile(`tokens +http://(127\.0\.0\.1:\d+) `)
)

// What a new user does: start it, paste the printed line, ask for a token, stop.
func TestRun(t *testing.T) {
	t.Parallel()
	args := []string{"-port", "0"}
	if runtime.GOOS == "linux" { // it alone has this address
		args = append(args, "-listen", "127.0.0.2")
	}
	s := start(t, args...)
	printed, curl := s.readTo(t, curlLine)
	if warned := strings.Contains(printed, "\nWarning: API, tokens and DynamoDB are served on 127.0.0.2 too, "); warned != (len(args) > 2) {
		t.Errorf("with %q it warns of the address: %t", args, warned)
	}
	request := func(authorization string) {
		t.Helper()
		got := answer(t, http.MethodPost, curl[1], authorization, curl[3])
		if want := `{"success":true,"message":"Organization settings updated successfully"}`; got.body != want {
			t.Errorf("answer %d %s, want %s", got.status, got.body, want)
		}
	}
	request(curl[2])

	var token bytes.Buffer
	address := issuerAt.FindStringSubmatch(printed)
	if address == nil {
		t.Fatalf("no issuer in:\n%s", printed)
	}
	if err := run(t.Context(), []string{"-issuer-addr", address[1], "-token", "erin"}, noEnv, &token, io.Discard); err != nil {
		t.Fatal(err)
	}
	err := run(t.Context(), []string{"-issuer-addr", address[1], "-token", "mallory"}, noEnv, io.Discard, io.Discard)
	if err == nil || !strings.HasSuffix(err.Error(), "erin, bob; for others: make run FLAGS='-users FILE'") {
		t.Errorf("token for mallory: %v", err)
	}
	if !regexp.MustCompile(`^[\w-]+\.[\w-]+\.[\w-]+\n$`).MatchString(token.String()) {
		t.Errorf("-token prints %q, want a token and nothing else", token.String())
	}
	request("Bearer " + strings.TrimSpace(token.String()))

	for _, user := range []string{"alice  OWNER of acme", "frank  ADMINISTRATOR of acme", "heidi  WORKSPACES of acme: reads, may not write"} {
		if !strings.Contains(printed, "  "+user+"\n") {
			t.Errorf("user %s is not printed", user)
		}
	}
	s.stop()
	if err := <-s.result; err != nil {
		t.Errorf("stopped: %v", err)
	}
}

// Users, claim and scope of one's own; a token for somebody else is refused, and says why.
func TestOwnUsers(t *testing.T) {
	t.Parallel()
	users := filepath.Join(t.TempDir(), "users.json")
	if err := os.WriteFile(users, []byte(`[{"user":"a b","organization":"o","role":"USER"},{"user":"zoe","organization":"o","role":254}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "-port", "0", "-bootstrap", bootstrap(t), "-users", users, "-jwt-user-claim", "email", "-jwt-required-scope", "org")
	printed, curl := s.readTo(t, curlLine)
	for _, want := range []string{
		"  a b  USER of o: reads, may not write\n  zoe  ADMINISTRATOR of o\n", "/token?user=a+b'", "  -users  " + users + "  has the users, ",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not printed:\n%s", want, printed)
		}
	}
	address := issuerAt.FindStringSubmatch(printed)[1]
	if got := answer(t, http.MethodGet, "http://"+address+"/token", "", "").body; !strings.Contains(got, "ask for /token?user=a+b") {
		t.Errorf("a request without user is told %s", got)
	}
	err := run(t.Context(), []string{"-issuer-addr", address, "-token", "alice"}, noEnv, io.Discard, io.Discard)
	if want := `no token for user "alice": there is no such user; the stack has a b, zoe (from ` + users + `)`; err == nil || err.Error() != want {
		t.Errorf("token for alice: %v, want %s", err, want)
	}
	for query, want := range map[string]int{
		"user=zoe": 200, "user=zoe&scope=other": 403, "user=zoe&scope=": 403, "user=zoe&ttl=-1h": 401, `user=zoe&claims={"aud":null}`: 401,
		`user=zoe&claims={"email":"eve"}`: 404, "user=a+b": 403,
	} {
		token := answer(t, http.MethodGet, "http://"+address+"/token?"+query, "", "")
		if status := answer(t, http.MethodPost, curl[1], "Bearer "+strings.TrimSpace(token.body), curl[3]).status; status != want {
			t.Errorf("%s: status %d, want %d", query, status, want)
		}
	}
}

// The console's address comes first. Where it is not built, a line says how to build it.
func TestConsole(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir, bootstrap := t.TempDir(), bootstrap(t)
	template, dist := filepath.Join(dir, "template.yaml"), filepath.Join(dir, "clients", "console", "dist")
	if err := errors.Join(os.WriteFile(template, text, 0o600), os.MkdirAll(dist, 0o700)); err != nil {
		t.Fatal(err)
	}
	first := regexp.MustCompile(`Ctrl-C stops it\.\n\n  console +(\S+) (.*)\n`)
	for _, built := range []bool{false, true} {
		if built {
			if err := os.WriteFile(filepath.Join(dist, "index.html"), []byte("the console"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := start(t, "-port", "0", "-template", template, "-bootstrap", bootstrap)
		_, line := s.readTo(t, first)
		go io.Copy(io.Discard, s.stdout)
		switch {
		case !built && !strings.Contains(line[2], " make console "):
			t.Errorf("not built: %q", line[0])
		case built:
			if got := answer(t, http.MethodGet, line[1], "", ""); got.status != 200 || got.body != "the console" {
				t.Errorf("%s: %d %s", line[1], got.status, got.body)
			}
		}
		s.stop()
		if err := <-s.result; err != nil {
			t.Error(err)
		}
	}
}

// Documents, history and tokens outlive the stack. A file that cannot be read is named, and left as it is.
func TestData(t *testing.T) {
	t.Parallel()
	dir, bootstrap := filepath.Join(t.TempDir(), "data"), bootstrap(t)
	s := start(t, "-port", "0", "-bootstrap", bootstrap, "-data", dir)
	printed, curl := s.readTo(t, curlLine)
	if !strings.Contains(printed, "\n  -data  "+dir+"  keeps documents, ") {
		t.Errorf("-data is not printed:\n%s", printed)
	}
	address := issuerAt.FindStringSubmatch(printed)[1]
	authorization := curl[2]
	for _, document := range []string{`{"n":1}`, `{"n":2}`} {
		if got := answer(t, http.MethodPost, curl[1], authorization, `{"settings":`+document+`}`); got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	before := answer(t, http.MethodGet, curl[1]+"/history", authorization, "").body
	err := run(t.Context(), []string{"-template", "../../template.yaml", "-port", "0", "-bootstrap", bootstrap, "-data", dir}, noEnv, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "-data "+dir+": it is in use by another stack; stop that, or give another DIR") {
		t.Errorf("a second stack on the same data: %v", err)
	}
	s.stop()
	if err := <-s.result; err != nil {
		t.Fatal(err)
	}
	s = start(t, "-port", "0", "-issuer-addr", address, "-bootstrap", bootstrap, "-data", dir)
	_, curl = s.readTo(t, curlLine)
	if got := answer(t, http.MethodGet, curl[1], authorization, ""); got.status != 200 || got.body != `{"success":true,"settings":{"n":2}}` {
		t.Errorf("after a start: %d %s", got.status, got.body)
	}
	if got := answer(t, http.MethodGet, curl[1]+"/history", authorization, "").body; got != before || strings.Count(got, "revision") != 2 {
		t.Errorf("history after a start: %s\nwant %s", got, before)
	}
	s.stop()
	if err := <-s.result; err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"signing-key.pem", "dynamodb.jsonl"} {
		file := filepath.Join(dir, name)
		kept, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		spoilt := []byte("spoilt\n" + string(kept))
		if name == "signing-key.pem" {
			spoilt = []byte("spoilt")
		}
		if err := os.WriteFile(file, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		err = run(t.Context(), []string{"-template", "../../template.yaml", "-port", "0", "-bootstrap", bootstrap, "-data", dir}, noEnv, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("a spoilt %s: %v", name, err)
		}
		if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, spoilt) {
			t.Errorf("%s has changed: %v", name, err)
		}
		if err := os.WriteFile(file, kept, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Pages of the origins call the API and get tokens. The first preflight request of another origin is logged.
func TestOrigins(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	s := start(t, "-port", "0", "-bootstrap", bootstrap(t), "-cors-origins", "http://localhost:*,https://app.example", "-log", log)
	printed, curl := s.readTo(t, curlLine)
	if rows := regexp.MustCompile(`\n  -cors-origins +http://localhost:\*,https://app\.example  .*\n  -log +` + regexp.QuoteMeta(log) + ` +gets the function's log\n`); !rows.MatchString(printed) {
		t.Errorf("the flags are not printed:\n%s", printed)
	}
	tokens := "http://" + issuerAt.FindStringSubmatch(printed)[1] + "/token?user=alice"
	for _, url := range []string{tokens, curl[1]} {
		for origin, want := range map[string]string{
			"https://app.example": "https://app.example", "http://localhost:5173": "http://localhost:5173", "https://evil.example": "",
		} {
			if got := answer(t, http.MethodGet, url, curl[2], "", "Origin", origin).header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s from %s: Access-Control-Allow-Origin %q, want %q", url, origin, got, want)
			}
		}
	}
	for _, origin := range []string{"https://evil.example", "https://app.example", "https://evil.example"} {
		answer(t, http.MethodOptions, curl[1], "", "", "Origin", origin, "Access-Control-Request-Method", "PUT")
	}
	text, err := os.ReadFile(log)
	const line = "a page of https://evil.example may not call the API; make run FLAGS='-cors-origins http://localhost:*,https://app.example,https://evil.example' allows it\n"
	if err != nil || strings.Count(string(text), "may not call") != 1 || !strings.Contains(string(text), line) {
		t.Errorf("the log is %s (%v), want once %s", text, err, line)
	}
}

type reply struct {
	status int
	body   string
	header http.Header
}

// answer sends one request. Fields of its header beyond Authorization and Content-Type are given in pairs.
func answer(t *testing.T, method, url, authorization, body string, fields ...string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{response.StatusCode, string(text), response.Header}
}

// Another issuer: its key set is tried at the start, and its users are not the demo users.
func TestOtherIssuer(t *testing.T) {
	t.Parallel()
	bootstrap := bootstrap(t)
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/good":
			io.WriteString(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
		case "/page":
			io.WriteString(w, "<html>")
		case "/none":
			io.WriteString(w, `{"keys":[]}`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(keys.Close)
	for path, want := range map[string]string{
		"/good": "", "/page": "invalid character '<'", "/none": "no usable key among 0", "/absent": "/absent: status 404.",
	} {
		var stderr testenv.Log
		s := startWith(t, &stderr, "-port", "0", "-bootstrap", bootstrap, "-jwks-url", keys.URL+path, "-issuer", "https://other.example", "-audience", "a")
		printed, _ := s.readTo(t, regexp.MustCompile(`-X POST`))
		const begins = "Warning: -jwks-url gives no keys, and every token is answered 503 until it does: "
		if text := stderr.String(); want == "" && text != "" || want != "" && (!strings.HasPrefix(text, begins) || !strings.Contains(text, want)) {
			t.Errorf("%s: it warns %q", path, text)
		}
		if strings.Contains(printed, "alice") || !strings.Contains(printed, "give their user ids in a file, make run FLAGS='… -users FILE'.") {
			t.Errorf("%s: it prints\n%s", path, printed)
		}
		s.stop()
		if err := <-s.result; err != nil {
			t.Errorf("stopped: %v", err)
		}
	}
}

// bootstrap builds the function and returns its path.
func bootstrap(t *testing.T) string {
	t.Helper()
	path, err := stack.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	bootstrap := bootstrap(t)
	for file, want := range map[string]string{
		"../../events/post.json":         `"statusCode":200`,
		"../../events/post-refused.json": `"statusCode":400`,
		"../../events/get.json":          `"body":"{\"success\":true,\"settings\":{}}"`,
		"../../events/history.json":      `"body":"{\"success\":true,\"history\":[]}"`,
		"../../events/restore.json":      `revision not found`,
		"../../events/schema.json":       `schema is not available`,
		"../../events/preview.json":      `{\"path\":\"/security\",`,
	} {
		var out bytes.Buffer
		err := run(t.Context(), []string{"-template", "../../template.yaml", "-bootstrap", bootstrap, "-invoke", file}, noEnv, &out, io.Discard)
		if err != nil || !strings.HasPrefix(out.String(), `{"statusCode":`) || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %s (%v), want %s", file, &out, err, want)
		}
	}
}

func TestFillTokenOfOutsideIssuer(t *testing.T) {
	t.Parallel()
	if got, err := fillToken([]byte(`{"a":"Bearer ey"}`), nil, ""); err != nil || string(got) != `{"a":"Bearer ey"}` {
		t.Errorf("an event with a token becomes %s (%v)", got, err)
	}
	if _, err := fillToken([]byte(`"Bearer $TOKEN"`), nil, ""); err == nil {
		t.Error("no error where no token can be made")
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	stranger := &http.Server{Handler: http.NotFoundHandler()}
	go stranger.Serve(taken)
	t.Cleanup(func() { stranger.Close() })
	address := taken.Addr().String()
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	wrongSchema := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(wrongSchema, []byte(`{"properties":{"a":{"typ":"string"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	dangling := t.TempDir()
	if err := os.Symlink("absent/lock", filepath.Join(dangling, "lock")); err != nil {
		t.Fatal(err)
	}
	const loopback = "it is not a loopback address such as 127.0.0.1, and the stack gives a token to everyone who asks (see make run FLAGS=-h)"
	for _, tt := range []struct{ args, env, want string }{
		{"-addr " + address, "", address + " is already in use; move all ports with make run FLAGS='-port 4000', or choose another with FLAGS='-addr …'"},
		{"-issuer-addr " + address, "", address + " is already in use; move all ports with make run FLAGS='-port 4000', or choose another with FLAGS='-issuer-addr …'"},
		{"-dynamodb-addr " + address, "", address + " is already in use; move all ports with make run FLAGS='-port 4000', or choose another with FLAGS='-dynamodb-addr …'"},
		{"", "ORGSETTINGS_ADDR=" + address, address + " is already in use; move all ports with make run FLAGS='-port 4000', or choose another with FLAGS='-addr …'"},
		{"-addr 0.0.0.0:3000", "", "-addr 0.0.0.0:3000: " + loopback},
		{"-issuer-addr :3001", "", "-issuer-addr :3001: " + loopback},
		{"-dynamodb-addr 3002", "", "-dynamodb-addr 3002: it is not HOST:PORT (see make run FLAGS=-h)"},
		{"-listen lo", "", "-listen lo: it is not the IP address of one network interface (see make run FLAGS=-h)"},
		{"-addr " + address + " -docs-addr " + address, "",
			address + ", " + address + " are already in use; move all ports with make run FLAGS='-port 4000', or choose others with FLAGS='-addr …'"},
		{"-port abc", "", `invalid value "abc" for flag -port: it is not a number (see make run FLAGS=-h)`},
		{"-port 65533", "", "-port 65533 is not from 0 to 65532 (see make run FLAGS=-h)"},
		{"-ports 1", "", "flag provided but not defined: -ports (see make run FLAGS=-h)"},
		{"start", "", `"start" is not a flag; a command comes after -- (see make run FLAGS=-h)`},
		{"-environments x", "", `invalid value "x" for flag -environments: it is not a number (see make run FLAGS=-h)`},
		{"", "ORGSETTINGS_ENVIRONMENTS=x", `invalid value "x" for ORGSETTINGS_ENVIRONMENTS: it is not a number (see make run FLAGS=-h)`},
		{"-environments 0", "", "-environments 0 is not at least 1 (see make run FLAGS=-h)"},
		{"-log-level loud", "", `-log-level "loud" is not debug, info, warn or error (see make run FLAGS=-h)`},
		{"-dynamodb localhost:8000", "", `-dynamodb "localhost:8000" is not an http or https URL (see make run FLAGS=-h)`},
		{"-jwks-url http://issuer.example/jwks.json -issuer a -audience b", "",
			`-jwks-url "http://issuer.example/jwks.json" does not start with https://, which is required except for loopback hosts (see make run FLAGS=-h)`},
		{"-users absent.json", "", "-users: open absent.json: no such file or directory"},
		{"-users " + text, "", "-users: " + text + ` is no list such as [{"user":"alice","organization":"acme","role":"OWNER"}]: invalid character 'e' in literal true (expecting 'r')`},
		{"-schema absent.json", "", "-schema absent.json: open absent.json: no such file or directory"},
		{"-schema " + wrongSchema, "", "-schema " + wrongSchema + ": /properties/a/typ: unknown keyword; notes belong in $comment or description"},
		{"-cors-origins http://ok.example,app.example", "", `-cors-origins "app.example" matches no page, as browsers send https://app.example.com or http://localhost:5173 (http://localhost:* for every port of it) (see make run FLAGS=-h)`},
		{"-cors-origins http://ok.example,https://app.example/", "", `-cors-origins "https://app.example/" matches no page, as browsers send https://app.example (see make run FLAGS=-h)`},
		{"-cors-origins http://ok.example,https://app.example/page?a", "", `-cors-origins "https://app.example/page?a" matches no page, as browsers send https://app.example (see make run FLAGS=-h)`},
		{"-cors-origins http://ok.example,https://App.example", "", `-cors-origins "https://App.example" matches no page, as browsers send https://app.example (see make run FLAGS=-h)`},
		{"-cors-origins http://ok.example,https://app.example:443", "", `-cors-origins "https://app.example:443" matches no page, as browsers send https://app.example (see make run FLAGS=-h)`},
		{"-cors-origins http://ok.example,http://localhost:80", "", `-cors-origins "http://localhost:80" matches no page, as browsers send http://localhost (see make run FLAGS=-h)`},
		{"-cors-origins http://ok.example,localhost:5173", "", `-cors-origins "localhost:5173" matches no page, as browsers send https://app.example.com or http://localhost:5173 (http://localhost:* for every port of it) (see make run FLAGS=-h)`},
		{"-cors-origins http://ok.example,*", "", `-cors-origins "*" matches no page, as browsers send https://app.example.com or http://localhost:5173 (http://localhost:* for every port of it) (see make run FLAGS=-h)`},
		{"-cors-origins http://ok.example,https://app.example:*", "", `-cors-origins "https://app.example:*" matches no page, as browsers send https://app.example.com or http://localhost:5173 (http://localhost:* for every port of it) (see make run FLAGS=-h)`},
		{"-audience a", "", "-jwks-url, -issuer and -audience go together (see make run FLAGS=-h)"},
		{"-token=", "", "-token needs a user (see make run FLAGS=-h)"},
		{"-invoke=", "", "-invoke needs a file (see make run FLAGS=-h)"},
		{"-token a -invoke b", "", "-token, -invoke and a command exclude each other (see make run FLAGS=-h)"},
		{"-token a -- b", "", "-token, -invoke and a command exclude each other (see make run FLAGS=-h)"},
		{"-addr " + address + " -- true", "", address + " is already in use; move all ports with make run FLAGS='-port 4000', or choose another with FLAGS='-addr …'"},
		{"-invoke absent.json", "", "-invoke: open absent.json: no such file or directory"},
		{"-invoke " + text, "", "-invoke: " + text + " is not JSON"},
		{"-template absent.yaml", "", "absent.yaml: no such file or directory; run this in the project's root, or give the template's path: FLAGS='-template PATH'"},
		{"-data " + text + "/x", "", "-data " + text + "/x: mkdir " + text + ": not a directory"},
		{"-data " + dangling, "", "-data " + dangling + ": open " + dangling + "/lock: no such file or directory"},
		{"-token alice -issuer-addr 127.0.0.1:1", "", "no stack answers at 127.0.0.1:1; start one with make run, or give its port: make token FLAGS='-port PORT'"},
		{"-token alice -issuer-addr " + address, "", "the server at " + address + " is not the issuer of a stack; give the stack's port: make token FLAGS='-port PORT', or the issuer's address: FLAGS='-issuer-addr HOST:PORT'"},
	} {
		env := func(name string) string {
			if value, ok := strings.CutPrefix(tt.env, name+"="); ok {
				return value
			}
			switch name { // the defaults may be taken by a stack of the user
			case "ORGSETTINGS_ADDR", "ORGSETTINGS_ISSUER_ADDR", "ORGSETTINGS_DYNAMODB_ADDR", "ORGSETTINGS_DOCS_ADDR":
				return anyPort
			case "ORGSETTINGS_TEMPLATE":
				return "../../template.yaml"
			}
			return ""
		}
		ctx, stop := context.WithTimeout(t.Context(), timeout)
		err := run(ctx, strings.Fields(tt.args), env, io.Discard, io.Discard)
		stop()
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s%s: error %v, want %s", tt.args, tt.env, err, tt.want)
		}
		wrong, pointer := errors.AsType[*usageError](err)
		if pointer != strings.HasSuffix(tt.want, "(see make run FLAGS=-h)") {
			t.Errorf("%s%s: usage error %v", tt.args, tt.env, wrong)
		}
	}
}

// Every flag but -token and -invoke has an environment variable. -h shows it, and the flag overrides it.
func TestEnvironmentVariables(t *testing.T) {
	t.Parallel()
	var help bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, noEnv, &help, io.Discard); err != nil {
		t.Fatal(err)
	}
	sample := map[string]string{"cors-origins": "https://a.example, http://localhost:*", "port": "4000", "environments": "7", "log-level": "warn", "dynamodb": "http://127.0.0.1:8000", "jwks-url": "http://127.0.0.1:1/"}
	env := make(map[string]string)
	new(config).flags().VisitAll(func(f *flag.Flag) {
		line := regexp.MustCompile(`(?m)^  -` + f.Name + ` .*$`).FindString(help.String())
		if name := variable(f.Name); line == "" || !strings.Contains(line, " "+name) {
			t.Errorf("-h shows %s as %q", f.Name, line)
		} else if name != "" {
			env[name] = sample[f.Name]
			if env[name] == "" {
				env[name] = "value of " + f.Name
			}
		}
	})
	got, err := readConfig([]string{"-issuer", "flag"}, func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		Options: stack.Options{
			Addr: "value of addr", IssuerAddr: "value of issuer-addr", DynamoDBAddr: "value of dynamodb-addr", DocsAddr: "value of docs-addr",
			Listen:      "value of listen",
			DynamoDBURL: "http://127.0.0.1:8000", JWKSURL: "http://127.0.0.1:1/", Issuer: "flag", Audience: "value of audience",
			UserClaim: "value of jwt-user-claim", RequiredScope: "value of jwt-required-scope", CORSOrigins: []string{"https://a.example", "http://localhost:*"}, Environments: 7, Bootstrap: "value of bootstrap", Template: "value of template", Users: "value of users",
			Data: "value of data", Schema: "value of schema",
		},
		port: 4000, corsOrigins: "https://a.example, http://localhost:*", logLevel: "warn", log: "value of log",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(config{})); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

// -port moves every port. An address of its own, and a command's free ports, stay.
func TestPorts(t *testing.T) {
	t.Parallel()
	type addrs [4]string
	for args, want := range map[string]addrs{
		"":                         {"127.0.0.1:3000", "127.0.0.1:3001", "127.0.0.1:3002", "127.0.0.1:3003"},
		"-port 4000":               {"127.0.0.1:4000", "127.0.0.1:4001", "127.0.0.1:4002", "127.0.0.1:4003"},
		"-port 4000 -addr [::1]:5": {"[::1]:5", "127.0.0.1:4001", "127.0.0.1:4002", "127.0.0.1:4003"},
		"-port 0":                  {anyPort, anyPort, anyPort, anyPort},
		"-- true":                  {anyPort, anyPort, anyPort, anyPort},
		"-invoke a -port 4000":     {"127.0.0.1:4000", "127.0.0.1:4001", "127.0.0.1:4002", "127.0.0.1:4003"},
	} {
		c, err := readConfig(strings.Fields(args), noEnv)
		if got := (addrs{c.Addr, c.IssuerAddr, c.DynamoDBAddr, c.DocsAddr}); err != nil || got != want {
			t.Errorf("%q: %q (%v), want %q", args, got, err, want)
		}
	}
}

// program builds this program and returns its path.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "local")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// A command that prints the addresses of its stack, reads its input, and exits with 7, or with 9 after SIGTERM.
func TestCommand(t *testing.T) {
	t.Parallel()
	const script = `trap 'exit 9' TERM
printf '%s\n' "$API_URL" "$ISSUER_URL" "$DYNAMODB_URL" "$DOCS_URL"
read -r line
exit 7`
	program, bootstrap := program(t), bootstrap(t)
	for _, tt := range []struct {
		name string
		end  func(*exec.Cmd, io.Closer) error
		want int
	}{
		{"ends", func(_ *exec.Cmd, stdin io.Closer) error { return stdin.Close() }, 7},
		{"gets a signal", func(cmd *exec.Cmd, _ io.Closer) error { return cmd.Process.Signal(syscall.SIGTERM) }, 9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			log := filepath.Join(t.TempDir(), "log")
			cmd := exec.CommandContext(t.Context(), program, "-template", "../../template.yaml", "-bootstrap", bootstrap, "-log", log, "--", "sh", "-c", script)
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var api, issuer, database, docs string
			if _, err := fmt.Fscan(stdout, &api, &issuer, &database, &docs); err != nil {
				t.Fatal(err)
			}
			for url, want := range map[string]int{
				api + "/settings/organization": 401, issuer + "/token?user=alice": 200, database: 200, docs + "/docs": 200,
			} {
				response, err := http.Get(url)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				if response.StatusCode != want {
					t.Errorf("%s: status %d, want %d", url, response.StatusCode, want)
				}
			}
			if err := tt.end(cmd, stdin); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != tt.want {
				t.Errorf("exit code %d, want %d", got, tt.want)
			}
			if text, err := os.ReadFile(log); err != nil || !strings.Contains(string(text), `"status":401`) {
				t.Errorf("the log is %q (%v), want the line of the request", text, err)
			}
			if response, err := http.Get(api); err == nil {
				response.Body.Close()
				t.Errorf("%s still answers", api)
			}
		})
	}
}

// A start is never silent for longer than five seconds.
func TestNote(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		var said testenv.Log
		go note(&said, over)
		time.Sleep(noteAfter - 1) // of the bubble's clock, as below
		for _, want := range []string{"", "compiling the function, ./functions/settings; ", "  still at it ...\n", "  still at it ...\n"} {
			synctest.Wait()
			if got := said.Take(); !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("it says %q, want %q", got, want)
			}
			time.Sleep(noteEvery)
		}
		close(over)
	})
}

// Ctrl-C reaches every process of a terminal. A request in flight is answered all the same.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	database := dynamodb.New()
	asked, goOn := make(chan struct{}, 8), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetItem") {
			asked <- struct{}{}
			<-goOn
		}
		database.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	cmd := exec.CommandContext(t.Context(), program(t), "-template", "../../template.yaml", "-bootstrap", bootstrap(t), "-port", "0",
		"-dynamodb", server.URL, "-log", filepath.Join(t.TempDir(), "log"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as a shell does
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var curl []string
	for lines := bufio.NewScanner(output); curl == nil && lines.Scan(); {
		curl = curlLine.FindStringSubmatch(lines.Text() + "\n")
	}
	if curl == nil {
		t.Fatal("no command line is printed")
	}
	got := make(chan int, 1)
	go func() {
		defer close(got)
		r, _ := http.NewRequest(http.MethodGet, curl[1], nil) // the URL is good
		r.Header.Set("Authorization", curl[2])
		if response, err := http.DefaultClient.Do(r); err == nil {
			response.Body.Close()
			got <- response.StatusCode
		}
	}()
	<-asked
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if want := "stopping; requests in flight have 2 seconds ...\n"; err != nil || line != want {
		t.Errorf("it says %q (%v), want %q", line, err, want)
	}
	close(goOn)
	if status := <-got; status != 200 {
		t.Errorf("status %d", status)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended: %v", err)
	}
}

// The program itself: one line on stderr, nothing on stdout, and the exit code.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	program := program(t)
	for args, want := range map[string]int{"-h": 0, "-nonsense": 2, "-addr 0.0.0.0:1 -template ../../template.yaml": 2, "-token alice -issuer-addr 127.0.0.1:1": 1} {
		cmd := exec.CommandContext(t.Context(), program, strings.Fields(args)...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit code %d, want %d", args, got, want)
		}
		if want != 0 && (stdout.Len() > 0 || strings.Count(stderr.String(), "\n") != 1) {
			t.Errorf("%s: stdout %q, stderr %q, want one line on stderr", args, &stdout, &stderr)
		}
	}
}
