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

// A committer lets waiting jobs share a transaction (group commit), because the commit is what
// takes time. While there are jobs, it has a goroutine that commits, the leader. With PostgreSQL, a
// second one goes on while a commit takes long, because its connection may be dead.
//
// Live jobs go first. The backfill has small transactions of its own, so that live jobs never wait
// long for one of them; after mayOvertake live ones it has a turn. Deliveries and functions
// (claims, settlements) take turns as well.
type committer struct {
	s     *Store
	slots chan struct{} // held by leaders while they commit; with SQLite, shared by all stores of the file

	mu       sync.Mutex
	leaders  int    // goroutines that commit waiting jobs
	allowed  int    // leaders at once: one, or as many as there are slots while a commit takes long
	live     []*job // waiting jobs
	backfill []*job // waiting jobs of the backfill
	appended bool   // the last live transaction was one of deliveries
	overtook int    // how many live transactions went ahead of a waiting backfill

	target  int           // how many jobs a leader waits for in gather; 0 if it does not
	reached chan struct{} // notified when there are that many
}

// A job is a part of a transaction: deliveries to append, or a function.
type job struct {
	ctx      context.Context
	backfill bool

	// Deliveries to append: how many of them were new, and the keys of those that became arrivals,
	// or have rows of their own.
	recs            []inbox.Record
	added           int
	arrived, stored []keyHash

	// Or a function. It is run again, in another transaction, if this one fails.
	fn func(*sql.Tx) error

	err  error
	done chan struct{} // closed when err and the results are set
}

const (
	maxAppends   = 512      // jobs in a live transaction of deliveries
	maxFunctions = 4        // jobs in a live transaction of functions, which Meta's next request waits for
	maxLiveBytes = 16 << 20 // bodies in a live transaction

	maxBackfillBytes = 1 << 20 // bodies in a transaction of the backfill: one chunk of history
	mayOvertake      = 8       // live transactions, before one of the backfill

	longestGather = 10 * time.Millisecond  // that a leader waits for more jobs
	longCommit    = 200 * time.Millisecond // from then on, other jobs do not wait for a commit
)

// newCommitter returns a committer with at most as many leaders as slots has room for. Committers
// that share slots, as those of a SQLite file do, take turns.
func newCommitter(s *Store, slots chan struct{}) *committer {
	return &committer{s: s, slots: slots, allowed: 1, reached: make(chan struct{}, 1)}
}

// do returns when the job is committed or has failed. A job whose context ends while it waits is
// not started. Deliveries whose context ends later may be stored nevertheless: Meta repeats them,
// and the repeats are duplicates. Once a function has started, do waits for its end, because the
// caller has to know what it did.
func (c *committer) do(ctx context.Context, j *job) error {
	j.done = make(chan struct{})
	c.mu.Lock()
	queue := c.queueOf(j)
	*queue = append(*queue, j)
	switch {
	case c.leaders < c.allowed:
		c.leaders++
		go c.lead()
	case c.target > 0 && c.gathered():
		c.target = 0
		c.reached <- struct{}{}
	}
	c.mu.Unlock()
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		if c.withdraw(j) || j.fn == nil {
			return ctx.Err()
		}
		<-j.done // it has started, and its result must be known
		return j.err
	}
}

// queueOf returns the queue of a job. The caller must hold c.mu.
func (c *committer) queueOf(j *job) *[]*job {
	if j.backfill {
		return &c.backfill
	}
	return &c.live
}

// withdraw removes a job from its queue. It reports false if the job is being committed already.
func (c *committer) withdraw(j *job) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	queue := c.queueOf(j)
	i := slices.Index(*queue, j)
	if i < 0 {
		return false
	}
	*queue = slices.Delete(*queue, i, i+1)
	return true
}

// take returns the jobs of the next transaction. If there are none, the leader has ended, and the
// next job starts another one.
func (c *committer) take() []*job {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.live)+len(c.backfill) == 0 {
		c.leaders--
		return nil
	}
	if len(c.backfill) == 0 {
		return c.takeLive()
	}
	if len(c.live) > 0 && c.overtook < mayOvertake {
		c.overtook++
		return c.takeLive()
	}
	c.overtook = 0 // the rest of the backfill waits for its next turn
	return c.takeBackfill()
}

// takeLive returns waiting deliveries or functions, in turn. Deliveries, for which Meta waits, do
// not wait for a long queue of functions, and functions do not starve. The caller must hold c.mu.
func (c *committer) takeLive() []*job {
	var jobs, rest []*job
	bytes := 0
	functions := c.appended && slices.ContainsFunc(c.live, func(j *job) bool { return j.fn != nil }) ||
		!slices.ContainsFunc(c.live, func(j *job) bool { return j.fn == nil })
	limit := maxAppends
	if functions {
		limit = maxFunctions
	}
	for _, j := range c.live {
		if (j.fn != nil) != functions || len(jobs) == limit || bytes >= maxLiveBytes {
			rest = append(rest, j)
			continue
		}
		bytes += j.bytes()
		jobs = append(jobs, j)
	}
	c.live, c.appended = rest, !functions
	return jobs
}

