package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSameProgramSameArchive(t *testing.T) {
	t.Parallel()
	program := bytes.Repeat([]byte("program"), 1000)
	var archives [2][]byte
	for i := range archives {
		dir := t.TempDir()
		in, out := filepath.Join(dir, "in"), filepath.Join(dir, "settings.zip")
		if err := os.WriteFile(in, program, 0o600); err != nil { // the archive does not depend on the mode
			t.Fatal(err)
		}
		var printed bytes.Buffer
		if err := run([]string{in, out}, &printed); err != nil {
			t.Fatal(err)
		}
		archive, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if sum := fmt.Sprintf("sha256 %x", sha256.Sum256(archive)); !strings.Contains(printed.String(), sum) || !strings.Contains(printed.String(), fmt.Sprintf("%d bytes", len(archive))) {
			t.Errorf("printed %q for %d bytes with %s", printed.String(), len(archive), sum)
		}
		archives[i] = archive
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two archives of one program differ")
	}
	r, err := zip.NewReader(bytes.NewReader(archives[0]), int64(len(archives[0])))
	if err != nil {
		t.Fatal(err)
	}
	entry := r.File[0]
	if len(r.File) != 1 || entry.Name != "bootstrap" || entry.Mode() != 0o755 || len(entry.Extra) != 0 || !entry.Modified.IsZero() && entry.Modified.Year() > 1980 {
		t.Errorf("%d entries, the first %+v", len(r.File), entry.FileHeader)
	}
	file, err := entry.Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, program) {
		t.Errorf("bootstrap holds %d bytes, %v", len(got), err)
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, args := range [][]string{nil, {"a"}, {filepath.Join(dir, "none"), filepath.Join(dir, "zip")}} {
		if err := run(args, io.Discard); err == nil {
			t.Errorf("run(%q) succeeds", args)
		}
	}
}
