package webhooktest

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// deadline is how long Meta waits for an answer, by what its calling documentation says.
const deadline = 20 * time.Second

// A conformance is one run of [Conformance].
type conformance struct {
	target   Target
	client   http.Client
	problems []error

	run     string // makes ids that no other run uses
	written int    // how many messages there were
	counts  []count

	handled  counter
	answered counter
}

// newConformance prepares a run. It sets the defaults of the target, and follows no redirects: Meta
// does not, so that an endpoint behind one loses every delivery.
func newConformance(t Target) *conformance {
	c := &conformance{target: t, run: rand.Text()[:12], handled: newCounter("Handled", t.Handled),
		answered: newCounter("Answered", t.Answered)}
	c.target.WABAID = cmp.Or(t.WABAID, "200000000000001")
	c.target.PhoneNumberID = cmp.Or(t.PhoneNumberID, "300000000000001")
	c.target.HandleTimeout = cmp.Or(t.HandleTimeout, 5*time.Second)
	c.client.Timeout = deadline
	if t.HTTPClient != nil {
		c.client = *t.HTTPClient
	}
	c.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// deviate notes what the endpoint does differently.
func (c *conformance) deviate(check, got, want, advice string) {
	c.problems = append(c.problems, fmt.Errorf("webhooktest: %s: got %s, want %s; %s", check, got, want, advice))
}

// An answer is what came back for a request.
type answer struct {
	status int    // 0 if nothing came back
	body   string // its first bytes
	err    error
}

// String words the answer for an error. It leaves out the body, which can hold anything, and what a
// client's error says of the URL, which can hold the verify token.
func (a answer) String() string {
	switch {
	case a.status != 0:
		return fmt.Sprint(a.status)
	case a.timedOut():
		return "no answer in time"
	default:
		return "a broken connection instead of an answer"
	}
}

// timedOut reports whether no answer came within the client's timeout.
func (a answer) timedOut() bool { return errors.Is(a.err, context.DeadlineExceeded) }

// acknowledged reports whether Meta would take the answer for a success. It takes nothing but 200.
func (a answer) acknowledged() bool { return a.status == http.StatusOK }

// refused reports whether the answer is one that a stranger should get.
func (a answer) refused() bool { return a.status >= 400 && a.status < 500 }

// unreached says why the request reached no endpoint; nil if it did, or may have done so.
func (a answer) unreached() error {
	if wrapped, ok := errors.AsType[*net.OpError](a.err); ok && wrapped.Op == "dial" {
		err := wrapped.Err
		if call, ok := errors.AsType[*os.SyscallError](err); ok {
			err = call.Err // "connection refused", without "connect: "
		}
		return fmt.Errorf("webhooktest: nothing listens at Target.URL: %w", err)
	}
	if wrapped, ok := errors.AsType[*tls.CertificateVerificationError](a.err); ok {
		return fmt.Errorf("webhooktest: Target.URL: set Target.HTTPClient to one that trusts its certificate: %w",
			wrapped.Err)
	}
	return nil
}

// misdirected returns what to do about an answer that looks like a router's, not like the
// endpoint's; empty if it does not.
func (c *conformance) misdirected(a answer) string {
	switch a.status {
	case http.StatusNotFound:
		where := "Target.URL"
		if c.target.Handler != nil {
			where = "Target.Path"
		}
		return "is " + where + " where the endpoint is mounted?"
	case http.StatusMethodNotAllowed:
		return "mount the endpoint for GET and POST"
	}
	return ""
}

// do makes a request and reads the first 4 KiB of what comes back, which is enough to compare a
// challenge. It never fails: an error is an answer too.
func (c *conformance) do(r *http.Request) answer {
	resp, err := c.client.Do(r)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok && wrapped.Timeout() {
			err = context.DeadlineExceeded
		}
		return answer{err: err}
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	return answer{status: resp.StatusCode, body: string(body)}
}

// request returns a signed delivery of body.
func (c *conformance) request(ctx context.Context, body []byte) *http.Request {
	r := NewRequest(body, c.target.AppSecret).WithContext(ctx)
	u, err := url.Parse(c.target.URL)
	if err != nil {
		panic(err) // validate has parsed it
	}
	r.URL, r.Host, r.RemoteAddr = u, "", ""
	return r
}

// unsigned returns a delivery of body without a signature.
func (c *conformance) unsigned(ctx context.Context, body []byte) *http.Request {
	r := c.request(ctx, body)
	r.Header.Del(webhook.SignatureHeader)
	return r
}

// deliver sends a signed body. Anything but 200 is a problem, with the advice unless the answer
// itself tells more. It reports whether the body was acknowledged; only then it is worth to look
// for effects.
func (c *conformance) deliver(ctx context.Context, check string, body []byte, advice string) bool {
	return c.judge(check, c.do(c.request(ctx, body)), advice)
}

// judge notes a problem unless the answer to a delivery is 200. The advice gives way to what the
// status tells: a router's 404, a redirect, a connection that was cut.
func (c *conformance) judge(check string, got answer, advice string) bool {
	if got.acknowledged() {
		return true
	}
	advice = cmp.Or(c.misdirected(got), advice)
	switch {
	case got.status == 0:
		advice = "a panic, a limit or a proxy cut it; Meta takes it for a failure and repeats the delivery for 7 days"
	case got.status > 200 && got.status < 300:
		advice = "Meta takes anything but 200 for a failure and repeats the delivery"
	case got.status >= 300 && got.status < 400:
		advice = "Meta does not follow redirects; enter the final URL as callback URL"
	}
	c.deviate(check, got.String(), "200", advice)
	return false
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// id returns a message id that was not used before.
func (c *conformance) id() graph.MessageID {
	c.written++
	return graph.MessageID(fmt.Sprintf("wamid.CONFORMANCE%s%06d", c.run, c.written))
}

// business is the number of the business.
const business = "15550100100"

// customer is who wrote all messages but those of conversations that have to be undisturbed.
const customer = "15550100123"

// from returns the beginning of a message, without the brace before it.
func from(who string, id graph.MessageID) string {
	return fmt.Sprintf(`"from":%q,"id":%q,"timestamp":"%d",`, who, id, time.Now().Unix())
}

// text returns a message of the customer, without the braces around it.
func text(id graph.MessageID, words string) string { return from(customer, id) + says(words) }

// says returns the end of a text.
func says(words string) string { return `"type":"text","text":{"body":"` + words + `"}` }

// hello is a text that no other message has, because a host may take the same words for a repeat;
// that has a check of its own.
func hello(id graph.MessageID) string { return text(id, "Hello "+string(id[len(id)-6:])) }

// change returns a change of field messages. Each message is the inside of an object: a caller can
// put "},{" between two of them, and anything that is no object at all.
func (c *conformance) change(messages ...string) string { return c.changeOf(customer, messages...) }

// changeOf is change for messages of another customer.
func (c *conformance) changeOf(who string, messages ...string) string {
	return `{"field":"messages","value":{` + c.metadata() + `,"contacts":[` + contact(who) + `],"messages":[{` +
		strings.Join(messages, "},{") + `}]}}`
}

// contact returns an element of contacts.
func contact(who string) string { return `{"wa_id":"` + who + `","profile":{"name":"Alma Reyes"}}` }

// metadata returns the members that every value begins with. They name the target's number.
func (c *conformance) metadata() string {
	return fmt.Sprintf(`"messaging_product":"whatsapp","metadata":{"display_phone_number":%q,"phone_number_id":%q}`,
		business, c.target.PhoneNumberID)
}

// entry returns an entry of the target's account.
func (c *conformance) entry(changes ...string) string {
	return fmt.Sprintf(`{"id":%q,"changes":[%s]}`, c.target.WABAID, strings.Join(changes, ","))
}

// delivery returns a whole body.
func delivery(entries ...string) []byte {
	return []byte(`{"object":"whatsapp_business_account","entry":[` + strings.Join(entries, ",") + `]}`)
}

// one returns a delivery of one message.
func (c *conformance) one(message string) []byte { return delivery(c.entry(c.change(message))) }
