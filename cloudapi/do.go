package cloudapi

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// A Request is a call that has no method here yet.
type Request struct {
	// Method is the HTTP method.
	Method string

	// Path is a template with a leading slash and without version, such as "/{waba-id}/schedules".
	// Errors and the observer show it, so ids go into IDs.
	Path string

	// IDs fill the places of Path, in order.
	IDs []string

	// Query is added to the URL. It must not hold a token: the client's goes into a header.
	Query url.Values

	// Body is sent as it is. Nil sends none.
	Body json.RawMessage

	// RetryMode says when the call may be repeated. If empty: reads as [RetryIdempotent], the rest
	// as [RetryOnRefusal]. Calls that Meta takes only once are never repeated, whatever it says.
	RetryMode RetryMode
}

// Do makes a call that has no method here yet, with everything that the methods have: token and
// proof, retries, errors, limits, observer. The answer is decoded into a T.
//
//	schedules, err := cloudapi.Do[Schedules](ctx, client, cloudapi.Request{
//		Method: http.MethodGet,
//		Path:   "/{waba-id}/schedules",
//		IDs:    []string{string(waba)},
//	})
//
// Do does not ask the [Limiter]. Never use it to register or deregister a coexistence number.
func Do[T any](ctx context.Context, c *Client, r Request) (*T, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return call[T](ctx, c, request{
		method: r.Method, path: r.Path, ids: r.IDs, query: r.Query, body: r.Body, replay: r.RetryMode,
		sensitive: append(slices.Concat(slices.Collect(maps.Values(r.Query))...), jsonStrings(r.Body)...),
	})
}

func (r Request) check() error {
	var p problems
	if r.Method == "" || strings.ToUpper(r.Method) != r.Method {
		p.add("Request.Method is not an HTTP method in capitals")
	}
	if !strings.HasPrefix(r.Path, "/") || strings.ContainsAny(r.Path, "?#% ") || strings.Contains(r.Path, "..") {
		p.add(`Request.Path is not a template such as "/{waba-id}/schedules"`)
	}
	if r.Query.Has("access_token") || r.Query.Has("appsecret_proof") {
		p.add("Request.Query holds a token or proof; the client adds its own")
	}
	if r.Body != nil && !json.Valid(r.Body) {
		p.add("Request.Body is not valid JSON")
	}
	switch r.RetryMode {
	case "", RetryOnRefusal, RetryIdempotent, RetryNever:
	default:
		p.add("Request.RetryMode is unknown")
	}
	return p.err()
}
