package cloudapitest

import (
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A LoggedRequest is an entry of the request log, which [Server.Requests] returns. It holds no
// token, no body and no id but the number's.
type LoggedRequest struct {
	// Method and Path are what was asked: "POST" and "/{phone-number-id}/messages". Path is
	// "unknown" for a route that the server does not have.
	Method, Path string

	// Status is what was answered, Code the error code in it, if any.
	Status int
	Code   graph.Code

	// PhoneNumberID is the number that the path names, if it names one.
	PhoneNumberID graph.PhoneNumberID

	// Dropped means that the caller never saw the answer, or not all of it.
	Dropped bool

	// Fault names what went wrong on purpose, such as "accepted, then cut", if [Chaos] made it go
	// wrong.
	Fault string

	// Warning names something that Meta accepts and that a host should change, such as an access
	// token in the URL. Empty if there is nothing.
	Warning string

	// At is the server's time.
	At time.Time
}

// Requests returns what was asked so far, in order.
func (s *Server) Requests() []LoggedRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Count returns how often a route was asked, whatever was answered: Count("POST",
// "/{phone-number-id}/smb_app_data").
func (s *Server) Count(method, path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, r := range s.requests {
		if r.Method == method && r.Path == path {
			n++
		}
	}
	return n
}
