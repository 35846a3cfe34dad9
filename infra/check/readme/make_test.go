package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orgsettings/infra/local/testenv"
)

// A value that make is given is one word of the command, whatever characters it has.
func TestMakeQuotesValues(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		testenv.Missing(t, "there is no make on the PATH")
	}
	const value = `a b'c"d&e;f|g#h\i*,` + "`j`"
	for _, tt := range []struct{ target, variable, word string }{
		{"keys", "URL", value},
		{"keys", "KEYS", value},
		{"smoke", "URL", value},
		{"console", "URL", value},
		{"token", "AS", value},
		{"invoke", "EVENT", value},
		{"build-SettingsFunction", "KEYS", value},
		{"build-SettingsFunction", "SCHEMA", value},
		{"build-SettingsFunction", "ARTIFACTS_DIR", value + "/bootstrap"},
		{"build", "SCHEMA", value},
		{"build", "VERSION", `-s -w -X "main.version=` + value + `"`},
	} {
		cmd := exec.CommandContext(t.Context(), "make", "-n", tt.target, tt.variable+"="+value)
		cmd.Dir, cmd.Env = root, environment()
		commands, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		// The commands print their words, one on a line.
		script := `go() { printf '%s\n' "$@"; }; cp() { go "$@"; }; mkdir() { :; }; cd() { :; }; npm() { :; }; npx() { :; }; node() { go "$@"; }; sh() { shift 2; "$@"; }` + "\n" + strings.ReplaceAll(string(commands), "exec .build/", "go ")
		words, err := exec.CommandContext(t.Context(), "sh", "-c", script).Output()
		if err != nil || !slices.Contains(strings.Split(string(words), "\n"), tt.word) {
			t.Errorf("make %s %s=%s (%v):\n%s\nhas the words\n%s", tt.target, tt.variable, value, err, commands, words)
		}
	}
}

// What make itself refuses is one line, besides the line in which make names the failure.
func TestMakeRefuses(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		testenv.Missing(t, "there is no make on the PATH")
	}
	schema := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(schema, []byte(`{"typ":"object"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	const install = "pip install -r infra/deploy/requirements.txt"
	if !strings.Contains(text(t, "docs/deploy.md"), "$ "+install+"\n") {
		t.Errorf("docs/deploy.md has no %q", install)
	}
	for args, want := range map[string]string{
		"deploy SAM_PATH=absent":   "sam is missing: " + install,
		"logs SAM_PATH=absent":     "sam is missing: " + install,
		"delete SAM_PATH=absent":   "sam is missing: " + install,
		"logs ENV=production":      "*** ENV is production, which is not dev, staging or prod.  Stop.",
		"build ARCHITECTURE=arm":   "*** ARCHITECTURE is arm, which is not arm64 or x86_64.  Stop.",
		"build SCHEMA=" + schema:   "schema: " + schema + ": /typ: unknown keyword; notes belong in $comment or description",
		"build SCHEMA=absent.json": "schema: open absent.json: no such file or directory",
	} {
		cmd := exec.CommandContext(t.Context(), "make", strings.Fields(args)...)
		cmd.Dir, cmd.Env = root, environment()
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err == nil || stdout.Len() > 0 || !strings.HasSuffix(strings.Split(stderr.String(), "\n")[0], want) {
			t.Errorf("make %s: error %v, prints\n%s%s\nwant %s", args, err, &stdout, &stderr, want)
		}
	}
}

// Where tools are missing, make test names every part that it skips. In CI nothing is skipped.
func TestOptionalParts(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		testenv.Missing(t, "there is no sh on the PATH")
	}
	dir := t.TempDir() // of the few commands that the script itself needs
	for _, name := range []string{"dirname", "uname"} {
		if path, err := exec.LookPath(name); err != nil {
			testenv.Missing(t, "there is no %s on the PATH", name)
		} else if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for ci, want := range map[string][]string{
		"":     {"with Amazon's DynamoDB Local; sh infra/local/dynamodblocal/fetch.sh", "in a browser; they need Chromium", "of the README's commands; they need curl"},
		"true": nil,
	} {
		cmd := exec.CommandContext(t.Context(), sh, "infra/check/optional.sh")
		cmd.Dir, cmd.Env = root, []string{"PATH=" + dir, "CI=" + ci, "DYNAMODB_LOCAL_DIR=" + dir}
		out, err := cmd.CombinedOutput()
		if err != nil || want == nil && len(out) > 0 {
			t.Errorf("CI=%s: %v\n%s", ci, err, out)
		}
		for _, line := range want {
			if !strings.Contains("\n"+string(out), "\nskipped: tests "+line) {
				t.Errorf("CI=%s: no %q in\n%s", ci, line, out)
			}
		}
	}
}
