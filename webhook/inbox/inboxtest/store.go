package inboxtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// An Engine makes the stores that are checked.
type Engine struct {
	// New returns an empty storage. It is called once for each check.
	New func(ctx context.Context) (Storage, error)

	// ShortLease is a lease that ends soon. If zero, 20 milliseconds. Checks wait for its end by
	// asking, not by sleeping.
	ShortLease time.Duration
}

// A Storage is where records are kept, and opens stores over them.
type Storage struct {
	// Open returns a store over the storage, which behaves like that of a process of its own. If
	// only one process may use the storage, it returns the same store each time.
	Open func(ctx context.Context) (inbox.Store, error)

	// Close gives everything back.
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

// runCheck runs one check in a storage of its own. A panic is an answer of the store that the check
// did not expect, such as a batch with too few records.
func runCheck(ctx context.Context, engine Engine, run func(*check) error) (err error) {
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
	short := engine.ShortLease
	if short == 0 {
		short = 20 * time.Millisecond
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the store gave an answer that a check cannot go on with: %v", v)
		}
	}()
	return run(&check{ctx: ctx, a: a, b: b, short: short})
}

var checks = []struct {
	promise string
	run     func(*check) error
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
	{"a failed event blocks its lane until its pause is over, and counts its attempts", (*check).retrying},
	{"a released event comes again at once, and counts no attempt", (*check).releasing},
	{"what nobody settles is handed out again after the lease", (*check).leaseEnds},
	{"whoever lost the lease cannot settle", (*check).fencing},
	{"an extended lease holds", (*check).extending},
	{"all outcomes of a call are stored or none", (*check).allOrNothing},
	{"a dead letter is listed, and its lane goes on", (*check).deadLetters},
	{"the dead letters of a number are listed, and no others", (*check).deadOfANumber},
	{"a replayed event comes again, and only that", (*check).replaying},
	{"a dead delivery is listed, replayed and deleted", (*check).deadDelivery},
	{"a deleted dead letter is gone, and its key stays", (*check).purging},
	{"a body stays until the last of its events is done or deleted", (*check).bodiesStay},
	{"what cannot be decoded is kept as a dead letter by InTx too", (*check).parking},
	{"Stats counts", (*check).counting},
	{"a sweep forgets only old keys of what is done", (*check).sweeping},
	{"concurrent appends of one delivery store it once", (*check).concurrentAppends},
	{"concurrent claims never share a lane", (*check).concurrentClaims},
	{"an ended context changes nothing", (*check).endedContext},
}

// A check has two stores over one storage.
type check struct {
	ctx   context.Context
	a, b  inbox.Store
	short time.Duration
}

const long = time.Minute

// received is when all deliveries of the checks arrived: an hour ago, so that ages can be told from
// what a store counts from now. Stores keep microseconds; the checks use milliseconds.
func received() time.Time { return time.Now().Add(-time.Hour).Truncate(time.Millisecond).UTC() }

// delivery returns a record as Receive makes it. Its body has bytes that are no text, because a
// store must not care.
func delivery(name string) inbox.Record {
	return inbox.Record{
		DedupKey: "delivery:" + name, ReceivedAt: received(),
		Body: []byte(`{"name":` + strconv.Quote(name) + "}\x00\xff"),
	}
}

// event returns an event as a splitter makes it.
func event(key, lane string) inbox.Record {
	return inbox.Record{Kind: inbox.KindEvent, DedupKey: key, Lane: lane}
}

// append stores deliveries, all of which have to be new.
func (c *check) append(recs ...inbox.Record) error {
	n, err := c.a.Append(c.ctx, recs)
	if err == nil && n != len(recs) {
		err = fmt.Errorf("appending added %d of %d new records", n, len(recs))
	}
	return err
}

// request asks for everything in a queue of what is live.
func request(kind inbox.Kind, lease time.Duration) inbox.ClaimRequest {
	return inbox.ClaimRequest{Kind: kind, Lanes: 100, PerLane: 100, LeaseDuration: lease, WorkerID: "inboxtest"}
}

// claim takes what is ready, and expects so many records.
func (c *check) claim(s inbox.Store, req inbox.ClaimRequest, want int) (inbox.Batch, error) {
	b, err := s.Claim(c.ctx, req)
	if err == nil && len(b.Records) != want {
		err = fmt.Errorf("a claim handed out %d records of kind %v, backfill %v, want %d",
			len(b.Records), req.Kind, req.Backfill, want)
	}
	return b, err
}

// await claims until records come. How long that takes at most is the context's business.
func (c *check) await(s inbox.Store, req inbox.ClaimRequest) (inbox.Batch, error) {
	for {
		b, err := s.Claim(c.ctx, req)
		if err != nil || len(b.Records) > 0 {
			return b, err
		}
		pause := time.NewTimer(min(max(b.Wait, time.Millisecond), 100*time.Millisecond))
		select {
		case <-c.ctx.Done():
			pause.Stop()
			return b, c.ctx.Err()
		case <-pause.C:
		}
	}
}

// split stores a delivery that consists of these events. All of them have to be new.
func (c *check) split(name string, events ...inbox.Record) error {
	if err := c.append(delivery(name)); err != nil {
		return err
	}
	return c.splitNext(events...)
}

// splitNext splits the delivery whose turn it is.
func (c *check) splitNext(events ...inbox.Record) error {
	for i := range events {
		events[i].Index = i
	}
	b, err := c.claim(c.a, request(inbox.KindDelivery, long), 1)
	if err != nil {
		return err
	}
	return c.a.Settle(c.ctx, b.LeaseToken, []inbox.Settlement{{ID: b.Records[0].ID, Events: events}})
}

// done settles all records of a batch.
func (c *check) done(s inbox.Store, b inbox.Batch) error {
	return s.Settle(c.ctx, b.LeaseToken, outcomes(b, inbox.DispositionDone))
}

// outcomes settles all records of a batch in the same way, in their order.
func outcomes(b inbox.Batch, kind inbox.Disposition) []inbox.Settlement {
	outs := make([]inbox.Settlement, len(b.Records))
	for i, rec := range b.Records {
		outs[i] = inbox.Settlement{ID: rec.ID, Disposition: kind}
	}
	return outs
}

// finish handles everything that is ready, and returns the keys in the order in which they came.
func (c *check) finish() (keys []string, err error) {
	for {
		b, err := c.a.Claim(c.ctx, request(inbox.KindEvent, long))
		if err != nil || len(b.Records) == 0 {
			return keys, err
		}
		for _, rec := range b.Records {
			keys = append(keys, rec.DedupKey)
		}
		if err := c.done(c.a, b); err != nil {
			return keys, err
		}
	}
}

// expect compares, and says what is compared.
func expect[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}

// wantLeaseLost expects ErrLeaseLost.
func wantLeaseLost(what string, err error) error {
	if errors.Is(err, inbox.ErrLeaseLost) {
		return nil
	}
	return errors.Join(fmt.Errorf("%s: want ErrLeaseLost, got another error or none", what), err)
}

func expectKeys(got []string, want ...string) error {
	if !slices.Equal(got, want) {
		return fmt.Errorf("handed out %q, want %q", got, want)
	}
	return nil
}

func keysOf(recs []inbox.Record) []string {
	keys := make([]string, len(recs))
	for i, rec := range recs {
		keys[i] = rec.DedupKey
	}
	return keys
}

// firstError makes calls one after the other, and returns the error of the first that fails. The
// others are not made.
func firstError(calls ...func() error) error {
	for _, call := range calls {
		if err := call(); err != nil {
			return err
		}
	}
	return nil
}
