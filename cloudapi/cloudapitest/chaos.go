package cloudapitest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Chaos makes requests fail at random, in every way that is known: throttled by each code,
// refused for good, an error of Meta's servers before or after the work was done, a page from the
// edge, a redirect, garbage, half an answer, a late one, and a connection that is cut before the
// request was read, before it was carried out, or after.
//
// It never lies: whatever proves that nothing was done (codes of [graph.Code.ProvesRefusal],
// lasting errors that Meta documents) comes from a request that did nothing, and a success with a
// message id from one that was accepted.
type Chaos struct {
	// Rate is the share of requests that fail, from 0 to 1.
	Rate float64

	// Seed decides which, and how.
	Seed uint64

	// Late is how long late answers take. If zero, none is late.
	Late time.Duration

	// On are the routes to trouble, each as "POST /{phone-number-id}/messages". If empty, that one.
	On []string

	// Kinds are the faults to choose from, by their names in [ChaosKinds]. If empty, all.
	// "throttled for long" stops a client with a limiter for up to an hour, as Meta would want it.
	Kinds []string
}

// Chaos begins or changes random failures; the zero Chaos ends them. Failures that were asked for,
// by [Server.Inject], come first. [LoggedRequest].Fault says what happened to a request.
func (s *Server) Chaos(c Chaos) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chaos = newChaos(c)
}

// A chaos is a Chaos under way. It is used under the server's lock.
type chaos struct {
	Chaos
	source *rand.PCG // what rand draws from
	rand   *rand.Rand
	on     map[string]bool
	kinds  []mishap
}

// newChaos prepares a Chaos, or returns nil for one that troubles nothing. It panics if none of the
// kinds exists: a test that asks for them would pass without any fault.
func newChaos(c Chaos) *chaos {
	if c.Rate <= 0 {
		return nil
	}
	source := rand.NewPCG(c.Seed, 0xc4a05)
	ch := &chaos{Chaos: c, source: source, rand: rand.New(source), on: map[string]bool{}}
	if len(c.On) == 0 {
		c.On = []string{"POST /{phone-number-id}/messages"}
	}
	for _, on := range c.On {
		ch.on[on] = true
	}
	wanted := map[string]bool{}
	for _, name := range c.Kinds {
		wanted[name] = true
	}
	for _, m := range mishaps {
		if (len(wanted) == 0 || wanted[m.name]) && (m.name != lateName || c.Late > 0) {
			ch.kinds = append(ch.kinds, slices.Repeat([]mishap{m}, m.weight)...)
		}
	}
	if len(ch.kinds) == 0 {
		panic(fmt.Sprintf("cloudapitest: none of the Chaos.Kinds %q is known; see ChaosKinds", c.Kinds))
	}
	return ch
}

// next returns what happens to a request, or nil.
func (ch *chaos) next(request string) *fault {
	if ch == nil || !ch.on[request] || ch.rand.Float64() >= ch.Rate {
		return nil
	}
	m := ch.kinds[ch.rand.IntN(len(ch.kinds))]
	f := &fault{}
	m.make(f, ch)
	f.name = m.name
	return f
}

// pick takes one of several.
func pick[T any](ch *chaos, of ...T) T { return of[ch.rand.IntN(len(of))] }

// A mishap is a kind of fault.
type mishap struct {
	name   string
	weight int // how often beside the others
	make   func(*fault, *chaos)
}

// lateName is the kind that needs [Chaos].Late.
const lateName = "accepted, late"

// ChaosKinds returns the names of all kinds of faults.
func ChaosKinds() []string {
	var names []string
	for _, m := range mishaps {
		names = append(names, m.name)
	}
	return names
}

