package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// SignatureHeader is the HTTP header in which Meta signs a delivery.
const SignatureHeader = "X-Hub-Signature-256"

// ErrSignature says that a body was not signed with any of the given app secrets. Nothing in such a
// body can be believed. If it happens to real deliveries, the secret is another app's, a client
// token or an access token, or something in front changed the body.
var ErrSignature = errors.New("webhook: the signature does not match; check that the secret is the app secret of the " +
	"subscribed app, and that the body is the bytes as received")

const signaturePrefix = "sha256="

// Sign returns the signature that Meta would send for body in [SignatureHeader]: "sha256=" and 64
// hex digits. It serves tests and relays.
func Sign(appSecret graph.Secret, body []byte) string {
	mac := hmac.New(sha256.New, []byte(appSecret.Reveal()))
	mac.Write(body)
	return signaturePrefix + hex.EncodeToString(mac.Sum(nil))
}

// Verify returns nil if signature, the value of [SignatureHeader], was made from body with one of
// the app secrets, else an error that matches [ErrSignature]. It wants the bytes exactly as
// received: JSON that was decoded and written again has another signature.
//
// A signature is "sha256=" in lower case and 64 hex digits in either case, nothing before, after or
// between. Secrets that are empty or blank match nothing. All comparisons take constant time and
// all secrets are tried, so that the time tells nothing.
//
// Meta's signature covers no time and no address: a signed body can be sent again, forever. Only
// deduplication by [EventInfo.DedupKey] protects from that.
func Verify(body []byte, signature string, appSecrets ...graph.Secret) error {
	got, ok := parseSignature(signature)
	matches := false
	if ok {
		for _, secret := range appSecrets {
			if s := signers.of(secret.Reveal()); s != nil {
				matches = s.signed(body, &got) || matches
			}
		}
	}
	if !matches {
		return ErrSignature
	}
	return nil
}

// A verifier checks signatures against a fixed set of secrets. It is safe for concurrent use.
type verifier struct {
	signers []*signer
}

// verify returns the index of the secret that signed. It wants the sum that [parseSignature] found.
func (v *verifier) verify(body []byte, sum *[sha256.Size]byte) (secret int, err error) {
	secret = -1
	for i, s := range v.signers {
		if s.signed(body, sum) {
			secret = i
		}
	}
	if secret < 0 {
		return secret, ErrSignature
	}
	return secret, nil
}

// parseSignature returns the sum that a well-formed signature holds. Malformed ones are refused
// before anything is hashed.
func parseSignature(signature string) (sum [sha256.Size]byte, ok bool) {
	hexDigits, ok := strings.CutPrefix(signature, signaturePrefix)
	if !ok || len(hexDigits) != 2*sha256.Size {
		return sum, false
	}
	all := byte(0)
	for i := range sum {
		high, low := hexValue[hexDigits[2*i]], hexValue[hexDigits[2*i+1]]
		all |= high | low
		sum[i] = high<<4 | low
	}
	return sum, all <= 0xf
}

// hexValue holds the value of each hex digit and 0xff for every other byte. Its loop takes a third
// of the time of encoding/hex, which for a small body would be a tenth of hashing it.
var hexValue = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range "0123456789abcdef" {
		t[c], t[unicode.ToUpper(c)] = byte(i), byte(i)
	}
	return t
}()

// A signer signs with one secret. It keeps spent HMAC states, because setting one up hashes the key
// twice, which for a small body costs as much as the body.
type signer struct {
	pool sync.Pool
}

// A signing is the state of one signature.
type signing struct {
	mac hash.Hash
	sum [sha256.Size]byte
}

func newSigner(secret string) *signer {
	key := []byte(secret)
	return &signer{pool: sync.Pool{New: func() any { return &signing{mac: hmac.New(sha256.New, key)} }}}
}

// signed reports whether want is the signature of body.
func (s *signer) signed(body []byte, want *[sha256.Size]byte) bool {
	st := s.pool.Get().(*signing)
	st.mac.Reset()
	st.mac.Write(body)
	st.mac.Sum(st.sum[:0])
	ok := hmac.Equal(want[:], st.sum[:])
	s.pool.Put(st)
	return ok
}

// signers keeps the signers of the secrets that [Verify] was called with.
var signers signerCache

// maxSigners is how many secrets are remembered: plenty for a host with a secret per tenant, and no
// leak for one that makes secrets up.
const maxSigners = 1024

// A signerCache finds the signer of a secret. When it is full, it begins again.
type signerCache struct {
	known atomic.Pointer[map[string]*signer] // never written to: a new secret makes a new map
	mu    sync.Mutex
}

// of returns the signer of a secret, nil if it is blank.
func (c *signerCache) of(secret string) *signer {
	if known := c.known.Load(); known != nil {
		if s := (*known)[secret]; s != nil {
			return s
		}
	}
	if strings.TrimSpace(secret) == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	next := make(map[string]*signer)
	if known := c.known.Load(); known != nil && len(*known) < maxSigners {
		maps.Copy(next, *known)
	}
	s := next[secret]
	if s == nil {
		s = newSigner(secret)
		next[strings.Clone(secret)] = s
	}
	c.known.Store(&next)
	return s
}
