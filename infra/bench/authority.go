package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// systemRoots is where distributions keep the root certificates: Amazon Linux, Debian.
func systemRoots() []string {
	return []string{"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"}
}

// standsFor is the authority that both servers have their certificate from: that of DynamoDB and of
// Amazon Cognito. Its real certificate is left out.
const standsFor = "Amazon Root CA 1"

// authority is the one certificate that the servers show, and the roots to trust it by: those of this
// system and the authority's.
type authority struct {
	certificate tls.Certificate
	bundle      string // file: all roots
	directories string // where else they are found, separated by colons
	alone       string // file: the authority's root alone
}

// newAuthority makes RSA keys of 2048 bits, as Amazon's certificates have.
func newAuthority(dir string) (*authority, error) {
	now := time.Now()
	rootKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: standsFor},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &rootKey.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "dynamodb"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, root, &key.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	a := &authority{
		certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		alone:       filepath.Join(dir, "ca.crt"),
	}
	if err := os.WriteFile(a.alone, pemOf("CERTIFICATE", rootDER), 0o644); err != nil {
		return nil, err
	}
	return a, a.lay(filepath.Join(dir, "ca-trust"), append(readSystemRoots(), rootDER))
}

// readSystemRoots returns the root certificates of this system; none if they are not where they are
// looked for.
func readSystemRoots() [][]byte {
	var roots [][]byte
	for _, file := range systemRoots() {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			if commonName(block.Bytes) != standsFor {
				roots = append(roots, block.Bytes)
			}
		}
		break
	}
	return roots
}

// lay lays out roots in dir as update-ca-trust does on Amazon Linux 2023: one bundle with a name above
// each certificate, that bundle by other names too, each root in a file of its own, two more links to
// each of these by hashes, and one more bundle in a form that Go steps over. /etc/ssl/certs is its
// directory-hash there, and /etc/pki/tls/certs the links to the bundles.
// https://github.com/golang/go/issues/79018, https://github.com/golang/go/pull/80374
func (a *authority) lay(dir string, roots [][]byte) error {
	var (
		hashed  = filepath.Join(dir, "directory-hash") // /etc/ssl/certs
		links   = filepath.Join(dir, "certs")          // /etc/pki/tls/certs
		bundle  = filepath.Join(dir, "tls-ca-bundle.pem")
		trusted = filepath.Join(dir, "ca-bundle.trust.crt")
		whole   []byte
		other   []byte
	)
	var errs []error
	try := func(err error) { errs = append(errs, err) }
	try(os.MkdirAll(hashed, 0o755))
	try(os.MkdirAll(links, 0o755))
	for n, root := range roots {
		text, name := pemOf("CERTIFICATE", root), fmt.Sprintf("%03d.pem", n)
		try(os.WriteFile(filepath.Join(hashed, name), text, 0o644))
		for _, kind := range []string{"new", "old"} {
			try(os.Symlink(name, filepath.Join(hashed, fmt.Sprintf("%s%03d.0", kind, n))))
		}
		whole = append(append(append(whole, "# "+commonName(root)+"\n"...), text...), '\n')
		other = append(other, pemOf("TRUSTED CERTIFICATE", root)...)
	}
	try(os.WriteFile(bundle, whole, 0o644))
	try(os.WriteFile(trusted, other, 0o644))
	for _, link := range []string{"ca-bundle.crt", "ca-certificates.crt"} {
		try(os.Symlink("../"+filepath.Base(bundle), filepath.Join(hashed, link)))
	}
	try(os.Symlink(bundle, filepath.Join(links, "ca-bundle.crt")))
	try(os.Symlink(trusted, filepath.Join(links, "ca-bundle.trust.crt")))
	a.bundle, a.directories = filepath.Join(links, "ca-bundle.crt"), hashed+":"+links
	return errors.Join(errs...)
}

// commonName returns what stands above a root in the bundle. There it is Mozilla's name for it, which is
// much the same.
func commonName(root []byte) string {
	c, err := x509.ParseCertificate(root)
	if err != nil {
		return "unknown"
	}
	return c.Subject.CommonName
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
