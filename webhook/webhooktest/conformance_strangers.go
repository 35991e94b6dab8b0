package webhooktest

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// handshake asks as Meta does when the callback URL is saved. It is the first that is tried:
// nothing else is worth a try if no server is there.
func (c *conformance) handshake(ctx context.Context) bool {
	const challenge = "1158201444"
	token := c.target.VerifyToken.Reveal()
	ask := func(query url.Values) answer {
		r := c.unsigned(ctx, nil)
		r.Method, r.Body, r.URL.RawQuery = http.MethodGet, nil, query.Encode()
		return c.do(r)
	}
	query := func(mode, token string) url.Values {
		return url.Values{"hub.mode": {mode}, "hub.challenge": {challenge}, "hub.verify_token": {token}}
	}
	got := ask(query("subscribe", token))
	if err := got.unreached(); err != nil {
		c.problems = append(c.problems, err)
		return false
	}
	switch {
	case !got.acknowledged():
		greet := "answer GET with hub.challenge when hub.verify_token is the token; Meta refuses the callback URL " +
			"otherwise"
		if got.status == http.StatusUnauthorized || got.status == http.StatusForbidden {
			greet = "is Target.VerifyToken the endpoint's? If so, " + greet
		}
		c.deviate("the handshake", got.String(), "200 and the challenge", cmp.Or(c.misdirected(got), greet))
	case got.body != challenge:
		c.deviate("the handshake", "200 and another body", "200 and the challenge",
			"write hub.challenge as it came, and nothing else")
	}
	const advice = "compare hub.verify_token with a token that is not empty, and answer 403 if it differs: " +
		"whoever passes can make Meta believe that the URL is theirs"
	for _, s := range []struct {
		check string
		query url.Values
	}{
		{"a handshake with a wrong token", query("subscribe", token+"x")},
		{"a handshake with an empty token", query("subscribe", "")},
		{"a handshake without a token", url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {challenge}}},
		{"a handshake of another mode", query("unsubscribe", token)},
	} {
		if got := ask(s.query); !got.refused() {
			c.deviate(s.check, got.String(), "403", advice)
		}
	}
	return true
}

// strangers makes requests that Meta does not make.
func (c *conformance) strangers(ctx context.Context) {
	const verify = "verify " + webhook.SignatureHeader +
		" over the raw body with the app secret before anything else, and answer 401"
	refuse := func(check string, r *http.Request, want, advice string) {
		if got := c.do(r); !got.refused() {
			c.deviate(check, got.String(), want, advice)
		}
	}
	for _, s := range []struct {
		check, advice string
		change        func(r *http.Request, body []byte)
	}{
		{"a body without a signature", verify,
			func(r *http.Request, _ []byte) { r.Header.Del(webhook.SignatureHeader) }},
		{"a body signed with another secret", verify, func(r *http.Request, body []byte) {
			r.Header.Set(webhook.SignatureHeader, webhook.Sign("another-secret", body))
		}},
		{"a body signed with an empty secret", "refuse to start without an app secret",
			func(r *http.Request, body []byte) {
				r.Header.Set(webhook.SignatureHeader, webhook.Sign("", body))
			}},
		{"a signature without its prefix", verify, func(r *http.Request, body []byte) {
			r.Header.Set(webhook.SignatureHeader, strings.TrimPrefix(webhook.Sign(c.target.AppSecret, body), "sha256="))
		}},
		{"a signature cut short", "compare all 32 bytes of the signature", func(r *http.Request, body []byte) {
			r.Header.Set(webhook.SignatureHeader, webhook.Sign(c.target.AppSecret, body)[:20])
		}},
		{"a signed body with one byte changed", verify, func(r *http.Request, body []byte) {
			replaceBody(r, bytes.Replace(body, []byte("Hello"), []byte("Hellp"), 1))
		}},
		{"a signed body cut short", verify, func(r *http.Request, body []byte) { replaceBody(r, body[:len(body)/2]) }},
		{"a signed body with white space added", asTheyCame,
			func(r *http.Request, body []byte) { replaceBody(r, append([]byte(" "), body...)) }},
	} {
		id := c.id()
		body := c.one(hello(id))
		r := c.request(ctx, body)
		s.change(r, body)
		refuse(s.check, r, "401", s.advice)
		c.expect(ctx, s.check, s.advice, 0, id)
	}

	const first = "verify before you parse: a stranger must not reach the parser"
	for _, s := range []struct{ check, body string }{
		{"a body that is not JSON and not signed", `{"entry":[`},
		{"an empty body without a signature", ``},
	} {
		if got := c.do(c.unsigned(ctx, []byte(s.body))); got.status != http.StatusUnauthorized &&
			got.status != http.StatusForbidden {
			c.deviate(s.check, got.String(), "401", cmp.Or(c.misdirected(got), first))
		}
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
		id := c.id()
		check := "a signed " + method
		const advice = "take deliveries by POST alone"
		r := c.request(ctx, c.one(hello(id)))
		r.Method = method
		refuse(check, r, "405", advice)
		c.expect(ctx, check, advice, 0, id)
	}
}

// replaceBody gives a request another body and leaves the signature of the old one.
func replaceBody(r *http.Request, body []byte) {
	r.Body, r.ContentLength, r.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
}
