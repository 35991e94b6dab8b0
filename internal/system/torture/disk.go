package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// How long the disk stays full once a whole host refuses.
const (
	diskHeld     = 2 * time.Second
	diskHeldFull = 30 * time.Second // with -full
)

// runDisk lets the disk under tracker and outbox run full while a whole host answers, and makes
// room again. Meanwhile the endpoint has to answer 503; afterwards everything goes on, and neither
// the host nor a server is restarted. The log of PostgreSQL lies on another disk: without room for
// it, the server ends, as the trial of the inbox shows.
func runDisk(ctx context.Context, out io.Writer, engine string, o options) error {
	t, err := newWholeTrial(
		ctx, out, engine, o.seed, size{messages: 20000, conversations: 400, numbers: 6, answers: 3},
	) // no disk takes so many, and only as many are sent as it does
	if err != nil {
		return err
	}
	defer t.close()
	t.meta.misbehave(0.1, 2*time.Second)
	disk, err := smallDisk(ctx, t, 8*diskSize[engine]) // room for all that follows, once the filler is gone
	if err != nil {
		return err
	}
	defer image{mount: disk}.down()
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, nil, 0o600); err != nil {
		return err
	}
	if err := t.moveTo(ctx, filepath.Join(disk, "whole")); err != nil {
		return err
	}
	defer func() { // the disk cannot be unmounted while they run
		for _, p := range t.running() {
			p.kill()
		}
		t.site.stop()
	}()
	if err := moveLog(ctx, t.site); err != nil {
		return err
	}
	if err := t.start(ctx, 1); err != nil {
		return err
	}
	t.gen.allow(4 * fillStep)
	if err := t.taken(ctx, fillStep/2); err != nil {
		return err
	}
	held := diskHeld
	if o.full {
		held = diskHeldFull
	}
	before, _ := t.meta.count()
	if err := t.holdFull(ctx, filler, held); err != nil {
		return err
	}
	during, _ := t.meta.count()
	accepted, refused, broken := t.gen.counts()
	w, _, err := t.finishWhole(ctx)
	if err != nil {
		return err
	}
	if odd := t.gen.odd + t.meta.odd; odd > 0 || broken > 0 {
		return fmt.Errorf("while the disk was full, %d answers were neither 200 nor 503, and %d were none", odd, broken)
	}
	fmt.Fprintf(out, "%s: the disk was full for %v, the host answered 503 to %d deliveries and sent %d answers "+
		"meanwhile; %d deliveries were accepted before and %d after, in %.0f s\n  %v\n", engine, held, refused,
		during-before, accepted, t.gen.wanted-accepted, time.Since(t.began).Seconds(), w)
	return nil
}

// holdFull fills the disk until the host refuses, keeps it full for a while, and makes room.
func (t *trial) holdFull(ctx context.Context, filler string, held time.Duration) error {
	if err := fill(filler); err != nil {
		return err
	}
	if err := t.sendUntilRefused(ctx); err != nil {
		return err
	}
	for end := time.Now().Add(held); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		t.progressWhole(report{})
	}
	return os.Remove(filler)
}

// moveLog puts the log of a PostgreSQL server that runs into the folder beside its disk.
func moveLog(ctx context.Context, s *site) error {
	server, ok := s.server.(*cluster)
	if !ok {
		return nil
	}
	server.interrupt()
	from, to := filepath.Join(server.data(), "pg_wal"), filepath.Join(s.dir, "pg_wal")
	if err := command(ctx, "cp", "-a", from, to); err != nil {
		return err
	}
	if err := os.RemoveAll(from); err != nil {
		return err
	}
	if err := os.Symlink(to, from); err != nil {
		return err
	}
	return server.start(ctx)
}
