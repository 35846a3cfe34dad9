package readme

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"orgsettings/infra/local/dynamodb"
)

// session runs the commands of the documentation from top to bottom, on free ports.
type session struct {
	t         *testing.T // of all commands
	url       string     // of the API; empty before make run
	issuer    string     // host and port
	database  *restoring
	endpoint  string   // of database
	path      string   // to the aws command
	variables []string // that export has set
	document  string   // that is to be restored
}

const anyPort = "127.0.0.1:0"

var (
	apiAt    = regexp.MustCompile(`(?m)^  API +(http://\S+)`)
	issuerAt = regexp.MustCompile(`(?m)^  tokens +http://(\S+)`)
)

// started runs make run until the test ends.
func started(t *testing.T, s *session, c command) {
	s.database = &restoring{Engine: dynamodb.New()}
	server := httptest.NewServer(s.database)
	s.t.Cleanup(server.Close)
	s.endpoint = server.URL

	cmd := exec.CommandContext(s.t.Context(), "sh", "-c", "exec "+c.line)
	cmd.Dir = root
	cmd.Env = append(environment(), "ORGSETTINGS_ADDR="+anyPort, "ORGSETTINGS_ISSUER_ADDR="+anyPort, "ORGSETTINGS_DOCS_ADDR="+anyPort,
		"ORGSETTINGS_DYNAMODB="+s.endpoint, "ORGSETTINGS_LOG_LEVEL=error")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Wait() // a signal ended it
		if s.t.Failed() {
			s.t.Logf("%s has logged:\n%s", c.line, &stderr)
		}
	})

	var printed strings.Builder
	for lines := bufio.NewScanner(stdout); !strings.Contains(printed.String(), "Try it:"); {
		if !lines.Scan() {
			t.Fatalf("%s ends after printing:\n%s", c.line, printed.String())
		}
		fmt.Fprintln(&printed, lines.Text())
	}
	go io.Copy(io.Discard, stdout)
	if !shown(c.output).MatchString(printed.String()) {
		t.Errorf("prints:\n%s\n%s shows:\n%s", printed.String(), c.page, c.output)
	}
	s.url = apiAt.FindStringSubmatch(printed.String())[1]
	s.issuer = issuerAt.FindStringSubmatch(printed.String())[1]
}

// restored runs a command of the restoration of a table. Some are commands of aws.
func restored(t *testing.T, s *session, c command) {
	s.path = filepath.Dir(tool(t, "aws"))
	if strings.HasPrefix(c.line, "aws dynamodb restore-table-to-point-in-time ") {
		executed(t, s, c)
		if at := s.database.askedFor(); !strings.HasSuffix(c.line, " "+at) {
			t.Errorf("asks for the table as of %s", at)
		}
		s.document = read(t, s)
		// The mistake that is to be undone.
		executed(t, s, command{line: `curl -X POST $API -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"settings":{}}'`})
		return
	}
	executed(t, s, c)
	if strings.Contains(c.line, " -write ") {
		if got := read(t, s); got != s.document {
			t.Errorf("restored is %s, want %s", got, s.document)
		}
	}
}

func read(t *testing.T, s *session) string {
	t.Helper()
	return run(t, s, `curl $API -H "Authorization: Bearer $TOKEN"`)
}

// exported runs an export and keeps its variables for the commands after it.
func exported(t *testing.T, s *session, c command) {
	own := regexp.MustCompile(`\$\([^)]*\)`).ReplaceAllString(c.line, "") // without the words of other commands
	for _, name := range regexp.MustCompile(`(\w+)=`).FindAllStringSubmatch(own, -1) {
		s.variables = append(s.variables, name[0]+run(t, s, c.line+"; printf %s \"$"+name[1]+`"`))
	}
}

// executed runs a command and compares what it prints with what the page shows.
func executed(t *testing.T, s *session, c command) {
	t.Helper()
	out := run(t, s, c.line)
	if c.output != "" && !shown(c.output).MatchString(out) {
		t.Errorf("prints:\n%s\n%s shows:\n%s", out, c.page, c.output)
	}
}

// run runs a command line with the addresses and names of the session, and returns what it prints.
func run(t *testing.T, s *session, line string) string {
	t.Helper()
	line = strings.NewReplacer("http://127.0.0.1:3000", s.url, "127.0.0.1:3001", s.issuer, "https://…", s.url,
		"USERS_TABLE=…", "USERS_TABLE=UsersTable", "TABLE=…", "TABLE=SettingsTable", "TOKEN=…", `TOKEN="$(make token)"`).Replace(line)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir = root
	cmd.Env = slices.Concat(environment(), s.variables, []string{"ORGSETTINGS_ISSUER_ADDR=" + s.issuer,
		"PATH=" + s.path + string(filepath.ListSeparator) + os.Getenv("PATH"),
		"AWS_ENDPOINT_URL_DYNAMODB=" + s.endpoint, "AWS_REGION=local", "AWS_DEFAULT_REGION=local", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local"})
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", line, err, out, &stderr)
	}
	return strings.ReplaceAll(string(out), "\r\n", "\n") // of HTTP headers
}

// sampleEvent runs a command that writes an event with a token in it.
func sampleEvent(t *testing.T, s *session, c command) {
	executed(t, s, c)
	event := text(t, ".build/event.json")
	if !json.Valid([]byte(event)) || !strings.Contains(event, `"Bearer ey`) {
		t.Errorf("the event is\n%s", event)
	}
}

// shown returns a pattern of the output that a page shows. Ports, times and revisions differ in each run, and …
// stands for anything.
func shown(output string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(output)
	for _, varies := range []struct{ found, pattern string }{
		{`127\\\.0\\\.0\\\.1:\d+`, `127\.0\.0\.1:\d+`},
		{`\d+\\\.\d+ s\b`, `\d+\.\d+ s`},
		{`\b[0-9A-Z]{26}\b`, `[0-9A-Z]{26}`},
		{`\b\d{4}-\d\d-\d\dT[\d:]+Z`, `\d{4}-\d\d-\d\dT[\d:]+Z`},
		{` +`, ` +`},
		{`…`, `(?s:.*)`},
	} {
		pattern = regexp.MustCompile(varies.found).ReplaceAllLiteralString(pattern, varies.pattern)
	}
	return regexp.MustCompile(`^\s*` + pattern + `\s*$`)
}
