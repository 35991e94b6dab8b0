package signup

import (
	"errors"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// ErrTaken is the error of [Config].Reserve and [Config].Connected for a number or account that
// another tenant has.
var ErrTaken = errors.New("signup: another tenant has this number")

// An Error is a signup that did not connect the business. Get it with errors.AsType[*signup.Error],
// switch on its Outcome, and show [Error.Advice].
//
// It contains no code, token or phone number, and can be logged.
type Error struct {
	// Outcome is the outcome. Its values are stable; switch on it.
	Outcome Outcome

	// Step is the step that failed: the steps before are done.
	Step Step

	// Code is Meta's error code, or 0 if Meta named none. errors.Is(err,
	// [graph.CodeSignupUpdateApp]) matches it.
	Code graph.Code

	// Screen is the screen of the popup that the business left, for [OutcomeCanceled]. Mostly
	// empty.
	Screen Screen

	// SessionID identifies the signup to Meta's support after [OutcomeFailed], with the Code and
	// the time. Mostly empty.
	SessionID string

	// Err is the cause, or nil: an error of package cloudapi, or of a function of [Config].
	Err error
}

// Error names the step and the outcome, and says what to do.
func (e *Error) Error() string {
	s := "signup: " + string(e.Step) + ": " + string(e.Outcome)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s + ": " + strings.TrimSuffix(e.Advice(), ".")
}

// Unwrap returns the cause, so that errors.AsType[*cloudapi.Error] finds Meta's answer.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is Meta's code, or its class such as [graph.ErrSignup].
func (e *Error) Is(target error) bool { return e.Code != 0 && graph.MatchCode(e.Code, 0, target) }

// Advice returns what to do, in sentences: from [graph.Lookup] for a code of Meta's, else
// [Outcome.Advice].
func (e *Error) Advice() string {
	if e.Outcome == OutcomeFailed && e.Code != 0 {
		if info, ok := graph.Lookup(e.Code, 0); ok && info.Advice != "" {
			return strings.ToUpper(info.Advice[:1]) + info.Advice[1:] + "."
		}
	}
	return e.Outcome.Advice()
}