// takeBackfill returns the first function, or the first deliveries, up to a chunk of history. The
// caller must hold c.mu.
func (c *committer) takeBackfill() []*job {
	n, bytes := 1, c.backfill[0].bytes()
	if c.backfill[0].fn == nil {
		for n < len(c.backfill) && c.backfill[n].fn == nil && bytes+c.backfill[n].bytes() <= maxBackfillBytes {
			bytes += c.backfill[n].bytes()
			n++
		}
	}
	jobs := c.backfill[:n:n]
	c.backfill = c.backfill[n:]
	return jobs
}

// bytes is the size of the deliveries' bodies.
func (j *job) bytes() (n int) {
	for _, rec := range j.recs {
		n += len(rec.Body)
	}
	return n
}

// lead commits waiting jobs until there are none, or another leader does.
func (c *committer) lead() {
	for done, took := 0, time.Duration(0); ; {
		c.gather(done, min(took, longestGather))
		c.slots <- struct{}{}
		begin := time.Now()
		jobs := c.take()
		if len(jobs) > 0 {
			c.commitWatched(jobs)
		}
		<-c.slots
		if len(jobs) == 0 || c.yields() {
			return
		}
		done, took = len(jobs), time.Since(begin)
	}
}

// commitWatched commits jobs. If that takes long, another leader may go on meanwhile.
func (c *committer) commitWatched(jobs []*job) {
	if cap(c.slots) == 1 {
		c.commit(jobs)
		return
	}
	over := false
	watch := time.AfterFunc(longCommit, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if over {
			return
		}
		c.allowed = cap(c.slots)
		if c.leaders < c.allowed && len(c.live)+len(c.backfill) > 0 {
			c.leaders++
			go c.lead()
		}
	})
	c.commit(jobs)
	if watch.Stop() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	over, c.allowed = true, 1
}

// yields reports whether another leader goes on, and this one ends.
func (c *committer) yields() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaders <= c.allowed {
		return false
	}
	c.leaders--
	return true
}

// gather waits until about as many jobs wait as the last commit had. Otherwise, commits of one
// delivery and of all others would alternate, since the first caller that returns would start one
// at once. A commit costs as much processor time as several deliveries, so a few large ones finish
// sooner than many small ones. It does not wait for all callers, because some may not return, nor
// longer than the last commit took, and only for deliveries.
func (c *committer) gather(answered int, most time.Duration) {
	c.mu.Lock()
	if c.target = (answered + len(c.live)) * 4 / 5; c.gathered() {
		c.target = 0
	}
	waits := c.target > 0
	c.mu.Unlock()
	if !waits {
		return
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-c.reached:
		return
	case <-timer.C:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.target = 0; len(c.reached) > 0 {
		<-c.reached // it was notified at the last moment
	}
}

// gathered reports whether gather need not wait any longer. The caller must hold c.mu.
func (c *committer) gathered() bool {
	return len(c.live) >= c.target || len(c.backfill) > 0 || slices.ContainsFunc(
		c.live, func(j *job) bool { return j.fn != nil },
	)
}

// commit runs jobs in one transaction or, if that fails, each in its own, so that none fails
// because of another. Its context is not that of a job, for the same reason.
func (c *committer) commit(jobs []*job) {
	ctx := context.Background()
	err := c.s.runAgain(ctx, jobs)
	for _, j := range jobs {
		switch j.err = err; {
		case err == nil || len(jobs) == 1:
		case j.ctx.Err() != nil: // its caller does not wait any longer
			j.err = j.ctx.Err()
		default:
			j.err = c.s.runAgain(ctx, []*job{j})
		}
		close(j.done)
	}
}

// runAgain runs jobs in a transaction, and retries it after conflicts.
func (s *Store) runAgain(ctx context.Context, jobs []*job) (err error) {
	if len(jobs) == 0 {
		return nil
	}
	// This runs in a goroutine of the committer, where a panic of the driver would end the process.
	defer func() {
		if v := recover(); v != nil {
			err = &webhook.PanicError{Type: fmt.Sprintf("%T", v), Stack: debug.Stack()}
		}
	}()
	for try := range maxTries {
		err = s.run(ctx, jobs)
		// If a connection that became silent has committed after all, the keys prevent duplicates.
		// A second silence is not the connection's fault.
		if again := try == 0 && sqldb.Silent(err); !again && !sqldb.Lost(err) {
			break
		}
	}
	if err == nil {
		for _, j := range jobs {
			s.keys.arrive(j.arrived...)
			s.keys.add(j.stored...)
		}
	}
	return err
}

// run runs jobs once. It resets their results first, because it may be a retry. With PostgreSQL all
// jobs are deliveries.
func (s *Store) run(ctx context.Context, jobs []*job) error {
	for _, j := range jobs {
		j.added, j.arrived, j.stored = 0, nil, nil
	}
	if s.db.Dialect == sqldb.PostgreSQL {
		return s.appendUnlessKnown(ctx, jobs)
	}
	return s.transact(ctx, func(tx *sql.Tx) error { return s.runJobs(ctx, tx, jobs) })
}

// runJobs runs jobs within a transaction of SQLite, deliveries before functions.
func (s *Store) runJobs(ctx context.Context, tx *sql.Tx, jobs []*job) error {
	if slices.ContainsFunc(jobs, func(j *job) bool { return j.fn == nil }) {
		if err := s.appendUnknown(ctx, tx, jobs); err != nil {
			return err
		}
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
