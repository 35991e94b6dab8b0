package coexistencetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime/pprof"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A dispatcher delivers changes like Meta: signed, at least once, several at a time, again and
// again until it hears 200. Several goroutines take from one queue, so that two POSTs can overtake
// each other unless [DeliveryConfig].Parallel is 1.
type dispatcher struct {
	secret graph.Secret
	graph  *cloudapitest.Server
	client *http.Client

	keepLast int // see Config; 0 for no limit

	// world is locked before mu, and held by whatever happens in the world.
	world sync.Locker

	// ctx ends when the dispatcher is closed, and with it the POSTs under way. done waits for the
	// workers.
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	// mu guards what follows. It is never held during a POST. changed is signalled when something
	// was queued or answered, or may be due.
	mu       sync.Mutex
	changed  *sync.Cond
	source   *rand.PCG // what rand draws from
	rand     *rand.Rand
	inFlight int // POSTs under way
	held     int // how many callers of hold want that none begins
	closed   bool
	dispatcherState

	// relied has a lock of its own, and is shared with the world.
	relied *reckoning
}

// A dispatcherState is what changes in a dispatcher while no POST is under way, and what a snapshot
// holds of it.
type dispatcherState struct {
	cfg        DeliveryConfig
	queue      []change
	retries    []*post // waiting for another attempt
	posts      []*post // by number; old ones are forgotten
	packed     int     // the number of the latest POST
	givenUp    int     // POSTs that the host never acknowledged
	suppressed []SuppressedDelivery
}

// newDispatcher starts as many workers as may deliver at once. They carry a pprof label, by which a
// host can tell them from goroutines of its own. A redirect of the host is not followed: Meta does
// not either.
func newDispatcher(cfg Config, server *cloudapitest.Server, world sync.Locker, relied *reckoning) *dispatcher {
	ctx, cancel := context.WithCancel(context.Background())
	source := rand.NewPCG(cfg.Seed, 0xa0761d6478bd642f)
	c := &dispatcher{
		secret: server.App().Secret,

		keepLast: cfg.KeepLast,
		world:    world,
		graph:    server,
		client: &http.Client{
			Timeout:       cfg.Delivery.Timeout,
			Transport:     &http.Transport{MaxIdleConnsPerHost: cfg.Delivery.Parallel},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		ctx:             ctx,
		cancel:          cancel,
		relied:          relied,
		source:          source,
		rand:            rand.New(source),
		dispatcherState: dispatcherState{cfg: cfg.Delivery},
	}
	if cfg.Network != nil {
		c.client = cfg.Network.Client()
		c.client.Timeout = cfg.Delivery.Timeout
	}
	c.changed = sync.NewCond(&c.mu)
	for range cfg.Delivery.Parallel {
		c.done.Go(func() {
			pprof.Do(ctx, pprof.Labels("coexistencetest", "delivery"), c.work)
		})
	}
	return c
}

// close gives up what is not delivered, ends the POSTs under way and waits for the workers.
func (c *dispatcher) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.changed.Broadcast()
	c.done.Wait()
	c.client.CloseIdleConnections()
}

// send queues changes, or notes that the app does not subscribe to them. Whether it does is decided
// when a change happens, so a subscription that is made later brings nothing back. It does not
// block, and may be called with the world's mu held.
func (c *dispatcher) send(changes ...change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.graph.Now()
	for _, ch := range changes {
		c.relied.on(relyEscapes)
		if ch.partner {
			c.relied.on(relyPartnerEvents)
		}
		// This is what happens to a host that has forgotten a subscription: nothing, and no error.
		if reason := c.unsubscribed(ch); reason != "" {
			c.suppressed = append(c.suppressed, SuppressedDelivery{
				Field: ch.field, WABAID: ch.waba, PhoneNumberID: ch.phone, Reason: reason,
			})
			c.relied.on(relySilence)
			c.forget()
			continue
		}
		if c.cfg.Delay > 0 {
			ch.due = now.Add(time.Duration(c.rand.Int64N(int64(c.cfg.Delay))))
			c.wake(ch.due.Sub(now))
		}
		c.queue = append(c.queue, ch)
	}
	c.changed.Broadcast()
}

// unsubscribed says why a change is not delivered, or returns "". The app has to subscribe to the
// field, and to be subscribed to the account; updates about the partner's relation to an account
// need the first alone.
func (c *dispatcher) unsubscribed(ch change) string {
	if c.graph.Callback(string(ch.field), ch.waba, ch.phone) == (cloudapitest.Callback{}) {
		return "the app does not subscribe to the field"
	}
	if !ch.partner && !c.graph.Subscribed(ch.waba) {
		return "the app is not subscribed to the account"
	}
	return ""
}

// work delivers until the dispatcher is closed. It is one of the workers.
func (c *dispatcher) work(ctx context.Context) {
	for {
		p := c.next()
		if p == nil {
			return
		}
		c.mu.Lock()
		pace := c.cfg.Pace
		c.mu.Unlock()
		if pace > 0 {
			select {
			case <-time.After(pace):
			case <-ctx.Done():
			}
		}
		began := time.Now()
		attempt := c.attempt(ctx, p)
		attempt.Took = time.Since(began)
		c.settle(p, attempt)
	}
}

// next waits for something to deliver, and returns nil when the dispatcher is closed. It takes that
// when what is happening in the world is over, and all changes of it are queued: which of them go
// together, and which is first, depends on how many there are, and is the same for a seed.
func (c *dispatcher) next() *post {
	for c.awaitDue() {
		c.world.Lock()
		p := c.take()
		c.world.Unlock()
		if p != nil {
			return p
		}
	}
	return nil
}

