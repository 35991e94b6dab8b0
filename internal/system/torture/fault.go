package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// runFaults does to a host under load what can happen to its surroundings, one fault after the
// other, each in a trial of its own.
func runFaults(ctx context.Context, out io.Writer, engine string, o options) error {
	type fault struct {
		name string
		run  func(context.Context, *trial) error
	}
	list := []fault{{fullDisk, fillDisk}}
	if hasServer(engine) {
		list = append(list, fault{"stopped past its lease", stopWorkers}, fault{"server restarted", restartServer})
	}
	if engines[engine].dialect == sqldb.PostgreSQL { // NATS has no backends, and its clock is the machine's
		list = append(list, fault{"clock jumps", jumpClock}, fault{"backend killed in its commit", killBackends})
	}
	var errs []error
	for _, f := range list {
		err := runFault(ctx, out, engine, o, f.name == fullDisk, f.run)
		if err != nil {
			err = fmt.Errorf("%s: %w", f.name, err)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// fullDisk is the name of a fault that needs more deliveries than the others.
const fullDisk = "full disk"

// runFault plays one fault.
func runFault(
	ctx context.Context, out io.Writer, engine string, o options, full bool, run func(context.Context, *trial) error,
) error {
	rounds := 2
	if o.full {
		rounds = 50
	}
	deliveries := rounds * 200
	if full {
		deliveries = 20000 // no disk takes so many, and only as many are sent as it does
	}
	// A commit that takes a while can be met on its way.
	t, err := newTrial(ctx, out, engine, o.seed, deliveries, "commit_delay=3000", "commit_siblings=0")
	if err != nil {
		return err
	}
	defer t.close()
	t.rounds = rounds
	return run(ctx, t)
}

// conclude finishes a trial and says how it ended.
func (t *trial) conclude(ctx context.Context, what string) (reports []report, err error) {
	v, reports, err := t.finish(ctx)
	if err == nil {
		fmt.Fprintf(t.out, "%s: %s, in %.0f s\n  %v\n", t.engine, what, time.Since(t.began).Seconds(), v)
	}
	return reports, err
}

// stopWorkers stops one of two hosts (SIGSTOP) in the middle of a handler, until the other one has
// handled the same event. What the first still wants to write when it goes on is refused.
func stopWorkers(ctx context.Context, t *trial) error {
	t.order.Pause, t.order.Lease, t.order.Workers = 5*time.Millisecond, 1500*time.Millisecond, stoppedWorkers
	t.gen.plan.conversations = 10   // so that a host has several events of each in progress
	t.gen.timeout = 2 * time.Second // a host that is stopped answers nothing
	if err := t.start(ctx, 2); err != nil {
		return err
	}
	for k := range t.rounds {
		if err := t.overtake(ctx, (k+1)*t.gen.plan.deliveries/(t.rounds+1)); err != nil {
			return err
		}
		t.progress()
	}
	reports, err := t.conclude(ctx, fmt.Sprintf(
		"%d times a host was stopped in a handler until the other one had handled the same", t.rounds,
	))
	if err != nil {
		return err
	}
	var fenced int64
	for _, r := range reports {
		fenced += r.Fenced
	}
	fmt.Fprintf(t.out, "  %d attempts were fenced\n", fenced)
	return nil
}

// stoppedWorkers is how many workers a host has that is stopped: so many events may be in its
// handlers, and are handled again.
const stoppedWorkers = 4

// overtake lets n deliveries in all be sent, stops the first host that has one of their messages in
// hand, and lets it go on when the other one has handled that message. Then it has to find that it
// lost its lease.
//
// On a slow machine a host can lose a message to the other one before it is stopped, while the
// message is in its handler. What is settled is not taken over any more, so then another message is
// chosen.
func (t *trial) overtake(ctx context.Context, n int) error {
	const tries, more = 10, 10
	for i := range tries {
		if done, err := t.tryOvertake(ctx, min(n+i*more, t.gen.plan.deliveries)); done || err != nil {
			return err
		}
	}
	return fmt.Errorf("%d times a host was stopped, and each time it had lost the message in its hands before", tries)
}

// tryOvertake stops a host within a handler, once. It reports false if the message in its hands was
// not leased to it any more, so that nothing was overtaken.
func (t *trial) tryOvertake(ctx context.Context, n int) (done bool, err error) {
	for _, p := range t.running() {
		if _, err := p.ask(ctx, "hold"); err != nil {
			return false, err
		}
	}
	t.gen.allow(n)
	p, before, err := t.holder(ctx)
	if err != nil {
		return false, err
	}
	// Without transactions it can have left an effect before, when another host was overtaken.
	times, _, err := t.handled(ctx, before.Holding)
	if err != nil {
		return false, err
	}
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return false, err
	}
	for _, other := range t.running() {
		if other == p {
			continue
		}
		if _, err := other.ask(ctx, "go"); err != nil {
			return false, err
		}
		// The other host has handled all of it once nothing is left, what the stopped one had in
		// hand included.
		if err := errors.Join(t.gen.reach(ctx, n), t.drain(ctx, other)); err != nil {
			return false, fmt.Errorf("taking over from a host that was stopped: %w", err)
		}
	}
	again, all, err := t.handled(ctx, before.Holding)
	if err != nil {
		return false, err
	}
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		return false, err
	}
	if _, err := p.ask(ctx, "go"); err != nil || again == times {
		return false, err
	}
	return true, t.overtaken(ctx, p, before, all)
}

// overtaken waits until a host that goes on finds that it lost its lease. Of what it had claimed,
// it must not begin anything: only what was in its handlers leaves effects, beyond all that were
// there.
func (t *trial) overtaken(ctx context.Context, p *process, before report, all int) error {
	err := await(ctx, 20*time.Millisecond, "a host that was overtaken to find that it lost its lease",
		func(ctx context.Context) (string, bool, error) {
			r, err := p.ask(ctx, "stats")
			found := fmt.Sprintf(
				"%d events fenced, %d of them before, and %d in handlers", r.Fenced, before.Fenced, r.Running,
			)
			return found, r.Fenced > before.Fenced && r.Running == 0, err
		})
	if err != nil {
		return err
	}
	_, now, err := t.handled(ctx, before.Holding)
	if err == nil && now-all > stoppedWorkers {
		err = fmt.Errorf("a host that was overtaken, with %d workers, did %d events again", stoppedWorkers, now-all)
	}
	return err
}

// holder waits until a host holds on to a message, and returns it with its report.
func (t *trial) holder(ctx context.Context) (p *process, r report, err error) {
	err = await(ctx, 5*time.Millisecond, "a host to have a message in hand",
		func(ctx context.Context) (string, bool, error) {
			for _, p = range t.running() {
				if r, err = p.ask(ctx, "stats"); err != nil || r.Holding != "" {
					return "", true, err
				}
			}
			return fmt.Sprintf("%d events left to be handled", r.Left), false, nil
		})
	return p, r, err
}

// handled returns how many effects a message has left, and all messages.
func (t *trial) handled(ctx context.Context, message string) (times, all int, err error) {
	if hasEffects(t.engine) && t.watching.db == nil {
		if t.watching, err = engines[t.engine].open(ctx, t.site.place); err != nil {
			return 0, 0, err
		}
	}
	list, err := t.effects(ctx, t.watching)
	for _, e := range list {
		if e.message == message {
			times++
		}
	}
	return times, len(list), err
}

// jumpClock has the server's clock jump forward by hours and days while leases run.
func jumpClock(ctx context.Context, t *trial) error {
	clock, err := newServerClock(ctx, t)
	if err != nil {
		return err
	}
	defer clock.close()
	if err := t.start(ctx, 2); err != nil {
		return err
	}
	const day = 24 * time.Hour
	jumps := []time.Duration{time.Hour, 8 * day, 9 * day}
	for k, jump := range jumps {
		t.gen.allow((k + 2) * t.gen.plan.deliveries / (len(jumps) + 1))
		if err := t.gen.reach(ctx, (k+1)*t.gen.plan.deliveries/(len(jumps)+2)); err != nil {
			return err
		}
		if err := clock.set(ctx, jump); err != nil {
			return err
		}
	}
	_, err = t.conclude(ctx, "the server's clock jumped ahead by an hour, 8 days and 9 days")
	return err
}

// killBackends kills server processes while they commit, which makes PostgreSQL throw out all the
// others and recover.
func killBackends(ctx context.Context, t *trial) error {
	if err := t.start(ctx, 2); err != nil {
		return err
	}
	kills := t.rounds
	for k := range kills {
		t.gen.allow((k + 2) * t.gen.plan.deliveries / (kills + 1))
		if err := t.gen.reach(ctx, (k+1)*t.gen.plan.deliveries/(kills+2)); err != nil {
			return err
		}
		if err := t.killCommitting(ctx); err != nil {
			return err
		}
		t.progress()
	}
	_, err := t.conclude(ctx, fmt.Sprintf("%d backends killed in their commit", kills))
	return err
}

// killCommitting waits until a backend is in its commit, and kills it.
func (t *trial) killCommitting(ctx context.Context) error {
	db, err := sql.Open("pgx", t.site.place)
	if err != nil {
		return err
	}
	defer db.Close()
	var pid int
	err = await(ctx, time.Millisecond, "a backend in its commit",
		func(ctx context.Context) (string, bool, error) {
			// While the server recovers, the query fails.
			err := db.QueryRowContext(ctx,
				"SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query ILIKE 'commit%' LIMIT 1").Scan(&pid)
			return fmt.Sprint(err), err == nil, nil
		})
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// restartServer restarts the server under load, in turn with and without letting it write down what
// it has.
func restartServer(ctx context.Context, t *trial) error {
	if err := t.start(ctx, 2); err != nil {
		return err
	}
	restarts := t.rounds
	for k := range restarts {
		t.gen.allow((k + 2) * t.gen.plan.deliveries / (restarts + 1))
		if err := t.gen.reach(ctx, (k+1)*t.gen.plan.deliveries/(restarts+2)); err != nil {
			return err
		}
		if k%2 == 0 {
			t.site.server.kill()
		} else {
			t.site.server.interrupt()
		}
		if err := t.site.server.start(ctx); err != nil {
			return err
		}
		t.progress()
	}
	_, err := t.conclude(ctx, fmt.Sprintf("the server restarted %d times", restarts))
	return err
}

// diskSize is how large the disk is that runs full, in megabytes.
var diskSize = map[string]int{"sqlite": 24, "postgres": 128, "nats": 64}

// fillDisk lets the disk of a store run full, and makes room again. Meanwhile the host has to
// refuse, and what it accepted before must be there afterwards.
func fillDisk(ctx context.Context, t *trial) error {
	disk, err := smallDisk(ctx, t, diskSize[t.engine])
	if err != nil {
		return err
	}
	defer image{mount: disk}.down()
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, nil, 0o600); err != nil {
		return err
	}
	if err := t.moveTo(ctx, filepath.Join(disk, "inbox")); err != nil {
		return err
	}
	defer func() {
		for _, p := range t.running() {
			p.kill()
		}
		t.site.stop()
	}()
	t.gen.timeout = 2 * time.Second // NATS leaves requests without an answer
	if err := t.start(ctx, 1); err != nil {
		return err
	}
	t.gen.allow(fillStep)
	if err := t.gen.reach(ctx, fillStep); err != nil {
		return err
	}
	if err := fill(filler); err != nil {
		return err
	}
	if err := t.sendUntilRefused(ctx); err != nil {
		return err
	}
	if err := os.Remove(filler); err != nil {
		return err
	}
	_, refused, broken := t.gen.counts()
	how := ""
	if t.site.server != nil {
		// PostgreSQL gives up if there is no room for its log, and NATS turns JetStream off; both
		// have to be started again by their administrator.
		t.site.server.kill()
		if err := t.site.server.start(ctx); err != nil {
			return err
		}
		how = ", and the server was restarted"
	}
	_, err = t.conclude(ctx, fmt.Sprintf("the disk was full, so that the host refused %d times and %d times did "+
		"not answer%s",
		refused, broken, how))
	return err
}

// fillStep is how many deliveries are sent at a time until the host refuses.
const fillStep = 100

// smallDisk mounts a file system in memory of so many megabytes.
func smallDisk(ctx context.Context, t *trial, megabytes int) (string, error) {
	if os.Getuid() != 0 {
		return "", fmt.Errorf("%w: only root mounts a file system", errMissing)
	}
	disk := filepath.Join(t.site.dir, "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		return "", err
	}
	size := fmt.Sprintf("size=%dm,mode=755", megabytes)
	if err := command(ctx, "mount", "-t", "tmpfs", "-o", size, "tmpfs", disk); err != nil {
		return "", fmt.Errorf("%w: %w", errMissing, err)
	}
	return disk, nil
}

// moveTo makes a new place for the engine in a folder, which it makes, and leaves the old one.
func (t *trial) moveTo(ctx context.Context, dir string) error {
	t.site.stop()
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	s, err := siteIn(ctx, t.engine, dir, true)
	if err != nil {
		return err
	}
	t.site.server, t.site.place = s.server, s.place
	return nil
}

// fill writes to a file until the disk has no byte left.
func fill(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	block := make([]byte, 4096)
	for err == nil {
		_, err = file.Write(block)
	}
	return file.Close()
}

// sendUntilRefused sends as many more deliveries as it takes until there is no room in the store's
// own files either. What was sent by then is the whole plan. NATS does not say that it has no room,
// so its answer may come too late for the sender.
func (t *trial) sendUntilRefused(ctx context.Context) error {
	refuses := func() bool { return t.gen.refused+t.gen.broken >= 50 }
	for n := 2 * fillStep; ; n += fillStep {
		t.gen.allow(n)
		all := false
		if err := t.gen.until(ctx, func() bool { all = t.gen.accepted >= n; return all || refuses() }); err != nil {
			return err
		}
		if !all {
			t.gen.enough()
			return nil
		}
		if n >= t.gen.plan.deliveries {
			return errors.New("the disk was full, and everything was taken all the same")
		}
	}
}
