// Package infra holds the published description of the API, for the programs and
// tests of its subdirectories. The deployed program knows nothing of it.
package infra

import _ "embed"

//go:embed openapi.yaml
var description string

// OpenAPI returns openapi.yaml.
func OpenAPI() string { return description }
