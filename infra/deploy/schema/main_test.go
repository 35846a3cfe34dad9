package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{\n  \"properties\": {\"a\": {\"type\": \"string\"}}\n}\n": "",
		`{"properties":{"a":{"format":"phone"}}}`:                   `/properties/a/format: unknown format "phone"`,
		`{"$ref":"https://example.com/s"}`:                          `/$ref: refers to "https://example.com/s": that is another document, and none is fetched`,
		`{"minLength":"1"}`:                                         "/minLength: got string, want integer",
	} {
		dir := t.TempDir()
		file, copied := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := run([]string{file, copied})
		got, readErr := os.ReadFile(copied)
		switch {
		case want == "":
			if err != nil || string(got) != text {
				t.Errorf("%s: error %v, the copy is %q (%v)", text, err, got, readErr)
			}
		case err == nil || !strings.HasPrefix(err.Error(), file+": ") || !strings.Contains(err.Error(), want):
			t.Errorf("%s: error %v, want %s", text, err, want)
		case !errors.Is(readErr, fs.ErrNotExist):
			t.Errorf("%s: it is copied", text)
		}
	}
	if err := run(nil); err == nil {
		t.Error("no error without arguments")
	}
	if err := run([]string{"absent.json", "copy"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
}
