// Command schema checks a JSON Schema of the documents and copies it to where it is bundled with the function:
// schema FILE COPY. It refuses what the function would refuse at its start.
package main

import (
	"errors"
	"fmt"
	"os"

	"orgsettings/internal/schema"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("two arguments are needed: schema FILE COPY")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	if _, err := schema.Compile(text); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return os.WriteFile(args[1], text, 0o644)
}
