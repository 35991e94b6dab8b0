// Package waitqueue lines up goroutines that share a budget, such as the messages a second of a
// phone number, and lets them spend it one at a time, the urgent ones first.
//
// A mutex or a semaphore cannot do it: what has to be waited for is not another goroutine but time,
// how long is known only to the budget, and a goroutine that gives up must hold no other back.
package waitqueue

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"time"
)

// A Queue is a line of goroutines in front of a budget. Its zero value is empty. It is safe for
// concurrent use and must not be copied after first use.
type Queue struct {
	mu      sync.Mutex
	urgent  list.List // of *waiter, the one that has waited longest in front
	regular list.List
}

// A waiter is one goroutine inside Wait.
type waiter struct {
	list *list.List    // the one it stands in
	at   *list.Element // its place there
	wake chan struct{} // holds a token when there is something to look at
}

// Wait returns nil once the caller is first in the queue and try lets it through. try reports how
// long to wait before it is asked again; zero means that it has spent the budget and the caller may
// go on. Only the first waiter calls try, so that many waiters do not storm a budget behind a
// network. An urgent waiter goes before all regular ones; waiters of one kind go in the order in
// which they came.
//
// Wait returns the error of try or of ctx. If try asks for a wait that outlasts the deadline of
// ctx, Wait returns at once with an error that is [context.DeadlineExceeded], and leaves its place
// to the next waiter.
func (q *Queue) Wait(ctx context.Context, urgent bool, try func() (time.Duration, error)) error {
	w := q.join(urgent)
	defer q.leave(w)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var again <-chan time.Time // nil, and never ready, for those that are not first
		if q.first() == w {
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
		case <-w.wake:
		case <-again:
		}
	}
}

// Outlives returns an error that is [context.DeadlineExceeded] if ctx ends before wait is over.
func Outlives(ctx context.Context, wait time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return fmt.Errorf("the wait of %v would outlast the context: %w",
			wait.Round(time.Millisecond), context.DeadlineExceeded)
	}
	return nil
}

// Wake makes the first waiter call its try again, because the budget has changed. Without waiters
// it does nothing.
func (q *Queue) Wake() {
	if w := q.first(); w != nil {
		w.notify()
	}
}

// Len returns how many goroutines wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.urgent.Len() + q.regular.Len()
}

func (q *Queue) join(urgent bool) *waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := &waiter{list: &q.regular, wake: make(chan struct{}, 1)}
	if urgent {
		w.list = &q.urgent
	}
	w.at = w.list.PushBack(w)
	return w
}

// leave removes a waiter and wakes the first of the others: it may be first only now.
func (q *Queue) leave(w *waiter) {
	q.mu.Lock()
	w.list.Remove(w.at)
	q.mu.Unlock()
	q.Wake()
}

// first returns the waiter whose turn it is, or nil. An urgent one that joins takes the turn from a
// regular one that is asking already; that one finds out when it wakes, and stands back.
func (q *Queue) first() *waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range []*list.List{&q.urgent, &q.regular} {
		if front := l.Front(); front != nil {
			return front.Value.(*waiter)
		}
	}
	return nil
}

// notify wakes a waiter. It never blocks: one token is enough, since a waiter that wakes looks at
// everything again.
func (w *waiter) notify() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}
