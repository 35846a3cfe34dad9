package template

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var workflows = []string{".github/workflows/ci.yml", ".github/workflows/deploy.yml", ".github/workflows/release-client.yml"}

func TestActionsArePinned(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+$`)
	versions := map[string]string{}
	for _, name := range workflows {
		for i, line := range strings.Split(text(t, name), "\n") {
			_, uses, ok := strings.Cut(line, "uses: ")
			if !ok || strings.HasPrefix(uses, "./") {
				continue
			}
			if !pinned.MatchString(uses) {
				t.Errorf("%s:%d: %s is not pinned by its commit and release", name, i+1, uses)
			}
			action, pin, _ := strings.Cut(uses, "@")
			if other, ok := versions[action]; ok && other != pin {
				t.Errorf("%s:%d: %s is pinned to %s and to %s", name, i+1, action, other, pin)
			}
			versions[action] = pin
		}
	}
}

func TestWorkflowsMayDoLittle(t *testing.T) {
	t.Parallel()
	for _, name := range workflows {
		doc := load(t, name)
		if diff := cmp.Diff(object{}, doc["permissions"]); diff != "" {
			t.Errorf("%s: permissions beside those of a job:\n%s", name, diff)
		}
		// A pull request of a fork must not run with the permissions of this repository.
		if strings.Contains(text(t, name), "pull_request_target") {
			t.Errorf("%s runs on pull_request_target", name)
		}
		for id, job := range doc["jobs"].(object) {
			for scope, level := range at(job, "permissions").(object) {
				deploys := at(job, "environment") != nil
				if !(scope == "contents" && level == "read" || scope == "id-token" && deploys) {
					t.Errorf("%s: job %s may %s %v", name, id, level, scope)
				}
			}
			if at(job, "timeout-minutes") == nil && at(job, "uses") == nil {
				t.Errorf("%s: job %s has no time limit", name, id)
			}
			for _, step := range list(at(job, "steps")) {
				// The shell runs what an expression puts into a script.
				if run, _ := at(step, "run").(string); strings.Contains(run, "${{") {
					t.Errorf("%s: job %s has an expression in a script: %s", name, id, run)
				}
				if strings.HasPrefix(stringOf(at(step, "uses")), "actions/checkout@") && at(step, "with", "persist-credentials") != false {
					t.Errorf("%s: job %s leaves its token in the work tree", name, id)
				}
			}
		}
	}
}

func stringOf(v any) string {
	s, _ := v.(string)
	return s
}

func TestDeploymentGoesThroughStaging(t *testing.T) {
	t.Parallel()
	jobs := load(t, ".github/workflows/deploy.yml")["jobs"].(object)
	for id, needs := range map[string]string{"staging": "ci", "prod": "staging"} {
		job := jobs[id]
		if at(job, "needs") != needs || at(job, "environment") != id {
			t.Errorf("%s follows %v in the environment %v, want %s and its own", id, at(job, "needs"), at(job, "environment"), needs)
		}
		var steps []string
		for _, step := range list(at(job, "steps")) {
			steps = append(steps, stringOf(at(step, "name")))
		}
		// Concurrency of the whole workflow would let a waiting approval of prod hold up staging.
		if at(job, "concurrency", "group") != "deploy-"+id || at(job, "concurrency", "cancel-in-progress") != false {
			t.Errorf("%s: concurrency %v, want a group of its own, none cut off", id, at(job, "concurrency"))
		}
		if deploy := slices.Index(steps, "Deploy"); deploy < 0 || slices.Index(steps, "Smoke test") < deploy {
			t.Errorf("%s: steps %q, want a smoke test after the deployment", id, steps)
		}
	}
	if c := load(t, ".github/workflows/deploy.yml")["concurrency"]; c != nil {
		t.Errorf("the whole workflow has the concurrency %v", c)
	}
	if on := load(t, ".github/workflows/deploy.yml")["on"]; !cmp.Equal(at(on, "push", "branches"), []any{"main"}) {
		t.Errorf("deployed on %v, want only from main", on)
	}
}

// Some issuers give a usable token only with audience or scope in the request.
func TestSmokeTestAsksForItsToken(t *testing.T) {
	t.Parallel()
	var script string
	for _, step := range list(at(load(t, ".github/workflows/deploy.yml")["jobs"], "staging", "steps")) {
		if at(step, "name") == "Smoke test" {
			script = stringOf(at(step, "run"))
		}
	}
	script, _, ok := strings.Cut(script, "echo ")
	if !ok {
		t.Fatalf("no token is masked in %q", script)
	}
	// The stand-ins hand on what curl would send.
	const standIns = `curl() { cat >/dev/null; printf '%s ' "$@"; }; jq() { cat; }; `
	for fields, want := range map[string]string{
		"":                             "--data grant_type=client_credentials https://issuer.test",
		"audience=https%3A%2F%2Fa&b=c": "--data grant_type=client_credentials&audience=https%3A%2F%2Fa&b=c https://issuer.test",
	} {
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", standIns+script+`echo "$SMOKE_TOKEN"`)
		cmd.Env = append(os.Environ(), "TOKEN_FIELDS="+fields, "TOKEN_URL=https://issuer.test", "TOKEN_CLIENT_ID=id", "TOKEN_CLIENT_SECRET=secret")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) || strings.Contains(string(out), "secret") {
			t.Errorf("TOKEN_FIELDS=%s: %v, curl is given %s, want %s", fields, err, out, want)
		}
	}
}

func TestEnvironmentsOfTheStack(t *testing.T) {
	t.Parallel()
	config := text(t, "samconfig.toml")
	for section, environment := range map[string]string{"default": "dev", "staging": "staging", "prod": "prod"} {
		for part, lines := range map[string][]string{
			"global": {`stack_name = "organization-settings-` + environment + `"`},
			"build":  {"build_in_source = true"},
			"deploy": {
				"resolve_s3 = true",
				`capabilities = "CAPABILITY_IAM"`,
				"confirm_changeset = " + map[bool]string{true: "true", false: "false"}[environment == "prod"],
				`parameter_overrides = ["Environment=` + environment + `"]`,
				`tags = ["service=organization-settings", "environment=` + environment + `"]`,
			},
		} {
			_, body, ok := strings.Cut(config, "["+section+"."+part+".parameters]\n")
			if !ok {
				t.Errorf("no section for %s of %s", part, environment)
				continue
			}
			body, _, _ = strings.Cut(body, "\n\n")
			for _, line := range lines {
				if !strings.Contains("\n"+body, "\n"+line) {
					t.Errorf("%s of %s has no line %s", part, environment, line)
				}
			}
		}
	}
}
