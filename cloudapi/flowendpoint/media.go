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
	ID     string `json:"media_id"`
	CDNURL string `json:"cdn_url"`

	// Filename is a stranger's choice: never use it as a path.
	Filename string `json:"file_name"`

	Encryption MediaEncryption `json:"encryption_metadata"`
}

// A MediaEncryption is what decrypts a file. It is a secret as long as the file is one.
type MediaEncryption struct {
	Key           []byte `json:"encryption_key"`
	HMACKey       []byte `json:"hmac_key"`
	IV            []byte `json:"iv"`
	PlainHash     []byte `json:"plaintext_hash"`
	EncryptedHash []byte `json:"encrypted_hash"`
}

// ErrMedia is a file that is not the one that was announced, or that was changed on its way.
var ErrMedia = errors.New("flowendpoint: the file is not the one that the phone announced")

// macSize is how much of the HMAC stands at the end of a file.
const macSize = 10

// Decrypt returns the file. Everything is checked before anything is decrypted. encrypted is not
// changed.
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
