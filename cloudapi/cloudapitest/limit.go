package cloudapitest

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Documented rates. Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/throughput
const (
	coexistenceRate = 20 // messages a second, both directions
	ordinaryRate    = 80
	pairPause       = 6 * time.Second // between messages to one person
	pairBurst       = 45
)

// A budget is a token bucket.
type budget struct {
	every time.Duration // for one more
	burst float64       // what it holds at most
	left  float64       // what it held at the time at
	at    time.Time     // zero for one that was never used, which is full
}

// take spends one and reports whether there was one. Without one it spends nothing.
func (b *budget) take(now time.Time) bool {
	if b.at.IsZero() {
		b.left = b.burst
	} else {
		b.left = min(b.burst, b.left+float64(now.Sub(b.at))/float64(b.every))
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// budget returns the bucket of a key, full when it is new. The caller must hold s.mu.
func (s *Server) budget(key string, every time.Duration, burst float64) *budget {
	b := s.budgets[key]
	if b == nil {
		b = &budget{every: every, burst: burst}
		s.budgets[key] = b
	}
	return b
}

// throughput is the budget of a number, for messages in both directions.
func (s *Server) throughput(p *phone) *budget {
	rate := p.MessagesPerSecond
	switch {
	case rate > 0:
	case p.CloudAPIOnly:
		rate = ordinaryRate
	default:
		rate = coexistenceRate
	}
	return s.budget("throughput "+string(p.ID), time.Second/time.Duration(rate), float64(rate))
}

// checkLimits spends a message of the pair's budget and then one of the number's, and refuses it if
// either is empty. A message that the number's budget refuses has spent one of the pair's all the
// same. A message to a group has no pair.
func (s *Server) checkLimits(p *phone, to graph.Identity) *graphError {
	if !s.enforceLimits {
		return nil
	}
	now := s.now()
	for _, key := range identityKeys(to)[:min(1, len(identityKeys(to)))] {
		if !s.budget("pair "+string(p.ID)+" "+key, pairPause, pairBurst).take(now) {
			return &graphError{
				Code: graph.CodePairRateLimitHit,
				Details: "Message failed to send because there were too many messages sent " +
					"from this phone number to the same phone number in a short period of time.",
			}
		}
	}
	if !s.throughput(p).take(now) {
		return &graphError{Code: graph.CodeRateLimitHit, Details: "Cloud API message throughput has been reached."}
	}
	return nil
}
