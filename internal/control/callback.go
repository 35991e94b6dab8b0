package control

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A callback is the URL of the host's webhook, with the state of its handshake. The host may start
// after the simulator, so the handshake is retried until it succeeds.
type callback struct {
	url     string
	stop    func()          // nil if no handshake is retried
	stopped <-chan struct{} // closed when retries have ended

	mu       sync.Mutex
	verified bool
	problem  string // of the latest attempt
}

// A callbackView is a callback as JSON.
type callbackView struct {
	URL     string `json:"url"`
	State   string `json:"state"` // callbackNone, callbackWaiting or callbackVerified
	Problem string `json:"problem,omitzero"`
}

// The states of a callback.
const (
	callbackNone     = "none"
	callbackWaiting  = "waiting"
	callbackVerified = "verified"
)

// Pauses between two attempts of the handshake.
const (
	firstPause = 200 * time.Millisecond
	longPause  = 2 * time.Second
)

// await repeats the handshake until it succeeds or end is called. Each change of its state is
// reported once.
func (a *API) await(world *coexistencetest.World, url string) *callback {
	cb := &callback{url: url}
	if url == "" {
		return cb
	}
	done, stopped := make(chan struct{}), make(chan struct{})
	cb.stop, cb.stopped = sync.OnceFunc(func() { close(done) }), stopped
	go func() {
		defer close(stopped)
		for pause := firstPause; ; pause = min(2*pause, longPause) {
			if cb.try(world, a.tell) {
				return
			}
			select {
			case <-time.After(pause):
			case <-done:
				return
			}
		}
	}()
	return cb
}

// tell reports a line to the program's user.
func (a *API) tell(line string) {
	if a.cfg.Changed != nil {
		a.cfg.Changed(line)
	}
}

// try does the handshake once, and reports whether it succeeded.
func (cb *callback) try(world *coexistencetest.World, tell func(string)) bool {
	err := world.DeliverTo(cb.url)
	cb.mu.Lock()
	before := cb.problem
	cb.verified, cb.problem = err == nil, ""
	if err != nil {
		cb.problem = err.Error()
	}
	after := cb.problem
	cb.mu.Unlock()
	switch {
	case err == nil:
		tell("the host at " + cb.url + " has answered the handshake")
	case after != before:
		tell("the host at " + cb.url + " has not answered the handshake yet and will be asked again: " + after)
	}
	return err == nil
}

// end stops the retries.
func (cb *callback) end() {
	if cb.stop != nil {
		cb.stop()
	}
}

// finish stops the retries and waits for a handshake in progress.
func (cb *callback) finish(ctx context.Context) error {
	if cb.stop == nil {
		return nil
	}
	cb.stop()
	select {
	case <-cb.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the handshake with the callback is in progress: %w", context.Cause(ctx))
	}
}

// view returns the callback as JSON.
func (cb *callback) view() callbackView {
	cb.mu.Lock()
	defer cb.mu.Unlock()
	v := callbackView{URL: cb.url, State: callbackWaiting, Problem: cb.problem}
	switch {
	case cb.url == "":
		v.State = callbackNone
	case cb.verified:
		v.State = callbackVerified
	}
	return v
}

// Callback returns the URL that webhooks go to and the state of its handshake: "none", "waiting" or
// "verified".
func (a *API) Callback() (url, state string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.callback.view()
	return v.URL, v.State
}

func (a *API) getCallback(*http.Request) (int, any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return 0, a.callback.view(), nil
}

// putCallback sets the callback. Without wait, it fails if the handshake fails now, as the app
// dashboard does.
func (a *API) putCallback(r *http.Request) (int, any, error) {
	in, err := read[struct {
		URL  string `json:"url"`
		Wait bool   `json:"wait"`
	}](r)
	if err != nil {
		return 0, nil, err
	}
	if in.URL == "" {
		return 0, nil, invalid("url is missing: the URL that receives webhooks")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !in.Wait {
		cb := &callback{url: in.URL}
		if !cb.try(a.world, a.tell) {
			return 0, nil, &Error{
				Status: http.StatusBadGateway, Code: "handshake",
				Message: "the handshake failed and the callback is unchanged: " + cb.problem,
			}
		}
		a.callback.end()
		a.callback = cb
		return 0, cb.view(), nil
	}
	a.callback.end()
	a.callback = a.await(a.world, in.URL)
	return http.StatusAccepted, a.callback.view(), nil
}
