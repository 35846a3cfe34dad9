// Command build packs the function's program into the zip that Lambda takes, always the same way: the
// same program gives the same archive, wherever and whenever it is packed. It knows nothing of
// how the program was compiled; the Makefile does.
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
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// run packs the program args[0] as the only entry, bootstrap, of the archive args[1], and tells
// the archive's size and SHA-256.
func run(args []string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: build PROGRAM ARCHIVE")
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

// write makes the archive under a name of its own first, so that a build that is cut off leaves no half of one.
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

// pack writes the archive: one entry without a time (as aws-lambda-go's own packer writes it), owner or extra field.
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
