package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"orgsettings/infra/local/testenv"
)

// command is a command line of README.md, with the output that README.md shows.
type command struct{ line, output string }

var (
	consoleBlock = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")
	typed        = regexp.MustCompile(`^([A-Z_]+=\S+ )*(make|sam|aws|sh|go|pip|curl|\.ci/run)( |$)`)
	remark       = regexp.MustCompile(` +# .*$`)
)

// commands returns the commands of README.md in order: those of its console blocks, and those in text and tables.
// A command that README.md has twice is returned twice.
func commands(t *testing.T) []command {
	t.Helper()
	var all []command
	readme := text(t, "README.md")
	rest := 0
	prose := func(s string) {
		for _, span := range code(s) {
			if typed.MatchString(span) {
				all = append(all, command{line: span})
			}
		}
	}
	for _, at := range consoleBlock.FindAllStringSubmatchIndex(readme, -1) {
		prose(readme[rest:at[0]])
		for part := range strings.SplitSeq("\n"+strings.ReplaceAll(readme[at[2]:at[3]], "\\\n", ""), "\n$ ") {
			line, output, _ := strings.Cut(part, "\n")
			if line = strings.Join(strings.Fields(remark.ReplaceAllString(line, "")), " "); line != "" {
				all = append(all, command{line, strings.TrimSpace(output)})
			}
		}
		rest = at[1]
	}
	prose(readme[rest:])
	return all
}

// account says how commands are run or checked.
type account struct {
	begins string
	way    func(*testing.T, *session, command)
}

// accounts has the beginning of every command of README.md. Commands run in the order of the page.
var accounts = []account{
	{"make run FLAGS=-h", executed},
	{"make run FLAGS=\"-listen ", stands(samLocal, "\nmake run FLAGS=\"-listen 172.17.0.1\" ")},
	{"make run", started},
	{"curl ", executed},
	{"make invoke", executed},
	{"SMOKE_TOKEN=… make smoke URL=https://…", executed},
	{"sed ", sampleEvent},
	{"aws dynamodb ", restored},
	{"go run ./infra/deploy/restore ", restored},

	{"make test", stands(".ci/run", "\nmake test\n")},
	{"DYNAMODB_LOCAL_DIR=$PWD/.tools/dynamodb-local make test", stands(".ci/run", "\nexport DYNAMODB_LOCAL_DIR=$PWD/.tools/dynamodb-local\n")},
	{"sh infra/local/dynamodblocal/fetch.sh .tools/dynamodb-local", stands(".ci/run", "\nsh infra/local/dynamodblocal/fetch.sh .tools/dynamodb-local\n")},
	{".ci/run", stands(".ci/run", "#!/usr/bin/env bash\n")},
	{"make build", stands(".ci/run", "\nmake build ")},
	{"make validate", stands(".github/workflows/ci.yml", "run: make validate\n")},
	{"pip install -r infra/deploy/requirements.txt", stands("infra/check/template/check.sh", "sh infra/check/venv.sh stack infra/deploy/requirements.txt\n")},
	{"go run ./infra/bench/costs", stands("infra/bench/costs/costs_test.go", "README.md lacks this table")},

	{"make soak", expands("-long")},
	{"make bench", expands("infra/bench")},
	{"make keys URL=", expands("go run ./infra/deploy/keys -url 'https://login.example.com/.well-known/jwks.json' -out '.build/jwks.json'")},
	{"make deploy ENV=prod KEYS=", expands("JwksFileMaxAge=24h")},
	{"make deploy ENV=staging", expands("sam deploy --config-env staging")},
	{"make deploy", expands("sam deploy --config-env default")},
	{"make logs ENV=prod", expands("--cw-log-group /aws/lambda/organization-settings-prod --tail")},
	{"make delete ENV=dev", expands("sam delete --config-env default")},

	{"export ARCHITECTURE=", typedIn(samLocal)},
	{"sam build --parameter-overrides ", typedIn(samLocal)},
	{"sam local invoke ", typedIn(samLocal)},
	{"sam local start-api ", typedIn(samLocal)},
	{"SMOKE_TOKEN=$(make token) make smoke URL=http://127.0.0.1:3030", typedIn(samLocal)},

	{"sam build", parsed},
	{"sam deploy", parsed},
	{"sam local", parsed},
	{"sam list stack-outputs", parsed},
}

