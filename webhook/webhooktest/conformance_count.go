package webhooktest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A counter asks the host how often it did something with a message. One that failed is not asked
// again.
type counter struct {
	hook string // its name in Target
	ask  func(context.Context, graph.MessageID) (int, error)
	off  bool
}

// newCounter returns a counter that is off if the host has no such hook.
func newCounter(hook string, ask func(context.Context, graph.MessageID) (int, error)) counter {
	return counter{hook: hook, ask: ask, off: ask == nil}
}

// A count is how often the host should have done something with each of some messages in the end.
type count struct {
	check, advice string
	handled       int // what Handled should say; hostsOwn if that is not looked at
	answered      int // the most that Answered may say
	ids           []graph.MessageID
}

// hostsOwn stands for a number that is the host's own business.
const hostsOwn = -1

// expect notes how often messages should be handled, and waits until they have been at least that
// often. A host with a queue is late by right, so it gets HandleTimeout before a message counts as
// lost. More often than wanted shows at the end only: see recount.
func (c *conformance) expect(ctx context.Context, check, advice string, want int, ids ...graph.MessageID) {
	c.counts = append(c.counts, count{check, advice, want, want, ids})
	if want == 0 {
		return
	}
	late := time.Now().Add(c.target.HandleTimeout)
	for waiting := slices.Clone(ids); ; {
		waiting = slices.DeleteFunc(waiting,
			func(id graph.MessageID) bool { return c.count(ctx, &c.handled, check, id) >= want })
		if len(waiting) == 0 || ctx.Err() != nil || c.handled.off {
			return
		}
		if time.Now().After(late) {
			c.deviate(check, fmt.Sprintf("%d of %d messages not handled", len(waiting), len(ids)),
				"all of them handled once", advice)
			return
		}
		pause(ctx, 10*time.Millisecond)
	}
}

// limit notes how often messages may be answered, whatever else the host does with them.
func (c *conformance) limit(check, advice string, most int, ids ...graph.MessageID) {
	c.counts = append(c.counts, count{check, advice, hostsOwn, most, ids})
}

// count asks the host. An error ends the counting.
func (c *conformance) count(ctx context.Context, n *counter, check string, id graph.MessageID) int {
	if n.off {
		return 0
	}
	times, err := n.ask(ctx, id)
	if err != nil {
		n.off = true
		c.problems = append(c.problems, fmt.Errorf("webhooktest: %s: Target.%s: %w", check, n.hook, err))
	}
	return times
}

// awaitAnswer returns when the host has answered the message, or is not going to.
func (c *conformance) awaitAnswer(ctx context.Context, check string, id graph.MessageID) {
	for late := time.Now().Add(c.target.HandleTimeout); !c.answered.off && time.Now().Before(late) &&
		ctx.Err() == nil; {
		if c.count(ctx, &c.answered, check, id) > 0 {
			return
		}
		pause(ctx, 10*time.Millisecond)
	}
}

// recount looks for messages that were handled or answered too often. That shows late, so it is
// done once, at the end.
func (c *conformance) recount(ctx context.Context) {
	for _, n := range c.counts {
		handled, answered := 0, 0
		for _, id := range n.ids {
			if n.handled != hostsOwn {
				handled = max(handled, c.count(ctx, &c.handled, n.check, id))
			}
			answered = max(answered, c.count(ctx, &c.answered, n.check, id))
		}
		switch {
		case n.handled == 0 && handled > 0:
			c.deviate(n.check, "its message handled", "it ignored", n.advice)
		case n.handled > 0 && handled > n.handled:
			c.deviate(n.check, fmt.Sprintf("a message handled %d times", handled), "once",
				"remember EventInfo.DedupKey of what was handled, together with its effect, for 8 days: "+
					"see webhook.Dispatch")
		case n.answered == 0 && answered > 0:
			c.deviate(n.check, "an answer to it", "none", n.advice)
		case answered > n.answered:
			c.deviate(n.check, fmt.Sprintf("a message answered %d times", answered), "once at most",
				"remember EventInfo.DedupKey of what was answered, together with the answer, for 8 days: see "+
					"webhook.Once and package coexistence/outbox")
		}
	}
}
