package cloudapitest

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A reply is what a route answers: JSON, or an error.
type reply struct {
	status int
	body   json.RawMessage
	err    *graphError
	after  []func() // hooks, called without the lock
}

// ok answers with status 200.
func ok[T any](body T) reply { return reply{status: http.StatusOK, body: raw(body)} }

// success is the answer of calls that have nothing to return.
var success = ok(struct {
	Success bool `json:"success"`
}{true})

// refuse answers with an error of Meta's.
func refuse(err *graphError) reply { return reply{err: err} }

// raw writes one of our own values, which cannot fail.
func raw[T any](v T) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("cloudapitest: %T does not write itself as JSON: %v", v, err))
	}
	return b
}

// A graphError is an answer that refuses.
type graphError struct {
	Code      graph.Code
	Subcode   int
	Message   string
	Details   string
	UserTitle string
	UserMsg   string
	Status    int
	Transient bool
}

// status is the HTTP status that Meta documents for the code, else 400.
func (e *graphError) status() int {
	if e.Status != 0 {
		return e.Status
	}
	if info, ok := graph.Lookup(e.Code, e.Subcode); ok && info.HTTPStatus != 0 {
		return info.HTTPStatus
	}
	return http.StatusBadRequest
}

// message is the error's own text, else the title of its code in front of which Meta writes the
// number.
func (e *graphError) message() string {
	if e.Message != "" {
		return e.Message
	}
	if info, ok := graph.Lookup(e.Code, e.Subcode); ok {
		return fmt.Sprintf("(#%d) %s", int(e.Code), info.Title)
	}
	return fmt.Sprintf("(#%d) Made-up error", int(e.Code))
}

// json writes the error in Meta's envelope.
func (e *graphError) json(trace string) json.RawMessage {
	type data struct {
		Product string `json:"messaging_product"`
		Details string `json:"details"`
	}
	type body struct {
		Message   string     `json:"message"`
		Type      string     `json:"type"`
		Code      graph.Code `json:"code"`
		Data      *data      `json:"error_data,omitzero"`
		Subcode   int        `json:"error_subcode,omitzero"`
		Transient bool       `json:"is_transient,omitzero"`
		UserTitle string     `json:"error_user_title,omitzero"`
		UserMsg   string     `json:"error_user_msg,omitzero"`
		Trace     string     `json:"fbtrace_id"`
	}
	b := body{
		Message: e.message(), Type: "OAuthException", Code: e.Code, Subcode: e.Subcode, Transient: e.Transient,
		UserTitle: e.UserTitle, UserMsg: e.UserMsg, Trace: trace,
	}
	if e.Details != "" {
		b.Data = &data{"whatsapp", e.Details}
	}
	return raw(struct {
		Error body `json:"error"`
	}{b})
}

// notFound is the answer for an object that does not exist, that the token may not see, or that has
// no such edge: Meta does not say which.
func notFound(method, id string) *graphError {
	return &graphError{
		Code:    graph.CodeInvalidParameter,
		Subcode: 33,
		Message: fmt.Sprintf("Unsupported %s request. Object with ID '%s' does not exist, "+
			"cannot be loaded due to missing permissions, or does not support this operation", lower(method), id),
	}
}

// lower is the method in the words of Meta's message.
func lower(method string) string {
	switch method {
	case http.MethodPost:
		return "post"
	case http.MethodDelete:
		return "delete"
	}
	return "get"
}

// required refuses a request without a parameter with code 100, as the older edges and the envelope
// of a message do; missing does it with Cloud API's own code.
func required(parameter string) *graphError {
	return &graphError{
		Code: graph.CodeInvalidParameter, Message: fmt.Sprintf("(#100) The parameter %s is required.", parameter),
	}
}

// badToken refuses a token. The subcode says why, or is zero.
func badToken(subcode int, message string) *graphError {
	return &graphError{Code: graph.CodeAccessTokenExpired, Subcode: subcode, Message: message}
}

// missing refuses a request without a parameter.
func missing(parameter string) *graphError {
	return &graphError{
		Code: graph.CodeMissingParameter, Message: "(#131008) Required parameter is missing",
		Details: fmt.Sprintf("Parameter '%s' is mandatory", parameter),
	}
}

// invalid refuses a parameter, and says in the details what is wrong with it. Meta's details are
// less clear; its codes are the same.
func invalid(format string, args ...any) *graphError {
	return &graphError{
		Code: graph.CodeInvalidParameter, Message: "(#100) Invalid parameter", Details: fmt.Sprintf(format, args...),
	}
}
