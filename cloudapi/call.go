package cloudapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-querystring/query"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// A request is one call as a service describes it. What it does not say (token, proof, retries,
// limits, errors, observer) is the same for all calls, and package-internal: see [invocation].
type request struct {
	method string
	path   string   // template, such as "/{phone-number-id}/messages"
	ids    []string // what goes into the template, in order

	query   url.Values
	options any // `url`-tagged struct, added to query; nil for none

	body   json.RawMessage // nil for none
	upload *payload        // a body that is not JSON; nil for none
	oauth  bool            // the header says OAuth where others say Bearer
	as     identity
	replay RetryMode
	phone  graph.PhoneNumberID // for the observer

	sensitive []string          // what was sent and must not show up in an error
	partial   func(body []byte) // sees the body of an answer that is an error
	limited   *SendRequest      // what the limiter is asked before every attempt; nil if it is not asked
}

// An identity says whose token a call carries.
type identity uint8

const (
	asClient identity = iota
	asApp
	asNone // no header: the app's secret is in the query
)

// call makes a request and decodes the answer.
func call[T any](ctx context.Context, c *Client, r request) (*T, error) {
	inv, err := c.newInvocation(r)
	if err != nil {
		return nil, err
	}
	var v *T
	inv.decode = func(body []byte) (problem string) {
		v = new(T)
		if err := decodeAnswer(body, v); err != nil {
			return unreadable(body, err)
		}
		return answerOf(v).incomplete()
	}
	if err := inv.run(ctx); err != nil {
		return nil, err
	}
	answerOf(v).setMeta(inv.meta)
	return v, nil
}

// unreadable says how an answer of status 200 is not what was promised, without quoting it.
func unreadable(body []byte, err error) string {
	if e, ok := errors.AsType[*wire.MismatchError](err); ok && e.Path != "" {
		return "the answer has another shape than documented at " + e.Path
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		return "the answer has another shape than documented at " + e.Field
	}
	if json.Valid(body) {
		return "the answer has another shape than documented"
	}
	return "the answer is " + describe(body)
}

func (r request) hasBody() bool { return r.body != nil || r.upload != nil }

// encode writes the JSON of a body. Bodies are structs of strings and numbers, so that it fails for
// no value a caller can give.
func encode(body any) (json.RawMessage, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("cloudapi: a request does not encode: %w", err)
	}
	return b, nil
}

// newInvocation prepares a call: it checks what can be known to be wrong with the request before
// anything is sent, picks the token, and builds the URL. Its error is [ErrValidation], or one of
// the encoder of the options.
func (c *Client) newInvocation(r request) (*invocation, error) {
	p := problems{prefix: r.method + " " + r.path + ": "}
	path := expand(&p, r.path, r.ids)
	auth := c.authFor(&p, r.as)
	values := maps.Clone(r.query)
	if values == nil {
		values = url.Values{}
	}
	if r.options != nil {
		added, err := query.Values(r.options)
		if err != nil {
			return nil, fmt.Errorf("cloudapi: the options of %s %s do not encode: %w", r.method, r.path, err)
		}
		maps.Copy(values, added)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	if auth.proof != "" {
		values.Set("appsecret_proof", auth.proof)
	}
	cfg := c.core.Reveal().cfg
	target := cfg.BaseURL + "/" + cfg.Version + path
	if len(values) > 0 {
		joint := "?"
		if strings.Contains(path, "?") { // of an upload id, the only one that keeps its own
			joint = "&"
		}
		target += joint + values.Encode()
	}
	inv := &invocation{core: c.core.Reveal(), request: r, url: target, auth: auth, rule: r.rule(path)}
	inv.scrub = c.scrubber(append(slices.Clone(r.sensitive), auth.token.Reveal(), auth.proof))
	return inv, nil
}

// authFor returns the token of an identity with its proof, and reports what Config lacks for it. A
// token with a line break is refused here, because net/http's own error would quote it.
func (c *Client) authFor(p *problems, as identity) *auth {
	cfg := c.core.Reveal().cfg
	if as == asClient {
		if c.auth.Reveal().token.IsZero() {
			p.add("needs an access token; set Config.AccessToken or use WithToken")
		} else if !fitsHeader(c.auth.Reveal().token) {
			p.add("the access token holds white space or control characters; look for a line break at its end")
		}
		return c.auth.Reveal()
	}
	if cfg.AppID == "" {
		p.add("needs Config.AppID")
	}
	if cfg.AppSecret.IsZero() {
		p.add("needs Config.AppSecret")
	}
	if as == asNone {
		return &auth{}
	}
	return newAuth(cfg.AppSecret, graph.Secret(string(cfg.AppID)+"|"+cfg.AppSecret.Reveal()))
}

// expand puts ids into a path template, in order, and reports ids that are missing or too many.
// They are escaped, so that no id can reach another endpoint, except the one of an upload: Meta
// gives it out with a query of its own and takes it back only as it is.
func expand(p *problems, template string, ids []string) string {
	var b strings.Builder
	rest, i := template, 0
	for {
		before, after, ok := strings.Cut(rest, "{")
		b.WriteString(before)
		if !ok {
			break
		}
		name, after, _ := strings.Cut(after, "}")
		rest = after
		switch {
		case i >= len(ids) || ids[i] == "":
			p.add("the %s is empty", strings.ReplaceAll(name, "-", " "))
		case ids[i] == "." || ids[i] == "..":
			p.add("the %s is no id", strings.ReplaceAll(name, "-", " "))
		case name == "upload-id" && uploadRe.MatchString(ids[i]):
			b.WriteString(ids[i]) // has a query of its own, which Meta requires as it is
		default:
			b.WriteString(url.PathEscape(ids[i]))
		}
		i++
	}
	if i < len(ids) {
		p.add("there are %d ids for %d places in the path", len(ids), i)
	}
	return b.String()
}

// withoutID is the incomplete method of every node: an answer of status 200 without the id of what
// was asked for is no answer.
func withoutID[T ~string](id T) string {
	if id == "" {
		return "the answer has no id"
	}
	return ""
}

// A success is the answer of calls that return no object. Meta writes {"success":true}, with the
// boolean as a string at times, or a bare true.
type success struct{ ok flexBool }

func (s *success) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] != '{' {
		return json.Unmarshal(b, &s.ok) // old calls answer with a bare true
	}
	var v struct {
		Success flexBool `json:"success"`
	}
	err := json.Unmarshal(b, &v)
	s.ok = v.Success
	return err
}

func (s *success) incomplete() string {
	if !s.ok {
		return "Meta does not say that it succeeded"
	}
	return ""
}

// isRead reports whether a method changes nothing.
func isRead(method string) bool { return method == http.MethodGet || method == http.MethodHead }
