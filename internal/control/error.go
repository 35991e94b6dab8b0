package control

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// An Error is the response to a failed call.
type Error struct {
	// Status is the HTTP status, and Code a word for programs.
	Status int    `json:"status"`
	Code   string `json:"code"`

	// Message is for people and says what to do.
	Message string `json:"message"`

	// MetaCode is Meta's error code; zero if it was not Meta that refused.
	MetaCode int `json:"meta_code,omitzero"`
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// An errorBody is the body of an error response.
type errorBody struct {
	Error *Error `json:"error"`
}

// invalid returns the error of an invalid request.
func invalid(format string, args ...any) error {
	return &Error{Status: http.StatusBadRequest, Code: "invalid", Message: fmt.Sprintf(format, args...)}
}

// missing returns the error for something unknown.
func missing(format string, args ...any) error {
	return &Error{Status: http.StatusNotFound, Code: "not_found", Message: fmt.Sprintf(format, args...)}
}

// conflict returns the error for something that is not possible in the current state of the world.
func conflict(format string, args ...any) error {
	return &Error{Status: http.StatusConflict, Code: "conflict", Message: fmt.Sprintf(format, args...)}
}

// asError turns an error of the world or of Meta into a response. Both refuse what is not possible
// in the current state.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{Status: http.StatusConflict, Code: "conflict", Message: err.Error()}
	if p, ok := errors.AsType[*coexistencetest.PopupError](err); ok {
		e.Code, e.MetaCode = "refused_by_meta", int(p.Code)
	}
	if p, ok := errors.AsType[*cloudapi.Error](err); ok {
		e.Code, e.MetaCode = "refused_by_meta", int(p.Code)
	}
	return e
}

// plainErrors answers unknown paths and methods with JSON, too, because a ServeMux answers them
// with plain text.
func plainErrors(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		probe := &statusProbe{header: http.Header{}}
		h.ServeHTTP(probe, r)
		e := &Error{
			Status: http.StatusNotFound, Code: "not_found",
			Message: "there is no such call; /control/v1/openapi.yaml lists them",
		}
		if probe.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", probe.header.Get("Allow"))
			e.Status, e.Code = probe.status, "method_not_allowed"
			e.Message = "the call takes " + probe.header.Get("Allow")
		}
		writeJSON(w, e.Status, errorBody{e})
	})
}

// A statusProbe is a ResponseWriter that records only the status and the headers.
type statusProbe struct {
	header http.Header
	status int
}

func (p *statusProbe) Header() http.Header         { return p.header }
func (p *statusProbe) Write(b []byte) (int, error) { return len(b), nil }
func (p *statusProbe) WriteHeader(status int)      { p.status = status }
