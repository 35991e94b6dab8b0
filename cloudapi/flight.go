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

// maxAnswer limits what is read of an answer. The largest ones are pages of templates, far below.
const maxAnswer = 16 << 20

// A flight is one call on its way, from the first attempt to the last.
type flight struct {
	core *core
	request
	url   string
	auth  *auth
	rule  RetryMode
	scrub scrubber

	attempts int
	current  *attempt // nil if the request did not even reach the transport
	wait     time.Duration
	waiting  bool

	decode func(body []byte) (problem string)
	meta   Response
	err    *Error // of the last attempt
}

// run makes the call and decodes its answer.
func (f *flight) run(ctx context.Context) error {
	if err := f.ask(ctx); err != nil {
		return f.notSent(err)
	}
	req, err := f.newRequest(ctx)
	if err != nil {
		return f.notSent(err)
	}
	// The loop is go-retryablehttp's; what to repeat, when and with which error is all decided
	// here. Its own texts and logs show URLs.
	rc := retryablehttp.Client{
		HTTPClient:   f.httpClient(),
		RetryMax:     f.core.cfg.Retry.MaxAttempts - 1,
		CheckRetry:   f.check,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return f.wait },
		PrepareRetry: func(req *http.Request) error { return f.ask(req.Context()) },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	_, err = rc.Do(req) //nolint:bodyclose // f.check reads and closes the body of every attempt
	switch {
	case f.err == nil && f.attempts > 0:
		return nil
	case f.err == nil:
		return f.notSent(err)
	case f.waiting && err != nil: // the caller or the limiter ended it between two attempts
		f.err.cause = then(f.err.cause, f.scrub.cause(err))
	}
	return f.err
}

// then joins what went wrong first and what ended the waiting for another attempt.
func then(first, last error) error {
	if first == nil {
		return last
	}
	return fmt.Errorf("%w; then %w", first, last)
}

// ask waits for the limiter and for nothing else.
func (f *flight) ask(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.turn == nil {
		return nil
	}
	return f.core.cfg.Limiter.Wait(ctx, *f.turn)
}

func (f *flight) newRequest(ctx context.Context) (*retryablehttp.Request, error) {
	var body any // untyped nil: an empty slice would be a body
	if f.request.body != nil {
		body = []byte(f.request.body)
	}
	if f.upload != nil {
		body = f.upload.reader()
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, f.method, f.url, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "whatsapp-coexistence")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	scheme := "Bearer "
	if f.upload != nil {
		req.Header.Set("Content-Type", f.upload.contentType)
		if f.upload.resumable {
			req.Header.Set("File_offset", strconv.FormatInt(f.upload.offset, 10))
		}
	}
	if f.oauth {
		scheme = "OAuth "
	}
	if !f.auth.token.IsZero() {
		req.Header.Set("Authorization", scheme+f.auth.token.Reveal())
	}
	return req, nil
}

func (f *flight) httpClient() *http.Client {
	hc := *f.core.shared
	if f.rule == RetryNever {
		hc = *f.core.oneShot
	}
	base := hc.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	hc.Transport = watchedTransport{base, func() *attempt {
		f.current = &attempt{started: time.Now(), careful: f.rule != RetryIdempotent}
		return f.current
	}}
	return &hc
}

// check is called after every attempt. It reads the answer, judges it and decides whether to go on.
// It never returns an error: what happened is in f.err.
func (f *flight) check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	f.attempts++
	f.err, f.wait, f.waiting = nil, 0, false
	f.meta = Response{Attempts: f.attempts}
	var header http.Header
	if err != nil {
		f.err = f.broken(err)
	} else {
		header = resp.Header
		f.read(resp)
	}
	if f.err != nil {
		f.err.RetryAfter = demanded(f.err, header, f.attempts)
		left := f.core.cfg.Retry.MaxAttempts - f.attempts
		if left > 0 && ctx.Err() == nil && mayReplay(f.rule, f.err) {
			f.wait, f.waiting = f.core.cfg.Retry.pause(ctx, f.err, f.attempts)
		}
	}
	f.report(ctx)
	if f.current != nil {
		f.current.end(nil)
	}
	f.current = nil
	return f.waiting, nil
}

