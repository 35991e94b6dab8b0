// Package turnstile lets goroutines that share a budget through one at a time, the urgent ones
// first.
package turnstile

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"
)

// A Line is a queue in front of a budget. Its zero value is empty. It is safe for concurrent use.
type Line struct {
	mu      sync.Mutex
	urgent  list.List // of *place
	patient list.List
}

// A place is one goroutine's in a Line.
type place struct {
	queue *list.List
	at    *list.Element
	wake  chan struct{} // holds a token when there is something to look at
}

// Pass waits until the caller is first and try lets it through. try says how long to wait before it
// is asked again, or zero: pass. Only who is first asks, so that a budget is not stormed; who is
// urgent goes before all that are not, and otherwise the one who came first.
//
// Pass ends with the error of try or of ctx. A wait that ctx would not outlive ends it at once.
func (l *Line) Pass(ctx context.Context, urgent bool, try func() (time.Duration, error)) error {
	p := l.join(urgent)
	defer l.leave(p)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var again <-chan time.Time
		if l.first() == p {
			wait, err := try()
			if err != nil || wait <= 0 {
				return err
			}
			if err := Outlives(ctx, wait); err != nil {
				return err
			}
			timer := time.NewTimer(wait)
			defer timer.Stop()
			again = timer.C
		}
		select {
		case <-ctx.Done():
		case <-p.wake:
		case <-again:
		}
	}
}

// Outlives returns an error if ctx ends before wait is over.
func Outlives(ctx context.Context, wait time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return fmt.Errorf("the wait of %v would outlast the context: %w", wait.Round(time.Millisecond), context.DeadlineExceeded)
	}
	return nil
}

// Wake makes whoever is first ask again, because the budget has changed.
func (l *Line) Wake() {
	if p := l.first(); p != nil {
		p.nudge()
	}
}

// Len returns how many wait.
func (l *Line) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.urgent.Len() + l.patient.Len()
}

func (l *Line) join(urgent bool) *place {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &place{queue: &l.patient, wake: make(chan struct{}, 1)}
	if urgent {
		p.queue = &l.urgent
	}
	p.at = p.queue.PushBack(p)
	return p
}

func (l *Line) leave(p *place) {
	l.mu.Lock()
	p.queue.Remove(p.at)
	l.mu.Unlock()
	l.Wake()
}

func (l *Line) first() *place {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, queue := range []*list.List{&l.urgent, &l.patient} {
		if front := queue.Front(); front != nil {
			return front.Value.(*place)
		}
	}
	return nil
}

func (p *place) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}
