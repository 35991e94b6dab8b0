package flowendpoint

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// A Media is a file that a person chose in a Flow, as it stands in [Request].Data. The encrypted
// file is at CDNURL: [Media.Fetch] gets and decrypts it.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/media_upload
type Media struct {
	ID string `json:"media_id"` // Meta's name of the file

	// CDNURL is a phone's word. A server that gets whatever it names can be sent to addresses of
	// its own network; Fetch goes to WhatsApp's servers only.
	CDNURL string `json:"cdn_url"`

	// Filename is a stranger's choice: never use it as a path.
	Filename string `json:"file_name"`

	Encryption MediaEncryption `json:"encryption_metadata"`
}

// A MediaEncryption holds the keys of an encrypted file. Keep it as secret as the file.
type MediaEncryption struct {
	Key           []byte `json:"encryption_key"` // AES in CBC mode
	HMACKey       []byte `json:"hmac_key"`       // SHA-256, of vector and cipher text
	IV            []byte `json:"iv"`             // 16 bytes
	PlainHash     []byte `json:"plaintext_hash"` // SHA-256 of the file
	EncryptedHash []byte `json:"encrypted_hash"` // SHA-256 of what lies at the URL
}

// ErrMedia is a file that is not the one that was announced, or that was changed on its way.
var ErrMedia = errors.New("flowendpoint: the file is not the one that the phone announced")

// ErrMediaHost is a URL that is not one of WhatsApp's media servers over https.
var ErrMediaHost = errors.New("flowendpoint: the file's URL is not one of WhatsApp's media servers; a phone made it up")

// MaxMediaBytes is the largest file that Fetch takes: what a Flow may upload, with room to spare.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/media_upload
const MaxMediaBytes = 32 << 20

// Fetch gets the file and decrypts it. It asks WhatsApp's media servers only, over https, without
// any token, and follows no redirect. A nil client is [http.DefaultClient]. The error is
// [ErrMediaHost] or [ErrMedia] if the phone told something that is not so; any other one may pass.
func (m Media) Fetch(ctx context.Context, client *http.Client) ([]byte, error) {
	target, err := url.Parse(m.CDNURL)
	if err != nil || target.Scheme != "https" || target.User != nil || target.Port() != "" ||
		!strings.HasSuffix(strings.ToLower(target.Hostname()), mediaDomain) {
		return nil, ErrMediaHost
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.CDNURL, nil)
	if err != nil {
		return nil, ErrMediaHost
	}
	if client == nil {
		client = http.DefaultClient
	}
	straight := *client
	straight.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := straight.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, which alone opens the encrypted file
		}
		return nil, fmt.Errorf("flowendpoint: GET /{cdn-url}: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("flowendpoint: GET /{cdn-url}: the server answered %d", resp.StatusCode)
	}
	encrypted, err := io.ReadAll(io.LimitReader(resp.Body, MaxMediaBytes+1))
	if err != nil {
		return nil, fmt.Errorf("flowendpoint: GET /{cdn-url}: %w", err)
	}
	if len(encrypted) > MaxMediaBytes {
		return nil, ErrMedia
	}
	return m.Decrypt(encrypted)
}

// mediaDomain is of the files of Flows.
const mediaDomain = ".whatsapp.net"

// macSize is how much of the HMAC stands at the end of a file.
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
