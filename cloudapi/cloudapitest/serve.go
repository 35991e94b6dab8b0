package cloudapitest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

var pathRe = regexp.MustCompile(`^/(v[0-9]+\.[0-9]+)/(.+)$`)

// maxBody is far above any request of Cloud API.
const maxBody = 4 << 20

// serve answers one request: faults first, then token, node and route.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "cloudapitest: the request body cannot be read", http.StatusBadRequest)
		return
	}
	c := &call{method: r.Method, query: r.URL.Query(), header: r.Header, body: body}
	if m := pathRe.FindStringSubmatch(r.URL.Path); m != nil {
		c.version, c.path = m[1], strings.TrimSuffix(m[2], "/")
	}

	s.mu.Lock()
	delay := s.delay
	s.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return
		}
	}

	s.mu.Lock()
	rt, id, template, problem := s.match(c.method, c.path)
	c.id = id
	if c.version == "" {
		template, problem = "unknown", &graphError{
			Code: 2500, Status: http.StatusNotFound, Message: "The path has no Graph API version in front, such as /v25.0/",
		}
	}
	f := s.nextFault(c.method + " " + template)
	var rep reply
	switch {
	case f != nil && !f.accept:
		rep = f.reply()
	case problem != nil:
		// An unknown path is unknown to everyone; whether an id exists is not told to strangers.
		rep = refuse(problem)
		if problem.Subcode == 33 {
			if _, err := s.authenticate(r); err != nil {
				rep = refuse(err)
			}
		}
	default:
		rep = s.run(rt, c, r)
		if f != nil {
			after := rep.after
			rep = f.reply()
			rep.after = after
		}
	}
	trace := s.newTraceID()
	if rep.err != nil {
		rep.status, rep.body = rep.err.status(), rep.err.json(trace)
	}
	s.calls++
	s.setHeaders(w.Header(), c, trace, f)
	if bytes.HasPrefix(rep.body, []byte("<")) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8") // a page from the edge, not an answer of the Graph API
	}
	drop := f != nil && f.drop
	s.requests = append(s.requests, Request{
		Method: c.method, Path: template, Status: rep.status, Code: rep.code(), Phone: c.phoneID(), Dropped: drop, At: s.now(),
	})
	s.mu.Unlock()

	for _, hook := range rep.after {
		hook()
	}
	if drop {
		// net/http cuts the connection without an answer.
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(rep.status)
	_, _ = w.Write(rep.body)
}

// run wants the lock. Routes that talk to the outside give it up in between.
func (s *Server) run(rt route, c *call, r *http.Request) reply {
	if !rt.public {
		token, err := s.authenticate(r)
		if err != nil {
			return refuse(err)
		}
		c.token = token
		if err := s.load(rt, c); err != nil {
			return refuse(err)
		}
	}
	return rt.handle(s, c)
}

func (c *call) phoneID() graph.PhoneNumberID {
	if c.phone == nil {
		return ""
	}
	return c.phone.ID
}

func (r reply) code() graph.Code {
	if r.err == nil {
		return 0
	}
	return r.err.Code
}

// setHeaders writes what every answer of Meta carries, refusals included.
func (s *Server) setHeaders(h http.Header, c *call, trace string, f *fault) {
	h.Set("Content-Type", "application/json; charset=UTF-8")
	if c.version != "" {
		h.Set("Facebook-Api-Version", c.version)
	}
	h.Set("X-Fb-Trace-Id", trace)
	h.Set("X-Fb-Request-Id", trace)
	h.Set("X-Fb-Rev", "1030000000")
	h.Set("X-Fb-Debug", "made-up")
	percent := min(s.calls*100/5000, 100)
	h.Set("X-App-Usage", fmt.Sprintf(`{"call_count":%d,"total_cputime":%[1]d,"total_time":%[1]d}`, percent))
	regain := 0
	if f != nil {
		regain = int(f.regain / time.Minute)
		if f.retryAfter > 0 {
			h.Set("Retry-After", fmt.Sprint(int(f.retryAfter/time.Second)))
		}
	}
	if id := c.budgetOwner(); id != "" {
		h.Set("X-Business-Use-Case-Usage", fmt.Sprintf(
			`{%q:[{"type":"whatsapp_business_management","call_count":%d,"total_cputime":%[2]d,"total_time":%[2]d,"estimated_time_to_regain_access":%d}]}`,
			id, percent, regain))
	}
}

func (c *call) budgetOwner() string {
	switch {
	case c.waba != nil:
		return string(c.waba.ID)
	case c.phone != nil:
		return string(c.phone.WABAs[0])
	}
	return ""
}
