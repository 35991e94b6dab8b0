package cloudapi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// maxAnswer is how many bytes of an answer are read. The largest ones are pages of templates, far
// below it.
const maxAnswer = 16 << 20

// An invocation is one call of an endpoint, from its first attempt to its last. It is used once,
// by one goroutine.
type invocation struct {
	core *core
	request
	url   string // with query, token proof and ids; never in an error or a log
	auth  *auth
	rule  RetryMode
	scrub scrubber

	attempts int           // made so far
	current  *attempt      // nil if the request did not even reach the transport
	wait     time.Duration // before the next attempt
	waiting  bool          // there is to be a next attempt

	decode func(body []byte) (problem string) // reads the answer to a success
	meta   Response                           // of the last attempt
	err    *Error                             // of the last attempt; nil if it succeeded
}

// run makes the call, repeats it as often as [RetryPolicy] and its rule allow, and decodes the
// answer. Its error is an *Error, whose Outcome is that of the last attempt.
func (i *invocation) run(ctx context.Context) error {
	if err := i.waitForLimiter(ctx); err != nil {
		return i.notSent(err)
	}
	req, err := i.newRequest(ctx)
	if err != nil {
		return i.notSent(err)
	}
	// The loop is go-retryablehttp's; what to repeat, when and with which error is all decided
	// here. Its own texts and logs show URLs.
	rc := retryablehttp.Client{
		HTTPClient:   i.httpClient(),
		RetryMax:     i.core.cfg.Retry.MaxAttempts - 1,
		CheckRetry:   i.check,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return i.wait },
		PrepareRetry: func(req *http.Request) error { return i.waitForLimiter(req.Context()) },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	_, err = rc.Do(req) //nolint:bodyclose // i.check reads and closes the body of every attempt
	switch {
	case i.err == nil && i.attempts > 0:
		return nil
	case i.err == nil:
		return i.notSent(err)
	case i.waiting && err != nil: // the caller or the limiter ended it between two attempts
		i.err.cause = then(i.err.cause, i.scrub.cause(err))
	}
	return i.err
}

// then joins the error of the last attempt and the one that ended the pause after it.
func then(first, last error) error {
	if first == nil {
		return last
	}
	return fmt.Errorf("%w; then %w", first, last)
}

// waitForLimiter returns when the [Limiter] lets an attempt go, and at once for a call that is not
// a send.
func (i *invocation) waitForLimiter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if i.limited == nil {
		return nil
	}
	return i.core.cfg.Limiter.Wait(ctx, *i.limited)
}

// newRequest builds the HTTP request of all attempts, with a body that go-retryablehttp can open
// again for each.
//
// The token travels in a header and never in the URL, which proxies and net/http's errors show.
// Resumable uploads require the scheme OAuth and the offset in a header of their own, all other
// calls Bearer.
func (i *invocation) newRequest(ctx context.Context) (*retryablehttp.Request, error) {
	var body any // untyped nil: an empty slice would be a body
	if i.request.body != nil {
		body = []byte(i.request.body)
	}
	if i.upload != nil {
		body = i.upload.reader()
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, i.method, i.url, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "whatsapp-coexistence")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	scheme := "Bearer "
	if i.upload != nil {
		req.Header.Set("Content-Type", i.upload.contentType)
		if i.upload.resumable {
			req.Header.Set("File_offset", strconv.FormatInt(i.upload.offset, 10))
		}
	}
	if i.oauth {
		scheme = "OAuth "
	}
	if !i.auth.token.IsZero() {
		req.Header.Set("Authorization", scheme+i.auth.token.Reveal())
	}
	return req, nil
}

// httpClient returns the client of the call, whose transport makes an [attempt] of every request.
// A call that must happen once gets fresh connections, see withFreshConnections.
func (i *invocation) httpClient() *http.Client {
	hc := *i.core.shared
	if i.rule == RetryNever {
		hc = *i.core.oneShot
	}
	base := hc.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	hc.Transport = watchedTransport{base, func() *attempt {
		i.current = &attempt{started: time.Now(), careful: i.rule != RetryIdempotent}
		return i.current
	}}
	return &hc
}

