package main

import (
	"cmp"
	"os"
)

// authoritiesFile is where Amazon Linux 2023 keeps the certificates of the authorities.
const authoritiesFile = "/etc/pki/tls/certs/ca-bundle.crt"

// readAuthoritiesOnce makes crypto/x509 read the authorities from one file: that of
// SSL_CERT_FILE or Amazon Linux's, if it is there. By itself it reads all of them
// once more, each from a file of its own, which takes longer than the rest of the
// start (golang/go#79018). An SSL_CERT_DIR that is set is respected.
func readAuthoritiesOnce(getenv func(string) string, setenv func(name, value string) error) {
	file := cmp.Or(getenv("SSL_CERT_FILE"), authoritiesFile)
	if _, err := os.Stat(file); err != nil || getenv("SSL_CERT_DIR") != "" {
		return
	}
	// Neither name nor value is one that could be refused.
	_ = setenv("SSL_CERT_FILE", file)
	_ = setenv("SSL_CERT_DIR", os.DevNull) // no directory: empty would stand for the usual ones
}
