package sqlinbox

import (
	"context"
	"database/sql"
	"slices"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A group lets jobs that wait share a transaction, because it is the commit that takes time. There is no goroutine behind it: one of those who
// wait does the work of all.
type group struct {
	s    *Store
	turn chan struct{} // held by those who are at it

	mu       sync.Mutex
	queue    []*job
	appended bool // the last transaction was one of deliveries
}

// A job is a part of a transaction: deliveries to append, or a function.
type job struct {
	ctx   context.Context
	recs  []inbox.Record
	added int
	fn    func(*sql.Tx) error

	err  error
	done chan struct{}
}

const (
	groupJobs      = 512
	groupFunctions = 4
	groupBytes     = 16 << 20
)

func newGroup(s *Store) *group {
	leaders := 1
	if s.dialect == PostgreSQL {
		leaders = 2 // one collects while the other commits
	}
	return &group{s: s, turn: make(chan struct{}, leaders)}
}

// do returns when the job is committed, or cannot be. A job whose context ends while it waits is not begun.
func (g *group) do(ctx context.Context, j *job) error {
	j.done = make(chan struct{})
	g.mu.Lock()
	g.queue = append(g.queue, j)
	g.mu.Unlock()
	ended := ctx.Done()
	for {
		select {
		case <-j.done:
			return j.err
		case g.turn <- struct{}{}:
			g.lead(ctx)
			<-g.turn
		case <-ended:
			if j.fn == nil || g.withdraw(j) {
				return ctx.Err()
			}
			ended = nil // it has been begun; what it did must be known
		}
	}
}

// withdraw takes a job out of the queue.
func (g *group) withdraw(j *job) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, other := range g.queue {
		if other == j {
			g.queue = append(g.queue[:i], g.queue[i+1:]...)
			return true
		}
	}
	return false
}

// take returns what goes into the next transaction: deliveries that wait, or functions, in turn. Meta waits for the ones, so they do not
// wait for a pile of the others; and neither starves.
func (g *group) take() []*job {
	g.mu.Lock()
	defer g.mu.Unlock()
	var jobs, rest []*job
	bytes := 0
	functions := g.appended && slices.ContainsFunc(g.queue, func(j *job) bool { return j.fn != nil }) ||
		!slices.ContainsFunc(g.queue, func(j *job) bool { return j.fn == nil })
	limit := groupJobs
	if functions {
		limit = groupFunctions
	}
	for _, j := range g.queue {
		if (j.fn != nil) != functions || len(jobs) == limit || bytes >= groupBytes {
			rest = append(rest, j)
			continue
		}
		for _, rec := range j.recs {
			bytes += len(rec.Body)
		}
		jobs = append(jobs, j)
	}
	g.queue, g.appended = rest, !functions
	return jobs
}

// lead does the jobs that wait, in one transaction, or, if that fails, each in its own, so that none suffers from another.
func (g *group) lead(ctx context.Context) {
	jobs := g.take()
	if len(jobs) == 0 {
		return
	}
	// The leader's context may end: that is no reason for the others to fail.
	ctx = context.WithoutCancel(ctx)
	err := g.s.transactAgain(ctx, func(tx *sql.Tx) error { return g.s.runJobs(ctx, tx, jobs) })
	for _, j := range jobs {
		if err != nil && len(jobs) > 1 {
			one := []*job{j}
			j.err = g.s.transactAgain(ctx, func(tx *sql.Tx) error { return g.s.runJobs(ctx, tx, one) })
		} else {
			j.err = err
		}
		close(j.done)
	}
}

func (s *Store) transactAgain(ctx context.Context, fn func(*sql.Tx) error) (err error) {
	for range maxTries {
		if err = s.transact(ctx, fn); !sqldb.Lost(err) {
			return err
		}
	}
	return err
}

func (s *Store) runJobs(ctx context.Context, tx *sql.Tx, jobs []*job) error {
	if err := s.appendAll(ctx, tx, jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		if j.fn == nil {
			continue
		}
		if err := j.ctx.Err(); err != nil {
			return err
		}
		if err := j.fn(tx); err != nil {
			return err
		}
	}
	return nil
}
