package inbox

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// A Sink takes deliveries in. It is all that an endpoint needs: a host that has a broker of its own, such as Kafka or SQS, implements it,
// receives with [ToSink], and consumes with its own workers.
type Sink interface {
	// Append stores deliveries durably: when it returns nil, neither a crash of this process nor a loss of power takes them away. It
	// stores all that are not duplicates, or none and returns an error. added is how many there were.
	//
	// It is called from many goroutines at once and does well to let those that wait share a commit. Once it was called it may
	// store the records even if ctx ends; whoever gets an error has to send them again.
	Append(ctx context.Context, recs []Record) (added int, err error)
}

// A Store is a queue that remembers. Package inboxtest checks that an implementation keeps these promises:
//
//   - A record that was appended, or that came out of a split, is handed out until it is settled as done or dead, whatever crashes.
//   - The records of a lane are handed out in order, to one holder at a time. The next ones come only when those before are done
//     or dead. Lanes do not wait for each other.
//   - Whoever lost his hold cannot settle ([ErrFenced]).
//   - A record whose key is known is not stored again.
//
// All times are durations by the store's own clock. Methods are called from many goroutines at once. A Store that is an [io.Closer] is closed
// by [Inbox.Shutdown].
type Store interface {
	Sink

	// Claim hands out records that are ready, and keeps them from everybody else for req.Lease. An empty batch is no error.
	Claim(ctx context.Context, req ClaimRequest) (Batch, error)

	// Extend prolongs the hold on what is left of a batch to lease from now. It returns [ErrFenced] if somebody else took some of it, or if
	// nothing is left.
	Extend(ctx context.Context, token Token, lease time.Duration) error

	// Settle says what became of records of a batch, in one transaction: all outcomes are stored, or none and an error is returned. It
	// returns [ErrFenced] if any of them is not held any more. The records of a lane are settled in order, in one call or in several;
	// a lane is free again once all its records in the batch are settled.
	Settle(ctx context.Context, token Token, outcomes []Outcome) error

	// Stats counts what is there. It may be a few seconds old.
	Stats(ctx context.Context) (Stats, error)

	// DeadLetters lists up to limit dead letters with IDs larger than after, in the order of their IDs.
	DeadLetters(ctx context.Context, after ID, limit int) ([]DeadLetter, error)

	// Replay forgets dead letters together with their keys, and makes their deliveries ready to be split anew, as if they had just
	// arrived: events that were handled are known by their keys and do not come again. It returns how many of the dead letters it found.
	Replay(ctx context.Context, ids []ID) (int, error)

	// Purge deletes dead letters, and their deliveries' bodies if nothing else needs them. The keys stay known. It returns how many of
	// the dead letters it found.
	Purge(ctx context.Context, ids []ID) (int, error)
}

// A ClaimRequest says what a worker wants.
type ClaimRequest struct {
	// Kind and Bulk select one of four queues.
	Kind Kind
	Bulk bool

	// Lanes is the largest number of lanes, PerLane of records in each. Both are at least 1. All deliveries of a queue are one lane.
	Lanes, PerLane int

	// MaxBytes limits the sum of the bodies in a batch; the body of a delivery counts once. One record comes in any case. 0 is no limit.
	MaxBytes int

	// Lease is how long the records are held. After it, they are handed out again.
	Lease time.Duration

	// Worker names who asks, for humans.
	Worker string
}

// A Token stands for the hold on a batch. No two batches have the same one.
type Token string

// A Batch is what a worker holds for a while.
type Batch struct {
	// Token is what the records are settled with. It is empty if there are none.
	Token Token

	// Records are in the order of their lane: those of one lane follow each other.
	Records []Record

	// Wait is how long it takes until something that is there becomes ready, if Records is empty and the store knows; otherwise 0.
	Wait time.Duration
}

// An Outcome is what became of a record.
type Outcome struct {
	ID   ID
	Kind OutcomeKind

	// After is the pause before a [Retry].
	After time.Duration

	// Reason says why, for [Retry] and [Dead]. It is shown to humans.
	Reason string

	// Events are what a delivery that is [Done] was split into, in order. They are stored together with the outcome; those with a known
	// key are left out. The delivery's body is kept until all of them are done or purged.
	Events []Record

	// Forget makes the store forget the delivery's key once it is [Done], because some of its events have no key and count each time they
	// come.
	Forget bool
}

// An OutcomeKind is how it ended.
type OutcomeKind int

const (
	Done    OutcomeKind = iota // handled, never again
	Retry                      // failed: again after a pause; the records behind it in its lane wait, unsettled ones of the batch among them
	Dead                       // given up: to the dead letters; the lane goes on
	Release                    // not tried: again at once, as are unsettled records of the batch behind it in its lane
)

// Stats says how much there is.
type Stats struct {
	Deliveries int // not split yet
	Live, Bulk int // events that are not handled yet
	Dead       int // dead letters
	Keys       int // remembered keys of what is done; -1 if counting is not worth it

	// Oldest is the age of the oldest delivery or event that is not handled, OldestLive of the oldest that is not in bulk. Dead
	// letters do not count.
	Oldest, OldestLive time.Duration
}

// Depth is how much there is to do.
func (s Stats) Depth() int { return s.Deliveries + s.Live + s.Bulk }

// A DeadLetter is a record that was given up.
type DeadLetter struct {
	Record

	// Reason is the last error.
	Reason string

	// DiedAt is when it was given up.
	DiedAt time.Time
}

var (
	// ErrFenced is returned to whoever settles or extends what somebody else holds by now, because the lease had ended.
	ErrFenced = errors.New("inbox: the lease was lost; somebody else handles the records, forget them")

	// ErrFull is returned by a store that takes no more.
	ErrFull = errors.New("inbox: the store is full; it takes more when events are handled or dead letters purged")
)

// A TxSettler is a [Store] in a SQL database, in which a host can commit its own rows together with the outcome: see [InTx].
type TxSettler interface {
	Store

	// Transact runs fn in a transaction of the store's database, and commits that if fn returns nil. An error of fn is returned as it is.
	Transact(ctx context.Context, fn func(tx *sql.Tx) error) error

	// SettleTx is Settle as a part of tx. Nothing is settled until that is committed.
	SettleTx(ctx context.Context, tx *sql.Tx, token Token, outcomes []Outcome) error
}

// A Waker is a [Store] that tells when another process has appended something, so that nobody has to ask all the time.
type Waker interface {
	// Wait returns nil when something may have become ready, and an error if it cannot know; then it is polled for a while, or, if the
	// error matches [errors.ErrUnsupported], for good.
	Wait(ctx context.Context) error
}

// A Sweeper is a [Store] that has to be told to forget.
type Sweeper interface {
	// Sweep forgets the keys of what was done longer ago than keep, and returns how many. It works in small steps and may be
	// called by several processes at once. Keys of deliveries whose body is still there stay.
	Sweep(ctx context.Context, keep time.Duration) (int, error)
}
