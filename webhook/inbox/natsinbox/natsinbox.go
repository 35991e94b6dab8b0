package natsinbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// Open opens the inbox on the servers that the URL names, and starts to handle what is in it.
// Shutdown closes it. The URL is one for [ParseURL]; hosts whose connection needs more than a URL
// call [OpenStore] and [inbox.New].
//
// It returns [ErrNotDurable] if the servers do not write to their disks before they acknowledge, or
// if that cannot be found out.
func Open(ctx context.Context, url string, h webhook.Handler, cfg inbox.Config) (*inbox.Inbox, error) {
	c, err := ParseURL(url)
	if err != nil {
		return nil, err
	}
	store, err := OpenStore(ctx, c)
	if err != nil {
		return nil, err
	}
	in, err := inbox.New(store, h, cfg)
	if err == nil {
		err = in.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return in, nil
}

// How the store works, for readers of this package:
//
// It is a replicated state machine. Commands are appended to the log, a stream, which gives them
// one order; every process applies all of them to a machine of its own (apply.go, machine.go). The
// machine depends on nothing but the commands and the times at which the server stored them, so all
// processes have the same, whenever they started. What a command did, the process learns that wrote
// it, when it applies it (log.go).
//
// A change: the caller's command waits in the writer, goes into the log with others in one message,
// is acknowledged when the server has synced it, and comes back to be applied. Only then is the
// result known: another process may have been faster, with the same key or the same lane. So a
// method that changes something takes a round trip to the disk and one back, and many of them share
// both.
//
// A question (Stats, DeadLetters) is answered by the machine, after it has caught up with the log
// as it was when the question came. A claim looks there first, and writes a command only if it may
// bring something.
//
// Bodies are not in the log, since every process reads all of that. They are stored before the
// command that refers to them, and deleted by the process whose command released the last
// reference. A process that dies between the two leaves an orphan. An orphan differs from a body
// whose command is still on its way by nothing but its age: so an hour later a command says that no
// older body is accepted any more, and after that what is not referred to is deleted (expiry.go).
//
// The log would grow forever, so one process at a time writes a snapshot of the machine, and the
// log before the snapshot before that is deleted (maintenance.go). A process that starts, or that
// was slower than that, continues from the last snapshot.
//
// All of this holds only if the server keeps what it acknowledged. Nothing is stored on a
// connection for which that was not found out, and an acknowledgement that came while the
// connection changed does not count (durability.go, log.go).
//
// Locks are taken in one order: Store.mu, then that of the writer or of the bodyStore. Neither of
// these two is held while something is asked of the server.

// A Store is an [inbox.Store] in streams of NATS JetStream. It is safe for concurrent use.
type Store struct {
	cfg Config // with its defaults
	nc  *nats.Conn
	js  jetstream.JetStream

	// The three streams, set by makeStreams.
	logStream      jetstream.Stream
	bodyStream     jetstream.Stream
	snapshotStream jetstream.Stream

	node          string        // this store, among those that write the log
	maxMessage    int           // bytes of data in a message
	snapshotBytes int64         // of the log, after which a snapshot is due
	orphanAge     time.Duration // after which a body without a delivery is an orphan
	durability    durabilityCheck
	writer        *writer
	bodies        *bodyStore

	// mu guards the machine, and how far it has come.
	mu           sync.Mutex
	machine      *machine
	at           uint64        // the last message of the log that is applied
	appliedAt    time.Time     // when that was, by this process's clock
	serverTime   int64         // the server's clock when it was asked last, in microseconds
	serverTimeAt time.Time     // when that was, by this process's clock
	logged       int64         // bytes of the log since the last snapshot
	orphans      orphanMark    // set by deleteOrphans
	advanced     chan struct{} // closed when the next message is applied

	wake        chan struct{} // to Wait: another process has made something ready
	snapshotDue chan struct{} // to maintain
	abandoned   chan inbox.Batch

	running sync.WaitGroup
	cancel  context.CancelFunc
	once    sync.Once
	over    chan struct{} // closed by Close, or when the log cannot be read any further
	cause   error         // why; set before over is closed
}

var (
	_ inbox.Forgetter = (*Store)(nil)
	_ inbox.Waker     = (*Store)(nil)
	_ inbox.Sweeper   = (*Store)(nil)
)

const (
	// defaultSnapshotBytes is how much of the log a process that starts has to read at most; with
	// large snapshots, it is twice their size.
	defaultSnapshotBytes = 16 << 20

	// defaultOrphanAge is much longer than a delivery takes from the stream of bodies into the log
	// (doTimeout), so that none is refused but those of a process that was stopped.
	defaultOrphanAge = time.Hour
)

// OpenStore connects, checks that the servers keep what they acknowledge, makes the streams if they
// do not exist, and reads what is in them. It returns when the store knows everything that was
// stored before, which takes a while if there is much. Most hosts call [Open].
func OpenStore(ctx context.Context, cfg Config) (*Store, error) {
	return open(ctx, cfg, defaultSnapshotBytes, defaultOrphanAge)
}

// open is OpenStore with limits that tests set. If it returns an error, nothing is left running.
func open(ctx context.Context, cfg Config, snapshotBytes int64, orphanAge time.Duration) (*Store, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	nc, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg.withDefaults(), nc: nc, node: rand.Text(), snapshotBytes: snapshotBytes, orphanAge: orphanAge,
		machine:  newMachine(),
		advanced: make(chan struct{}), wake: make(chan struct{}, 1), snapshotDue: make(chan struct{}, 1),
		abandoned: make(chan inbox.Batch, 64), over: make(chan struct{}),
	}
	s.writer, s.bodies = newWriter(s), newBodyStore(s)
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// connect connects, and goes on connecting for as long as the store is open: a server that is away
// is no error of the store, but of the calls that need it.
func connect(cfg Config) (*nats.Conn, error) {
	opts := append([]nats.Option{
		nats.Name("webhook inbox"),
		nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectBufSize(-1), // what cannot be sent now fails now; publish decides whether to try again
	}, cfg.Options...)
	nc, err := nats.Connect(strings.Join(cfg.URLs, ","), opts...)
	if err != nil {
		return nil, fmt.Errorf("natsinbox: the server cannot be reached: %w", withoutURL(err))
	}
	return nc, nil
}

// withoutURL hides an error that may quote a URL, which may hold a password.
func withoutURL(err error) error {
	for _, known := range []error{ // those that a host can do something about, without their texts
		nats.ErrNoServers, nats.ErrTimeout, nats.ErrAuthorization, nats.ErrAuthExpired,
		nats.ErrSecureConnRequired, nats.ErrSecureConnWanted,
	} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errors.New("check the URL, the credentials and TLS")
}

// start checks the servers, makes the streams, and reads what is in them. The order matters:
// nothing is made on a server that was not checked, and nothing is read before the servers that
// keep the streams were. Its goroutines end with Close; the end of ctx does not end them.
func (s *Store) start(ctx context.Context) (err error) {
	// Older servers know nothing of what is asked of them below.
	if err := checkVersion(s.nc.ConnectedServerVersion()); err != nil {
		return err
	}
	s.maxMessage = min(int(s.nc.MaxPayload()), maxMessage) - messageSlack
	if s.maxMessage < messageSlack {
		return errors.New("natsinbox: the server's max_payload is too small; leave it at its default of 1 MB")
	}
	if s.js, err = jetstream.New(s.nc); err != nil {
		return fmt.Errorf("natsinbox: %w", err)
	}
	if err := s.durability.checkConnected(ctx, s); err != nil {
		return err
	}
	if err := s.makeStreams(ctx); err != nil {
		return err
	}
	if _, err := s.durability.ensure(ctx, s); err != nil {
		return err
	}
	if err := s.load(ctx); err != nil {
		return err
	}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx)) // Close ends them
	for _, run := range []func(context.Context){s.runLog, s.maintain, s.bodies.run} {
		s.running.Go(func() { run(ctx) })
	}
	return s.catchUp(ctx) // so that the first answers are not those of a snapshot
}

// maxMessage is how large messages get at most: a server may allow more, but NATS recommends not
// to.
const maxMessage = 1 << 20

var errClosed = errors.New("natsinbox: the store is closed")

// Close ends the store's goroutines and its connection. What was stored stays. Calls that wait
// return an error; what they wrote may be applied all the same. Bodies that were handled are
// deleted before, which is given up after a few seconds.
func (s *Store) Close() error {
	s.fail(errClosed)
	if s.cancel != nil {
		s.cancel()
	}
	s.running.Wait()
	s.bodies.drain()
	s.nc.Close()
	return nil
}

// fail makes all further calls return an error. The first one counts.
func (s *Store) fail(err error) {
	s.once.Do(func() {
		s.cause = err
		close(s.over)
	})
}

// closed reports whether fail was called.
func (s *Store) closed() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

// reason returns the error of fail, and waits for it.
func (s *Store) reason() error {
	<-s.over
	return s.cause
}
