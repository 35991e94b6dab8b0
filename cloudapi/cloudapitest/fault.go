package cloudapitest

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A fault is a failure that waits for its request.
type fault struct {
	on         string // "METHOD /path/{template}", or "" for any
	times      int
	accept     bool // do what was asked, then fail
	drop       bool // cut the connection instead of answering
	reset      bool // so that the caller's kernel reports an error, not an end
	unread     bool // before the body of the request is read
	half       bool // of the answer is all that gets out
	garbage    bool // the answer is not HTTP
	kept       bool // the answer of the route is what is sent, or half of it
	late       time.Duration
	header     http.Header   // added to the answer
	name       string        // for the request log
	err        *graphError   // the answer, if it is an error of Meta's
	status     int           // of an answer that is not; if zero, 200
	body       []byte        // of an answer that is not
	retryAfter time.Duration // for the header
	regain     time.Duration // for the usage header
}

// A Fault is a failure that waits for its request: see [Server.Inject]. What is answered is one of
// these:
//
//   - an error of Meta's, if there is a Code;
//   - Body, with Status, if there is either of them and no Code;
//   - nothing, with Drop;
//   - else what the server would have answered anyway, late or by half.
type Fault struct {
	// On is the route to fail, as "POST /{phone-number-id}/messages": see [LoggedRequest]. If
	// empty, the next request fails, whatever it is.
	On string

	// Times is how many requests fail. If zero, one.
	Times int

	// Accept makes the server do what was asked before it fails: the message is sent, but the
	// caller gets an error or no response. Without it the request does nothing.
	Accept bool

	// Code is the error's code. Code 0 can only be answered with a Body.
	Code graph.Code

	// Subcode, Details (error_data.details), UserTitle, UserMessage (of management calls) and
	// Transient belong to Code.
	Subcode     int
	Details     string
	UserTitle   string
	UserMessage string
	Transient   bool

	// Status is the HTTP status. If zero, what Meta documents for the Code, mostly 400.
	Status int

	// Body is an answer of your own, such as the HTML page of an overloaded edge.
	Body string

	// Header is added to the answer, such as the Location of a redirect.
	Header http.Header

	// RetryAfter adds the Retry-After header, which Meta does not document.
	RetryAfter time.Duration

	// RegainAccess is estimated_time_to_regain_access in the usage header. Meta counts it in
	// minutes.
	RegainAccess time.Duration

	// Delay makes the answer wait, after the request was carried out or refused.
	Delay time.Duration

	// Half cuts the connection in the middle of the answer.
	Half bool

	// Garble sends bytes that are not HTTP instead of the answer.
	Garble bool

	// Drop cuts the connection instead of answering: with Accept, the caller cannot know whether it
	// happened.
	Drop bool

	// Unread makes Drop cut the connection before the body of the request is read. Such a request
	// does nothing.
	Unread bool

	// Reset makes a cut connection look broken instead of closed, as when a machine between the two
	// fails.
	Reset bool
}

// Inject makes a request fail. Faults wait in line; each takes the first request that it fits.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f.prepare())
}

// prepare turns what a test asks for into what the server does. A request that is cut before it is
// read cannot be carried out, and a fault that names no answer keeps the real one.
func (f Fault) prepare() *fault {
	made := &fault{
		on: f.On, times: max(f.Times, 1), accept: f.Accept && !f.Unread,
		drop: f.Drop || f.Unread, reset: f.Reset, unread: f.Unread, half: f.Half, garbage: f.Garble,
		late: f.Delay, header: f.Header, status: f.Status, body: []byte(f.Body),
		retryAfter: f.RetryAfter, regain: f.RegainAccess,
	}
	switch {
	case f.Code != 0:
		made.err = &graphError{
			Code: f.Code, Subcode: f.Subcode, Details: f.Details, UserTitle: f.UserTitle, UserMsg: f.UserMessage,
			Transient: f.Transient, Status: f.Status,
		}
	case f.Status == 0 && f.Body == "" && !made.drop && !f.Garble:
		made.kept, made.accept = true, true
	}
	return made
}

// Delay makes every answer from now on wait. Zero ends it.
func (s *Server) Delay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

// nextFault takes the first failure that fits. The caller must hold s.mu.
func (s *Server) nextFault(request string) *fault {
	i := slices.IndexFunc(s.faults, func(f *fault) bool { return f.on == "" || f.on == request })
	if i < 0 {
		return s.chaos.next(request)
	}
	f := s.faults[i]
	if f.times--; f.times <= 0 {
		s.faults = slices.Delete(s.faults, i, i+1)
	}
	return f
}

// reply is the answer that the fault puts in place of the real one.
func (f *fault) reply() reply {
	if f.err != nil {
		return refuse(f.err)
	}
	status := f.status
	if status == 0 {
		status = http.StatusOK
	}
	return reply{status: status, body: json.RawMessage(f.body)}
}
