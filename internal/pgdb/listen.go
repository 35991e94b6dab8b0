package pgdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlinbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A listener is a connection that gets notifications.
type listener struct {
	*pgx.Conn

	end func() // gives it up
}

// listenAlone connects beside the pool that was made of a URL.
func listenAlone(cfg *pgx.ConnConfig) func(context.Context) (*listener, error) {
	return func(ctx context.Context) (*listener, error) {
		conn, err := pgx.ConnectConfig(ctx, cfg)
		if err != nil {
			return nil, errors.New("the database cannot be reached") // its error can quote the URL
		}
		return &listener{conn, func() { closeConn(conn) }}, nil
	}
}

// listenInPool takes a connection out of the pool for good: it is made as the host's are, and
// counts among them no more.
func listenInPool(pool *pgxpool.Pool) func(context.Context) (*listener, error) {
	return func(ctx context.Context) (*listener, error) {
		acquired, err := pool.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		conn := acquired.Hijack()
		return &listener{conn, func() { closeConn(conn) }}, nil
	}
}

// errOtherDriver is permanent: nothing is lost, but new deliveries are found by asking.
var errOtherDriver = fmt.Errorf("the pool's driver is not pgx's own, so this process asks for new deliveries instead of being told: %w", errors.ErrUnsupported)

// listenInDB keeps a connection of the pool as long as it listens.
func listenInDB(db *sql.DB) func(context.Context) (*listener, error) {
	return func(ctx context.Context) (*listener, error) {
		borrowed, err := db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		l := &listener{}
		err = borrowed.Raw(func(driver any) error {
			c, ok := driver.(*stdlib.Conn)
			if !ok {
				return errOtherDriver
			}
			l.Conn = c.Conn()
			return nil
		})
		if err != nil {
			return nil, errors.Join(err, borrowed.Close())
		}
		l.end = func() {
			// It still listens, and may be in the middle of a read: the pool must not get it back.
			closeConn(l.Conn)
			_ = borrowed.Close()
		}
		return l, nil
	}
}

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // it may be broken, which is why it is closed
}

// An Inbox is an inbox's store that tells when another process has appended something.
type Inbox struct {
	*sqlinbox.Store

	db   *DB
	owns bool           // the database is this inbox's alone
	ears chan *listener // the one that listens, once there is one
}

var (
	_ inbox.TxSettler = (*Inbox)(nil)
	_ inbox.Sweeper   = (*Inbox)(nil)
	_ inbox.Waker     = (*Inbox)(nil)
)

// Inbox returns an inbox's store over the database.
func (db *DB) Inbox(ctx context.Context) (*Inbox, error) {
	store, err := sqlinbox.Open(ctx, db.DB)
	if err != nil {
		return nil, err
	}
	s := &Inbox{Store: store, db: db, ears: make(chan *listener, 1)}
	s.ears <- nil
	return s, nil
}

// OpenInbox opens a database for an inbox alone. Its Close closes the database.
func OpenInbox(ctx context.Context, cfg Config) (*Inbox, error) {
	db, err := Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s, err := db.Inbox(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.owns = true
	return s, nil
}

// Wait implements [inbox.Waker]. It has a connection to itself.
func (s *Inbox) Wait(ctx context.Context) error {
	var l *listener
	select {
	case l = <-s.ears:
	case <-ctx.Done():
		return ctx.Err()
	}
	keep := false
	defer func() {
		if !keep && l != nil {
			l.end()
			l = nil
		}
		s.ears <- l
	}()
	if l == nil {
		var err error
		if l, err = s.db.listen(ctx); err != nil {
			return fmt.Errorf("inbox: LISTEN: %w", err)
		}
		if _, err := l.Exec(ctx, "LISTEN "+sqlinbox.Channel); err != nil {
			return fmt.Errorf("inbox: LISTEN: %w", err)
		}
		keep = true
		return nil // what was appended before is found by asking once
	}
	for {
		n, err := next(ctx, l)
		if err != nil {
			return fmt.Errorf("inbox: LISTEN: %w", err)
		}
		if n.Payload == s.db.schema {
			keep = true
			return nil
		}
	}
}

// quiet is how long nothing may come before the server is asked whether it is there. A connection
// that has died without a word brings no notification either.
const quiet = time.Minute

// next waits for a notification.
func next(ctx context.Context, l *listener) (*pgconn.Notification, error) {
	for {
		waiting, cancel := context.WithTimeout(ctx, quiet)
		n, err := l.WaitForNotification(waiting)
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return n, err
		}
		asking, cancel := context.WithTimeout(ctx, testTimeout)
		err = l.Ping(asking)
		cancel()
		if err != nil {
			return nil, err
		}
	}
}

// Close gives up the connection that listens, and the database if it is this inbox's alone.
func (s *Inbox) Close() error {
	select {
	case l := <-s.ears:
		if l != nil {
			l.end()
		}
		s.ears <- nil
	default: // Wait has it, and ends it when its context ends
	}
	if s.owns {
		return s.db.Close()
	}
	return nil
}
