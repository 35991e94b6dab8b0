//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlstore/storetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const (
	// chunkMessages are in a chunk of history.
	chunkMessages = 3000

	// chunksOfRound is how many chunks a round stores: PostgreSQL collects new words of about as
	// many before it puts them into its index, which one of them waits for.
	chunksOfRound = 8
)

// withoutScreens has a database keep no index of words, and none of the lists of conversations. The
// messages of a conversation have theirs, as every store needs it.
var withoutScreens = map[string][]string{
	"SQLite": {
		"DROP INDEX coexistence_conversations_list", "DROP INDEX coexistence_conversations_unread",
		"UPDATE coexistence_texts_indexed SET upto = 1 << 60", // nothing is left to index
	},
	"PostgreSQL": {
		"DROP INDEX coexistence_conversations_list", "DROP INDEX coexistence_conversations_unread",
		"DROP INDEX coexistence_messages_said", "DROP INDEX coexistence_messages_time",
	},
}

// measureChunks measures what the tracker takes to store a chunk of history, with the indexes of
// screens over without them. Chunks of both take turns in databases that grow.
func measureChunks(ctx context.Context, r *report.Report, list []*capacity, o options) error {
	for _, c := range list {
		if err := c.measureChunks(ctx, r, o.rounds); err != nil {
			return fmt.Errorf("%s, chunks: %w", c.name, err)
		}
	}
	return nil
}

// measureChunks does so for one engine. The median of the rounds counts.
func (c *capacity) measureChunks(ctx context.Context, r *report.Report, rounds int) (err error) {
	var trackers [2]*coexistence.Tracker
	for i, statements := range [][]string{nil, withoutScreens[c.name]} {
		db, drop, err1 := c.fresh(ctx)
		if err1 != nil {
			return err1
		}
		defer func() { err = errors.Join(err, drop()) }()
		for _, s := range statements {
			if _, err := db.SQL().ExecContext(ctx, s); err != nil {
				return err
			}
		}
		if trackers[i], err1 = coexistence.NewTracker(coexistence.Config{Store: db.Store()}); err1 != nil {
			return err1
		}
	}
	var ratios, with, without []float64
	n := 0
	for range rounds {
		var took [2]time.Duration
		for range chunksOfRound {
			events, err := storetest.Chunk(n*chunkMessages, chunkMessages)
			if err != nil {
				return err
			}
			for i := range trackers {
				which := (i + n) % 2 // whichever comes first has an idle disk before it
				d, err := handleAll(ctx, trackers[which], events)
				if err != nil {
					return err
				}
				took[which] += d
			}
			n++
		}
		ratios = append(ratios, float64(took[0])/float64(took[1]))
		with = append(with, took[0].Seconds()*1000/chunksOfRound)
		without = append(without, took[1].Seconds()*1000/chunksOfRound)
	}
	what := fmt.Sprintf("%s: a chunk of %d with / without what screens need", c.name, chunkMessages)
	r.AtMost("E5", what, report.Median(ratios), 1.6, 0)
	r.Info("E5", "with, ms", report.Median(with))
	r.Info("E5", "without, ms", report.Median(without))
	return nil
}

// handleAll returns how long a tracker takes to handle events.
func handleAll(ctx context.Context, tracker *coexistence.Tracker, events []webhook.Event) (time.Duration, error) {
	began := time.Now()
	for _, ev := range events {
		if err := tracker.Handle(ctx, ev); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// fresh opens an empty database. drop closes and drops it.
func (e engine) fresh(ctx context.Context) (opened *storage.DB, drop func() error, err error) {
	db, err := e.create(ctx)
	if err != nil {
		return nil, nil, err
	}
	if opened, err = db.open(ctx, db.address); err != nil {
		return nil, nil, errors.Join(err, db.drop())
	}
	return opened, func() error { return errors.Join(opened.Close(), db.drop()) }, nil
}
