package main

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"os"
	"slices"
)

// authoritiesFile is where Amazon Linux 2023 keeps the certificates of the authorities.
const authoritiesFile = "/etc/pki/tls/certs/ca-bundle.crt"

// usualAuthorities vouch for DynamoDB (https://www.amazontrust.com/repository/) and for
// most issuers. The names are those that the file has above each certificate.
var usualAuthorities = []string{
	"Amazon Root CA 1", "Amazon Root CA 2", "Amazon Root CA 3", "Amazon Root CA 4",
	"Starfield Services Root Certificate Authority - G2",
	"DigiCert Global Root CA", "DigiCert Global Root G2", "DigiCert Global Root G3",
	"GlobalSign Root CA", "GTS Root R1", "GTS Root R4",
	"ISRG Root X1", "ISRG Root X2",
	"USERTrust ECC Certification Authority", "USERTrust RSA Certification Authority",
}

// readAuthorities returns the pools by which a server is verified, one after the
// other: the usual authorities, and then, as nil, all that crypto/x509 finds. To read
// all of them takes a third of the processor time of a start, which a server of another
// authority costs still, and one connection more. The first pool is a choice of them, so
// that nobody else is trusted.
func readAuthorities(getenv func(string) string) []*x509.CertPool {
	bundle, err := os.ReadFile(cmp.Or(getenv("SSL_CERT_FILE"), authoritiesFile))
	if err != nil {
		return nil // crypto/x509 looks in more places
	}
	usual, found := x509.NewCertPool(), false
	for part := range bytes.SplitSeq(bundle, []byte("# ")) { // which is not in the text of a certificate
		name, certificate, _ := bytes.Cut(part, []byte("\n"))
		if slices.Contains(usualAuthorities, string(name)) && usual.AppendCertsFromPEM(certificate) {
			found = true
		}
	}
	if !found {
		return nil
	}
	return []*x509.CertPool{usual, nil}
}

// readAuthoritiesOnce makes crypto/x509 read the authorities from one file: that of
// SSL_CERT_FILE or Amazon Linux's, if it is there. By itself it reads all of them
// four times more, by other names and each from a file of its own
// (golang/go#79018). An SSL_CERT_DIR that is set is respected.
func readAuthoritiesOnce(getenv func(string) string, setenv func(name, value string) error) {
	file := cmp.Or(getenv("SSL_CERT_FILE"), authoritiesFile)
	if _, err := os.Stat(file); err != nil || getenv("SSL_CERT_DIR") != "" {
		return
	}
	// Neither name nor value is one that could be refused.
	_ = setenv("SSL_CERT_FILE", file)
	_ = setenv("SSL_CERT_DIR", os.DevNull) // no directory: empty would stand for the usual ones
}
