package flowendpoint

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
)

// An envelope is what Meta sends. Its members are in base64.
type envelope struct {
	Data []byte `json:"encrypted_flow_data"` // AES-GCM, with the tag at the end
	Key  []byte `json:"encrypted_aes_key"`   // RSA-OAEP with SHA-256
	IV   []byte `json:"initial_vector"`
}

// A session is the cipher of one request and its answer.
type session struct {
	aead  cipher.AEAD
	nonce []byte // of the answer
}

// ivSize is the length of Meta's initial vectors, which is not the usual one of GCM.
const ivSize = 16

// open decrypts a request with the first key that fits. It does not say why it could not: the
// reason would tell a stranger about the key.
func (e *Endpoint) open(body []byte) (*session, []byte, bool) {
	var env envelope
	if json.Unmarshal(body, &env) != nil || len(env.IV) != ivSize {
		return nil, nil, false
	}
	for _, key := range e.cfg.Keys {
		aesKey, err := rsa.DecryptOAEP(sha256.New(), nil, key, env.Key, nil)
		if err != nil {
			continue
		}
		s, err := newSession(aesKey, env.IV)
		if err != nil {
			continue
		}
		if plain, err := s.aead.Open(nil, env.IV, env.Data, nil); err == nil {
			return s, plain, true
		}
	}
	return nil, nil, false
}

// newSession prepares the cipher of a request. The answer has the same key, so its vector must be
// another one; Meta's is the request's with every bit turned.
func newSession(aesKey, iv []byte) (*session, error) {
	block, err := aes.NewCipher(aesKey)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithNonceSize(block, ivSize)
	if err != nil {
		return nil, err
	}
	s := &session{aead: aead, nonce: make([]byte, len(iv))}
	for i, b := range iv {
		s.nonce[i] = ^b
	}
	return s, nil
}

// seal encrypts the answer. A session answers once.
func (s *session) seal(answer []byte) []byte { return s.aead.Seal(nil, s.nonce, answer, nil) }

// ParsePrivateKey reads an RSA private key in PEM, PKCS #8 or PKCS #1, without a passphrase. Its
// errors hold nothing of the text. Meta requires keys of 2048 bits.
func ParsePrivateKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("flowendpoint: the key is not PEM")
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
	case "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if rsaKey, ok := key.(*rsa.PrivateKey); err == nil && ok {
			return rsaKey, nil
		}
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("flowendpoint: the key has a passphrase; take it off with openssl pkey")
	}
	return nil, errors.New("flowendpoint: the key is not an RSA private key")
}

// MarshalPublicKey returns the public half of a key in PEM, for client.Flows.SetKey.
func MarshalPublicKey(key *rsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", errors.New("flowendpoint: the key has no public half that can be written")
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}
