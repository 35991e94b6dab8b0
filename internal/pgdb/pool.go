package pgdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// openPool opens a pool of pgx, which stays the host's, as a pool of database/sql.
//
// pgx gives the place of a connection to another one only when the connection is closed, and
// after a statement that was given up it waits up to 15 seconds for the server's goodbye. A pool
// whose connections all went silent would have no place until then, although the server takes
// new connections. So what is silent is closed here: see [poolConn.Close] and testIdlePool.
func openPool(pool *pgxpool.Pool) *sql.DB {
	db := sql.OpenDB(&poolConnector{
		Connector: stdlib.GetPoolConnector(pool), pool: pool, places: make(chan struct{}, pool.Config().MaxConns/2),
	})
	db.SetMaxIdleConns(0) // idle ones are the pool's
	return db
}

// A poolConnector takes connections out of a pool of pgx. Their Close gives them back.
type poolConnector struct {
	driver.Connector

	pool   *pgxpool.Pool
	places chan struct{} // of those that take one at this moment
}

// Connect takes a connection out of the pool. pgx asks one that was idle for a second whether the
// server answers. One that does not keeps its place for 15 seconds more, so they are taken by no
// more callers than half of the places at a time, and not for long: then all that are idle are
// tested, which makes room for fresh ones.
func (c *poolConnector) Connect(ctx context.Context) (driver.Conn, error) {
	select {
	case c.places <- struct{}{}:
		defer func() { <-c.places }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		conn, late, err := c.take(ctx)
		if err == nil {
			return &poolConn{conn.(*stdlib.Conn)}, nil
		}
		if !late || ctx.Err() != nil {
			return nil, err
		}
		testIdlePool(c.pool)
	}
}

// take is late if the pool has not given a connection in time, because one did not answer, none was
// free, or the server takes long for a new one. pgx continues with making that, for the next call.
func (c *poolConnector) take(ctx context.Context) (conn driver.Conn, late bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	conn, err = c.Connector.Connect(ctx)
	return conn, ctx.Err() != nil, err
}

// A poolConn is a connection out of a pool of pgx.
type poolConn struct {
	*stdlib.Conn
}

// Close gives the connection back to the pool, or its place if pgx has given the connection up.
func (c *poolConn) Close() error {
	if conn := c.Conn.Conn(); conn.IsClosed() {
		go cut(conn.PgConn())
	}
	return c.Conn.Close()
}

// goodbye is how long a connection that was given up has for its end. Where the network works, a
// round trip is enough.
const goodbye = time.Second

// cut ends the wait for the server's goodbye, on a connection that pgx has given up.
func cut(conn *pgconn.PgConn) {
	select {
	case <-conn.CleanupDone():
	case <-time.After(goodbye):
		_ = conn.Conn().Close()
	}
}

// testIdlePool asks all idle connections of a pool at once whether the server answers, and closes
// those on which it does not.
func testIdlePool(pool *pgxpool.Pool) {
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	var all sync.WaitGroup
	for _, idle := range pool.AcquireAllIdle(ctx) {
		all.Go(func() {
			if idle.Ping(ctx) == nil {
				idle.Release()
				return
			}
			// A connection that is not the pool's any more has no place in it.
			conn := idle.Hijack()
			closeConn(conn)
			cut(conn.PgConn())
		})
	}
	all.Wait()
}
