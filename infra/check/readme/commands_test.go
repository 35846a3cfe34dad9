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

// command is a command line of the documentation, with the output that it shows.
type command struct{ page, line, output string }

var (
	consoleBlock = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")
	typed        = regexp.MustCompile(`^([A-Z_]+=\S+ )*(make|sam|sh|go|pip|curl|\.ci/run)( |$)`)
	remark       = regexp.MustCompile(` +# .*$`)
)

// sessionPages come first, since the commands of a page use what the pages before it have done.
var sessionPages = []string{"README.md", "docs/local.md", "docs/deploy.md", "docs/operate.md"}

// commands returns the commands of the documentation in order: those of console blocks, and those in text and tables.
// A command that stands twice is returned twice.
func commands(t *testing.T) []command {
	t.Helper()
	var all []command
	names := slices.Concat(sessionPages, pages(t, "docs/*.md", "infra/deploy/*.md", "CONTRIBUTING.md"))
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		page, rest := text(t, name), 0
		prose := func(s string) {
			for _, span := range code(s) {
				if typed.MatchString(span) {
					all = append(all, command{page: name, line: span})
				}
			}
		}
		for _, at := range consoleBlock.FindAllStringSubmatchIndex(page, -1) {
			prose(page[rest:at[0]])
			for part := range strings.SplitSeq("\n"+strings.ReplaceAll(page[at[2]:at[3]], "\\\n", ""), "\n$ ") {
				line, output, _ := strings.Cut(part, "\n")
				if line = strings.Join(strings.Fields(remark.ReplaceAllString(line, "")), " "); line != "" {
					all = append(all, command{name, line, strings.TrimSpace(output)})
				}
			}
			rest = at[1]
		}
		prose(page[rest:])
	}
	return all
}

// account says how commands are run or checked.
type account struct {
	begins string
	way    func(*testing.T, *session, command)
}

// accounts has the beginning of every command of the documentation. Commands run in the order of the pages.
var accounts = []account{
	{"make run FLAGS=-h", executed},
	{"make run FLAGS=\"-listen ", stands(samLocal, "\nmake run FLAGS=\"-listen 172.17.0.1\" ")},
	{"make run FLAGS='-- ", executed},
	{"make run FLAGS='-schema settings.schema.json -- true", schemaIsChecked},
	{"make run FLAGS='-", flagsExist},
	{"make run", started},
	{"export ARCHITECTURE=", typedIn(samLocal)},
	{"export ", exported},
	{"make console URL=", expands("node build.mjs 'https://api.example.com'")},
	{"make console", stands(".ci/run", "\nmake console\n")},
	{"make token", executed},
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
	{"sh clients/typescript/check.sh", stands(".ci/run", "\nsh clients/typescript/check.sh\n")},
	{"sh docs/samples/run.sh", stands(".ci/run", "\nsh docs/samples/run.sh\n")},
	{"go test ./internal/api ./infra/check/openapi ./infra/check/template", stands(".ci/run", "\nmake test\n")},
	{"go test ./internal/settings", stands("internal/settings/service_test.go", "package settings")},
	{"make build", stands(".ci/run", "\nmake build ")},
	{"make validate", stands(".github/workflows/ci.yml", "run: make validate\n")},
	{"pip install -r infra/deploy/requirements.txt", stands("infra/check/template/check.sh", "sh infra/check/venv.sh stack infra/deploy/requirements.txt\n")},
	{"go run ./infra/bench/costs", stands("infra/bench/costs/costs_test.go", "docs/costs.md lacks this table")},

	{"make fuzz", expands("-fuzztime")},
	{"make soak", expands("-long")},
	{"make bench", expands("infra/bench")},
	{"make keys URL=", expands("go run ./infra/deploy/keys -url 'https://login.example.com/.well-known/jwks.json' -out '.build/jwks.json'")},
	{"make deploy ENV=prod KEYS=", expands("JwksFileMaxAge=24h")},
	{"make deploy ENV=prod", expands("sam deploy --config-env prod")},
	{"make deploy ENV=staging", expands("sam deploy --config-env staging")},
	{"make deploy", expands("sam deploy --config-env default")},
	{"make logs ENV=prod", expands("--cw-log-group /aws/lambda/organization-settings-prod --tail")},
	{"make erase", expands("-settings ")},
	{"make delete ENV=dev", expands("sam delete --config-env default")},

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
			t.Errorf("%s: nothing runs or checks this command: %s", c.page, c.line)
			continue
		}
		used[i] = true
		t.Run(c.line, func(t *testing.T) { accounts[i].way(t, s, c) })
	}
	for i, a := range accounts {
		if !used[i] {
			t.Errorf("no page has a command that begins with %s", a.begins)
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

// typedIn accounts for a command that stands in a script as the documentation has it.
func typedIn(file string) func(*testing.T, *session, command) {
	return func(t *testing.T, s *session, c command) { stands(file, c.line)(t, s, c) }
}

// flagsExist accounts for a stack with flags: the local stack takes them and prints its help.
func flagsExist(t *testing.T, s *session, c command) {
	executed(t, s, command{line: strings.TrimSuffix(c.line, "'") + " -h'"})
}

// schemaIsChecked runs a command with a schema and with a wrong one.
func schemaIsChecked(t *testing.T, s *session, c command) {
	file := filepath.Join(t.TempDir(), "settings.schema.json")
	line := strings.Replace(c.line, "settings.schema.json", file, 1)
	for schema, end := range map[string]string{`{"type":"object"}`: "", `{"type":"objekt"}`: " && exit 1 || true"} {
		if err := os.WriteFile(file, []byte(schema), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := run(t, s, line+end); out != "" {
			t.Errorf("prints for %s\n%s", schema, out)
		}
	}
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

// Other commands of aws need an AWS account. Here aws accepts their arguments and then finds no service.
func TestCommandsForAnAccount(t *testing.T) {
	t.Parallel()
	aws := tool(t, "aws")
	var lines []string
	for _, name := range pages(t, "docs/*.md", "infra/deploy/*.md") {
		for _, m := range regexp.MustCompile("(?m)^(aws .*)$|`(aws [^`]+ [^`]+)`").FindAllStringSubmatch(text(t, name), -1) {
			lines = append(lines, m[1]+m[2])
		}
	}
	if len(lines) < 30 {
		t.Errorf("only %q are found", lines)
	}
	for _, line := range lines {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			line = strings.ReplaceAll(line, "BACKUP_ARN", strings.Repeat("BACKUP_ARN", 4)) // an ARN has at least 37 characters
			cmd := exec.CommandContext(t.Context(), "sh", "-c", "exec '"+aws+"'"+strings.TrimPrefix(line, "aws"))
			cmd.Dir = root
			cmd.Env = append(environment(), "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_MAX_ATTEMPTS=1", "AWS_DEFAULT_REGION=local",
				"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")
			if out, _ := cmd.CombinedOutput(); !strings.Contains(string(out), "Could not connect to the endpoint URL") {
				t.Errorf("aws says\n%s", out)
			}
		})
	}
}
