package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"orgsettings/infra/local/stack"
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
	ctx, stop := context.WithTimeout(t.Context(), timeout)
	read, write := io.Pipe()
	s := &session{stdout: read, stop: stop, result: make(chan error, 1)}
	go func() {
		err := run(ctx, append([]string{"-template", "../../template.yaml"}, args...), noEnv, write, io.Discard)
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
	curlLine = regexp.MustCompile(`(?m)^curl -X POST (http://127\.0\.0\.1:\d+/\S+) -H 'Authorization: (Bearer [\w.-]+)' -H 'Content-Type: application/json' -d '(.*)'\n`)
	issuerAt = regexp.MustCompile(`tokens +http://(127\.0\.0\.1:\d+) `)
)

// What a new user does: start it, paste the printed line, ask for a token, stop.
func TestRun(t *testing.T) {
	t.Parallel()
	args := []string{"-addr", anyPort, "-issuer-addr", anyPort, "-dynamodb-addr", anyPort, "-docs-addr", anyPort}
	if runtime.GOOS == "linux" { // it alone has this address
		args = append(args, "-listen", "127.0.0.2")
	}
	s := start(t, args...)
	printed, curl := s.readTo(t, curlLine)
	if warned := strings.Contains(printed, "\nWarning: API, tokens and DynamoDB are served on 127.0.0.2 too, "); warned != (len(args) > 8) {
		t.Errorf("with %q it warns of the address: %t", args, warned)
	}
	request := func(authorization string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, curl[1], strings.NewReader(curl[3]))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", authorization)
		r.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if want := `{"success":true,"message":"Organization settings updated successfully"}`; err != nil || string(body) != want {
			t.Errorf("answer %d %s (%v), want %s", response.StatusCode, body, err, want)
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
	if !regexp.MustCompile(`^[\w-]+\.[\w-]+\.[\w-]+\n$`).MatchString(token.String()) {
		t.Errorf("-token prints %q, want a token and nothing else", token.String())
	}
	request("Bearer " + strings.TrimSpace(token.String()))

	for _, u := range stack.DemoUsers() {
		if !strings.Contains(printed, "  "+u.Name+" ") {
			t.Errorf("user %s is not printed", u.Name)
		}
	}
	s.stop()
	if err := <-s.result; err != nil {
		t.Errorf("stopped: %v", err)
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
	if got, err := fillToken([]byte(`{"a":"Bearer ey"}`), nil); err != nil || string(got) != `{"a":"Bearer ey"}` {
		t.Errorf("an event with a token becomes %s (%v)", got, err)
	}
	if _, err := fillToken([]byte(`"Bearer $TOKEN"`), nil); err == nil {
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
	const loopback = "it is not a loopback address such as 127.0.0.1, and the stack gives a token to everyone who asks (see -h)"
	for _, tt := range []struct{ args, env, want string }{
		{"-addr " + address, "", address + " is already in use; choose another with -addr"},
		{"-issuer-addr " + address, "", address + " is already in use; choose another with -issuer-addr"},
		{"-dynamodb-addr " + address, "", address + " is already in use; choose another with -dynamodb-addr"},
		{"", "ORGSETTINGS_ADDR=" + address, address + " is already in use; choose another with -addr"},
		{"-addr 0.0.0.0:3000", "", "-addr 0.0.0.0:3000: " + loopback},
		{"-issuer-addr :3001", "", "-issuer-addr :3001: " + loopback},
		{"-dynamodb-addr 3002", "", "-dynamodb-addr 3002: it is not HOST:PORT (see -h)"},
		{"-listen lo", "", "-listen lo: it is not the IP address of one network interface (see -h)"},
		{"-port 1", "", "flag provided but not defined: -port (see -h)"},
		{"start", "", `"start" is not a flag; a command comes after -- (see -h)`},
		{"-environments x", "", `invalid value "x" for flag -environments: parse error (see -h)`},
		{"", "ORGSETTINGS_ENVIRONMENTS=x", `invalid value "x" for ORGSETTINGS_ENVIRONMENTS: parse error (see -h)`},
		{"-environments 0", "", "-environments 0 is not at least 1 (see -h)"},
		{"-log-level loud", "", `-log-level "loud" is not debug, info, warn or error (see -h)`},
		{"-dynamodb localhost:8000", "", `-dynamodb "localhost:8000" is not an http or https URL (see -h)`},
		{"-audience a", "", "-jwks-url, -issuer and -audience go together (see -h)"},
		{"-token=", "", "-token needs a user (see -h)"},
		{"-invoke=", "", "-invoke needs a file (see -h)"},
		{"-token a -invoke b", "", "-token, -invoke and a command exclude each other (see -h)"},
		{"-token a -- b", "", "-token, -invoke and a command exclude each other (see -h)"},
		{"-addr " + address + " -- true", "", address + " is already in use; choose another with -addr"},
		{"-invoke absent.json", "", "-invoke: open absent.json: no such file or directory"},
		{"-invoke " + text, "", "-invoke: " + text + " is not JSON"},
		{"-template absent.yaml", "", "absent.yaml: no such file or directory; run this in the project's root, or give the template's path with -template"},
		{"-token alice -issuer-addr 127.0.0.1:1", "", "no stack answers at 127.0.0.1:1; start one with make run, or give its issuer's address with -issuer-addr"},
		{"-token alice -issuer-addr " + address, "", "the server at " + address + " is not the issuer of a stack; give the right address with -issuer-addr"},
	} {
		env := func(name string) string {
			if value, ok := strings.CutPrefix(tt.env, name+"="); ok {
				return value
			}
			switch name { // the defaults may be taken by a stack of the user
			case "ORGSETTINGS_ADDR", "ORGSETTINGS_ISSUER_ADDR", "ORGSETTINGS_DYNAMODB_ADDR":
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
		if pointer != strings.HasSuffix(tt.want, "(see -h)") {
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
	sample := map[string]string{"environments": "7", "log-level": "warn", "dynamodb": "http://127.0.0.1:8000", "jwks-url": "http://127.0.0.1:1/"}
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
			Environments: 7, Bootstrap: "value of bootstrap", Template: "value of template",
		},
		corsOrigins: "value of cors-origins", logLevel: "warn", log: "value of log",
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(config{})); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
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
