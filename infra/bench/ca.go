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

// ca is the certificate of both servers and the root CAs to trust it by: those of this system and one more.
type ca struct {
	certificate tls.Certificate
	bundle      string // file: all roots
	directories string // more places of the roots, separated by colons
	root        string // file: the root of certificate alone
}

// newCA makes RSA keys of 2048 bits, as Amazon's certificates have, and writes the roots to dir.
func newCA(dir string) (*ca, error) {
	rootKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	from, to := time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Amazon Root CA 1"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &rootKey.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "dynamodb"}, NotBefore: from, NotAfter: to,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, root, &key.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	c := &ca{certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
	return c, c.write(dir, append(systemRoots(), rootDER))
}

// systemRoots returns the root certificates of Amazon Linux or Debian; none elsewhere.
func systemRoots() [][]byte {
	var roots [][]byte
	for _, file := range []string{"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"} {
		text, err := os.ReadFile(file)
		for block, rest := pem.Decode(text); err == nil && block != nil; block, rest = pem.Decode(rest) {
			roots = append(roots, block.Bytes)
		}
		if len(roots) > 0 {
			break
		}
	}
	return roots
}

// write writes the roots to dir in the layout of Amazon Linux 2023 (update-ca-trust): /etc/ssl/certs is directory-hash,
// with a file for each root, two links to it and the bundle by two names; /etc/pki/tls/certs is certs, with links to the
// bundle and to one in a form that Go skips. How much of this a program reads decides much of its start.
// https://github.com/golang/go/issues/79018
func (c *ca) write(dir string, roots [][]byte) error {
	var (
		hashed         = filepath.Join(dir, "directory-hash")
		links          = filepath.Join(dir, "certs")
		bundle         = filepath.Join(dir, "tls-ca-bundle.pem")
		trusted        = filepath.Join(dir, "ca-bundle.trust.crt")
		whole, skipped []byte
		errs           []error
	)
	try := func(err error) { errs = append(errs, err) }
	try(os.MkdirAll(hashed, 0o755))
	try(os.MkdirAll(links, 0o755))
	for n, root := range roots {
		text, name := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root}), fmt.Sprintf("%03d.pem", n)
		c.root = filepath.Join(hashed, name) // at last that of the servers
		try(os.WriteFile(c.root, text, 0o644))
		for _, kind := range []string{"new", "old"} {
			try(os.Symlink(name, filepath.Join(hashed, fmt.Sprintf("%s%03d.0", kind, n))))
		}
		if parsed, err := x509.ParseCertificate(root); err == nil {
			whole = append(whole, "# "+parsed.Subject.CommonName+"\n"...)
		}
		whole = append(append(whole, text...), '\n')
		skipped = append(skipped, pem.EncodeToMemory(&pem.Block{Type: "TRUSTED CERTIFICATE", Bytes: root})...)
	}
	try(os.WriteFile(bundle, whole, 0o644))
	try(os.WriteFile(trusted, skipped, 0o644))
	for _, link := range []string{"ca-bundle.crt", "ca-certificates.crt"} {
		try(os.Symlink(bundle, filepath.Join(hashed, link)))
	}
	try(os.Symlink(bundle, filepath.Join(links, "ca-bundle.crt")))
	try(os.Symlink(trusted, filepath.Join(links, "ca-bundle.trust.crt")))
	c.bundle, c.directories = filepath.Join(links, "ca-bundle.crt"), hashed+":"+links
	return errors.Join(errs...)
}
