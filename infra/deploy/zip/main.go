// Command zip packs the function's program into the archive for Lambda. The same program gives the same
// bytes on every machine at any time. How the program is compiled is in the Makefile.
package main

import (
	"archive/zip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "zip:", err)
		os.Exit(1)
	}
}

// run packs the program args[0] into the archive args[1], as its only entry, bootstrap. It prints the
// archive's size and SHA-256.
func run(args []string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: zip PROGRAM ARCHIVE")
	}
	program, err := os.ReadFile(args[0])
	if err != nil {
		return fmt.Errorf("read the program: %w", err)
	}
	sum := sha256.New()
	size, err := write(args[1], program, sum)
	if err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s  %d bytes (program %d)  sha256 %x\n", args[1], size, len(program), sum.Sum(nil))
	return err
}

// write writes a temporary file and renames it, so that an interrupted build leaves no partial archive.
func write(name string, program []byte, sum io.Writer) (int64, error) {
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name())
	if err := errors.Join(pack(io.MultiWriter(file, sum), program), file.Chmod(0o644), file.Close()); err != nil {
		return 0, err
	}
	info, err := os.Stat(file.Name())
	if err != nil {
		return 0, err
	}
	return info.Size(), os.Rename(file.Name(), name)
}

// pack writes the archive: one entry without time, owner or extra field.
func pack(w io.Writer, program []byte) error {
	archive := zip.NewWriter(w)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	entry, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := entry.Write(program); err != nil {
		return err
	}
	return archive.Close()
}
