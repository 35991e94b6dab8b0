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

// A listener is a connection that gets notifications (LISTEN). It does nothing else, because pgx
// reads notifications only while it waits for them.
type listener struct {
	*pgx.Conn

	end func() // closes it, and gives back what it was taken from
}

// listenAlone connects beside the pool, for a database that is named by its URL. The error of a
// connection can quote the URL, which may hold a password, so it is not passed on.
func listenAlone(cfg *pgx.ConnConfig) func(context.Context) (*listener, error) {
	return func(ctx context.Context) (*listener, error) {
		conn, err := pgx.ConnectConfig(ctx, cfg)
		if err != nil {
			return nil, errors.New("the database cannot be reached") // its error can quote the URL
		}
		return &listener{conn, func() { closeConn(conn) }}, nil
	}
}

// listenInPool takes a connection out of the host's pool for good: it is made with the host's
// settings, and does not count among the pool's connections any more.
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

// errOtherDriver is permanent, and no reason to stop: new deliveries are found by polling.
var errOtherDriver = fmt.Errorf(
	"the pool's driver is not pgx's own, so this process asks for new deliveries instead of being told: %w",
	errors.ErrUnsupported,
)

// listenInDB borrows a connection of the host's database/sql pool, for as long as it listens. It
// takes one of the pool's connections: minConns counts with it.
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
			// It still listens, and may be in the middle of a read, so the pool must not get it
			// back open.
			closeConn(l.Conn)
			_ = borrowed.Close()
		}
		return l, nil
	}
}

// closeConn closes a connection that may be broken, without waiting long for the server's goodbye.
func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // it may be broken, which is why it is closed
}

// An Inbox is an inbox's store that tells when another one has appended something.
type Inbox struct {
	*sqlinbox.Store

	db   *DB
	owns bool // the database is this inbox's alone, and is closed with it
	// listener holds the connection that listens, or nil as long as there is none. Wait takes it
	// out while it waits, and Close takes it out to end it.
	listener chan *listener
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
	s := &Inbox{Store: store, db: db, listener: make(chan *listener, 1)}
	s.listener <- nil
	return s, nil
}

// OpenInbox opens a database for an inbox only. Its Close closes the database.
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

// Wait implements [inbox.Waker]. The first call opens a connection and says at once that there may
// be something; further calls wait for a notification of another store over the same tables. A
// connection that fails is closed, and the next call opens another one.
func (s *Inbox) Wait(ctx context.Context) error {
	var l *listener
	select {
	case l = <-s.listener:
	case <-ctx.Done():
		return ctx.Err()
	}
	keep := false
	defer func() {
		if !keep && l != nil {
			l.end()
			l = nil
		}
		s.listener <- l
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
		return nil // deliveries appended before LISTEN were not notified: the caller looks once
	}
	for {
		n, err := next(ctx, l)
		if err != nil {
			return fmt.Errorf("inbox: LISTEN: %w", err)
		}
		if s.HasNews(n.Payload, s.db.schema) {
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

// Close closes the connection that listens, and the database if it is this inbox's alone.
func (s *Inbox) Close() error {
	select {
	case l := <-s.listener:
		if l != nil {
			l.end()
		}
		s.listener <- nil
	default: // Wait has it, and closes it when its context ends
	}
	if s.owns {
		return s.db.Close()
	}
	return nil
}
