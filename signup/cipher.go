package signup

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/opaque"
)

// A Cipher encrypts what a [Store] keeps. [ParseKeyring] makes one from the text of a key,
// [NewKeyring] from its bytes; Tink's AEAD fits as well, where keys live in a key management
// service. It must be safe for concurrent use.
type Cipher interface {
	// Encrypt returns the ciphertext of plaintext. It decrypts only with the same associated data,
	// so that a record cannot be passed off as another's.
	Encrypt(plaintext, associatedData []byte) ([]byte, error)

	// Decrypt returns what Encrypt was given, or an error if the ciphertext or the associated data
	// is another. It may fail for a while, as when a key management service does not answer: no
	// record is deleted for it.
	Decrypt(ciphertext, associatedData []byte) ([]byte, error)
}

// A Keyring is a [Cipher] with AES-256-GCM and a random nonce. It writes the name of the key in
// front of a ciphertext, so that keys can be changed. A host encrypts with it what it keeps for
// long, too, the Token of a [Connection] before all: name in the associated data whose the secret
// is, such as tenant and account, and it does not decrypt when it is copied into another row.
type Keyring struct{ keys []namedKey }

// NewKeyring returns a Keyring. Each key has 32 random bytes. The first one encrypts, all decrypt:
// to change the key, put the new one in front, encrypt again what is [Keyring.NeedsReencryption],
// and drop the old one when nothing of its time is left.
func NewKeyring(keys ...[]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("signup: NewKeyring needs a key of 32 random bytes")
	}
	c := new(Keyring)
	for i, key := range keys {
		if len(key) != 32 {
			return nil, fmt.Errorf("signup: key %d of NewKeyring has %d bytes and not 32", i+1, len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("signup: NewKeyring: %w", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("signup: NewKeyring: %w", err)
		}
		name := sha256.Sum256(append([]byte("whatsapp-coexistence key name"), key...))
		c.keys = append(c.keys, namedKey{name[:keyNameSize], opaque.New(aead)})
	}
	return c, nil
}

// ParseKeyring returns a Keyring from the text of its keys, as an environment variable or a secret
// manager holds it: each 32 bytes in base64, separated by commas, the newest first. White space
// around a key is left out. Make a key with
//
//	openssl rand -base64 32
//
// and see [NewKeyring] for how to change it. An error names the position of a key, from 1, and
// never the key.
func ParseKeyring(text graph.Secret) (*Keyring, error) {
	if strings.TrimSpace(text.Reveal()) == "" {
		return nil, errors.New(`signup: ParseKeyring: there is no key; make one with "openssl rand -base64 32"`)
	}
	var keys [][]byte
	for part := range strings.SplitSeq(text.Reveal(), ",") {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(part))
		if err != nil || len(key) != 32 {
			return nil, fmt.Errorf("signup: ParseKeyring: key %d is not 32 bytes in base64", len(keys)+1)
		}
		keys = append(keys, key)
	}
	return NewKeyring(keys...)
}

// keyNameSize is how many bytes in front of a ciphertext name its key. Two keys of one Keyring that
// share a name do no harm: GCM tells them apart.
const keyNameSize = 4

// A namedKey is a key and the first bytes of its hash, which are no secret. The AEAD holds the key,
// and is kept where package fmt cannot print it.
type namedKey struct {
	name []byte
	aead opaque.Value[cipher.AEAD]
}

// Encrypt implements [Cipher], with the first key.
func (c *Keyring) Encrypt(plaintext, associatedData []byte) ([]byte, error) {
	key := c.keys[0]
	//nolint:gosec // the AEAD makes its own nonce
	return key.aead.Reveal().Seal(bytes.Clone(key.name), nil, plaintext, associatedData), nil
}

var errUnreadable = errors.New("signup: a record cannot be decrypted; is the key that sealed it missing?")

// Decrypt implements [Cipher], with the key that encrypted.
func (c *Keyring) Decrypt(ciphertext, associatedData []byte) ([]byte, error) {
	for _, key := range c.keys {
		if rest, ok := bytes.CutPrefix(ciphertext, key.name); ok {
			if b, err := key.aead.Reveal().Open(nil, nil, rest, associatedData); err == nil {
				return b, nil
			}
		}
	}
	return nil, errUnreadable
}

// NeedsReencryption reports whether something was encrypted with a different key than the first
// one: decrypt it and encrypt it again. It looks at the name of the key only, and decrypts nothing.
func (c *Keyring) NeedsReencryption(ciphertext []byte) bool {
	return !bytes.HasPrefix(ciphertext, c.keys[0].name)
}

// newProcessCipher returns a Cipher whose key ends with the process, as a [MemStore] does: there is
// nothing to read after a restart.
func newProcessCipher() (Cipher, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, or ends the program
	return NewKeyring(key)
}
