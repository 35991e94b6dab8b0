package webhooktest

import (
	"bytes"
	"net/http"
	"net/http/httptest"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// NewRequest returns a POST of body as Meta would send it, signed with the app secret. Like the requests of
// [httptest.NewRequest] it is meant for a handler's ServeHTTP; change URL, method or headers as the test needs.
func NewRequest(body []byte, secret string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhook", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "facebookexternalua")
	r.Header.Set(webhook.SignatureHeader, webhook.Sign(secret, body))
	return r
}