// awaitDue waits until something can be delivered. It reports false when the dispatcher is closed.
func (c *dispatcher) awaitDue() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed {
		if repeat, first := c.due(c.graph.Now()); repeat >= 0 || first >= 0 {
			return true
		}
		c.changed.Wait()
	}
	return false
}

// hold lets no further POST begin, and waits for those under way, until release. The error says how
// many still are, because ctx ended, or that the world was closed; then nothing is held.
func (c *dispatcher) hold(ctx context.Context) error {
	stop := context.AfterFunc(ctx, c.look)
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held++
	for c.inFlight > 0 && ctx.Err() == nil && !c.closed {
		c.changed.Wait()
	}
	var err error
	switch {
	case c.closed:
		err = errors.New("coexistencetest: the world is closed")
	case c.inFlight > 0:
		err = fmt.Errorf("coexistencetest: %d deliveries are under way, and the host has not answered them: %w",
			c.inFlight, context.Cause(ctx))
	default:
		return nil
	}
	c.held--
	c.changed.Broadcast()
	return err
}

// release ends a hold.
func (c *dispatcher) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held--
	c.changed.Broadcast()
}

// wake makes the workers look again after a while. [World.Advance] does it too.
func (c *dispatcher) wake(after time.Duration) { time.AfterFunc(after, c.look) }

// look makes the workers look again at what is due.
func (c *dispatcher) look() {
	c.mu.Lock() // so that none is between its look and its sleep
	defer c.mu.Unlock()
	c.changed.Broadcast()
}

// address finds where a POST goes now: a host may have moved since the last attempt. If there is no
// callback any more, the last URL stays. The caller must hold c.mu.
func (c *dispatcher) address(p *post) {
	ch := p.changes[0]
	if to := c.graph.Callback(string(ch.field), ch.waba, ch.phone); to.URL != "" {
		p.url, p.level = to.URL, to.Level
	}
}

// attempt makes one attempt, signed over the exact bytes of the body. The answer's body is read, so
// that the connection can be used again, and ignored.
func (c *dispatcher) attempt(ctx context.Context, p *post) Attempt {
	attempt := Attempt{At: c.graph.Now()}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err != nil {
		attempt.Problem = "the callback URL is none"
		return attempt
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "facebookexternalua")
	req.Header.Set("X-Hub-Signature-256", webhook.Sign(c.secret, p.body))
	resp, err := c.client.Do(req)
	if err != nil {
		attempt.Problem = "no answer"
		if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			attempt.Problem = "no answer in time"
		}
		return attempt
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	attempt.Status = resp.StatusCode
	return attempt
}

// isTimeout reports whether a call ran into the time limit of the client.
func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// settle notes what came of an attempt. Only 200 counts; Meta says that nothing else does. Anything
// else is tried again after a pause, up to a number of attempts and an age. A success may count as
// a lost answer, and then comes again, or be delivered twice.
func (c *dispatcher) settle(p *post, attempt Attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight--
	// The host has answered 200, and Meta has not heard it: exactly this makes deliveries come
	// twice in production.
	if attempt.Status == http.StatusOK && c.rand.IntN(100) < c.cfg.LostAnswersPercent {
		attempt.Status, attempt.Problem = 0, "the answer got lost"
	}
	p.attempts = append(p.attempts, attempt)
	switch {
	case attempt.Status == http.StatusOK:
		p.state = DeliveryAcknowledged
		if !p.duplicate && c.rand.IntN(100) < c.cfg.DuplicatesPercent {
			again := c.repeat(p)
			if c.cfg.Delay > 0 {
				after := time.Duration(c.rand.Int64N(int64(c.cfg.Delay)))
				again.due = again.born.Add(after)
				c.wake(after)
			}
		}
	case len(p.attempts) >= c.cfg.MaxAttempts, c.graph.Now().Sub(p.born) >= c.cfg.GiveUpAfter:
		p.state = DeliveryGivenUp
		c.givenUp++
	default:
		// Each pause is twice the one before, up to a limit. Twenty doublings are enough for any
		// limit.
		pause := min(c.cfg.Backoff<<min(len(p.attempts)-1, 20), c.cfg.MaxBackoff)
		p.due = c.graph.Now().Add(pause)
		c.address(p)
		c.retries = append(c.retries, p)
		c.wake(pause)
		c.relied.on(relyRepeats)
	}
	c.forget()
	c.changed.Broadcast()
}

// wait blocks until nothing is queued, under way or due again. It fails if something was given up,
// since the test that waits would go on without it.
func (c *dispatcher) wait(ctx context.Context) error {
	// An ended context has to wake the wait, which sleeps on a condition.
	stop := context.AfterFunc(ctx, c.look)
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		// What waits for another attempt counts as open, since it is still to arrive.
		open := len(c.queue) + len(c.retries) + c.inFlight
		switch {
		case open == 0:
			if c.givenUp > 0 {
				return fmt.Errorf("coexistencetest: %d deliveries were never acknowledged and were given up", c.givenUp)
			}
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("coexistencetest: %d deliveries are not acknowledged yet: %w", open, context.Cause(ctx))
		case c.closed:
			return fmt.Errorf("coexistencetest: the world was closed with %d deliveries open", open)
		}
		c.changed.Wait()
	}
}
