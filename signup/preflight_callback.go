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

// callback calls the host's own endpoint like Meta does.
func (p *preflight) callback() {
	address := cmp.Or(p.opts.CallbackURL, p.address)
	u, err := url.Parse(address)
	switch {
	case address == "":
		p.add("callback", FindingSkipped, "there is no callback URL yet", "")
		return
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		p.add("callback", FindingProblem, "the callback URL is none", "give an absolute https address")
		return
	case u.Scheme != "https" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()):
		p.add("callback", FindingWarning, "the callback URL is on this machine: only a simulator can call it", "for Meta, put the endpoint on the internet, with https")
	case u.Scheme != "https":
		p.add("callback", FindingProblem, "the callback URL is not https; Meta accepts https alone", "put a certificate in front of the endpoint")
	}
	if p.opts.CallbackURL != "" && p.address != "" && p.opts.CallbackURL != p.address {
		p.add("callback", FindingProblem, "the app dashboard has another callback URL than yours", "save yours there, or ask why there are two")
	}
	if p.opts.VerifyToken.IsZero() {
		p.add("callback", FindingSkipped, "no verify token was given to try the handshake with", "")
		return
	}
	if p.handshake(u) {
		p.forgery(u)
	}
}

func (p *preflight) do(method string, u *url.URL, body []byte) (status int, answer string, err error) {
	client := p.opts.HTTPClient
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	req, err := http.NewRequestWithContext(p.ctx, method, u.String(), bytes.NewReader(body))
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

func (p *preflight) handshake(u *url.URL) bool {
	const look = "look at what stands before the endpoint: a firewall, a CDN that asks for a browser, a login"
	try := func(token graph.Secret) (status int, same bool, took time.Duration, err error) {
		challenge := fmt.Sprint(time.Now().UnixNano())
		q := u.Query()
		q.Set("hub.mode", "subscribe")
		q.Set("hub.challenge", challenge)
		q.Set("hub.verify_token", token.Reveal())
		to := *u
		to.RawQuery = q.Encode()
		began := time.Now()
		status, answer, err := p.do(http.MethodGet, &to, nil)
		return status, strings.TrimSpace(answer) == challenge, time.Since(began), err
	}
	status, same, took, err := try(p.opts.VerifyToken)
	switch {
	case err != nil: // its text would show the URL with the token
		return p.add("callback", FindingProblem, "the endpoint cannot be reached from here", look)
	case status == http.StatusForbidden:
		return p.add("callback", FindingProblem, "the endpoint refuses the verify token", "give the endpoint and the app dashboard the same verify token, then save it there")
	case status != http.StatusOK || !same:
		return p.add("callback", FindingProblem, fmt.Sprintf("the endpoint answers the handshake with status %d and not with the challenge", status),
			"mount webhook.NewEndpoint at this path, for GET and POST; else "+look)
	case took > handshakeTime/2:
		p.add("callback", FindingWarning, fmt.Sprintf("the handshake took %.1f s; Meta waits about six", took.Seconds()), "find out what is slow")
	}
	if _, same, _, err := try(graph.Secret(rand.Text())); err == nil && same {
		return p.add("callback", FindingProblem, "the endpoint accepts any verify token", "compare the token; webhook.NewEndpoint does")
	}
	return p.add("callback", FindingOK, "answers the handshake", "")
}

// forgery sends a delivery without a signature. It is empty, so that an endpoint that takes it does
// nothing.
func (p *preflight) forgery(u *url.URL) {
	status, _, err := p.do(http.MethodPost, u, []byte(`{"object":"whatsapp_business_account","entry":[]}`))
	switch {
	case err != nil:
		p.add("signatures", FindingSkipped, "the endpoint did not answer", "")
	case status < 300:
		p.add("signatures", FindingProblem, "the endpoint takes a delivery without a signature", "check X-Hub-Signature-256 with the app secret; webhook.NewEndpoint does")
	default:
		p.add("signatures", FindingOK, fmt.Sprintf("an unsigned delivery is refused with status %d", status), "")
	}
}
