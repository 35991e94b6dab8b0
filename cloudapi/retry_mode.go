package cloudapi

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A RetryMode says when a call may be repeated by itself.
type RetryMode string

const (
	// RetryOnRefusal repeats only when Meta's answer proves that nothing was done, or when the
	// request never left. It is for whatever must not happen twice.
	RetryOnRefusal RetryMode = "on refusal"

	// RetryIdempotent repeats after broken connections and errors of Meta's servers as well. It is
	// for reads, and for calls that set a state.
	RetryIdempotent RetryMode = "idempotent"

	// RetryNever does not repeat at all. It is for calls that Meta counts, or takes once.
	RetryNever RetryMode = "never"
)

// strict holds the edges whose rule is not for the caller to loosen.
var strict = map[string]RetryMode{
	"messages":           RetryOnRefusal,
	"marketing_messages": RetryOnRefusal,
	"messages_encrypted": RetryOnRefusal,
	"calls":              RetryOnRefusal,
	"smb_app_data":       RetryNever, // once per kind and onboarding
	"access_token":       RetryNever, // a code works once
	"register":           RetryNever, // ten in 72 hours, shared by everyone who serves the number
	"deregister":         RetryNever,
	"request_code":       RetryNever,
	"verify_code":        RetryNever,
	"thread_control":     RetryNever,
}

// rule is the RetryMode of a request to a path: what its endpoint demands, else what was asked for,
// else what its method allows.
func (r request) rule(path string) RetryMode {
	path = strings.ToLower(strings.TrimRight(path, "/"))
	demand := strict[path[strings.LastIndexByte(path, '/')+1:]]
	switch {
	case demand == RetryNever || r.replay == RetryNever:
		return RetryNever
	case demand != "" && !isRead(r.method):
		return demand
	case r.replay != "":
		return r.replay
	case isRead(r.method):
		return RetryIdempotent
	}
	return RetryOnRefusal
}

// mayReplay decides whether a request that ended with e may be made again. It looks at the code
// before the status, which proves nothing.
func mayReplay(rule RetryMode, e *Error) bool {
	code := e.Code
	switch {
	case rule == RetryNever:
		return false
	case e.isSyncRefusal(): // was seen as a subcode of code 4, which would be a throttle
		return false
	case code.ProvesRefusal():
		return true
	case e.cause != nil && isHopeless(e.cause):
		return false
	case e.Outcome == OutcomeNotSent:
		return true
	case rule != RetryIdempotent:
		return false
	case e.coded:
		info, known := graph.Lookup(code, e.Subcode)
		if known {
			passes := info.Class == graph.ErrTemporary || info.Class == graph.ErrThrottled
			return passes && info.Retry == graph.RetryLater
		}
		if e.Transient {
			return true
		}
	case e.cause != nil:
		return true // the connection broke, before the answer or within it
	}
	return e.StatusCode == http.StatusTooManyRequests || e.StatusCode >= 500
}

// isSyncRefusal reports whether the one-shot synchronisation is spent or too late. Meta writes
// these codes as the code, or as the subcode of code 4 or 100.
func (e *Error) isSyncRefusal() bool {
	for _, code := range []graph.Code{e.Code, graph.Code(e.Subcode)} {
		if code == graph.CodeSyncLimitExceeded || code == graph.CodeSyncWindowClosed {
			return true
		}
	}
	return false
}

// isHopeless reports a failure that a second attempt meets again: a certificate that is not
// trusted.
func isHopeless(err error) bool {
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	return badCertificate
}

// outcomeOf checks an answer that holds an error of Meta's. An error of the request, which Meta
// documents as lasting, is a refusal: nothing was done. An error of Meta's servers is not, since it
// may have come in the middle of the work; neither is a code that is unknown here.
func (e *Error) outcomeOf() Outcome {
	if e.isSyncRefusal() || e.coded && e.Code.ProvesRefusal() {
		return OutcomeRefused
	}
	if info, ok := graph.Lookup(e.Code, e.Subcode); ok && e.coded && !e.Transient &&
		(info.Retry == graph.RetryNever || info.Retry == graph.RetryNewWindow) {
		return OutcomeRefused
	}
	return OutcomeUnknown
}

// demanded is how long Meta asks the caller to wait, or zero if it did not say. attempt counts from
// 1.
func demanded(e *Error, h http.Header, attempt int) time.Duration {
	wait := retryAfter(h.Get("Retry-After"))
	switch {
	case !e.Is(graph.ErrThrottled):
	case e.Code == graph.CodePairRateLimitHit:
		wait = max(wait, time.Second<<min(2*(attempt-1), 20)) // 4^X seconds, Meta's advice
	case e.Code != graph.CodeRateLimitHit:
		wait = max(wait, e.Response.regainAccess())
	}
	return wait
}

// retryAfter reads the header in both of its forms. A date in the past asks for nothing.
func retryAfter(header string) time.Duration {
	if s, err := strconv.Atoi(strings.TrimSpace(header)); err == nil {
		return time.Duration(min(max(s, 0), 366*24*3600)) * time.Second
	}
	if t, err := http.ParseTime(header); err == nil {
		return max(time.Until(t), 0)
	}
	return 0
}

// pause is how long to wait before the next attempt, which it reports as false if that is longer
// than the caller's deadline or MaxWait allows. Without a wish of Meta's it doubles from MinWait,
// and half of it is left to chance, so that callers who failed together do not come back together.
func (r RetryPolicy) pause(ctx context.Context, e *Error, attempt int) (time.Duration, bool) {
	wait := e.RetryAfter
	if wait == 0 {
		wait = min(r.MinWait<<min(attempt-1, 20), r.MaxWait)
		wait = wait/2 + rand.N(wait/2+1) //nolint:gosec // G404: jitter needs no secrecy
	} else if e.Code == graph.CodePairRateLimitHit && e.coded {
		wait = min(wait, r.MaxWait)
	}
	if wait > r.MaxWait {
		return 0, false
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return 0, false
	}
	return wait, true
}
