package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
)

// A meta is the simulated Meta of whole hosts. It takes the answers that they send, and brings the
// statuses of each to the socket that they serve: sent, delivered, read, each again until a host
// acknowledges it.
type meta struct {
	*cloudapitest.Server

	plan    plan
	late    time.Duration // how late one first status in four is; 0 for none
	callers chan *caller  // as many requests are on their way at once
	over    chan struct{} // closed when no status matters any more
	pending sync.WaitGroup

	mu       sync.Mutex
	random   *rand.Rand
	begin    time.Time
	taken    int                   // messages, also those whose answer the host never saw
	done     int                   // of these, those whose statuses are all acknowledged
	delayed  int                   // first statuses that came late
	odd      int                   // answers to statuses that are neither 200 nor 503
	answered map[int]time.Duration // when the answer to a message was taken first, since begin
}

// statusSenders is how many statuses are on their way at once.
const statusSenders = 16

// newMeta makes one with the numbers of the plan, which calls a socket.
func newMeta(p plan, addr string, begin time.Time) *meta {
	m := &meta{
		Server: cloudapitest.NewServer(cloudapitest.Config{}), plan: p, random: p.random(8, 0), begin: begin,
		callers: make(chan *caller, statusSenders), over: make(chan struct{}), answered: map[int]time.Duration{},
	}
	for range statusSenders {
		m.callers <- &caller{addr: addr, timeout: 2 * time.Second}
	}
	for i := range max(1, p.numbers) {
		m.AddPhone(cloudapitest.Phone{ID: phoneID(i), PhoneNumber: "+" + phoneNumber(i)})
	}
	m.OnMessage(m.take)
	return m
}

// misbehave lets so many of the calls that send fail, in all ways that neither fail a message for
// good nor stop a number for long, and statuses come late.
func (m *meta) misbehave(rate float64, late time.Duration) {
	kinds := slices.DeleteFunc(cloudapitest.ChaosKinds(), func(kind string) bool {
		return kind == "refused" || strings.HasPrefix(kind, "throttled")
	})
	m.late = late
	m.Chaos(cloudapitest.Chaos{Rate: rate, Seed: m.plan.seed, Late: 900 * time.Millisecond, Kinds: kinds})
}

// close ends the server, and with it whatever waits for a host.
func (m *meta) close() {
	close(m.over)
	m.Close()
	m.pending.Wait()
	for range statusSenders {
		(<-m.callers).close()
	}
}

// take notes a message that was accepted, and begins to deliver its statuses.
func (m *meta) take(sent cloudapitest.SentMessage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taken++
	if n, ok := numberOf(messageOf(sent.CallbackData)); ok && m.answered[n] == 0 {
		m.answered[n] = time.Since(m.begin)
	}
	after := time.Duration(m.random.IntN(200)) * time.Millisecond
	if m.late > 0 && m.random.IntN(4) == 0 {
		after = m.late + time.Duration(m.random.Int64N(int64(m.late)))
		m.delayed++
	}
	m.pending.Go(func() {
		for _, status := range []string{"sent", "delivered", "read"} {
			if !m.deliver(sent, status, after) {
				return
			}
			after = 20 * time.Millisecond
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.done++
	})
}

// deliver posts a status after a while, until it is acknowledged. It returns false if the trial was
// over before.
func (m *meta) deliver(sent cloudapitest.SentMessage, status string, after time.Duration) bool {
	post := request(fmt.Appendf(nil, `{"object":"whatsapp_business_account",`+
		`"entry":[{"id":"102290129340398","changes":[`+
		`{"value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":%q},`+
		`"statuses":[{"id":%q,"status":%q,"timestamp":"%d","recipient_id":%q,`+
		`"biz_opaque_callback_data":%q}]},"field":"messages"}]}]}`,
		sent.From, sent.ID, status, sent.At.Unix(), sent.To.WAID, sent.CallbackData))
	for pause := after; ; pause = 50 * time.Millisecond {
		select {
		case <-time.After(pause):
		case <-m.over:
			return false
		}
		c := <-m.callers
		code, err := c.post(post)
		m.callers <- c
		if err == nil && code == 200 {
			return true
		}
		if err == nil && code != 503 {
			m.mu.Lock()
			m.odd++
			m.mu.Unlock()
		}
	}
}

// count returns how many messages were taken, and how many of them have statuses to deliver.
func (m *meta) count() (taken, open int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.taken, m.taken - m.done
}

// answers are what hosts have sent, in the order in which it was taken, as effects of what they
// answer.
func (m *meta) answers() (list []effect) {
	for _, sent := range m.Sent() {
		list = append(list, effect{messageOf(sent.CallbackData), messageOf(sent.Text())})
	}
	return list
}

// faults returns how many calls that send failed on purpose, and how many of them were carried out
// all the same.
func (m *meta) faults() (all, accepted int) {
	for _, r := range m.Requests() {
		if r.Fault != "" {
			all++
		}
		if strings.HasPrefix(r.Fault, "accepted") {
			accepted++
		}
	}
	return all, accepted
}

// complete reports whether take has seen all that was sent: it is called after the answer.
func (m *meta) complete() bool {
	taken, _ := m.count()
	return taken == len(m.Sent())
}
