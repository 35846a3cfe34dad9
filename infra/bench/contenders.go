package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// contender is a way to build and start a bootstrap.
type contender struct {
	name, note string
	tools      []string // commands that its build needs
	build      func(t target) (artifact string, err error)
	deployed   bool     // gets the environment variables of template.yaml
	hello      bool     // answers 200 to anything, and calls no database
	native     bool     // is always built for this machine
	env        []string // more variables
	archives   bool     // reads and archives what a write replaces
}

// target says where a build goes and what for.
type target struct {
	root, dir string // of the repository; of the build, absolute
	goarch    string
	run       func(dir string, env []string, args ...string) error // runs a command of the build
}

const (
	ours  = "settings"
	base  = "typical" // ratios are taken to it
	peers = "infra/bench/peers"
)

// contenders returns all that come with the repository.
func contenders() []contender {
	program := func(t target) (string, error) {
		architecture := strings.Replace(t.goarch, "amd64", "x86_64", 1)
		return filepath.Join(t.dir, "bootstrap"),
			t.run(t.root, nil, "make", "-s", "build-SettingsFunction", "ARTIFACTS_DIR="+t.dir, "ARCHITECTURE="+architecture)
	}
	return []contender{
		{name: ours, note: "the deployed program without history, which no peer has", tools: []string{"make"}, deployed: true, build: program},
		{
			name: "history", note: "the deployed program with history: a write reads and archives what it replaces",
			tools: []string{"make"}, deployed: true, build: program, env: []string{"HISTORY_TABLE=" + historyTable}, archives: true,
		},
		{
			name: "hello", note: "aws-lambda-go alone: answers 200 and does nothing", hello: true,
			build: goPeer("hello", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w"),
		},
		{name: base, note: "what tutorials show, built by plain go build", build: goPeer(base)},
		{
			name: "node", note: "Node.js, AWS SDK v3 and jose in one bundle, with a small Runtime API client; its zip lacks the runtime",
			tools: []string{"node", "npm"}, native: true, build: buildNode,
		},
		{
			name: "rust", note: "lambda_runtime, aws-sdk-dynamodb and jsonwebtoken", tools: []string{"cargo"}, native: true,
			build: func(t target) (string, error) {
				dir := filepath.Join(t.root, peers, "rust")
				if err := t.run(dir, nil, "cargo", "build", "--release", "--locked", "--quiet"); err != nil {
					return "", err
				}
				return copyProgram(t.dir, filepath.Join(dir, "target", "release", "bootstrap"), "")
			},
		},
	}
}

// goPeer returns the build of a program in the module of Go peers.
func goPeer(name string, flags ...string) func(target) (string, error) {
	return func(t target) (string, error) {
		program := filepath.Join(t.dir, "bootstrap")
		args := slices.Concat([]string{"go", "build"}, flags, []string{"-o", program, "./" + name})
		return program, t.run(filepath.Join(t.root, peers), []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + t.goarch}, args...)
	}
}

func buildNode(t target) (string, error) {
	dir := filepath.Join(t.root, peers, "node")
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		if err := t.run(dir, nil, "npm", "ci", "--no-audit", "--no-fund"); err != nil {
			return "", err
		}
	}
	if err := t.run(dir, nil, "npm", "run", "build"); err != nil {
		return "", err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return "", err
	}
	return copyProgram(t.dir, filepath.Join(dir, "dist", "bootstrap.cjs"), "#!"+node+"\n")
}

const prebuiltNote = "given on the command line"

// prebuilt returns a contender that is a program already, with the environment of the deployed one. The argument is
// NAME=PATH[,VARIABLE=VALUE…].
func prebuilt(argument string) (contender, error) {
	parts := strings.Split(argument, ",")
	name, path, ok := strings.Cut(parts[0], "=")
	if !ok || name == "" || path == "" {
		return contender{}, fmt.Errorf("%q is not NAME=PATH", argument)
	}
	if slices.ContainsFunc(contenders(), func(c contender) bool { return c.name == name }) {
		return contender{}, fmt.Errorf("the name %s is taken", name)
	}
	path, err := filepath.Abs(path)
	return contender{
		name: name, note: prebuiltNote, deployed: true, native: true, env: parts[1:],
		build: func(t target) (string, error) { return copyProgram(t.dir, path, "") },
	}, err
}

// missing returns a tool that is not installed here; empty if none is missing.
func (c contender) missing() string {
	for _, tool := range c.tools {
		if _, err := exec.LookPath(tool); err != nil {
			return tool
		}
	}
	return ""
}

// program is a contender that was built for this machine.
type program struct {
	contender
	artifact string
}

// build builds c into a directory of its own below kind.
func (s *session) build(ctx context.Context, c contender, kind, goarch string) (program, error) {
	dir := filepath.Join(s.bed.dir, kind, c.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return program{}, err
	}
	artifact, err := c.build(target{root: s.bed.root, dir: dir, goarch: goarch,
		run: func(dir string, env []string, args ...string) error { return s.command(ctx, c.name, dir, env, args...) }})
	if err != nil {
		return program{}, fmt.Errorf("build %s: %w", c.name, err)
	}
	return program{c, artifact}, nil
}

// command runs a command, and says every few seconds that it still does.
func (s *session) command(ctx context.Context, name, dir string, env []string, args ...string) error {
	began := time.Now()
	working := time.NewTicker(4 * time.Second)
	defer working.Stop()
	var output tail
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &output, &output
	cmd.Env = append(cmd.Environ(), env...)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case <-working.C:
			s.say("%s: %s, for %.0f s", name, strings.Join(args[:min(3, len(args))], " "), time.Since(began).Seconds())
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, output.String())
			}
			return nil
		}
	}
}

// copyProgram copies an executable into dir, below a first line, and returns its new path.
func copyProgram(dir, file, firstLine string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, filepath.Base(file))
	return name, os.WriteFile(name, append([]byte(firstLine), content...), 0o755)
}
