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

// A Store is an [inbox.Store] in streams of NATS JetStream. It is safe for concurrent use.
type Store struct {
	cfg            Config
	nc             *nats.Conn
	js             jetstream.JetStream
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
	_ inbox.Store   = (*Store)(nil)
	_ inbox.Waker   = (*Store)(nil)
	_ inbox.Sweeper = (*Store)(nil)
)

const (
	defaultSnapshotBytes = 16 << 20
	defaultOrphanAge     = time.Hour
)

// OpenStore connects, checks that the servers keep what they acknowledge, makes the streams if they
// are not there, and reads what is in them. Most hosts call [Open].
func OpenStore(ctx context.Context, cfg Config) (*Store, error) {
	return open(ctx, cfg, defaultSnapshotBytes, defaultOrphanAge)
}

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
	for _, known := range []error{
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
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, run := range []func(context.Context){s.runLog, s.maintain, s.bodies.run} {
		s.running.Go(func() { run(ctx) })
	}
	return s.catchUp(ctx)
}

// maxMessage is how large messages get at most: a server may allow more, but NATS recommends not
// to.
const maxMessage = 1 << 20

var errClosed = errors.New("natsinbox: the store is closed")

// Close ends the store's goroutines and its connection. What was stored stays.
func (s *Store) Close() error {
	s.fail(errClosed)
	if s.cancel != nil {
		s.cancel()
	}
	s.running.Wait()
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
