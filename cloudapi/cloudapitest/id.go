package cloudapitest

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// newID returns an id of fifteen digits, as Meta's mostly are. The caller must hold s.mu.
func (s *Server) newID() string {
	s.lastID += 1 + s.rand.Int64N(1_000_000_000)
	return fmt.Sprint(s.lastID)
}

// tokenAlphabet is what tokens and codes are made of.
const tokenAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// newSecret returns a token or code with Meta's prefix. The caller must hold s.mu.
func (s *Server) newSecret(prefix string, n int) graph.Secret {
	var b strings.Builder
	b.WriteString(prefix)
	for range n {
		b.WriteByte(tokenAlphabet[s.rand.IntN(len(tokenAlphabet))])
	}
	return graph.Secret(b.String())
}

// randomBytes come from the server's seed, so that they are the same in every run. The caller must
// hold s.mu.
func (s *Server) randomBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.rand.Uint32())
	}
	return b
}

// newMessageID returns a wamid for a message to or from a person. Hosts must not look inside, and
// there is nothing to see: it has the look of a real one and holds random bytes. The caller must
// hold s.mu.
func (s *Server) newMessageID(person string) graph.MessageID {
	raw := append([]byte{0x1c, 0x18, byte(len(person))}, person...)
	raw = append(raw, 0x15, 0x02, 0x00, 0x11, 0x18, 0x14)
	raw = append(raw, strings.ToUpper(hex.EncodeToString(s.randomBytes(10)))...)
	raw = append(raw, 0)
	return graph.MessageID("wamid." + base64.StdEncoding.EncodeToString(raw))
}

// newTraceID has the form of fbtrace_id. The caller must hold s.mu.
func (s *Server) newTraceID() string { return "A" + string(s.newSecret("", 22)) }

// newRequestID has the form of the request ids that smb_app_data returns: 18 hexadecimal digits.
func (s *Server) newRequestID() string {
	return strings.ToUpper(hex.EncodeToString(s.randomBytes(9)))
}
