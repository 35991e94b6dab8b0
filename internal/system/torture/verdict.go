package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// A verdict compares what was accepted with what the handlers did. All is well if nothing is
// missing, there twice, invented or disordered; the other numbers say how much was put to the test.
type verdict struct {
	accepted   int // messages whose delivery was answered with 200
	handled    int // messages with an effect
	missing    int // accepted, and no effect
	twice      int // effects beyond the first of a message
	invented   int // effects of messages that were never sent, or with other words
	disordered int // handled before a message of the same conversation that was accepted before it was even sent
	decided    int // neighbours in a conversation whose order was not left to chance

	atLeastOnce bool // effects may be there twice, because the engine has no transaction to put them into
	example     string
}

// judge compares effects, in the order in which they came true, with what the generator has sent
// and got accepted. Messages of deliveries that were never accepted may have effects or not: the
// answer may have been lost. Only one message in each is to have an effect.
func judge(g *generator, list []effect, atLeastOnce bool, each int) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := verdict{atLeastOnce: atLeastOnce}
	seen := make([]bool, g.plan.messages())
	conversations := make([][]int, g.plan.conversations)
	for _, e := range list {
		m, ok := numberOf(e.message)
		switch {
		case !ok || m >= len(seen) || g.sent[m] == 0 || e.words != g.plan.words(m):
			v.invented++
			v.blame("a message that was never sent: %q with %q", e.message, e.words)
		case seen[m]:
			v.twice++
			if !atLeastOnce {
				v.blame("message %d had its effect twice", m)
			}
		default:
			seen[m] = true
			v.handled++
			c := g.plan.conversation(m)
			conversations[c] = append(conversations[c], m)
		}
	}
	for m, at := range g.acked {
		if at == 0 || m%each != 0 {
			continue
		}
		v.accepted++
		if !seen[m] {
			v.missing++
			v.blame("message %d was accepted after %v and never handled", m, at)
		}
	}
	for _, list := range conversations {
		v.judgeOrder(g, list)
	}
	return v
}

// judgeOrder looks at the messages of a conversation in the order of their effects. Two of them
// have an order to keep if one was accepted before the other one was even sent; all others were on
// their way at the same time, and may come in any order. The caller must hold g.mu.
func (v *verdict) judgeOrder(g *generator, list []int) {
	// From the back: first is when the first of all that follow was accepted.
	first := time.Duration(math.MaxInt64)
	for i, m := range slices.Backward(list) {
		if first < g.sent[m] {
			v.disordered++
			v.blame("message %d was handled before one that had been accepted before it was sent", m)
		}
		if i+1 < len(list) && g.acked[m] != 0 && g.acked[m] < g.sent[list[i+1]] {
			v.decided++
		}
		if at := g.acked[m]; at != 0 {
			first = min(first, at)
		}
	}
}

// blame keeps the first thing that was wrong, as an example.
func (v *verdict) blame(format string, args ...any) {
	if v.example == "" {
		v.example = fmt.Sprintf(format, args...)
	}
}

// err says what is wrong, or returns nil.
func (v verdict) err() error {
	twice := v.twice
	if v.atLeastOnce {
		twice = 0
	}
	if v.missing+twice+v.invented+v.disordered == 0 {
		return nil
	}
	var faults []string
	for what, n := range map[string]int{
		"lost": v.missing, "twice": twice, "invented": v.invented, "out of order": v.disordered,
	} {
		if n > 0 {
			faults = append(faults, fmt.Sprintf("%d %s", n, what))
		}
	}
	return errors.New(strings.Join(faults, ", ") + ": " + v.example)
}

// String is for people.
func (v verdict) String() string {
	return fmt.Sprintf("%d messages accepted, %d handled, %d lost, %d effects twice, %d invented, %d out of "+
		"order (%d neighbours had an order to keep)",
		v.accepted, v.handled, v.missing, v.twice, v.invented, v.disordered, v.decided)
}
