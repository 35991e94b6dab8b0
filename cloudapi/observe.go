package cloudapi

import (
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An Attempt is one attempt of one call, as [Config].Observe sees it. It holds no token, no
// recipient and no text.
type Attempt struct {
	// Method and Path name the endpoint; Path is a template such as "/{phone-number-id}/messages",
	// fit for a metric label.
	Method string
	Path   string

	// PhoneNumberID is the business number the call is about. Empty if it is about none.
	PhoneNumberID graph.PhoneNumberID

	// Number counts from 1. Final is false if another one is to follow, which the caller can still
	// prevent by ending the context.
	Number int
	Final  bool

	// Duration is how long this attempt took, without the pauses around it. Wait is the pause
	// before the next one.
	Duration time.Duration
	Wait     time.Duration // until the next attempt; zero if this was the final one

	// Status is the HTTP status, or zero if no answer came.
	Status int

	// Err is nil for a success, else an [*Error], or of a download an error of the file or of the
	// caller's writer. A metric can count by class, which errors.Is finds.
	Err error

	// Response is the version, trace ids and usage of the response.
	Response Response
}

// Code returns Meta's error code, and whether the attempt ended with one: 0 is a code too.
func (c Attempt) Code() (graph.Code, bool) {
	if e, ok := errors.AsType[*Error](c.Err); ok && e.hasCode() {
		return e.Code, true
	}
	return 0, false
}
