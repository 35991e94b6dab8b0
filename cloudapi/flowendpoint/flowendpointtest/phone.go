// Package flowendpointtest plays the phone for tests of a WhatsApp Flow's endpoint: it encrypts and
// signs requests as Meta's side does, and decrypts the answers.
//
//	phone := flowendpointtest.Phone{Key: &key.PublicKey, AppSecret: "secret"}
//	const request = `{"version":"3.0","action":"INIT","flow_token":"t"}`
//	status, answer, err := phone.Ask(ctx, server.URL, request)
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/send.md
package flowendpointtest

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Phone asks an endpoint like a phone with a Flow open. Key and AppSecret are required.
type Phone struct {
	// Key is the public key that the number has.
	Key *rsa.PublicKey

	// AppSecret signs the requests.
	AppSecret graph.Secret

	// Client sends them. If nil, http.DefaultClient.
	Client *http.Client
}

// Ask sends a request, which is JSON in the clear, and returns the status with the decrypted
// answer. The answer is empty if there is none.
func (p Phone) Ask(ctx context.Context, url, request string) (status int, answer []byte, err error) {
	body, open, err := p.Seal([]byte(request))
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, errors.New("flowendpointtest: the URL is not valid")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", p.Sign(body))
	client := p.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("flowendpointtest: the endpoint does not answer: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil || len(text) == 0 {
		return resp.StatusCode, nil, err
	}
	answer, err = open(text)
	return resp.StatusCode, answer, err
}

// Sign returns the signature of a body, the value of the header X-Hub-Signature-256.
func (p Phone) Sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(p.AppSecret.Reveal()))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// Seal encrypts a request with a key made for it, and returns the body to send with a function that
// opens the answer.
func (p Phone) Seal(request []byte) (body []byte, open func(answer []byte) ([]byte, error), err error) {
	key, iv := make([]byte, 16), make([]byte, 16)
	_, _ = rand.Read(key) // never fails
	_, _ = rand.Read(iv)
	sealedKey, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, p.Key, key, nil)
	if err != nil {
		return nil, nil, errors.New("flowendpointtest: the public key cannot encrypt")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCMWithNonceSize(block, len(iv))
	if err != nil {
		return nil, nil, err
	}
	body, err = json.Marshal(map[string][]byte{
		"encrypted_flow_data": aead.Seal(nil, iv, request, nil), "encrypted_aes_key": sealedKey, "initial_vector": iv,
	})
	turned := make([]byte, len(iv))
	for i, b := range iv {
		turned[i] = ^b
	}
	return body, func(answer []byte) ([]byte, error) {
		raw, err := base64.StdEncoding.DecodeString(string(answer))
		if err != nil {
			return nil, errors.New("flowendpointtest: the answer is not base64")
		}
		plain, err := aead.Open(nil, turned, raw, nil)
		if err != nil {
			return nil, errors.New("flowendpointtest: the answer does not decrypt; is its IV inverted?")
		}
		return plain, nil
	}, err
}
