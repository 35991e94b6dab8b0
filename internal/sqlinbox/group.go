package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A group lets jobs that wait share a transaction, because it is the commit that takes time. A
// goroutine does that, as long as there are some.
//
// What is live goes first. What is in bulk has small transactions of its own, so that what is live
// never waits long for one of them.
type group struct {
	s    *Store
	turn chan struct{} // held by those who are at it; with SQLite, that of the file

	mu       sync.Mutex
	leaders  int // goroutines that do what waits
	live     []*job
	bulk     []*job
	appended bool // the last live transaction was one of deliveries
	overtook int  // how many live transactions went ahead of what is in bulk and waits

	enough int           // how many jobs a leader waits for; 0 if it does not
	alarm  chan struct{} // rung when they are there
}

// A job is a part of a transaction: deliveries to append, or a function.
type job struct {
	ctx   context.Context
	bulk  bool // may wait behind everything live
	recs  []inbox.Record
	added int

	arrived []string // keys of those that became arrivals
	fn      func(*sql.Tx) error

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

func newGroup(s *Store, turn chan struct{}) *group {
	return &group{s: s, turn: turn, alarm: make(chan struct{}, 1)}
}

// do returns when the job is committed, or cannot be. A job whose context ends while it waits is
// not begun.
func (g *group) do(ctx context.Context, j *job) error {
	j.done = make(chan struct{})
	g.mu.Lock()
	queue := g.queueOf(j)
	*queue = append(*queue, j)
	switch {
	case g.leaders < cap(g.turn):
		g.leaders++
		go g.lead()
	case g.enough > 0 && g.gathered():
		g.enough = 0
		g.alarm <- struct{}{}
	}
	g.mu.Unlock()
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		if g.withdraw(j) || j.fn == nil {
			return ctx.Err()
		}
		<-j.done // it has been begun; what it did must be known
		return j.err
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

// take returns what goes into the next transaction. If that is nothing, the leader has ended.
func (g *group) take() []*job {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.live)+len(g.bulk) == 0 {
		g.leaders--
		return nil
	}
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

// takeLive returns deliveries that wait, or functions, in turn. Meta waits for the ones, so they do
// not wait for a pile of the others; and neither starves.
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

// lead does jobs until none waits.
func (g *group) lead() {
	for done, took := 0, time.Duration(0); ; {
		g.gather(done, took)
		g.turn <- struct{}{}
		begin := time.Now()
		jobs := g.take()
		g.commit(jobs)
		<-g.turn
		if done, took = len(jobs), time.Since(begin); done == 0 {
			return
		}
	}
}

// gather waits until half of those are there who were answered last or wait already: the one half
// sends its next deliveries while those of the other are written. Without that, it would be one,
// all others, one, and so on, each time for a commit. It waits as long as the last commit took at
// most, and for deliveries alone.
func (g *group) gather(answered int, most time.Duration) {
	if cap(g.turn) > 1 {
		return // there are two halves as it is
	}
	g.mu.Lock()
	if g.enough = (answered + len(g.live)) / 2; g.gathered() {
		g.enough = 0
	}
	waits := g.enough > 0
	g.mu.Unlock()
	if !waits {
		return
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-g.alarm:
		return
	case <-timer.C:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.enough = 0; len(g.alarm) > 0 {
		<-g.alarm // it was rung at the last moment
	}
}

func (g *group) gathered() bool {
	return len(g.live) >= g.enough || len(g.bulk) > 0 || slices.ContainsFunc(g.live, func(j *job) bool { return j.fn != nil })
}

// commit does jobs in one transaction, or, if that fails, each in its own, so that none suffers
// from another. No context of one of them ends it: that would be no reason for the others to fail.
func (g *group) commit(jobs []*job) {
	ctx := context.Background()
	err := g.s.runAgain(ctx, jobs)
	for _, j := range jobs {
		switch j.err = err; {
		case err == nil || len(jobs) == 1:
		case j.ctx.Err() != nil: // it waits no longer
			j.err = j.ctx.Err()
		default:
			j.err = g.s.runAgain(ctx, []*job{j})
		}
		close(j.done)
	}
}

// runAgain does jobs in a transaction, until none that is not ours has come between.
func (s *Store) runAgain(ctx context.Context, jobs []*job) (err error) {
	if len(jobs) == 0 {
		return nil
	}
	// There is nobody up the stack who would survive a driver that panics.
	defer func() {
		if v := recover(); v != nil {
			err = &webhook.PanicError{Type: fmt.Sprintf("%T", v), Stack: debug.Stack()}
		}
	}()
	for try := range maxTries {
		err = s.transact(ctx, func(tx *sql.Tx) error { return s.runJobs(ctx, tx, jobs) })
		// What may have been committed by a connection that is silent now is there already then, by
		// its key. A second silence is not the connection's.
		if !sqldb.Lost(err) && !(try == 0 && sqldb.Silent(err)) {
			break
		}
	}
	if err == nil {
		for _, j := range jobs {
			s.arrivals.add(j.arrived...)
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
