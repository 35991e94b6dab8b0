package main

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// A verdict compares what was accepted with what the handlers did.
type verdict struct {
	accepted   int // messages whose delivery was answered with 200
	handled    int // messages with an effect
	missing    int // accepted, and no effect
	twice      int // effects beyond the first of a message
	invented   int // effects of what nobody has sent, or with other words
	disordered int // handled before a message of the same conversation that was accepted before it was even sent
	decided    int // neighbours in a conversation whose order was not left to chance

	atLeastOnce bool // effects may be there twice, because the engine has no transaction to put them into
	example     string
}

// judge looks at effects in the order in which they came true.
func judge(g *generator, list []effect, atLeastOnce bool) verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := verdict{atLeastOnce: atLeastOnce}
	blame := func(format string, args ...any) {
		if v.example == "" {
			v.example = fmt.Sprintf(format, args...)
		}
	}
	seen := make([]bool, g.plan.messages())
	lanes := make([][]int, g.plan.conversations)
	for _, e := range list {
		m, ok := numberOf(e.message)
		switch {
		case !ok || m >= len(seen) || g.sent[m] == 0 || e.words != g.plan.words(m):
			v.invented++
			blame("nobody has sent %q with %q", e.message, e.words)
		case seen[m]:
			v.twice++
			if !atLeastOnce {
				blame("message %d had its effect twice", m)
			}
		default:
			seen[m] = true
			v.handled++
			lane := g.plan.conversation(m)
			lanes[lane] = append(lanes[lane], m)
		}
	}
	for m, at := range g.acked {
		if at == 0 {
			continue
		}
		v.accepted++
		if !seen[m] {
			v.missing++
			blame("message %d was accepted after %v and never handled", m, at)
		}
	}
	for _, lane := range lanes {
		// Whoever comes later must not have been accepted before the earlier one was first sent.
		first := time.Duration(math.MaxInt64)
		for i := len(lane) - 1; i >= 0; i-- {
			m := lane[i]
			if first < g.sent[m] {
				v.disordered++
				blame("message %d was handled before one that had been accepted before it was sent", m)
			}
			if i+1 < len(lane) && g.acked[m] != 0 && g.acked[m] < g.sent[lane[i+1]] {
				v.decided++
			}
			if at := g.acked[m]; at != 0 {
				first = min(first, at)
			}
		}
	}
	return v
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
	for what, n := range map[string]int{"lost": v.missing, "twice": twice, "invented": v.invented, "out of order": v.disordered} {
		if n > 0 {
			faults = append(faults, fmt.Sprintf("%d %s", n, what))
		}
	}
	return errors.New(strings.Join(faults, ", ") + ": " + v.example)
}

func (v verdict) String() string {
	return fmt.Sprintf("%d messages accepted, %d handled, %d lost, %d effects twice, %d invented, %d out of order (%d neighbours had an order to keep)",
		v.accepted, v.handled, v.missing, v.twice, v.invented, v.disordered, v.decided)
}