func TestEveryCommandIsAccountedFor(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"make", "curl"} {
		if _, err := exec.LookPath(name); err != nil {
			testenv.Missing(t, "there is no %s on the PATH", name)
		}
	}
	s := &session{t: t}
	seen := make(map[string]bool)
	used := make([]bool, len(accounts))
	for _, c := range commands(t) {
		if seen[c.line] {
			continue
		}
		seen[c.line] = true
		i := slices.IndexFunc(accounts, func(a account) bool { return strings.HasPrefix(c.line, a.begins) })
		if i < 0 {
			t.Errorf("nothing runs or checks this command: %s", c.line)
			continue
		}
		used[i] = true
		t.Run(c.line, func(t *testing.T) { accounts[i].way(t, s, c) })
	}
	for i, a := range accounts {
		if !used[i] {
			t.Errorf("README.md has no command that begins with %s", a.begins)
		}
	}
}

// stands accounts for a command that a script or workflow runs.
func stands(file, line string) func(*testing.T, *session, command) {
	return func(t *testing.T, _ *session, _ command) {
		if !strings.Contains(text(t, file), line) {
			t.Errorf("%s has no %q", file, line)
		}
	}
}

// samLocal runs the commands of sam local, in containers.
const samLocal = "infra/check/samlocal/check.sh"

// typedIn accounts for a command that stands in a script as README.md has it.
func typedIn(file string) func(*testing.T, *session, command) {
	return func(t *testing.T, s *session, c command) { stands(file, c.line)(t, s, c) }
}

// expands accounts for a target that needs an AWS account or much time: what make would run contains want.
func expands(want string) func(*testing.T, *session, command) {
	return func(t *testing.T, _ *session, c command) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(c.line, "make ", "make -n ", 1))
		cmd.Dir, cmd.Env = root, environment()
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("would run (%v):\n%s\nwant %q in it", err, out, want)
		}
	}
}

// parsed accounts for commands of sam that need an AWS account or Docker: sam knows their options.
func parsed(t *testing.T, _ *session, c command) {
	t.Parallel()
	sam := tool(t, "sam")
	for one := range strings.SplitSeq(c.line, " && ") {
		words := strings.Fields(one)[1:]
		n := slices.IndexFunc(words, func(w string) bool { return !regexp.MustCompile(`^[a-z][a-z-]*$`).MatchString(w) })
		if n < 0 {
			n = len(words)
		}
		cmd := exec.CommandContext(t.Context(), sam, append(slices.Clone(words[:n]), "--help")...)
		cmd.Env = append(environment(), "SAM_CLI_TELEMETRY=0")
		help, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
		for _, word := range words[n:] {
			if strings.HasPrefix(word, "-") && !regexp.MustCompile(`(^|[\s,])`+word+`([\s,]|$)`).Match(help) {
				t.Errorf("sam %s has no option %s", strings.Join(words[:n], " "), word)
			}
		}
	}
}

// install runs install.sh, once for all tests.
var install = sync.OnceValues(func() ([]byte, error) { return exec.Command("sh", "install.sh").CombinedOutput() })

// tool returns the path of the aws or sam command, which CI installs.
func tool(t *testing.T, name string) string {
	t.Helper()
	if os.Getenv("CI") == "true" {
		if out, err := install(); err != nil {
			t.Fatalf("install.sh: %v\n%s", err, out)
		}
	}
	for _, dir := range []string{"aws", "stack"} {
		if path, err := filepath.Abs(filepath.Join(root, ".tools", dir, "bin", name)); err == nil {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		testenv.Missing(t, "there is no %s on the PATH; sh infra/check/readme/install.sh installs it", name)
	}
	return path
}

// environment returns this process's variables without those of make, of the local stack and of AWS.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS") || strings.HasPrefix(v, "ORGSETTINGS_") || strings.HasPrefix(v, "AWS_")
	})
}

// Commands of the runbook need an AWS account. Here aws accepts their arguments and then finds no service.
func TestRunbookCommands(t *testing.T) {
	t.Parallel()
	aws := tool(t, "aws")
	lines := regexp.MustCompile(`(?m)^aws .*$`).FindAllString(text(t, "infra/deploy/runbook.md"), -1)
	if len(lines) < 5 {
		t.Errorf("only %q are found", lines)
	}
	for _, line := range lines {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			line = strings.ReplaceAll(line, "BACKUP_ARN", strings.Repeat("BACKUP_ARN", 4)) // an ARN has at least 37 characters
			cmd := exec.CommandContext(t.Context(), "sh", "-c", "exec '"+aws+"'"+strings.TrimPrefix(line, "aws"))
			cmd.Env = append(environment(), "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_MAX_ATTEMPTS=1", "AWS_DEFAULT_REGION=local",
				"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")
			if out, _ := cmd.CombinedOutput(); !strings.Contains(string(out), "Could not connect to the endpoint URL") {
				t.Errorf("aws says\n%s", out)
			}
		})
	}
}
