package main

import (
	"cmp"
	"os"
)

// rootCAsFile is where Amazon Linux 2023 keeps its root CAs.
const rootCAsFile = "/etc/pki/tls/certs/ca-bundle.crt"

// readRootCAsOnce makes crypto/x509 read the root CAs from one file: that of SSL_CERT_FILE, or Amazon Linux's if it is
// there. By itself, crypto/x509 reads each of them five times, from files of other names (golang/go#79018), which is
// more than half of the processor time of a cold start. An SSL_CERT_DIR that is set is respected.
func readRootCAsOnce(getenv func(string) string, setenv func(name, value string) error) {
	file := cmp.Or(getenv("SSL_CERT_FILE"), rootCAsFile)
	if _, err := os.Stat(file); err != nil || getenv("SSL_CERT_DIR") != "" {
		return
	}
	// Setenv refuses only malformed names and values, which these are not.
	_ = setenv("SSL_CERT_FILE", file)
	_ = setenv("SSL_CERT_DIR", os.DevNull) // not a directory; empty would stand for the usual directories
}
