package coexistencetest

import (
	"net"
	"net/url"
	"slices"
)

// retain notes a message that was written since the beginning, and forgets the oldest of them once
// there are a quarter more than [Config].KeepLast. The caller must hold the world's mu.
func (w *World) retain(m *message) {
	n := w.cfg.KeepLast
	if n <= 0 {
		return
	}
	w.live = append(w.live, m)
	if len(w.live) <= n+n/4 {
		return
	}
	old := map[*message]bool{}
	chats := map[*chat]bool{}
	for _, m := range w.live[:len(w.live)-n] {
		old[m], chats[m.chat] = true, true
		delete(m.chat.customer.phone.byID, m.id)
		if m.media != "" {
			w.graph.DeleteMedia(m.media)
		}
	}
	for ch := range chats {
		// A new list, so that the memory of forgotten entries is freed.
		ch.messages = slices.Clip(slices.DeleteFunc(ch.messages, func(m *message) bool { return old[m] }))
	}
	w.live = slices.Clone(w.live[len(w.live)-n:])
}

// near is a URL for this machine: an address that stands for all interfaces cannot be called.
func near(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort("localhost", u.Port())
	}
	return u.String()
}

// forget drops the oldest POSTs that are settled, and the oldest suppressed deliveries, once there
// are a quarter more than [Config].KeepLast. What waits for the host is kept. The caller must hold
// c.mu.
func (c *dispatcher) forget() {
	n := c.keepLast
	if n <= 0 {
		return
	}
	if len(c.suppressed) > n+n/4 {
		c.suppressed = slices.Clone(c.suppressed[len(c.suppressed)-n:])
	}
	if len(c.posts)-c.waitingPosts() <= n+n/4 {
		return
	}
	surplus := len(c.posts) - c.waitingPosts() - n
	c.posts = slices.Clip(slices.DeleteFunc(c.posts, func(p *post) bool {
		if p.state == DeliveryWaiting || surplus == 0 {
			return false
		}
		surplus--
		return true
	}))
}

// waitingPosts is how many POSTs are under way or due again. The caller must hold c.mu.
func (c *dispatcher) waitingPosts() int { return len(c.retries) + c.inFlight }
