package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// describe returns the revision of the repository and the machine. What cannot be told stays empty.
func describe(ctx context.Context, root string) (revision string, m machine) {
	tell := func(args ...string) string {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = root
		out, err := cmd.Output()
		if err != nil {
			return ""
		}
		return string(bytes.TrimSpace(out))
	}
	m = machine{
		Cores:  runtime.NumCPU(),
		Kernel: tell("uname", "-srm"),
		Go:     strings.TrimPrefix(runtime.Version(), "go"),
		Node:   strings.TrimPrefix(tell("node", "--version"), "v"),
	}
	if fields := strings.Fields(tell("rustc", "--version")); len(fields) > 1 {
		m.Rust = fields[1]
	}
	cpu, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(cpu)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return tell("git", "describe", "--always", "--dirty", "--abbrev=12"), m
}
