package cloudapitest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// pathRe splits a path into version and rest. Any version will do.
var pathRe = regexp.MustCompile(`^/(v[0-9]+\.[0-9]+)/(.+)$`)

// maxBody is a little above the largest file.
const maxBody = 101 << 20

// serve answers one request: faults first, then token, node and route.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := &call{method: r.Method, query: r.URL.Query(), header: r.Header}
	if m := pathRe.FindStringSubmatch(r.URL.Path); m != nil {
		c.version, c.path = m[1], strings.TrimSuffix(m[2], "/")
	}
	f := s.takeFault(c)
	if f.unread {
		cut(w, f.reset)
		return
	}
	var err error
	if c.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		http.Error(w, "cloudapitest: the request body cannot be read", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	delay := s.delay
	s.mu.Unlock()
	if !wait(r.Context(), delay) {
		return
	}
	rep := s.answer(w.Header(), c, r, f)
	for _, hook := range rep.after {
		hook()
	}
	if !wait(r.Context(), f.late) {
		return
	}
	f.write(w, rep)
}

// takeFault takes the failure that waits for a request, or one that does nothing. It decides before
// the body is read, since a failure may be that it is not.
func (s *Server) takeFault(c *call) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _, template, _ := s.route(c)
	f := s.nextFault(c.method + " " + template)
	if f == nil {
		return &fault{kept: true, accept: true}
	}
	if f.unread {
		s.requests = append(s.requests, LoggedRequest{
			Method: c.method, Path: template, Dropped: true, Fault: f.name, At: s.now(),
		})
	}
	return f
}

// route finds the route of a request. The caller must hold s.mu.
func (s *Server) route(c *call) (rt route, id, template string, problem *graphError) {
	rt, id, template, problem = s.match(c.method, c.path)
	if c.version == "" {
		template, problem = "unknown", &graphError{
			Code: 2500, Status: http.StatusNotFound,
			Message: "The path has no Graph API version in front, such as /v25.0/",
		}
	}
	return rt, id, template, problem
}

// answer does what a request asks, as far as the failure lets it, and enters it into the request
// log.
func (s *Server) answer(h http.Header, c *call, r *http.Request, f *fault) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	rt, id, template, problem := s.route(c)
	c.id, c.last = id, c.path[strings.LastIndexByte(c.path, '/')+1:]
	var rep reply
	switch {
	case !f.accept:
		rep = f.reply()
		// For the headers and the request log.
		c.phone, c.waba = s.phone(graph.PhoneNumberID(id)), s.waba(graph.WABAID(id))
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
		if !f.kept {
			after := rep.after
			rep = f.reply()
			rep.after = after
		}
	}
	trace := s.newTraceID()
	if rep.err != nil {
		rep.status, rep.body = rep.err.status(), rep.err.json(trace)
	}
	s.setHeaders(h, c, trace, f)
	if bytes.HasPrefix(rep.body, []byte("<")) {
		h.Set("Content-Type", "text/html; charset=utf-8") // a page from the edge
	}
	s.requests = append(s.requests, LoggedRequest{
		Method: c.method, Path: template, Status: rep.status, Code: rep.code(), PhoneNumberID: c.phoneID(),
		Dropped: f.drop || f.half || f.garbage, Fault: f.name, At: s.now(),
	})
	return rep
}

// run authenticates a request, loads its node and calls the route. The caller must hold s.mu;
// routes that talk to the outside release it in between.
func (s *Server) run(rt route, c *call, r *http.Request) reply {
	if rt.scope != noToken {
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

// phoneID is the number of the call, for the request log.
func (c *call) phoneID() graph.PhoneNumberID {
	if c.phone == nil {
		return ""
	}
	return c.phone.ID
}

// code is the error code of the answer, for the request log.
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
	percent := s.usage(c)
	h.Set("X-App-Usage", fmt.Sprintf(`{"call_count":%d,"total_cputime":%[1]d,"total_time":%[1]d}`, percent))
	regain := int(f.regain / time.Minute)
	if f.retryAfter > 0 {
		h.Set("Retry-After", fmt.Sprint(int(f.retryAfter/time.Second)))
	}
	maps.Copy(h, f.header)
	if id := c.budgetOwner(); id != "" {
		h.Set("X-Business-Use-Case-Usage", fmt.Sprintf(
			`{%q:[{"type":"whatsapp_business_management","call_count":%d,"total_cputime":%[2]d,"total_time":%[2]d,`+
				`"estimated_time_to_regain_access":%d}]}`,
			id, percent, regain))
	}
}

// callsPerHour is the budget for management calls of an account with a number. Messages have their
// own.
const callsPerHour = 5000

// usage counts a call and returns how much of the hour's budget is spent, in percent.
func (s *Server) usage(c *call) int {
	now := s.now()
	if !strings.HasSuffix(c.path, "/messages") {
		s.calls = append(s.calls, now)
	}
	old := 0
	for old < len(s.calls) && now.Sub(s.calls[old]) >= time.Hour {
		old++
	}
	s.calls = s.calls[old:]
	return min(len(s.calls)*100/callsPerHour, 100)
}

// budgetOwner is the account whose hourly budget the call takes from, or nothing.
func (c *call) budgetOwner() string {
	switch {
	case c.waba != nil:
		return string(c.waba.ID)
	case c.phone != nil:
		return string(c.phone.WABAs[0])
	}
	return ""
}
