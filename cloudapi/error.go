package cloudapi

import (
	"errors"
	"strconv"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// ErrValidation matches errors about requests that were never made because they break a documented
// rule. The error lists every rule at once; making the same request again cannot succeed.
var ErrValidation = errors.New("cloudapi: the request is not valid and was not sent")

// An Outcome is the outcome of a call that returned an error, as far as known. For reads it says
// only how far the call came; for everything that sends or changes it is what decides whether the
// caller may try again.
type Outcome string

const (
	// OutcomeRefused: Meta said no and did nothing, for a limit or for a lasting reason that it
	// documents. Trying again is safe, and useful once the cause is gone.
	OutcomeRefused Outcome = "refused"

	// OutcomeNotSent: the request never left this machine. Trying again is safe.
	OutcomeNotSent Outcome = "not sent"

	// OutcomeUnknown: it may have been done. Broken connections, errors of Meta's servers and
	// unknown codes end so. Trying again can do it twice. For a message, wait for a status webhook
	// with its [Message].CallbackData before deciding; [MessagesService.History] helps where none
	// comes.
	OutcomeUnknown Outcome = "unknown"
)

// An Error is a call that did not succeed. Find it with errors.AsType; match codes and classes of
// the graph package and the cause of a broken connection with errors.Is:
//
//	errors.Is(err, graph.CodeReengagementMessage)
//	errors.Is(err, graph.ErrThrottled)
//	errors.Is(err, context.DeadlineExceeded)
//
// It holds no token, no recipient and nothing of what was sent: if Meta repeats such a thing in its
// message, it is cut out. Only pieces of less than four characters stay, which cannot be
// distinguished from ordinary words.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
type Error struct {
	// Method and PathTemplate name the endpoint, such as "POST" and "/{phone-number-id}/messages".
	Method       string
	PathTemplate string

	// StatusCode is the HTTP status, or zero if no answer came. It proves little: throttles come as
	// 400, lasting errors as 500, and 401 is not always about the token.
	StatusCode int

	// Code and Subcode are Graph's. Both are zero if the answer was not Meta's or there was none.
	// Meta writes most seven-digit codes into the subcode; errors.Is finds them in either place.
	Code    graph.Code
	Subcode int

	// Type is Graph's kind of error, such as "OAuthException". It tells little.
	Type string

	// Message and Details are for developers, in English mostly; Details is the better one where it
	// is not empty.
	Message string
	Details string

	// UserTitle and UserMessage are fit for people, often in their language. Management calls have
	// them.
	UserTitle   string
	UserMessage string

	// TraceID identifies the call to Meta's support.
	TraceID string

	// Transient is Meta's word that the error will pass. It is no proof of anything.
	Transient bool

	// Outcome is whether the thing may have been done.
	Outcome Outcome

	// RetryAfter is how long Meta asks the caller to wait. Zero if it did not say.
	RetryAfter time.Duration

	// Response is the status, trace ids and usage of the response.
	Response Response

	rule    RetryMode // of the call
	coded   bool      // there was a code or a subcode, even if it was 0
	problem string    // what is wrong with an answer that holds no error of Meta's
	cause   error
}

// Error names the endpoint, what happened and what to do about it.
func (e *Error) Error() string {
	s := "cloudapi: " + e.Method + " " + e.PathTemplate + ": " + e.what()
	switch e.Outcome {
	case OutcomeNotSent:
		s += " (the request did not leave)"
	case OutcomeUnknown:
		if e.Method != "GET" {
			s += " (it may have been done all the same: look before you repeat it)"
		}
	}
	return s
}

func (e *Error) what() string {
	switch {
	case e.hasCode():
		s := "code " + strconv.Itoa(int(e.Code))
		if e.Subcode != 0 {
			s += "/" + strconv.Itoa(e.Subcode)
		}
		if info, ok := graph.Lookup(e.Code, e.Subcode); ok {
			s += " (" + info.Title + "): " + info.Advice
		} else {
			s += ": not a code known here; see Details and Meta's page of error codes"
		}
		if e.cause != nil {
			s += "; then " + e.cause.Error()
		}
		return s
	case e.problem != "" && e.cause != nil:
		return e.problem + ": " + e.cause.Error()
	case e.problem != "":
		return e.problem
	case e.cause != nil:
		return e.cause.Error()
	}
	return "HTTP status " + strconv.Itoa(e.StatusCode)
}

// SafeToRetry reports whether the same call may be made again later: nothing can happen twice by
// it, and it can succeed without anything being changed before. That holds
//
//   - for [OutcomeNotSent];
//   - for [OutcomeRefused] by a limit: see [graph.Code.ProvesRefusal];
//   - for reads and calls that set a state, when the connection broke or Meta failed.
//
// It does not hold for a message with [OutcomeUnknown], which may have gone out, nor for a refusal
// that comes again, such as a closed window or a missing permission. Wait [Error].RetryAfter at
// least; the client's own attempts are spent already.
func (e *Error) SafeToRetry() bool {
	rule := e.rule
	if rule != RetryIdempotent {
		rule = RetryOnRefusal // even where the client does not repeat by itself
	}
	return e.Outcome == OutcomeNotSent || mayReplay(rule, e)
}

func (e *Error) hasCode() bool { return e.coded || e.Code != 0 || e.Subcode != 0 }

// Is reports whether target is the error's code, its subcode as a code of its own, or the class of
// the pair. Code 4 with the subcode of a spent synchronisation is [graph.ErrSync] and not
// [graph.ErrThrottled].
func (e *Error) Is(target error) bool {
	return e.hasCode() && graph.MatchCode(e.Code, e.Subcode, target)
}

// Unwrap returns what ended the call on this side: a connection, a context or a limiter. It is nil
// if Meta did.
func (e *Error) Unwrap() error { return e.cause }
