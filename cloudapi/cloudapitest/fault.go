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
	reset      bool // so that the caller's kernel hears of an error, not of an end
	unread     bool // before the body of the request is read
	half       bool // of the answer is all that gets out
	garbage    bool // the answer is not HTTP
	kept       bool // the answer of the route is what is sent, or half of it
	late       time.Duration
	header     http.Header
	name       string // for the ledger
	err        *graphError
	status     int
	body       []byte
	retryAfter time.Duration
	regain     time.Duration
}

// A FailOption says more about a failure.
type FailOption func(*fault)

// On limits a failure to one route, named as in [Server.Requests]: On("POST", "/{phone-number-id}/messages"). Without it the
// next request fails, whatever it is.
func On(method, path string) FailOption { return func(f *fault) { f.on = method + " " + path } }

// Times makes so many requests fail instead of one.
func Times(n int) FailOption { return func(f *fault) { f.times = n } }

// Accepted makes the server do what was asked before it fails: the message is sent, and the caller is told that it was not.
func Accepted() FailOption { return func(f *fault) { f.accept = true } }

// Refused is the opposite of [Accepted], and the default of [Server.FailNext] and [Server.FailNextWith]. With
// [Server.DropNext] the connection is cut before anything happened.
func Refused() FailOption { return func(f *fault) { f.accept = false } }

// Subcode sets error_subcode.
func Subcode(n int) FailOption {
	return func(f *fault) {
		if f.err != nil {
			f.err.Subcode = n
		}
	}
}

// Details sets error_data.details.
func Details(text string) FailOption {
	return func(f *fault) {
		if f.err != nil {
			f.err.Details = text
		}
	}
}

// UserMessage sets error_user_title and error_user_msg, where management calls carry their text.
func UserMessage(title, text string) FailOption {
	return func(f *fault) {
		if f.err != nil {
			f.err.UserTitle, f.err.UserMsg = title, text
		}
	}
}

// Status sets the HTTP status. Without it, it is what Meta documents for the code, mostly 400.
func Status(status int) FailOption {
	return func(f *fault) {
		f.status = status
		if f.err != nil {
			f.err.Status = status
		}
	}
}

// Transient sets is_transient.
func Transient() FailOption {
	return func(f *fault) {
		if f.err != nil {
			f.err.Transient = true
		}
	}
}

// RetryAfter adds the Retry-After header, which Meta does not document.
func RetryAfter(d time.Duration) FailOption { return func(f *fault) { f.retryAfter = d } }

// RegainAccess sets estimated_time_to_regain_access, which Meta counts in minutes, in the usage header.
func RegainAccess(d time.Duration) FailOption { return func(f *fault) { f.regain = d } }

// Header adds a header to the answer, such as the Location of a redirect.
func Header(key, value string) FailOption {
	return func(f *fault) {
		if f.header == nil {
			f.header = http.Header{}
		}
		f.header.Add(key, value)
	}
}

// Late makes the answer wait, after the request was carried out or refused.
func Late(d time.Duration) FailOption { return func(f *fault) { f.late = d } }

// Half cuts the connection in the middle of the answer.
func Half() FailOption { return func(f *fault) { f.half = true } }

// Reset makes a cut connection look broken instead of closed, as when a machine between the two fails.
func Reset() FailOption { return func(f *fault) { f.reset = true } }

// Unread makes [Server.DropNext] cut the connection before it has read the body of the request, which then does nothing.
func Unread() FailOption { return func(f *fault) { f.unread, f.accept = true, false } }

// FailNext makes the next request fail with one of Meta's codes, in Meta's form. The request does nothing, unless [Accepted]
// says otherwise. Failures wait in line; each takes the first request that it fits.
func (s *Server) FailNext(code graph.Code, opts ...FailOption) {
	s.addFault(&fault{err: &graphError{Code: code}}, opts)
}

// FailNextWith makes the next request fail with a body of your own, such as the HTML page of an overloaded edge or nothing at
// all.
func (s *Server) FailNextWith(status int, body string, opts ...FailOption) {
	s.addFault(&fault{status: status, body: []byte(body)}, opts)
}

// DropNext makes the server take the next request, do what it asks, and cut the connection instead of answering: the caller
// cannot know whether it happened. With [Refused] the connection is cut before.
func (s *Server) DropNext(opts ...FailOption) {
	s.addFault(&fault{drop: true, accept: true}, opts)
}

// GarbleNext makes the server take the next request, do what it asks, and answer with bytes that are not HTTP. With [Refused]
// it does nothing.
func (s *Server) GarbleNext(opts ...FailOption) {
	s.addFault(&fault{garbage: true, accept: true}, opts)
}

// DisturbNext lets the next request succeed and disturbs the answer: [Late], [Half].
func (s *Server) DisturbNext(opts ...FailOption) {
	s.addFault(&fault{kept: true, accept: true}, opts)
}

// Delay makes every answer from now on wait. Zero ends it.
func (s *Server) Delay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

func (s *Server) addFault(f *fault, opts []FailOption) {
	f.times = 1
	for _, opt := range opts {
		opt(f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// nextFault takes the first failure that fits. It wants the lock.
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
