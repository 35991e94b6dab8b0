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

// A check has two stores over one storage. Its methods for single steps end the check when
// something is wrong, by panicking with a failure, so that a check reads as the list of its steps.
type check struct {
	ctx     context.Context
	a, b    inbox.Store
	short   time.Duration // a lease that ends soon
	storage Storage
}

// A failure is what a check found.
type failure struct{ err error }

// catch returns the failure of a check, or of a part of it that runs in a goroutine. Any other
// panic is an answer of the store that the check did not expect, such as a batch with too few
// records.
func catch(run func()) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case failure:
			err = v.err
		default:
			err = fmt.Errorf("the store gave an answer that a check cannot go on with: %v", v)
		}
	}()
	run()
	return nil
}

// must ends the check with an error, if there is one. It is for what the store must not refuse.
func must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// fail ends the check.
func fail(format string, args ...any) { must(fmt.Errorf(format, args...)) }

// expect compares, and says in the error what is compared.
func expect[T comparable](what string, got, want T) {
	if got != want {
		fail("%s: got %v, want %v", what, got, want)
	}
}

// expectKeys compares the keys of records that were handed out.
func expectKeys(got []string, want ...string) {
	if !slices.Equal(got, want) {
		fail("handed out %q, want %q", got, want)
	}
}

// expectLeaseLost expects ErrLeaseLost.
func expectLeaseLost(what string, err error) {
	if !errors.Is(err, inbox.ErrLeaseLost) {
		must(errors.Join(fmt.Errorf("%s: want ErrLeaseLost, got another error or none", what), err))
	}
}

// long is a lease that does not end during a check.
const long = time.Minute

// received is when all deliveries of the checks arrived: an hour ago, so that their age can be
// distinguished from that of what a store makes now. Stores keep microseconds; the checks use
// milliseconds.
func received() time.Time { return time.Now().Add(-time.Hour).Truncate(time.Millisecond).UTC() }

// delivery returns a record as Receive makes it. Its body has bytes that are no text, because a
// store must not care.
func delivery(name string) inbox.Record {
	return inbox.Record{
		DedupKey: "delivery:" + name, ReceivedAt: received(),
		Body: []byte(`{"name":` + strconv.Quote(name) + "}\x00\xff"),
	}
}

// isBody reports whether a body is that of the delivery with this name.
func isBody(body []byte, name string) bool { return string(body) == string(delivery(name).Body) }

// event returns an event as a splitter makes it.
func event(key, lane string) inbox.Record {
	return inbox.Record{Kind: inbox.KindEvent, DedupKey: key, Lane: lane}
}

// request asks for everything in a queue of what is live.
func request(kind inbox.Kind, lease time.Duration) inbox.ClaimRequest {
	return inbox.ClaimRequest{Kind: kind, Lanes: 100, PerLane: 100, LeaseDuration: lease, WorkerID: "inboxtest"}
}

// append stores deliveries, all of which have to be new.
func (c *check) append(recs ...inbox.Record) {
	n, err := c.a.Append(c.ctx, recs)
	must(err)
	if n != len(recs) {
		fail("appending added %d of %d new records", n, len(recs))
	}
}

// added appends deliveries of which so many have to be new.
func (c *check) added(s inbox.Store, what string, want int, recs ...inbox.Record) {
	n, err := s.Append(c.ctx, recs)
	must(err)
	expect(what, n, want)
}

// claim takes what is ready, and expects so many records.
func (c *check) claim(s inbox.Store, req inbox.ClaimRequest, want int) inbox.Batch {
	b, err := s.Claim(c.ctx, req)
	must(err)
	if len(b.Records) != want {
		fail(
			"a claim handed out %d records of kind %v, backfill %v, want %d", len(b.Records), req.Kind, req.Backfill,
			want,
		)
	}
	return b
}

// await claims until records come: after a lease or a pause. How long that takes at most is the
// context's business.
func (c *check) await(s inbox.Store, req inbox.ClaimRequest) inbox.Batch {
	for {
		b, err := s.Claim(c.ctx, req)
		must(err)
		if len(b.Records) > 0 {
			return b
		}
		c.pause(min(max(b.Wait, time.Millisecond), 100*time.Millisecond))
	}
}

