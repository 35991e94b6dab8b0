package webhooktest

import (
	"bytes"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// NewRequest returns a POST of body as Meta would send it, signed with the app secret. It is fit
// for a handler's ServeHTTP, and for a client once its URL is set. Change method or headers as the
// test needs.
func NewRequest(body []byte, appSecret graph.Secret) *http.Request {
	r, err := http.NewRequest(http.MethodPost, "http://example.com/webhook", bytes.NewReader(body))
	if err != nil {
		panic(err) // all of its arguments are fixed
	}
	r.RemoteAddr = "192.0.2.1:1234"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "facebookexternalua")
	r.Header.Set(webhook.SignatureHeader, webhook.Sign(appSecret, body))
	return r
}
