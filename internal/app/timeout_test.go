package app

import (
	"testing"

	"orgsettings/infra/local/template"
)

// The service answers before Lambda ends the function.
func TestRequestTimeoutIsBelowLambdas(t *testing.T) {
	t.Parallel()
	stack, err := template.Load("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if requestTimeout >= stack.Timeout {
		t.Errorf("a request may take %v, Lambda ends the function after %v", requestTimeout, stack.Timeout)
	}
}
