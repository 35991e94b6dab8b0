// Package live keeps pages that are open up to date, with server-sent events: examples/saas renders
// a page again whenever something has changed, and a script of a few lines puts in what is new of
// it.
//
// What an open page costs does not depend on how many others there are: it is rendered when there
// is news of its topic, and while there is none, it costs two small queries every [Look].
package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	// Pause is how soon after another a page is rendered: not more often than people look.
	Pause = 300 * time.Millisecond

	// Look is how often Page.Allowed and Page.Version are asked without news.
	Look = 2 * time.Second

	// Life is how long a stream lasts. The browser asks again by itself, with the cookies that it
	// has then, and what it left behind unnoticed is let go.
	Life = 10 * time.Minute

	// PerSession is how many streams a session has at a time, in one process. Browsers open six
	// connections to a server at most, unless they speak HTTP/2.
	PerSession = 6
)

// ErrEnded is the error of [Page].Allowed for a visitor who has signed out.
var ErrEnded = errors.New("live: the session has ended")

// A Page is what a stream keeps up to date. All functions are called by one goroutine, with a
// context that ends with the stream. An error of any of them ends the stream, and the browser asks
// again.
type Page struct {
	// Topic is whose news wakes the stream, such as a phone number id. If empty, no news does.
	Topic string

	// Session is whose stream it is, see [PerSession].
	Session string

	// Allowed returns an error if the visitor may not see the page any more: ErrEnded has the
	// browser load the page again, which is where it signs in. It is asked at each Look, and right
	// before anything is written.
	Allowed func(context.Context) error

	// Version is a different text than before when the page may look different. It has to be cheap.
	Version func(context.Context) (string, error)

	// Render returns the page. The version is one that is not newer than what it shows.
	Render func(ctx context.Context, version string) (string, error)
}

// News says what has changed to the streams of this process. The zero News is ready, and safe for
// concurrent use.
type News struct {
	mu       sync.Mutex
	topics   map[string]map[*stream]bool
	sessions map[string]int // streams of each
	closed   bool
}

// A stream is one open page. wake has room for one piece of news, as several are one.
type stream struct{ wake chan struct{} }

// Tell wakes the streams of a topic.
func (n *News) Tell(topic string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for s := range n.topics[topic] {
		s.tell()
	}
}

// Close ends all streams, as a server that shuts down waits for them.
func (n *News) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for _, streams := range n.topics {
		for s := range streams {
			s.tell()
		}
	}
}

func (s *stream) tell() {
	select {
	case s.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// enter registers a stream, or returns nil if its session has enough of them.
func (n *News) enter(p Page) *stream {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sessions[p.Session] >= PerSession {
		return nil
	}
	if n.topics == nil {
		n.topics, n.sessions = map[string]map[*stream]bool{}, map[string]int{}
	}
	if n.topics[p.Topic] == nil {
		n.topics[p.Topic] = map[*stream]bool{}
	}
	s := &stream{wake: make(chan struct{}, 1)}
	n.topics[p.Topic][s] = true
	n.sessions[p.Session]++
	return s
}

// leave takes back enter. What is empty is deleted, or it would pile up with each visitor.
func (n *News) leave(p Page, s *stream) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if delete(n.topics[p.Topic], s); len(n.topics[p.Topic]) == 0 {
		delete(n.topics, p.Topic)
	}
	if n.sessions[p.Session]--; n.sessions[p.Session] == 0 {
		delete(n.sessions, p.Session)
	}
}

func (n *News) isClosed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.closed
}

// Wanted reports whether a request is that of an EventSource.
func Wanted(r *http.Request) bool { return r.Header.Get("Accept") == "text/event-stream" }

// End answers the EventSource of a visitor who has signed out: its page is loaded again.
func End(w http.ResponseWriter) {
	head(w)
	_, _ = fmt.Fprint(w, "event: end\ndata:\n\n") // the browser went away
}

// head is that of every stream.
func head(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
}

// Stream sends the page, as a JSON string, whenever it is another than before: until the browser
// goes away, the visitor may not see it any more, a function of the page fails, [Life] is over, or
// the News is closed. A session that has [PerSession] streams gets status 429 instead.
func (n *News) Stream(w http.ResponseWriter, r *http.Request, p Page) {
	s := n.enter(p)
	if s == nil {
		http.Error(w, "too many pages are open in this session", http.StatusTooManyRequests)
		return
	}
	defer n.leave(p, s)
	ctx, cancel := context.WithTimeout(r.Context(), Life)
	defer cancel()
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(Life)) // also for a browser that does not read
	defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	head(w)
	var last, shown string // the text that was sent, and the version that it was of
	for !n.isClosed() {
		next, text, err := p.next(ctx, shown, last)
		if errors.Is(err, ErrEnded) {
			End(w)
		}
		if err != nil {
			return
		}
		if shown = next; text != last {
			if last = text; send(w, text) != nil {
				return
			}
		}
		// First a pause that no news shortens, then until there is some.
		if !sleep(ctx, Pause, nil) || !sleep(ctx, Look, s.wake) {
			return
		}
	}
}

// next returns the page and its version, or what was shown before if the version is still the same.
// The version is read before the page, so that no change between them is missed; whether the
// visitor may see the page is asked behind it, as rendering takes its time.
func (p Page) next(ctx context.Context, shown, last string) (version, text string, err error) {
	if version, err = p.Version(ctx); err != nil {
		return "", "", err
	}
	text = last
	if version != shown || last == "" {
		if text, err = p.Render(ctx, version); err != nil {
			return "", "", err
		}
	}
	return version, text, p.Allowed(ctx)
}

func send(w http.ResponseWriter, text string) error {
	data, err := json.Marshal(text)
	if err != nil {
		return err // a string is never refused
	}
	if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}

// sleep waits that long, or until it is woken, and reports whether the stream goes on.
func sleep(ctx context.Context, most time.Duration, wake <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-time.After(most):
	}
	return true
}
