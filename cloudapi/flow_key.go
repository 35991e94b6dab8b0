package cloudapi

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
)

// badPublicKey says what is wrong with a key for Flows, or nothing. A private key pasted by mistake
// must not travel.
func badPublicKey(text string) string {
	block, _ := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return "the key is not PEM"
	case block.Type != "PUBLIC KEY":
		return "the key is not a PEM block of type PUBLIC KEY; never send a private key"
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	rsaKey, ok := key.(*rsa.PublicKey)
	if err != nil || !ok || rsaKey.N.BitLen() != 2048 {
		return "the key is not an RSA key of 2048 bits"
	}
	return ""
}
