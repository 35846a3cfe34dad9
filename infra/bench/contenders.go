package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// contender is a way to build and start a bootstrap.
type contender struct {
	name, note string
	tools      []string // commands that it cannot do without
	files      []string // of the repository, likewise
	source     string   // directory of its package main; empty if it is not in Go
	build      func(context.Context, target) (artifact string, err error)
	command    []string              // comes before the artifact
	ours       bool                  // gets the environment variables of template.yaml
	hello      bool                  // answers 200 to anything, and calls no database
	env        func(*world) []string // more variables; nil: none
}

// target says where a build goes and what for.
type target struct {
	root, dir string   // of the repository; of the build, absolute
	goarch    string   // for programs in Go
	env       []string // more variables of the build
}

const (
	ours    = "settings"
	shipped = "settings, keys shipped"
	peers   = "infra/bench/peers"
)

// contenders returns all that come with the repository.
func contenders() []contender {
	stripped := []string{"-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w"}
	return []contender{
		{
			name: ours, note: "the deployed program, keys fetched during init",
			tools: []string{"make"}, source: "functions/settings", build: buildOurs, ours: true,
		},
		{
			name: shipped, note: "the same, with the key set in a file beside it",
			tools: []string{"make"}, source: "functions/settings", build: buildOurs, ours: true,
			env: func(w *world) []string { return []string{"JWKS_FILE=" + w.keys.file, "JWKS_FILE_MAX_AGE=24h"} },
		},
		peer("hello", "aws-lambda-go alone: answers 200 and does nothing", stripped...),
		peer("floor", "no SDK, no net/http, no aws-lambda-go: what the work itself costs", stripped...),
		peer("typical", "what tutorials show, built by plain go build"),
		{
			name: "node", note: "Node.js, AWS SDK v3 and jose in one bundle; a Runtime API client of its own",
			tools: []string{"node", "npm"}, files: []string{peers + "/node/package.json"}, command: []string{"node"},
			build: func(ctx context.Context, t target) (string, error) {
				dir := filepath.Join(t.root, peers, "node")
				if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
					if err := command(ctx, dir, nil, "npm", "ci", "--no-audit", "--no-fund"); err != nil {
						return "", err
					}
				}
				if err := command(ctx, dir, nil, "npm", "run", "build"); err != nil {
					return "", err
				}
				bundles, err := filepath.Glob(filepath.Join(dir, "dist", "bootstrap.*js"))
				if err != nil || len(bundles) != 1 {
					return "", fmt.Errorf("the build left %d bundles", len(bundles))
				}
				return copyTo(t.dir, bundles[0])
			},
		},
		{
			name: "rust", note: "lambda_runtime, aws-sdk-dynamodb and jsonwebtoken",
			tools: []string{"cargo"}, files: []string{peers + "/rust/Cargo.toml"},
			build: func(ctx context.Context, t target) (string, error) {
				dir := filepath.Join(t.root, peers, "rust")
				if err := command(ctx, dir, nil, "cargo", "build", "--release", "--locked"); err != nil {
					return "", err
				}
				return copyTo(t.dir, filepath.Join(dir, "target", "release", "bootstrap"))
			},
		},
	}
}

// peer returns a contender of the module of Go peers.
func peer(name, note string, flags ...string) contender {
	source := filepath.Join(peers, name)
	return contender{
		name: name, note: note, hello: name == "hello", source: source, files: []string{source + "/main.go"},
		build: func(ctx context.Context, t target) (string, error) {
			program := filepath.Join(t.dir, "bootstrap")
			args := slices.Concat([]string{"go", "build"}, flags, []string{"-o", program, "./" + name})
			env := append([]string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + t.goarch}, t.env...)
			return program, command(ctx, filepath.Join(t.root, peers), env, args...)
		},
	}
}

// buildOurs leaves the command line to the Makefile.
func buildOurs(ctx context.Context, t target) (string, error) {
	architecture := map[string]string{"amd64": "x86_64"}[t.goarch]
	if architecture == "" {
		architecture = t.goarch
	}
	return filepath.Join(t.dir, "bootstrap"),
		command(ctx, t.root, t.env, "make", "-s", "build-SettingsFunction", "ARTIFACTS_DIR="+t.dir, "ARCHITECTURE="+architecture)
}

// prebuilt returns a contender that is a program already, in the environment that ours gets. The
// argument is NAME=PATH[,VARIABLE=VALUE…].
func prebuilt(argument string) (contender, error) {
	parts := strings.Split(argument, ",")
	name, path, ok := strings.Cut(parts[0], "=")
	if !ok || name == "" || path == "" {
		return contender{}, fmt.Errorf("%q is not NAME=PATH", argument)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return contender{}, err
	}
	return contender{
		name: name, note: "given on the command line", ours: true,
		build: func(_ context.Context, t target) (string, error) { return copyTo(t.dir, path) },
		env:   func(*world) []string { return parts[1:] },
	}, nil
}

// missing tells what keeps a contender from being built here; empty if nothing does.
func (c contender) missing(root string) string {
	for _, tool := range c.tools {
		if _, err := exec.LookPath(tool); err != nil {
			return "there is no " + tool + " on the PATH"
		}
	}
	for _, file := range c.files {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			return "there is no " + file
		}
	}
	return ""
}

// program is a contender that was built for this machine.
type program struct {
	contender
	artifact string
}

func buildProgram(ctx context.Context, w *world, c contender) (program, error) {
	dir, err := w.scratch("build", c.name)
	if err != nil {
		return program{}, err
	}
	artifact, err := c.build(ctx, target{root: w.root, dir: dir, goarch: runtime.GOARCH})
	if err != nil {
		return program{}, fmt.Errorf("build %s: %w", c.name, err)
	}
	return program{c, artifact}, nil
}

func command(ctx context.Context, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// copyTo copies a file into dir, on to the disk, so that it can be dropped from the page cache.
func copyTo(dir, file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, filepath.Base(file))
	copied, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return "", err
	}
	defer copied.Close()
	if _, err := copied.Write(content); err != nil {
		return "", err
	}
	if err := copied.Sync(); err != nil {
		return "", err
	}
	return name, copied.Close()
}
