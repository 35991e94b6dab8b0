package webhooktest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Target is the endpoint that [Conformance] tries. Handler or URL is required, and both secrets.
type Target struct {
	// Handler is the endpoint with everything that stands in front of it in production: router,
	// middleware, limits. It is served on the loopback interface while the test runs.
	Handler http.Handler

	// Path is the path of the endpoint in Handler. If empty, "/".
	Path string

	// URL is the endpoint's address if it runs already. It stands instead of Handler and Path.
	URL string

	// AppSecret signs the deliveries, and VerifyToken answers the handshake: the ones that the
	// endpoint was given.
	AppSecret   graph.Secret
	VerifyToken graph.Secret

	// WABAID and PhoneNumberID are the account and the number that the deliveries are about. If
	// empty, they are those of the samples. A host that routes by number has to know this one.
	WABAID        graph.WABAID
	PhoneNumberID graph.PhoneNumberID

	// Handled returns how often the host has handled the customer's message with that id: how many
	// rows it stored, how many tasks it made. What it leaves to a person is handled too. With it,
	// messages that were acknowledged and lost, and those that were handled twice, are found;
	// without it only the answers to Meta are looked at. A [Recorder] has such a method. A host
	// that works through a queue may take its time: see HandleTimeout.
	Handled func(ctx context.Context, id graph.MessageID) (int, error)

	// Answered returns how often the host has answered the message with that id, whichever it is: a
	// bot notes the id where it decides to answer. With it, answers are found that should not be:
	// to what the business wrote on its phone, to history, to edits, deletions, reactions, notices,
	// placeholders and statuses, to what is for another to answer, and second ones to the same
	// message. A host need not answer anything. The hook is first called at the end. If nil, this
	// is not looked at.
	Answered func(ctx context.Context, id graph.MessageID) (int, error)

	// HandleTimeout is how long the host may take to handle, or to answer, what it acknowledged. If
	// zero, 5 seconds.
	HandleTimeout time.Duration

	// MaxAckLatency is how long the endpoint may take to acknowledge a small delivery, by the
	// median of several. Meta asks for 250 ms, and fewer than 1 % of all above 1 s. If zero, this
	// is not looked at.
	MaxAckLatency time.Duration

	// HTTPClient makes the requests to URL, for an endpoint behind a private certificate. If nil,
	// one that waits 20 seconds for an answer, as Meta does.
	HTTPClient *http.Client
}

// validate reports everything that is missing in a Target at once, so that a test is mended in one
// go and not field by field.
func (t Target) validate() error {
	var errs []error
	switch {
	case t.Handler == nil && t.URL == "":
		errs = append(errs, errors.New("webhooktest: Target.Handler and Target.URL are empty; set one of them"))
	case t.Handler != nil && t.URL != "":
		errs = append(errs, errors.New("webhooktest: Target.Handler and Target.URL are both set; leave one out"))
	case t.URL != "":
		if u, err := url.Parse(t.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" ||
			u.RawQuery != "" {
			errs = append(errs,
				errors.New("webhooktest: Target.URL needs http or https, a host and a path, without a query"))
		}
	}
	if t.Path != "" && !strings.HasPrefix(t.Path, "/") {
		errs = append(errs, errors.New("webhooktest: Target.Path does not begin with a slash"))
	}
	if strings.TrimSpace(t.AppSecret.Reveal()) == "" {
		errs = append(errs,
			errors.New("webhooktest: Target.AppSecret is empty; use the one that the endpoint was given"))
	}
	if strings.TrimSpace(t.VerifyToken.Reveal()) == "" {
		errs = append(errs,
			errors.New("webhooktest: Target.VerifyToken is empty; use the one that the endpoint was given"))
	}
	if t.HandleTimeout < 0 {
		errs = append(errs, errors.New("webhooktest: Target.HandleTimeout is negative; use 0 for 5 seconds"))
	}
	if t.MaxAckLatency < 0 {
		errs = append(errs, errors.New("webhooktest: Target.MaxAckLatency is negative; use 0 to leave it out"))
	}
	return errors.Join(errs...)
}

// Conformance sends an endpoint what a webhook endpoint meets in a few years, over real requests,
// and returns one error that lists everything it does differently from what keeps a host safe: what
// was tried, what came back, what should have come, and what to do about it. Nil means that there
// was nothing.
//
// It tries the handshake with the right token and with wrong ones; deliveries that are unsigned,
// forged, cut short or changed; signed ones that are no JSON, nested thousands deep, in broken
// UTF-8, of an unknown field or an unknown shape; batches over several entries and changes, one
// with a broken item, one of 1,000 messages and 3 MB; repeats of a delivery, at once and one after
// the other, and messages out of order; bodies of 16 MiB; and whether the endpoint still answers in
// the end. Where Meta does not care which refusal it is, any will do: 403 for 401, and 404 for 405.
//
// It also delivers what a number meets that lives in the WhatsApp Business app as well, and what is
// not to be answered: what the business wrote, edited and deleted on its phone, history and its
// media, edits, deletions and reactions of customers, a notice, a status, a placeholder, and what a
// customer writes while something else has the conversation. With Target.Answered, every answer to
// those is found.
//
// The deliveries hold made-up messages of a made-up customer, under ids that no other run uses. The
// host takes them for real ones: try an installation for tests. An answer of the host to the
// customer should go to a fake, such as the one of package cloudapitest.
func Conformance(ctx context.Context, target Target) error {
	if err := target.validate(); err != nil {
		return err
	}
	stop, err := target.serve()
	if err != nil {
		return err
	}
	defer stop()
	c := newConformance(target)
	if c.handshake(ctx) {
		c.strangers(ctx)
		c.signed(ctx)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("webhooktest: the conformance test was ended before it was through: %w", err)
	}
	return errors.Join(c.problems...)
}

// serve puts a Handler on the loopback interface and sets URL.
func (t *Target) serve() (stop func(), err error) {
	if t.Handler == nil {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("webhooktest: nothing can listen on this machine's loopback interface: %w", err)
	}
	server := &http.Server{Handler: t.Handler, ReadHeaderTimeout: time.Minute}
	var done sync.WaitGroup
	done.Go(func() { _ = server.Serve(l) })
	path := t.Path
	if path == "" {
		path = "/"
	}
	t.URL = "http://" + l.Addr().String() + path
	return func() {
		_ = server.Close()
		done.Wait()
	}, nil
}
