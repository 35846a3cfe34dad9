package template

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"orgsettings/infra/local/lambda"
	"orgsettings/infra/local/testenv"
)

// TestArm64ProgramAnswers starts the program that sam build would upload, and sends it events through the
// Runtime API. Other processors than arm64 need an emulator.
func TestArm64ProgramAnswers(t *testing.T) {
	t.Parallel()
	bootstrap := emulated(t)
	post, get := text(t, "events/post-refused.json"), text(t, "events/get.json")

	t.Run("configured", func(t *testing.T) {
		t.Parallel()
		// There is no issuer and no database: a request without a good token needs neither.
		status, log := invoke(t, bootstrap, post,
			"JWT_ISSUER=https://issuer.test", "JWT_AUDIENCE=settings", "JWKS_URL=http://127.0.0.1:1/jwks",
			"USERS_TABLE=users", "SETTINGS_TABLE=settings", "AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1",
			"AWS_REGION=local", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")
		if status != 401 {
			t.Errorf("a refused token is answered %d, log:\n%s", status, log)
		}
	})
	t.Run("misconfigured", func(t *testing.T) {
		t.Parallel()
		status, log := invoke(t, bootstrap, get)
		if status != 500 {
			t.Errorf("without a configuration it answers %d, log:\n%s", status, log)
		}
		// The filter of the canary's alarm counts the line that the program logs.
		if got := count(t, filters(t)["ServerErrorsFilter"], strings.Split(log, "\n")); got["$LATEST"] != 1 {
			t.Errorf("ServerErrorsFilter counts %v, want 1, of\n%s", got, log)
		}
	})
}

// emulated returns an executable that runs the program on this machine.
func emulated(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux runs programs for Linux")
	}
	if runtime.GOARCH == "arm64" {
		return built(t)
	}
	for _, name := range []string{"qemu-aarch64-static", "qemu-aarch64"} {
		emulator, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		script := filepath.Join(t.TempDir(), "bootstrap")
		if err := os.WriteFile(script, fmt.Appendf(nil, "#!/bin/sh\nexec '%s' '%s'\n", emulator, built(t)), 0o755); err != nil {
			t.Fatal(err)
		}
		return script
	}
	testenv.Missing(t, "there is no emulator for arm64 on the PATH; Debian's package qemu-user-static has one")
	return ""
}

// built returns the program that the Makefile's target for sam build makes.
func built(t *testing.T) string {
	t.Helper()
	make, err := exec.LookPath("make")
	if err != nil {
		testenv.Missing(t, "there is no make on the PATH")
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), make, "--no-print-directory", "build-SettingsFunction", "ARTIFACTS_DIR="+dir, "ARCHITECTURE=arm64")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return filepath.Join(dir, "bootstrap")
}

// invoke sends one event and returns the status of the answer and the log.
func invoke(t *testing.T, bootstrap, event string, environment ...string) (int, string) {
	t.Helper()
	log := new(testenv.Log)
	f, err := lambda.New(lambda.Config{
		Name: "settings", Bootstrap: bootstrap, Env: environment, MemoryMB: 512,
		Timeout: time.Minute, InitTimeout: time.Minute, MaxEnvironments: 1, Output: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	response, err := f.Invoke(t.Context(), []byte(event))
	if closed := f.Close(); err != nil || closed != nil {
		t.Fatalf("invoke: %v, close: %v, log:\n%s", err, closed, log)
	}
	var answer struct {
		StatusCode int
		Body       string
	}
	if err := json.Unmarshal(response, &answer); err != nil || !json.Valid([]byte(answer.Body)) {
		t.Errorf("answer %s: %v", response, err)
	}
	return answer.StatusCode, log.String()
}
