package sqlitedb

import (
	"context"
	"sync/atomic"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// looksAfter is how many commits there are between two looks at the log.
const looksAfter = 32

// A checkpointer copies the log of a file into the file beside its writers.
type checkpointer struct {
	db      *sqldb.DB
	commits atomic.Int64
	due     chan struct{}
	stop    context.CancelFunc
	stopped chan struct{}
}

// newCheckpointer starts a checkpointer. It ends with close.
func newCheckpointer(db *sqldb.DB) *checkpointer {
	ctx, stop := context.WithCancel(context.Background())
	c := &checkpointer{db: db, due: make(chan struct{}, 1), stop: stop, stopped: make(chan struct{})}
	go c.run(ctx)
	return c
}

// committed is called after each commit.
func (c *checkpointer) committed() {
	if c.commits.Add(1)%looksAfter == 0 {
		select {
		case c.due <- struct{}{}:
		default: // it is looking
		}
	}
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.stopped)
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.due:
			// Without it the log only grows, up to where commits copy it themselves; what is wrong
			// with the file, they will find as well.
			_ = c.db.Checkpoint(ctx)
		}
	}
}

func (c *checkpointer) close() {
	c.stop()
	<-c.stopped
}
