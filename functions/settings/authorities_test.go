package main

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadAuthoritiesOnce(t *testing.T) {
	t.Parallel()
	bundle := filepath.Join(t.TempDir(), "ca-bundle.crt")
	if err := os.WriteFile(bundle, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	type variables map[string]string
	for name, tt := range map[string]struct{ before, after variables }{
		"one file":               {variables{"SSL_CERT_FILE": bundle}, variables{"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": os.DevNull}},
		"file that is not there": {variables{"SSL_CERT_FILE": bundle + ".absent"}, variables{"SSL_CERT_FILE": bundle + ".absent"}},
		"directory is asked for": {variables{"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": "/own"}, variables{"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": "/own"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := maps.Clone(tt.before)
			readAuthoritiesOnce(func(name string) string { return got[name] }, func(name, value string) error {
				got[name] = value
				return nil
			})
			if diff := cmp.Diff(tt.after, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
