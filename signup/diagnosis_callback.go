package signup

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// handshakeTime is how long Meta waits for the answer to a handshake, as observed in 2026.
const handshakeTime = 6 * time.Second

// callback calls the host's own endpoint as Meta does: the handshake, and then one delivery that is
// not signed. An address that Meta would refuse is called all the same: what the endpoint answers
// is worth knowing at once.
func (x *examination) callback() {
	address := cmp.Or(x.opts.CallbackURL, x.address)
	u, err := url.Parse(address)
	switch {
	case address == "":
		x.add("callback", FindingSkipped, "there is no callback URL yet", "")
		return
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		x.add("callback", FindingProblem, "the callback URL is none", "give an absolute https address")
		return
	case u.Scheme != "https" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()):
		x.add("callback", FindingWarning, "the callback URL is on this machine: only a simulator can call it",
			"for Meta, put the endpoint on the internet, with https")
	case u.Scheme != "https":
		x.add("callback", FindingProblem, "the callback URL is not https; Meta accepts https alone",
			"put a certificate in front of the endpoint")
	}
	if x.opts.CallbackURL != "" && x.address != "" && x.opts.CallbackURL != x.address {
		x.add("callback", FindingProblem, "the app dashboard has another callback URL than yours",
			"save yours there, or ask why there are two")
	}
	if x.opts.VerifyToken.IsZero() {
		x.add("callback", FindingSkipped, "no verify token was given to try the handshake with", "")
		return
	}
	if x.handshake(u) {
		x.forgery(u)
	}
}

// do calls the endpoint, and returns the beginning of its answer: a challenge is short, and a page
// of a firewall is not.
func (x *examination) do(method string, u *url.URL, body []byte) (status int, answer string, err error) {
	client := x.opts.HTTPClient
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	req, err := http.NewRequestWithContext(x.ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	return resp.StatusCode, string(b), err
}

// handshake asks the endpoint for a challenge, first with the right verify token and then with a
// wrong one, which it has to refuse. It reports whether the endpoint is there. The error of a call
// is left out of the finding, since its text holds the URL with the token.
func (x *examination) handshake(u *url.URL) bool {
	const look = "look at what stands before the endpoint: a firewall, a CDN that asks for a browser, a login"
	began := time.Now()
	status, same, err := x.challenge(u, x.opts.VerifyToken)
	took := time.Since(began)
	switch {
	case err != nil:
		return x.add("callback", FindingProblem, "the endpoint cannot be reached from here", look)
	case status == http.StatusForbidden:
		return x.add("callback", FindingProblem, "the endpoint refuses the verify token",
			"give the endpoint and the app dashboard the same verify token, then save it there")
	case status != http.StatusOK || !same:
		return x.add("callback", FindingProblem,
			fmt.Sprintf("the endpoint answers the handshake with status %d and not with the challenge", status),
			"mount webhook.NewEndpoint at this path, for GET and POST; else "+look)
	case took > handshakeTime/2:
		x.add("callback", FindingWarning,
			fmt.Sprintf("the handshake took %.1f s; Meta waits about six", took.Seconds()), "find out what is slow")
	}
	if _, same, err := x.challenge(u, graph.Secret(rand.Text())); err == nil && same {
		return x.add("callback", FindingProblem, "the endpoint accepts any verify token",
			"compare the token; webhook.NewEndpoint does")
	}
	return x.add("callback", FindingOK, "answers the handshake", "")
}

// challenge does one handshake. Same is whether the endpoint answered with the challenge it was
// sent.
func (x *examination) challenge(u *url.URL, token graph.Secret) (status int, same bool, err error) {
	challenge := fmt.Sprint(time.Now().UnixNano())
	q := u.Query()
	q.Set("hub.mode", "subscribe")
	q.Set("hub.challenge", challenge)
	q.Set("hub.verify_token", token.Reveal())
	to := *u
	to.RawQuery = q.Encode()
	status, answer, err := x.do(http.MethodGet, &to, nil)
	return status, strings.TrimSpace(answer) == challenge, err
}

// forgery sends a delivery without a signature. It is empty, so that an endpoint that takes it does
// nothing.
func (x *examination) forgery(u *url.URL) {
	status, _, err := x.do(http.MethodPost, u, []byte(`{"object":"whatsapp_business_account","entry":[]}`))
	switch {
	case err != nil:
		x.add("signatures", FindingSkipped, "the endpoint did not answer", "")
	case status < 300:
		x.add("signatures", FindingProblem, "the endpoint takes a delivery without a signature",
			"check X-Hub-Signature-256 with the app secret; webhook.NewEndpoint does")
	default:
		x.add("signatures", FindingOK, fmt.Sprintf("an unsigned delivery is refused with status %d", status), "")
	}
}
