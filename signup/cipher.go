package signup

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sealed"
)

// A Cipher encrypts what a [Store] keeps. [NewCipher] makes one from a key; Tink's AEAD fits as well, where keys live in a
// key management service. It must be safe for concurrent use.
type Cipher interface {
	// Encrypt seals plaintext. What it returns opens only with the same associated data, so that a record cannot be passed
	// off as another's.
	Encrypt(plaintext, associatedData []byte) ([]byte, error)

	// Decrypt opens what Encrypt sealed.
	Decrypt(ciphertext, associatedData []byte) ([]byte, error)
}

// NewCipher returns a Cipher with AES-256-GCM and a random nonce. Each key has 32 random bytes. The first one encrypts, all
// decrypt: to change the key, put the new one in front, and drop the old one when the records of its time are gone.
func NewCipher(keys ...[]byte) (Cipher, error) {
	if len(keys) == 0 {
		return nil, errors.New("signup: NewCipher needs a key of 32 random bytes")
	}
	var c gcm
	for i, key := range keys {
		if len(key) != 32 {
			return nil, fmt.Errorf("signup: key %d of NewCipher has %d bytes and not 32", i, len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("signup: NewCipher: %w", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("signup: NewCipher: %w", err)
		}
		name := sha256.Sum256(append([]byte("whatsapp-coexistence key name"), key...))
		c = append(c, namedKey{name[:keyNameSize], sealed.New(aead)})
	}
	return c, nil
}

// keyNameSize is how many bytes in front say which key it was.
const keyNameSize = 4

type gcm []namedKey

type namedKey struct {
	name []byte
	aead sealed.Value[cipher.AEAD]
}

func (c gcm) Encrypt(plaintext, associatedData []byte) ([]byte, error) {
	return c[0].aead.Open().Seal(bytes.Clone(c[0].name), nil, plaintext, associatedData), nil //nolint:gosec // it makes its own nonce
}

var errUnreadable = errors.New("signup: a record cannot be decrypted; is the key that sealed it missing?")

func (c gcm) Decrypt(ciphertext, associatedData []byte) ([]byte, error) {
	for _, key := range c {
		if rest, ok := bytes.CutPrefix(ciphertext, key.name); ok {
			if b, err := key.aead.Open().Open(nil, nil, rest, associatedData); err == nil {
				return b, nil
			}
		}
	}
	return nil, errUnreadable
}

// newProcessCipher returns a Cipher whose key ends with the process.
func newProcessCipher() (Cipher, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, or ends the program
	return NewCipher(key)
}
