package signup

import (
	"errors"
	"net/url"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Redirect is the query with which Meta sends a business back after [Launch.RedirectURL].
// [ParseRedirect] reads it.
//
// No session message comes with it: [Flow.Finish] finds the accounts from the token.
//
// Meta: https://developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow
type Redirect struct {
	// State is the nonce of [Flow.StartAttempt]. Pass it on in the [Submission]; Flow.Finish checks
	// it.
	State graph.Secret

	// Code is exchanged for a token within [CodeTTL], once. The exchange must repeat the redirect
	// URI. Empty if the business refused, or Meta did.
	Code graph.Secret

	// Error, Reason and Description say why there is no code. Anyone can write a link that holds
	// them: never show them.
	Error       string
	Reason      string
	Description string

	// ErrorCode is Meta's code for it, or 0.
	ErrorCode graph.Code

	// Others are the parameters that no member above holds.
	Others url.Values
}

// ErrNotRedirect is the error of ParseRedirect for a query with neither a code nor a reason why
// there is none.
var ErrNotRedirect = errors.New("signup: not the query of a redirect from the login dialog; start the signup again")

// ParseRedirect reads the raw query of a redirect, such as r.URL.RawQuery. The only error is
// [ErrNotRedirect]; ask [Redirect.Err] whether there is a code.
func ParseRedirect(rawQuery string) (*Redirect, error) {
	if len(rawQuery) > maxMessage {
		return nil, ErrNotRedirect
	}
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, ErrNotRedirect
	}
	r := &Redirect{Others: q}
	r.State = graph.Secret(r.take("state"))
	r.Code = graph.Secret(r.take("code"))
	r.Error = r.take("error")
	r.Reason = r.take("error_reason")
	r.Description = r.take("error_description")
	if n, err := strconv.Atoi(q.Get("error_code")); err == nil && n != 0 && len(q["error_code"]) == 1 {
		r.ErrorCode = graph.Code(n)
		q.Del("error_code")
	}
	if r.Code.IsZero() && r.Error == "" && r.Reason == "" && r.ErrorCode == 0 {
		return nil, ErrNotRedirect
	}
	if len(q) == 0 {
		r.Others = nil
	}
	return r, nil
}

// take leaves a parameter that comes twice among the others: it cannot be known which one is meant.
func (r *Redirect) take(name string) string {
	values := r.Others[name]
	if len(values) != 1 {
		return ""
	}
	r.Others.Del(name)
	return values[0]
}

// Err returns nil if there is a code, else an [*Error]: [OutcomeCanceled] for a refusal,
// [OutcomeFailed] for the rest.
func (r *Redirect) Err() error {
	switch {
	case !r.Code.IsZero():
		return nil
	case r.Error == "access_denied" || r.Reason == "user_denied":
		return &Error{Outcome: OutcomeCanceled, Step: StepSession}
	}
	return &Error{Outcome: OutcomeFailed, Step: StepSession, Code: r.ErrorCode}
}
