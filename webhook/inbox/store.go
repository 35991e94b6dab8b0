package inbox

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/internal/queue"
)

// A Sink takes deliveries in. It is all that an endpoint needs: a host that has a broker of its
// own, such as Kafka or SQS, implements it, receives with [SinkReceiver], and consumes with its own
// workers.
type Sink interface {
	// Append stores deliveries durably: when it returns nil, neither a crash of this process nor a
	// loss of power takes them away. It stores all that are not duplicates, or none and returns an
	// error. added is how many there were.
	//
	// It is called from many goroutines at once and does well to let those that wait share a
	// commit. Once it was called it may store the records even if ctx ends; a caller that gets an
	// error has to send them again.
	Append(ctx context.Context, recs []Record) (added int, err error)
}

// A Store is a queue that remembers. Package inboxtest checks that an implementation keeps these
// promises:
//
//   - A record that was appended, or that came out of a split, is handed out until it is settled as
//     done or dead, whatever crashes.
//   - The records of a lane are handed out in order, to one holder at a time. The next ones come
//     only when those before are done or dead. Lanes do not wait for each other.
//   - A worker that lost its lease cannot settle ([ErrLeaseLost]).
//   - A record whose key is known is not stored again.
//   - Numbers take turns: however many lanes of one number are ready, a claim also takes those of
//     the others. Lanes with a customer's message go before lanes with nothing but statuses
//     ([Record.Status]), which get an eighth of a claim's lanes all the same. Within that, those
//     that have waited longest go first.
//   - A lane whose lease ended without a settlement was abandoned, most likely because the process
//     died. That is counted ([Record.Abandoned]) until something of the lane is settled as done,
//     retry or dead. An abandoned lane goes behind what is ready and comes with one record at a
//     time. After two times in a row it is in quarantine: it pauses for [AbandonedPause], and comes
//     to nobody but a caller who asks for quarantine. So an event that ends its process is found,
//     and takes nobody with it.
//
// All times are durations by the store's own clock. Methods are called from many goroutines at
// once. A Store that is an [io.Closer] is closed by [Inbox.Shutdown].
type Store interface {
	Sink

	// Claim hands out records that are ready, and leases them to the caller for req.LeaseDuration:
	// no other call gets them meanwhile. An empty batch is no error.
	Claim(ctx context.Context, req ClaimRequest) (Batch, error)

	// Extend prolongs the lease of what is left of a batch: it ends when lease has passed from now.
	// It returns [ErrLeaseLost] if another worker took some of it, or if nothing is left.
	Extend(ctx context.Context, token LeaseToken, lease time.Duration) error

	// Settle stores the outcomes of records of a batch, in one transaction: all outcomes are
	// stored, or none and an error is returned. It returns [ErrLeaseLost] if any of them is not
	// held any more. The records of a lane are settled in order, in one call or in several; a lane
	// is free again once all its records in the batch are settled.
	Settle(ctx context.Context, token LeaseToken, outcomes []Settlement) error

	// Stats counts what is there. It may be a few seconds old.
	Stats(ctx context.Context) (Stats, error)

	// DeadLetters lists up to limit dead letters that f selects with IDs larger than after, in the
	// order of their IDs.
	DeadLetters(ctx context.Context, f Filter, after ID, limit int) ([]DeadLetter, error)

	// ReplayDeadLetters forgets dead letters together with their keys, and makes their deliveries
	// ready to be split again, as if they had just arrived: events that were handled are known by
	// their keys and do not come again. It returns how many of the dead letters it found.
	ReplayDeadLetters(ctx context.Context, ids []ID) (int, error)

	// DeleteDeadLetters deletes dead letters, and their deliveries' bodies if nothing else needs
	// them. The keys stay known. It returns how many of the dead letters it found.
	DeleteDeadLetters(ctx context.Context, ids []ID) (int, error)
}

// A ClaimRequest says which records a worker can take, and for how long.
type ClaimRequest struct {
	// Kind selects deliveries or events.
	Kind Kind

	// Backfill selects history and address books, or else what is live. The four queues do not wait
	// for each other.
	Backfill bool

	// Lanes is the largest number of lanes, PerLane of records in each. Both are at least 1. All
	// deliveries of a queue are one lane, which is never in quarantine.
	Lanes, PerLane int

	// Except are numbers whose events are not wanted now, because the worker has enough of them in
	// hand.
	Except []graph.PhoneNumberID

	// Quarantine asks for a lane in quarantine, and for nothing else: the first record of one lane.
	// The caller handles it alone, so that nothing else is in progress if the process dies.
	Quarantine bool

	// MaxBytes limits the sum of the bodies in a batch; the body of a delivery counts once. One
	// record comes in any case. 0 is no limit.
	MaxBytes int

	// LeaseDuration is how long the records are held. After it, they are handed out again.
	LeaseDuration time.Duration

	// WorkerID names the worker, for humans.
	WorkerID string
}

