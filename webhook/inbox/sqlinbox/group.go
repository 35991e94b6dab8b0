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
//
// What is live goes first. What is in bulk has small transactions of its own, so that what is live never waits long for one of them.
type group struct {
	s    *Store
	turn chan struct{} // held by those who are at it

	mu       sync.Mutex
	live     []*job
	bulk     []*job
	appended bool // the last live transaction was one of deliveries
	overtook int  // how many live transactions went ahead of what is in bulk and waits
}

// A job is a part of a transaction: deliveries to append, or a function.
type job struct {
	ctx   context.Context
	bulk  bool // may wait behind everything live
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

	bulkBytes   = 1 << 20 // one chunk of history
	mayOvertake = 8       // what is in bulk makes headway all the same
)

func newGroup(s *Store, leaders int) *group { return &group{s: s, turn: make(chan struct{}, leaders)} }

// do returns when the job is committed, or cannot be. A job whose context ends while it waits is not begun.
func (g *group) do(ctx context.Context, j *job) error {
	j.done = make(chan struct{})
	g.mu.Lock()
	queue := g.queueOf(j)
	*queue = append(*queue, j)
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

func (g *group) queueOf(j *job) *[]*job {
	if j.bulk {
		return &g.bulk
	}
	return &g.live
}

// withdraw takes a job out of its queue.
func (g *group) withdraw(j *job) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	queue := g.queueOf(j)
	i := slices.Index(*queue, j)
	if i < 0 {
		return false
	}
	*queue = slices.Delete(*queue, i, i+1)
	return true
}

// take returns what goes into the next transaction.
func (g *group) take() []*job {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.bulk) == 0 {
		return g.takeLive()
	}
	if len(g.live) > 0 && g.overtook < mayOvertake {
		g.overtook++
		return g.takeLive()
	}
	g.overtook = 0
	return g.takeBulk()
}

// takeLive returns deliveries that wait, or functions, in turn. Meta waits for the ones, so they do not wait for a pile of the others;
// and neither starves.
func (g *group) takeLive() []*job {
	var jobs, rest []*job
	bytes := 0
	functions := g.appended && slices.ContainsFunc(g.live, func(j *job) bool { return j.fn != nil }) ||
		!slices.ContainsFunc(g.live, func(j *job) bool { return j.fn == nil })
	limit := groupJobs
	if functions {
		limit = groupFunctions
	}
	for _, j := range g.live {
		if (j.fn != nil) != functions || len(jobs) == limit || bytes >= groupBytes {
			rest = append(rest, j)
			continue
		}
		bytes += j.bytes()
		jobs = append(jobs, j)
	}
	g.live, g.appended = rest, !functions
	return jobs
}

// takeBulk returns the first function, or the first deliveries.
func (g *group) takeBulk() []*job {
	n, bytes := 1, g.bulk[0].bytes()
	if g.bulk[0].fn == nil {
		for n < len(g.bulk) && g.bulk[n].fn == nil && bytes+g.bulk[n].bytes() <= bulkBytes {
			bytes += g.bulk[n].bytes()
			n++
		}
	}
	jobs := g.bulk[:n:n]
	g.bulk = g.bulk[n:]
	return jobs
}

func (j *job) bytes() (n int) {
	for _, rec := range j.recs {
		n += len(rec.Body)
	}
	return n
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