// pause waits. The end of the context fails the check.
func (c *check) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.ctx.Done():
		must(c.ctx.Err())
	case <-timer.C:
	}
}

// split stores a delivery that consists of these events.
func (c *check) split(name string, events ...inbox.Record) {
	c.append(delivery(name))
	c.splitNext(events...)
}

// splitNext splits the delivery whose turn it is. All of the events are in the outcome, also those
// whose keys are known: leaving them out is the store's business.
func (c *check) splitNext(events ...inbox.Record) {
	for i := range events {
		events[i].Index = i
	}
	b := c.claim(c.a, request(inbox.KindDelivery, long), 1)
	c.settle(c.a, b, inbox.Settlement{ID: b.Records[0].ID, Events: events})
}

// settle settles records of a batch.
func (c *check) settle(s inbox.Store, b inbox.Batch, outs ...inbox.Settlement) {
	must(s.Settle(c.ctx, b.LeaseToken, outs))
}

// done settles all records of a batch as done.
func (c *check) done(s inbox.Store, b inbox.Batch) {
	c.settle(s, b, outcomes(b, inbox.DispositionDone)...)
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
// What pauses, or is leased to another batch, is not ready.
func (c *check) finish() (keys []string) {
	for {
		b, err := c.a.Claim(c.ctx, request(inbox.KindEvent, long))
		must(err)
		if len(b.Records) == 0 {
			return keys
		}
		keys = append(keys, keysOf(b.Records)...)
		c.done(c.a, b)
	}
}

// keysOf are the deduplication keys of records, by which the checks know them.
func keysOf(recs []inbox.Record) []string {
	keys := make([]string, len(recs))
	for i, rec := range recs {
		keys[i] = rec.DedupKey
	}
	return keys
}

// giveUp makes a dead letter of the event whose turn it is in each lane, and expects so many lanes.
func (c *check) giveUp(reason string, want int) {
	req := request(inbox.KindEvent, long)
	req.PerLane = 1
	b := c.claim(c.a, req, want)
	outs := outcomes(b, inbox.DispositionDead)
	for i := range outs {
		outs[i].Reason = reason
	}
	c.settle(c.a, b, outs...)
}

// letters lists the dead letters, and expects so many.
func (c *check) letters(want int) []inbox.DeadLetter {
	list, err := c.b.DeadLetters(c.ctx, inbox.Filter{}, 0, 100)
	must(err)
	if len(list) != want {
		fail("DeadLetters lists %d, want %d", len(list), want)
	}
	return list
}

// replayed replays dead letters, of which so many have to be found.
func (c *check) replayed(s inbox.Store, want int, ids ...inbox.ID) {
	n, err := s.ReplayDeadLetters(c.ctx, ids)
	must(err)
	expect("replayed", n, want)
}

// deleted deletes dead letters, of which so many have to be found.
func (c *check) deleted(s inbox.Store, want int, ids ...inbox.ID) {
	n, err := s.DeleteDeadLetters(c.ctx, ids)
	must(err)
	expect("deleted", n, want)
}

// expired has old keys forgotten until there were so many, and no more. The keys of a delivery can
// be forgotten when its body is gone, so their number tells whether it is. Stores that forget by
// themselves are not checked.
func (c *check) expired(want int) {
	sweeper, ok := c.a.(inbox.Sweeper)
	if !ok {
		return
	}
	for n := 0; ; {
		forgotten, err := sweeper.DeleteExpired(c.ctx, time.Microsecond)
		must(errors.Join(err, c.ctx.Err()))
		if n += forgotten; n > want {
			fail("%d keys were forgotten, want %d", n, want)
		}
		if n == want {
			return
		}
		c.pause(time.Millisecond)
	}
}

// noSuchID is that of no record. Stores must not take it for one.
const noSuchID inbox.ID = 1 << 40