// AbandonedPause is how long a lane pauses after it was abandoned so many times in a row: not at
// all after the first time, then 1 second, 2, 4 and so on up to a minute.
func AbandonedPause(times int) time.Duration { return queue.AbandonedPause(times) }

// A LeaseToken stands for the lease of a batch. No two batches have the same one.
type LeaseToken string

// A Batch is a set of leased records.
type Batch struct {
	// LeaseToken settles the records. It is empty if there are none.
	LeaseToken LeaseToken

	// Records are in the order of their lane: those of one lane follow each other.
	Records []Record

	// Drained says that nothing else is ready which the request would have taken: to claim again is
	// of use when something has been appended, split or settled, or when Wait is over. A store that
	// does not know says false, and is asked once more.
	Drained bool

	// Wait is how long it takes until something that is there becomes ready, if Records is empty or
	// the batch Drained, and the store knows; otherwise 0.
	Wait time.Duration

	// Quarantined says that a lane of the queue is in quarantine and ready: a claim that asks for
	// quarantine would get it.
	Quarantined bool
}

// A Settlement is the outcome of a record.
type Settlement struct {
	// ID is that of the record.
	ID ID

	// Disposition is what happens to the record next.
	Disposition Disposition

	// RetryAfter is the pause before a [DispositionRetry].
	RetryAfter time.Duration

	// Reason says why, for [DispositionRetry] and [DispositionDead]. It is shown to humans.
	Reason string

	// Events are the events of a delivery that is [DispositionDone], in order. They are stored
	// together with the outcome; those with a known key are left out. The delivery's body is kept
	// until all of them are done or deleted.
	Events []Record

	// DropKey makes the store forget the delivery's key once it is [DispositionDone], because some
	// of its events have no key and count each time they come.
	DropKey bool
}

// A Disposition is the result of an attempt at a record. It decides what happens to the record
// next.
type Disposition int

const (
	// DispositionDone: handled, never again.
	DispositionDone Disposition = iota

	// DispositionRetry: failed, again after a pause. The records behind it in its lane wait,
	// unsettled ones of the batch among them.
	DispositionRetry

	// DispositionDead: given up, to the dead letters. The lane goes on.
	DispositionDead

	// DispositionRelease: not tried, again at once, as are unsettled records of the batch behind it
	// in its lane.
	DispositionRelease
)

// Stats counts the records.
type Stats struct {
	Deliveries     int // not split yet
	Live, Backfill int // events that are not handled yet
	Dead           int // dead letters
	DedupKeys      int // remembered keys of what is done; -1 if counting is not worth it

	// Oldest is the age of the oldest delivery or event that is not handled, OldestLive of the
	// oldest that is not backfill. Dead letters do not count.
	Oldest, OldestLive time.Duration
}

// Depth is how much there is to do.
func (s Stats) Depth() int { return s.Deliveries + s.Live + s.Backfill }

// A Filter selects dead letters. The zero Filter selects all.
type Filter struct {
	// PhoneNumberID selects the events about a business's number. Whole deliveries and events of an
	// account are about none.
	PhoneNumberID graph.PhoneNumberID
}

// A DeadLetter is a record that was given up.
type DeadLetter struct {
	Record

	// Reason is the last error.
	Reason string

	// DeadAt is when it was given up.
	DeadAt time.Time
}

var (
	// ErrLeaseLost is returned to a worker that settles or extends records whose lease has ended
	// and which another worker has taken.
	ErrLeaseLost = queue.ErrLeaseLost

	// ErrFull is returned by a store that takes no more.
	ErrFull = errors.New("inbox: the store is full; it takes more when events are handled or dead letters deleted")
)

// A TxSettler is a [Store] in a SQL database, in which a host can commit its own rows together with
// the outcome: see [InTx].
type TxSettler interface {
	Store

	// Transact runs fn in a transaction of the store's database, and commits that if fn returns
	// nil. An error of fn is returned as it is.
	Transact(ctx context.Context, fn func(tx *sql.Tx) error) error

	// SettleTx is Settle as a part of tx. Nothing is settled until that is committed.
	SettleTx(ctx context.Context, tx *sql.Tx, token LeaseToken, outcomes []Settlement) error
}

// A Waker is a [Store] that tells when another process has appended something, so that the store
// need not be polled all the time. What was received through the inbox itself it knows.
type Waker interface {
	// Wait returns nil when something may have become ready, and an error if it cannot know; then
	// it is polled for a while, or, if the error matches [errors.ErrUnsupported], for good.
	Wait(ctx context.Context) error
}

// A Sweeper is a [Store] that has to be told to forget.
type Sweeper interface {
	// DeleteExpired forgets the keys of what was done longer ago than keep, and returns how many.
	// It works in small steps and may be called by several processes at once. Keys of deliveries
	// whose body is still there stay.
	DeleteExpired(ctx context.Context, keep time.Duration) (int, error)
}
