package cloudapitest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// maxBody is a little above the largest file.
const maxBody = 101 << 20

// serve answers one request.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	rep, f, answered := s.carryOut(w, r)
	if !answered || !wait(r.Context(), f.late) {
		return
	}
	f.write(w, rep)
}

// carryOut does what a request asks: faults first, then token, node, route and hooks. It returns
// the answer and the failure that has a say in how it is written. answered is false if nothing is
// to be written any more. The call is under way until it returns: see [Server.Snapshot].
func (s *Server) carryOut(w http.ResponseWriter, r *http.Request) (rep reply, f *fault, answered bool) {
	c := &call{method: r.Method, header: r.Header}
	if m := pathRe.FindStringSubmatch(r.URL.Path); m != nil {
		c.version, c.path = effectiveVersion(m[1], s.Now()), strings.TrimSuffix(m[2], "/")
		switch c.version {
		case m[1]:
		case "":
			c.path = m[1] + "/" + c.path // a version that does not exist is read as the id of a node
		default:
			c.warning = "the path names no version that Meta still answers; " + c.version + " answers it"
		}
	}
	f = s.begin(c)
	defer s.end()
	if f.unread {
		cut(w, f.reset)
		return rep, f, false
	}
	var err error
	if c.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		http.Error(w, "cloudapitest: the request body cannot be read", http.StatusBadRequest)
		return rep, f, false
	}
	parsed := c.body
	if strings.HasPrefix(c.path, "upload:") {
		parsed = nil // the bytes of a file, whatever the Content-Type says
	}
	query := r.URL.Query()
	c.params, c.problem = readParams(r.Header.Get("Content-Type"), query, parsed)
	c.bareToken = query.Has("access_token")
	s.mu.Lock()
	delay := s.delay
	s.mu.Unlock()
	if !wait(r.Context(), delay) {
		return rep, f, false
	}
	rep = s.answer(w.Header(), c, f)
	for _, hook := range rep.after {
		hook()
	}
	return rep, f, true
}

// begin counts a call as under way and takes the failure that waits for it.
func (s *Server) begin(c *call) *fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay++
	return s.takeFault(c)
}

// end counts a call as carried out.
func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.underWay--; s.underWay == 0 {
		s.idle.Broadcast()
	}
}

// takeFault takes the failure that waits for a request, or one that does nothing. It decides before
// the body is read, since a failure may be that it is not. The caller must hold s.mu.
func (s *Server) takeFault(c *call) *fault {
	_, _, template, _ := s.match(c.method, c.path)
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

// answer does what a request asks, as far as the failure lets it, and enters it into the request
// log.
func (s *Server) answer(h http.Header, c *call, f *fault) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	rt, id, template, problem := s.match(c.method, c.path)
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
			if _, err := s.authenticate(c); err != nil {
				rep = refuse(err)
			}
		}
	default:
		rep = s.run(rt, c)
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
		Dropped: f.drop || f.half || f.garbage, Fault: f.name, Warning: c.warning, At: s.now(),
	})
	return rep
}

// run authenticates a request, loads its node and calls the route. The caller must hold s.mu;
// routes that talk to the outside release it in between.
func (s *Server) run(rt route, c *call) reply {
	if rt.scope != noToken {
		token, err := s.authenticate(c)
		if err != nil {
			return refuse(err)
		}
		c.token = token
		if err := s.load(rt, c); err != nil {
			return refuse(err)
		}
		paged := c.has("after") || c.has("before")
		if c.bareToken && !paged && rt.edge != "debug_token" && rt.edge != "uploads" {
			c.warning = "the access token is in the URL, where logs and proxies see it" // two edges of Meta's want it
		}
	}
	if c.problem != nil {
		return refuse(c.problem)
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

// usage counts a call and returns how much of the hour's budget is spent, in percent. Since every
// answer passes here, it is counted even where the past is cut to [Server.KeepLast].
func (s *Server) usage(c *call) int {
	s.forget()
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
