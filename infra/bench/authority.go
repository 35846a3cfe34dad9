package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
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

// authority is the one certificate that the database shows, and the roots to trust it by, laid out as
// in the environment provided.al2023.
type authority struct {
	certificate tls.Certificate
	bundle      string // file: all roots of this system, and the authority's
	directory   string // the same, a file each
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
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench root"},
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
		bundle:      filepath.Join(dir, "ca-bundle.crt"),
		directory:   filepath.Join(dir, "certs"),
		alone:       filepath.Join(dir, "ca.crt"),
	}
	return a, a.write(rootDER)
}

func (a *authority) write(root []byte) error {
	var roots []*pem.Block
	for _, file := range systemRoots() {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			roots = append(roots, &pem.Block{Type: block.Type, Bytes: block.Bytes})
		}
		break
	}
	own := &pem.Block{Type: "CERTIFICATE", Bytes: root}
	if err := os.RemoveAll(a.directory); err != nil {
		return err
	}
	if err := os.MkdirAll(a.directory, 0o755); err != nil {
		return err
	}
	var bundle []byte
	for n, block := range append(roots, own) {
		text := pem.EncodeToMemory(block)
		bundle = append(bundle, text...)
		if err := os.WriteFile(filepath.Join(a.directory, fmt.Sprintf("%03d.pem", n)), text, 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(a.bundle, bundle, 0o644); err != nil {
		return err
	}
	return os.WriteFile(a.alone, pem.EncodeToMemory(own), 0o644)
}
