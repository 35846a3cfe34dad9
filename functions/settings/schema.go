//go:build schema

package main

import (
	"orgsettings/internal/schema"
	"orgsettings/internal/settings"
)

// compileSchema compiles the text of SCHEMA_FILE. Its library takes time at every start, and a megabyte. So only a program
// built with the tag schema has it.
func compileSchema(text []byte) (settings.Schema, error) {
	s, err := schema.Compile(text)
	if err != nil {
		return nil, err // and not an interface that holds a nil pointer
	}
	return s, nil
}