// broken is the error of an attempt without answer.
func (f *flight) broken(err error) *Error {
	outcome := OutcomeUnknown
	if f.current == nil || f.current.notSent(f.hasBody()) {
		outcome = OutcomeNotSent
	}
	if f.current != nil && f.current.stopped.Load() {
		err = errBrokenOff
	}
	e := f.newError(outcome)
	e.cause = f.scrub.cause(err)
	if outcome == OutcomeUnknown {
		e.problem = "no answer came"
	}
	return e
}

// read takes in an answer and leaves resp without a body.
func (f *flight) read(resp *http.Response) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	_ = resp.Body.Close()
	resp.Body = http.NoBody

	f.meta = parseMeta(resp.StatusCode, resp.Header)
	f.meta.Attempts = f.attempts
	f.scrub.cleanMeta(&f.meta)

	e := f.newError(OutcomeUnknown)
	e.StatusCode, e.Response = f.meta.Status, f.meta
	switch {
	case err != nil:
		e.problem, e.cause = "the answer broke off", f.scrub.cause(err)
	case len(body) > maxAnswer:
		e.problem = "the answer is larger than 16 MiB"
	case e.decodeError(body):
		f.scrub.cleanError(e)
		e.Outcome = e.outcomeOf()
		if f.partial != nil {
			f.partial(body)
		}
		if !e.coded {
			e.problem = "Meta answers with an error that has no code, and HTTP status " + strconv.Itoa(e.StatusCode)
		}
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		e.problem = "the answer is a redirect, which a Graph call never is; check Config.BaseURL and proxies"
	case resp.StatusCode < 200 || resp.StatusCode >= 400:
		e.problem = "HTTP status " + strconv.Itoa(e.StatusCode) + ", and the answer is " + describe(body)
	default:
		if e.problem = f.decode(body); e.problem == "" {
			return
		}
	}
	if e.TraceID == "" {
		e.TraceID = f.meta.TraceID
	}
	f.err = e
}

// report tells log, limiter and observer about an attempt.
func (f *flight) report(ctx context.Context) {
	call := Attempt{
		Method: f.method, Path: f.path, PhoneNumberID: f.phone, Number: f.attempts, Final: !f.waiting, Wait: f.wait,
		Status: f.meta.Status, Response: f.meta,
	}
	if f.current != nil {
		call.Duration = time.Since(f.current.started)
	}
	if f.err != nil {
		call.Err = f.err
	}
	cfg := f.core.cfg
	if f.waiting {
		cfg.Logger.InfoContext(ctx, "graph call is repeated", "method", f.method, "path", f.path, "phone", f.phone,
			"attempt", f.attempts, "err", f.err, "wait", f.wait, "trace", f.err.TraceID)
	}
	if v := f.meta.Version; v != "" && v != cfg.Version && !f.core.warnedVersion.Swap(true) {
		cfg.Logger.WarnContext(ctx, "graph version differs from the one asked for, which may have expired",
			"asked", cfg.Version, "ran", v)
	}
	if learner, ok := cfg.Limiter.(AdaptiveLimiter); ok && f.turn != nil {
		learner.Observe(ctx, *f.turn, call)
	}
	if cfg.Observe != nil {
		cfg.Observe(ctx, call)
	}
}

func (f *flight) newError(outcome Outcome) *Error {
	return &Error{Method: f.method, PathTemplate: f.path, Outcome: outcome, rule: f.rule}
}

// notSent is the error of a call that ended before its first attempt.
func (f *flight) notSent(err error) *Error {
	e := f.newError(OutcomeNotSent)
	e.cause = f.scrub.cause(err)
	return e
}
