// Package live keeps pages that are open up to date, with server-sent events: examples/saas renders
// a page anew whenever something has changed, and a script of a few lines puts in what is new of
// it.
package live

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Pause is how soon after another a page is sent: not more often than people look. Look is how
// often it is made without news, since another process has no way to tell.
const Pause, Look = 300 * time.Millisecond, 2 * time.Second

// News is that something has changed. All streams hear of it; a host with many tenants
// has one News for each. The zero News is ready, and safe for concurrent use.
type News struct {
	mu      sync.Mutex
	changed chan struct{}
	closed  bool
}

// Tell says that something has changed.
func (n *News) Tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.changed != nil {
		close(n.changed)
		n.changed = nil
	}
}

// Close ends all streams, which have no end of their own: a server that shuts down waits for them.
func (n *News) Close() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.Tell()
}

// next returns a channel that the next Tell closes, and whether there will be none.
func (n *News) next() (changed <-chan struct{}, closed bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.changed == nil {
		n.changed = make(chan struct{})
	}
	return n.changed, n.closed
}

// Wanted reports whether a request is that of an EventSource.
func Wanted(r *http.Request) bool { return r.Header.Get("Accept") == "text/event-stream" }

// Stream sends what render returns, as a JSON string, whenever it is another than before, until the
// browser goes away, render fails, or the News is closed. The browser asks again then.
func (n *News) Stream(w http.ResponseWriter, r *http.Request, render func() (string, error)) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w)
	for last := ""; ; {
		changed, closed := n.next() // before it is looked at, so that nothing is missed
		text, err := render()
		if err != nil || closed {
			return
		}
		if text != last {
			last = text
			data, err := json.Marshal(text)
			if err != nil {
				return // a string is never refused
			}
			if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil || flush.Flush() != nil {
				return
			}
		}
		// First a pause that no news shorten, then until there are some.
		if !sleep(r, Pause, nil) || !sleep(r, Look, changed) {
			return
		}
	}
}

// sleep waits that long, or until there are news, and reports whether the browser is still there.
func sleep(r *http.Request, most time.Duration, changed <-chan struct{}) bool {
	select {
	case <-r.Context().Done():
		return false
	case <-changed:
	case <-time.After(most):
	}
	return true
}
