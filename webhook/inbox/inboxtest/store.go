package inboxtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// An Engine makes the stores that are checked.
type Engine struct {
	// New returns an empty storage. It is called once for each check, one after the other.
	New func(ctx context.Context) (Storage, error)

	// ShortLease is a lease that ends soon. If zero, 20 milliseconds. Checks wait for its end by
	// asking, not by sleeping.
	ShortLease time.Duration
}

// A Storage holds records, and opens stores over them.
type Storage struct {
	// Open returns a store over the storage, which behaves like that of a process of its own. If
	// only one process may use the storage, it returns the same store each time.
	Open func(ctx context.Context) (inbox.Store, error)

	// Reopen closes what Open has opened, like a process that ends with records in progress, and
	// opens a store over the same records. It is nil if these do not outlive their process.
	Reopen func(ctx context.Context) (inbox.Store, error)

	// Close closes what Open and Reopen have opened, and removes the storage. Its error fails the
	// check.
	Close func() error
}

// TestStore checks that the stores of an engine keep the promises of [inbox.Store], and returns
// everything that is wrong, or nil. Each check has an empty storage of its own and two stores over
// it, like two processes; the comment of a check's method says what it does and which mistakes it
// finds. Run it with -race.
func TestStore(ctx context.Context, engine Engine) error {
	var errs []error
	for _, c := range checks {
		if err := runCheck(ctx, engine, c.run); err != nil {
			errs = append(errs, fmt.Errorf("inboxtest: %s: %w", c.promise, err))
		}
	}
	return errors.Join(errs...)
}

// runCheck runs one check in a storage of its own.
func runCheck(ctx context.Context, engine Engine, run func(*check)) (err error) {
	storage, err := engine.New(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, storage.Close()) }()
	a, err1 := storage.Open(ctx)
	b, err2 := storage.Open(ctx)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	c := &check{ctx: ctx, a: a, b: b, short: engine.ShortLease, storage: storage}
	if c.short == 0 {
		c.short = 20 * time.Millisecond
	}
	return catch(func() { run(c) })
}

// checks are all of them, from what a store does first to what it does at once. Each has a storage
// of its own, so one that fails says nothing about the others.
var checks = []struct {
	promise string
	run     func(*check)
}{
	{"a delivery comes back as it was appended", (*check).roundTrip},
	{"a delivery with a known key is not stored again", (*check).duplicateDelivery},
	{"deliveries come in the order in which they were appended", (*check).deliveryOrder},
	{"what is live and what is backfill do not wait for each other", (*check).queues},
	{"events come with the body of their delivery", (*check).splitting},
	{"an event with a known key is not stored again", (*check).duplicateEvent},
	{"an event without a key counts each time", (*check).keyless},
	{"a placeholder yields to the message that it stands for", (*check).yielding},
	{"a key is remembered when its event is done", (*check).keysStay},
	{"Forget makes a delivery count again", (*check).forgotten},
	{"a lane is handed out in order, to one holder at a time", (*check).laneOrder},
	{"lanes do not wait for each other", (*check).lanesApart},
	{"a claim takes no more lanes and records than was asked for", (*check).limits},
	{"a claim takes no more bytes than was asked for", (*check).maxBytes},
	{"a batch that is drained leaves nothing, and says how long a pause lasts", (*check).draining},
	{"a failed event blocks its lane until its pause is over", (*check).retrying},
	{"a failed event counts its attempts", (*check).attempts},
	{"a released event comes again at once, and counts no attempt", (*check).releasing},
	{"what is not settled is handed out again after the lease", (*check).leaseEnds},
	{"a worker that lost the lease cannot settle", (*check).fencing},
	{"a worker that lost the lease cannot split", (*check).fencedSplit},
	{"an extended lease holds", (*check).extending},
	{"an abandoned lane goes behind what is ready, one record at a time", (*check).abandonedOnce},
	{"a settlement ends the count of an abandoned lane", (*check).abandonedCleared},
	{"a lane that was abandoned twice is in quarantine", (*check).quarantine},
	{"a lane in quarantine pauses longer each time", (*check).quarantinePause},
	{"deliveries that were abandoned come one at a time, without a pause", (*check).abandonedDeliveries},
	{"what a process had in hand when it ended was abandoned", (*check).reopened},
	{"numbers take turns", (*check).turns},
	{"a claim spreads over the numbers", (*check).turnsSpread},
	{"messages of customers go before statuses", (*check).messagesFirst},
	{"an eighth of a claim goes to statuses", (*check).statusesWait},
	{"a claim leaves out the numbers that it excepts", (*check).excepting},
	{"all outcomes of a call are stored or none", (*check).allOrNothing},
	{"a dead letter is listed, and its lane goes on", (*check).deadLetters},
	{"dead letters are listed in pages", (*check).deadPages},
	{"the dead letters of a number are listed, and no others", (*check).deadOfANumber},
	{"a replayed event comes again, and only that", (*check).replaying},
	{"a dead delivery is listed, replayed and deleted", (*check).deadDelivery},
	{"a deleted dead letter is gone, and its key stays", (*check).purging},
	{"a body stays until the last of its events is done or deleted", (*check).bodiesStay},
	{"a body stays when its delivery is deleted before its events", (*check).bodyOfADeletedDelivery},
	{"what cannot be decoded is kept as a dead letter by InTx too", (*check).parking},
	{"lanes are forgotten, and their keys stay known", (*check).forgottenLanes},
	{"a number is forgotten, and no other one", (*check).forgottenNumber},
	{"what is in hand is forgotten when it was settled", (*check).forgottenInHand},
	{"Stats counts", (*check).counting},
	{"a sweep forgets only old keys of what is done", (*check).sweeping},
	{"concurrent appends of one delivery store it once", (*check).concurrentAppends},
	{"concurrent claims never share a lane", (*check).concurrentClaims},
	{"an ended context changes nothing", (*check).endedContext},
}
