package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// metaNames are the hosts of Meta that pages and clients ask for. All of them are the same server
// here, for a browser or a client that is led to it.
var metaNames = []string{
	"graph.facebook.com", "www.facebook.com", "web.facebook.com", "business.facebook.com", "facebook.com",
	"connect.facebook.net", "lookaside.fbsbx.com", "localhost",
}

// An authority is a local CA for the names of Meta. Its key is made again in each run and never
// leaves the process, so that trusting its certificate opens nothing once the simulator has ended.
type authority struct {
	pem     []byte // its certificate
	config  *tls.Config
	address string // where TLS is spoken
}

// newAuthority makes a CA, and with it the certificate of the simulator.
func newAuthority(now time.Time) (*authority, error) {
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "WhatsApp simulator, this run"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, 90),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: metaNames,
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("no key for the local CA: %w", err)
	}
	caBytes, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("no certificate of the local CA: %w", err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: metaNames[0]}, DNSNames: metaNames,
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("no key for TLS: %w", err)
	}
	leafBytes, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("no certificate for TLS: %w", err)
	}
	return &authority{
		pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caBytes}),
		config: &tls.Config{
			MinVersion:   tls.VersionTLS12,
			Certificates: []tls.Certificate{{Certificate: [][]byte{leafBytes, caBytes}, PrivateKey: key}},
		},
	}, nil
}