// check is called after every attempt. It reads the answer, checks it and decides whether to
// continue. It never returns an error: what happened is in i.err.
func (i *invocation) check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	i.attempts++
	i.err, i.wait, i.waiting = nil, 0, false
	i.meta = Response{Attempts: i.attempts}
	var header http.Header
	if err != nil {
		i.err = i.broken(err)
	} else {
		header = resp.Header
		i.read(resp)
	}
	if i.err != nil {
		i.err.RetryAfter = demanded(i.err, header, i.attempts)
		left := i.core.cfg.Retry.MaxAttempts - i.attempts
		if left > 0 && ctx.Err() == nil && mayReplay(i.rule, i.err) {
			i.wait, i.waiting = i.core.cfg.Retry.pause(ctx, i.err, i.attempts)
		}
	}
	i.report(ctx)
	if i.current != nil {
		i.current.end(nil)
	}
	i.current = nil
	return i.waiting, nil
}

// broken is the error of an attempt without answer. Its Outcome is [OutcomeNotSent] only on proof
// that the request did not leave, see [attempt.notSent].
func (i *invocation) broken(err error) *Error {
	outcome := OutcomeUnknown
	if i.current == nil || i.current.notSent(i.hasBody()) {
		outcome = OutcomeNotSent
	}
	if i.current != nil && i.current.stopped.Load() {
		err = errBrokenOff
	}
	e := i.newError(outcome)
	e.cause = i.scrub.cause(err)
	if outcome == OutcomeUnknown {
		e.problem = "no answer came"
	}
	return e
}

// read takes in an answer and leaves resp without a body.
//
// An error of Meta's in the body comes before the HTTP status, which proves little: throttles come
// as 400, permanent errors as 500. Whatever is neither such an error nor the documented answer is a
// failure with [OutcomeUnknown], because the request did arrive.
func (i *invocation) read(resp *http.Response) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	_ = resp.Body.Close()
	resp.Body = http.NoBody

	i.meta = parseMeta(resp.StatusCode, resp.Header)
	i.meta.Attempts = i.attempts
	i.scrub.cleanMeta(&i.meta)

	e := i.newError(OutcomeUnknown)
	e.StatusCode, e.Response = i.meta.Status, i.meta
	switch {
	case err != nil:
		e.problem, e.cause = "the answer broke off", i.scrub.cause(err)
	case len(body) > maxAnswer:
		e.problem = "the answer is larger than 16 MiB"
	case e.decodeError(body):
		i.scrub.cleanError(e)
		e.Outcome = e.outcomeOf()
		if i.partial != nil {
			i.partial(body)
		}
		if !e.coded {
			e.problem = "Meta answers with an error that has no code, and HTTP status " + strconv.Itoa(e.StatusCode)
		}
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		e.problem = "the answer is a redirect, which a Graph call never is; check Config.BaseURL and proxies"
	case resp.StatusCode < 200 || resp.StatusCode >= 400:
		e.problem = "HTTP status " + strconv.Itoa(e.StatusCode) + ", and the answer is " + describe(body)
	default:
		if e.problem = i.decode(body); e.problem == "" {
			return
		}
	}
	if e.TraceID == "" {
		e.TraceID = i.meta.TraceID
	}
	i.err = e
}

// report tells log, limiter and observer about an attempt. Each gets the path template only, and no
// token, recipient or text.
func (i *invocation) report(ctx context.Context) {
	call := Attempt{
		Method: i.method, Path: i.path, PhoneNumberID: i.phone, Number: i.attempts, Final: !i.waiting, Wait: i.wait,
		Status: i.meta.Status, Response: i.meta,
	}
	if i.current != nil {
		call.Duration = time.Since(i.current.started)
	}
	if i.err != nil {
		call.Err = i.err // set only here: a nil *Error would be an error that is not nil
	}
	cfg := i.core.cfg
	if i.waiting {
		cfg.Logger.InfoContext(ctx, "graph call is repeated", "method", i.method, "path", i.path, "phone", i.phone,
			"attempt", i.attempts, "err", i.err, "wait", i.wait, "trace", i.err.TraceID)
	}
	if v := i.meta.Version; v != "" && v != cfg.Version && !i.core.warnedVersion.Swap(true) {
		cfg.Logger.WarnContext(ctx, "graph version differs from the one asked for, which may have expired",
			"asked", cfg.Version, "ran", v)
	}
	if adaptive, ok := cfg.Limiter.(AdaptiveLimiter); ok && i.limited != nil {
		adaptive.Observe(ctx, *i.limited, call)
	}
	if cfg.Observe != nil {
		cfg.Observe(ctx, call)
	}
}

func (i *invocation) newError(outcome Outcome) *Error {
	return &Error{Method: i.method, PathTemplate: i.path, Outcome: outcome, rule: i.rule}
}

// notSent is the error of a call that ended before its first attempt.
func (i *invocation) notSent(err error) *Error {
	e := i.newError(OutcomeNotSent)
	e.cause = i.scrub.cause(err)
	return e
}
