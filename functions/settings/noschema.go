//go:build !schema

package main

import (
	"errors"

	"orgsettings/internal/settings"
)

// compileSchema refuses every schema: see the other one.
func compileSchema([]byte) (settings.Schema, error) {
	return nil, errors.New("the program was built without the tag schema; make deploy SCHEMA=FILE sets it")
}
