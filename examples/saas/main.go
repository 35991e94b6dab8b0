// Saas is a small multi-tenant product that a company could start with: businesses sign up,
// connect the WhatsApp Business app on their phone, answer their customers in a shared inbox with a
// bot beside them, and send campaigns.
//
//	go run ./examples/saas
//
// starts it in one process, with SQLite in a folder and the simulator as Meta and as the phones: no
// account, no network. Open the address that it prints. With -meta real it talks to the real
// platform, or to a simulator that is another program; with -database postgres://… several
// processes share the work. The README says what to copy, what to replace and what Meta asks for.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/postgres"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/sqlite"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/loopback"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/relay"
)

// settings are the flags, described where they are read, and to whom deliveries go on.
type settings struct {
	addr, ops, url, dir, files, database, meta, policy string
	lease, unknownTimeout                              time.Duration
	relay                                              relay.Config // see relayConfig
}

func main() {
	var s settings
	flag.StringVar(&s.addr, "addr", "127.0.0.1:8080", "where the product listens")
	flag.StringVar(&s.ops, "ops", "127.0.0.1:8081",
		"where health, metrics and the inbox's status are, for those who run it; empty for nowhere")
	flag.StringVar(&s.url, "url", "", "the https `URL` under which people know the product; if empty, http at addr")
	flag.StringVar(&s.dir, "dir", "", "`folder` of the database; if empty, a temporary one that is deleted in the end")
	flag.StringVar(&s.files, "files", "",
		"`folder` of the files of messages, which several processes have to share; if empty, one in that of -dir")
	flag.StringVar(&s.database, "database", "",
		"postgres:// `URL` for several processes; if empty, SQLite in the folder")
	flag.StringVar(&s.meta, "meta", "sim",
		`"sim" for a simulator within this process, "real" for what the environment names (see platform.go)`)
	flag.StringVar(&s.policy, "policy", os.Getenv("ELIGIBILITY_POLICY"),
		`the rules to check numbers by: empty for the documented ones, a date or "today" for Meta's`)
	flag.DurationVar(&s.lease, "lease", 15*time.Second,
		"after how long other processes go on with the work of one that died")
	flag.DurationVar(&s.unknownTimeout, "unknown-timeout", 0,
		"how long a send of unknown outcome waits for a webhook; if zero, 5 s with the simulator and 1 h without")
	flag.Parse()
	s.relay = relayConfig()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, s); err != nil {
		fmt.Fprintln(os.Stderr, "saas:", err)
		stop()
		os.Exit(1)
	}
}

// run serves until ctx ends, and then finishes what is in progress.
func run(ctx context.Context, out io.Writer, s settings) (err error) {
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "saas"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(s.dir)) }()
	}
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("cannot listen; choose another address with -addr: %w", err)
	}
	defer func() { _ = listener.Close() }() // the server has closed it
	s.url = cmp.Or(s.url, "http://"+listener.Addr().String())
	s.files = cmp.Or(s.files, filepath.Join(s.dir, "files"))
	meta, err := newPlatform(s.meta, s.url)
	if err != nil {
		return err
	}
	if meta.simulator != nil {
		defer meta.simulator.World.Close()
	}
	s.unknownTimeout = cmp.Or(s.unknownTimeout, meta.unknownTimeout)
	keys, err := openKeys(graph.Secret(os.Getenv("SAAS_KEYS")))
	if err != nil {
		return err
	}
	db, err := open(ctx, s, keys)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	a, err := newApp(ctx, s, meta, db, keys, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	return a.serve(ctx, out, listener)
}

// lockPostgres is the advisory lock under which processes that start at once make the tables one
// after the other: a number that nothing else in the database locks.
const lockPostgres = "SELECT pg_advisory_xact_lock(7220261);"

// open opens PostgreSQL if there is a URL, or else a SQLite file in the folder, which one process
// uses at a time. The rest of the product does not know which of them it is.
func open(ctx context.Context, s settings, keys *signup.Keyring) (db *storage.DB, err error) {
	lock := ""
	if s.database != "" {
		lock = lockPostgres
		db, err = postgres.Open(ctx, postgres.Config{URL: s.database, Keyring: keys})
	} else {
		db, err = sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(s.dir, "saas.db"), Keyring: keys})
	}
	if err != nil {
		return nil, err
	}
	if err := makeTables(ctx, db, lock); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// serve runs the process until ctx ends, and then stops requests, handlers and sending, in that
// order. What is left when the time is over is in the database, for another process or the next
// start. Background work has a context of its own, since ctx has ended by then.
func (a *app) serve(ctx context.Context, out io.Writer, listener net.Listener) (err error) {
	last := context.WithoutCancel(ctx)
	working, stop := context.WithCancel(last)
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	work.Go(func() { a.tracker.Run(working) })
	work.Go(func() { a.monitor.Run(working) })
	work.Go(func() { a.resumeSignups(working) })
	work.Go(func() { a.changes.run(working) })
	if err := errors.Join(a.inbox.Start(ctx), a.outbox.Start(ctx)); err != nil {
		return err
	}
	server := &http.Server{Handler: a.routes(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	server.RegisterOnShutdown(a.changes.news.Close)
	ops := &http.Server{
		Addr: a.ops, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		Handler: loopback.Guard(a.operations()), // it refuses names that are not this machine's
	}
	failed := make(chan error, 3)
	go func() { failed <- server.Serve(listener) }()
	if a.ops != "" {
		go func() { failed <- ops.ListenAndServe() }()
	}
	if a.meta.simulator != nil { // the real one is told in the app dashboard
		if err := a.meta.simulator.World.DeliverTo(a.url + "/webhook"); err != nil {
			failed <- err
		}
	}
	fmt.Fprintf(out, "Open %s/ in your browser.%s\n", a.url, a.meta.hint)
	a.ready.Store(true)
	select {
	case err = <-failed:
	case <-ctx.Done():
		a.log.InfoContext(ctx, "shutting down")
	}
	a.ready.Store(false)
	end, cancel := context.WithTimeout(last, 20*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(end), a.inbox.Shutdown(end), a.outbox.Shutdown(end), ops.Shutdown(end),
		a.closeQueues(end))
}