// mishaps are all kinds of faults. A name that begins with "accepted" is of a request that was
// carried out, all others did nothing: tests count messages by it.
var mishaps = append(throttles(), []mishap{
	{"refused", 1, func(f *fault, ch *chaos) { f.err = &graphError{Code: pick(ch, lastingCodes...)} }},
	{"error", 1, func(f *fault, ch *chaos) { f.err = &graphError{Code: pick(ch, vagueCodes...)} }},
	{"accepted, error", 1, func(f *fault, ch *chaos) {
		f.accept, f.err = true, &graphError{Code: pick(ch, vagueCodes...)}
	}},
	{"page", 1, page},
	{"accepted, page", 1, func(f *fault, ch *chaos) { page(f, ch); f.accept = true }},
	{"redirect", 1, redirect},
	{"accepted, redirect", 1, func(f *fault, ch *chaos) { redirect(f, ch); f.accept = true }},
	{"empty success", 1, emptySuccess},
	{"accepted, empty success", 1, func(f *fault, ch *chaos) { emptySuccess(f, ch); f.accept = true }},
	{"garbage", 1, func(f *fault, ch *chaos) { f.garbage = true }},
	{"accepted, garbage", 1, func(f *fault, ch *chaos) { f.garbage, f.accept = true, true }},
	{"cut unread", 1, func(f *fault, ch *chaos) { f.drop, f.unread, f.reset = true, true, pick(ch, true, false) }},
	{"cut", 1, func(f *fault, ch *chaos) { f.drop, f.reset = true, pick(ch, true, false) }},
	{"accepted, then cut", 1, func(f *fault, ch *chaos) {
		f.drop, f.accept, f.reset = true, true, pick(ch, true, false)
	}},
	{"accepted, half an answer", 1, func(f *fault, ch *chaos) { f.kept, f.accept, f.half = true, true, true }},
	{lateName, 1, func(f *fault, ch *chaos) { f.kept, f.accept, f.late = true, true, ch.Late }},
}...)

// lastingCodes are documented refusals that are permanent, wherever Meta writes them.
var lastingCodes = []graph.Code{
	3, 100, 190, graph.CodeReengagementMessage, graph.CodeSpamRateLimitHit, 131026, 132001, 134102, 138000,
	graph.CodeSyncLimitExceeded,
}

// vagueCodes say nothing about whether it was done: Meta's own trouble, and a code that does not
// exist.
var vagueCodes = []graph.Code{1, 2, 131000, 131016, 131999}

// provenCodes are those of [graph.Code.ProvesRefusal] that a message can meet.
var provenCodes = []graph.Code{
	graph.CodeAppRateLimit, graph.CodeRateLimitIssues, graph.CodeWABARateLimit,
	graph.CodeRateLimitHit, graph.CodePairRateLimitHit, graph.CodeAccountInMaintenance,
}

// throttles are a kind for each code that proves a refusal, and one that lasts.
func throttles() []mishap {
	all := []mishap{{"throttled for long", 1, func(f *fault, ch *chaos) {
		f.err = &graphError{Code: pick(ch, provenCodes...)}
		f.retryAfter, f.regain = pick(ch, time.Minute, time.Hour), 2*time.Minute
	}}}
	for _, code := range provenCodes {
		all = append(all, mishap{fmt.Sprintf("throttled %d", code), 1, func(f *fault, ch *chaos) {
			f.err = &graphError{Code: code, Status: pick(ch, 400, 429, 500)}
			f.retryAfter = pick(ch, 0, 0, 0, time.Second)
		}})
	}
	return all
}

// page is an answer of an edge server, or one that looks like Meta's and is not.
func page(f *fault, ch *chaos) {
	f.status = pick(ch, 400, 401, 404, 408, 429, 500, 502, 503, 504)
	f.body = []byte(pick(ch, "", "<html>Sorry</html>", "null", `{"error":"oops"}`, `{"error":{"message":"oops"}}`, "{"))
}

// redirect is an answer of a proxy. A Graph call is never redirected, and a client that follows one
// takes token and body along.
func redirect(f *fault, ch *chaos) {
	f.status = pick(ch, 301, 302, 303, 307, 308)
	f.header = http.Header{"Location": {pick(ch, "/v25.0/me", "https://example.invalid/", "")}}
}

// emptySuccess has status 200 and no message id, so that the caller cannot know what became of it.
func emptySuccess(f *fault, ch *chaos) {
	f.status = http.StatusOK
	f.body = []byte(pick(ch, "", "{}", "null", "<html>Welcome</html>",
		`{"messages":[]}`, `{"messages":[{"id":""}]}`, `{"messages":"none"}`))
}
