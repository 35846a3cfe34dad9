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
	"strings"
	"syscall"
	"testing"
	"time"

	"orgsettings/infra/local/dynamodb"
)

// session runs the commands of README.md from top to bottom, on free ports.
type session struct {
	t        *testing.T // of all commands
	url      string     // of the API; empty before make run
	issuer   string     // host and port
	database *restoring
	endpoint string // of database
	path     string // to the aws command
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
		t.Errorf("prints:\n%s\nREADME.md shows:\n%s", printed.String(), c.output)
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
		// The mistake that is to be undone.
		executed(t, s, command{line: `curl -X POST http://127.0.0.1:3000/settings/organization -H "Authorization: Bearer $(make token)" -H 'Content-Type: application/json' -d '{"settings":{}}'`})
		return
	}
	executed(t, s, c)
	if strings.Contains(c.line, " -write ") {
		executed(t, s, command{
			line:   `curl http://127.0.0.1:3000/settings/organization -H "Authorization: Bearer $(make token)"`,
			output: `{"success":true,"settings":{"theme":"dark","limits":{"maxFileSize":"10GB"}}}`,
		})
	}
}

// executed runs a command and compares what it prints with what README.md shows.
func executed(t *testing.T, s *session, c command) {
	t.Helper()
	line := strings.NewReplacer("http://127.0.0.1:3000", s.url, "https://…", s.url, "=… ", `="$(make token)" `).Replace(c.line)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir = root
	cmd.Env = append(environment(), "ORGSETTINGS_ISSUER_ADDR="+s.issuer, "TABLE=SettingsTable",
		"PATH="+s.path+string(filepath.ListSeparator)+os.Getenv("PATH"),
		"AWS_ENDPOINT_URL_DYNAMODB="+s.endpoint, "AWS_REGION=local", "AWS_DEFAULT_REGION=local", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", line, err, out, &stderr)
	}
	if c.output != "" && !shown(c.output).Match(out) {
		t.Errorf("prints:\n%s%s\nREADME.md shows:\n%s", out, &stderr, c.output)
	}
}

// sampleEvent runs a command that writes an event with a token in it.
func sampleEvent(t *testing.T, s *session, c command) {
	executed(t, s, c)
	event := text(t, ".build/event.json")
	if !json.Valid([]byte(event)) || !strings.Contains(event, `"Bearer ey`) {
		t.Errorf("the event is\n%s", event)
	}
}

// shown returns a pattern of the output that README.md shows. Ports, times and revisions differ in each run, and …
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
