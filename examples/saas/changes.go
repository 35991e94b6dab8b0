package main

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/examples/internal/live"
)

// changes notify the open pages of all processes that something has changed for a number. The
// database counts the changes of each number: a process that did not handle them polls the count.
type changes struct {
	db   *sql.DB
	log  *slog.Logger
	news live.News // for the open pages of this process

	mu   sync.Mutex
	some map[graph.PhoneNumberID]bool // numbers whose change is not counted yet
	wake chan struct{}
}

func newChanges(db *sql.DB, log *slog.Logger) *changes {
	return &changes{db: db, log: log, some: map[graph.PhoneNumberID]bool{}, wake: make(chan struct{}, 1)}
}

// add reports a change for a number, after it was stored. It does not block.
func (c *changes) add(phone graph.PhoneNumberID) {
	if phone == "" {
		return // the event is about an account
	}
	c.mu.Lock()
	c.some[phone] = true
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // it is awake
	}
}

// run counts the reported changes until ctx ends, several of a number as one. The first one is
// counted at once, the next ones when the pages have shown it.
func (c *changes) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
		c.mu.Lock()
		some := c.some
		c.some = map[graph.PhoneNumberID]bool{}
		c.mu.Unlock()
		for phone := range some {
			if _, err := c.db.ExecContext(ctx, `INSERT INTO saas_changes (phone, version) VALUES ($1, 1)
				ON CONFLICT (phone) DO UPDATE SET version = saas_changes.version + 1`, string(phone)); err != nil {
				if ctx.Err() == nil {
					c.log.WarnContext(ctx, "pages are not told of a change yet; it is tried again",
						"phone", phone, "err", err)
				}
				c.add(phone)
				continue
			}
			c.news.Tell(string(phone))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(live.Pause):
		}
	}
}

// version is how often something has changed for a number.
func (c *changes) version(ctx context.Context, phone graph.PhoneNumberID) (n int64, err error) {
	err = c.db.QueryRowContext(ctx, "SELECT version FROM saas_changes WHERE phone = $1", string(phone)).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return n, err
}
