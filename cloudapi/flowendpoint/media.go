package flowendpoint

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
)

// A Media is a file that a person chose in a Flow, as it stands in [Request].Data. The file lies
// encrypted at CDNURL: fetch it, without any token, and give it to Decrypt.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/media_upload
type Media struct {
	// ID is Meta's name of the file, CDNURL where it lies encrypted.
	ID     string `json:"media_id"`
	CDNURL string `json:"cdn_url"`

	// Filename is a stranger's choice: never use it as a path.
	Filename string `json:"file_name"`

	Encryption MediaEncryption `json:"encryption_metadata"`
}

// A MediaEncryption is what decrypts a file. It is a secret as long as the file is one.
type MediaEncryption struct {
	Key           []byte `json:"encryption_key"` // AES in CBC mode
	HMACKey       []byte `json:"hmac_key"`       // SHA-256, of vector and cipher text
	IV            []byte `json:"iv"`             // 16 bytes
	PlainHash     []byte `json:"plaintext_hash"` // SHA-256 of the file
	EncryptedHash []byte `json:"encrypted_hash"` // SHA-256 of what lies at the URL
}

// ErrMedia is a file that is not the one that was announced, or that was changed on its way.
var ErrMedia = errors.New("flowendpoint: the file is not the one that the phone announced")

// macSize is how many bytes of the HMAC stand at the end of a file.
const macSize = 10

// Decrypt returns the file, or [ErrMedia]. The checksum and the HMAC of what was fetched are
// checked before anything is decrypted, so that a forged file tells nothing about the padding; the
// checksum of the file itself is checked last. encrypted is not changed.
func (m Media) Decrypt(encrypted []byte) ([]byte, error) {
	e := m.Encryption
	sum := sha256.Sum256(encrypted)
	if len(encrypted) < macSize+aes.BlockSize || !hmac.Equal(sum[:], e.EncryptedHash) || len(e.IV) != aes.BlockSize {
		return nil, ErrMedia
	}
	cipherText, tag := encrypted[:len(encrypted)-macSize], encrypted[len(encrypted)-macSize:]
	mac := hmac.New(sha256.New, e.HMACKey)
	mac.Write(e.IV)
	mac.Write(cipherText)
	if !hmac.Equal(mac.Sum(nil)[:macSize], tag) || len(cipherText)%aes.BlockSize != 0 {
		return nil, ErrMedia
	}
	block, err := aes.NewCipher(e.Key)
	if err != nil {
		return nil, ErrMedia
	}
	plain := make([]byte, len(cipherText))
	cipher.NewCBCDecrypter(block, e.IV).CryptBlocks(plain, cipherText)
	pad := int(plain[len(plain)-1])
	if pad == 0 || pad > aes.BlockSize || !bytes.Equal(plain[len(plain)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, ErrMedia
	}
	plain = plain[:len(plain)-pad]
	if sum := sha256.Sum256(plain); !hmac.Equal(sum[:], e.PlainHash) {
		return nil, ErrMedia
	}
	return plain, nil
}
