package readme

import (
	"os/exec"
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
		{"token", "AS", value},
		{"invoke", "EVENT", value},
		{"build-SettingsFunction", "KEYS", value},
		{"build-SettingsFunction", "ARTIFACTS_DIR", value + "/bootstrap"},
		{"build", "VERSION", `-s -w -X "main.version=` + value + `"`},
	} {
		cmd := exec.CommandContext(t.Context(), "make", "-n", tt.target, tt.variable+"="+value)
		cmd.Dir, cmd.Env = root, environment()
		commands, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		// The commands print their words, one on a line.
		script := `go() { printf '%s\n' "$@"; }; cp() { go "$@"; }; mkdir() { :; }` + "\n" + strings.ReplaceAll(string(commands), "exec .build/", "go ")
		words, err := exec.CommandContext(t.Context(), "sh", "-c", script).Output()
		if err != nil || !slices.Contains(strings.Split(string(words), "\n"), tt.word) {
			t.Errorf("make %s %s=%s (%v):\n%s\nhas the words\n%s", tt.target, tt.variable, value, err, commands, words)
		}
	}
}
