package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// A powerCuts is a series of power cuts: the store lies on an image, the host is under load, and at
// a random moment everything is killed and the image is copied. The store in the copy is opened,
// handles what it has, and is judged.
type powerCuts struct {
	engine   string
	cuts     int
	seed     uint64
	accepted int // messages, over all cuts
	lost     int
	lossy    int   // cuts that lost something
	wrong    error // anything else that was not right, or a copy that could not be opened
}

// cutPower cuts the power so many times. Each cut begins with a copy of the same image, on which
// the server's files have been made before, since that takes a while.
func cutPower(ctx context.Context, out io.Writer, engine string, seed uint64, cuts int) (*powerCuts, error) {
	dir, err := os.MkdirTemp(memory(), "torture")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { // the server runs as another user
		return nil, err
	}
	size := 160
	if hasServer(engine) {
		size = 320
	}
	template, err := makeImage(ctx, dir, size)
	if err != nil {
		return nil, err
	}
	if hasServer(engine) {
		if err := template.up(ctx); err != nil {
			return nil, err
		}
		_, err := engines[engine].serve(ctx, template.mount, true)
		template.down()
		if err != nil {
			return nil, err
		}
	}
	c := &powerCuts{engine: engine, cuts: cuts, seed: seed}
	began := time.Now()
	for i := range cuts {
		v, err := c.cut(ctx, template, filepath.Join(dir, fmt.Sprint(i)), seed+uint64(i))
		if err != nil {
			return nil, fmt.Errorf("cut %d: %w", i, err)
		}
		c.accepted += v.accepted
		c.lost += v.missing
		if v.missing > 0 {
			c.lossy++
		}
		v.missing = 0
		c.wrong = errors.Join(c.wrong, v.err())
	}
	fmt.Fprintf(out, "%s: %v, in %.0f s\n", engine, c, time.Since(began).Seconds())
	return c, nil
}

// memory is a folder in memory, where images are copied fast, or the usual one for what is
// temporary. What is lost is decided by the image.
func memory() string {
	const shm = "/dev/shm"
	if _, err := os.Stat(shm); err == nil {
		return shm
	}
	return ""
}

// String is for people.
func (c *powerCuts) String() string {
	return fmt.Sprintf("%d power cuts, %d messages accepted, %d lost in %d cuts", c.cuts, c.accepted, c.lost, c.lossy)
}

// cut lets the power fail once, while a host is under load on a copy of the image; then it judges
// what a host finds on what is left of it.
func (c *powerCuts) cut(ctx context.Context, template image, dir string, seed uint64) (v verdict, err error) {
	defer func() { _ = os.RemoveAll(dir) }()
	before, err := template.copyTo(ctx, filepath.Join(dir, "before"))
	if err != nil {
		return v, err
	}
	t, after, err := c.load(ctx, before, filepath.Join(dir, "after"), seed)
	if err != nil {
		return v, err
	}
	// Another one, because what waits at the old one was never answered.
	t.socket.close()
	if t.socket, err = newSocket(); err != nil {
		return v, err
	}
	defer t.socket.close()
	if err := after.up(ctx); err != nil {
		return v, fmt.Errorf("the copy cannot be mounted: %w", err)
	}
	defer after.down()
	if t.site, err = siteIn(ctx, c.engine, after.mount, false); err != nil {
		return v, err
	}
	defer t.site.stop()
	return t.reopen(ctx)
}

// load runs a host on the image, and returns a copy of the image at a random moment. What was
// answered until then is what must not be lost, so the generator keeps its notes; requests on their
// way are not answered any more.
func (c *powerCuts) load(
	ctx context.Context, before image, dir string, seed uint64,
) (t *trial, after image, err error) {
	if err := before.up(ctx); err != nil {
		return nil, after, err
	}
	defer before.down()
	s, err := siteIn(ctx, c.engine, before.mount, false)
	if err != nil {
		return nil, after, err
	}
	defer s.stop()
	if t, err = trialAt(io.Discard, c.engine, s, seed, 20000); err != nil {
		return nil, after, err
	}
	defer func() {
		t.gen.stop()
		for _, p := range t.running() {
			p.kill()
		}
		t.sending.Wait()
		if err != nil {
			t.socket.close()
		}
	}()
	if !hasEffects(c.engine) {
		// What was handled stays handled, whatever becomes of the disk, and so says nothing about
		// it. So much waits.
		t.notes, t.order.Pause = filepath.Join(filepath.Dir(dir), "notes"), 20*time.Millisecond
	}
	t.gen.allow(20000)
	if err := t.start(ctx, 1); err != nil {
		return nil, after, err
	}
	random := rand.New(rand.NewPCG(seed, 7)) // reproducible on purpose
	watched, done := t.watched(ctx, t.children[0])
	err = t.gen.reach(watched, 20+random.IntN(200))
	done()
	if err != nil {
		return nil, after, err
	}
	time.Sleep(time.Duration(random.IntN(5000)) * time.Microsecond)
	// What was answered until now was answered before the power failed.
	s.stop()
	t.children[0].kill()
	after, err = before.copyTo(ctx, dir)
	return t, after, err
}

// reopen starts a host where the power came back, and judges once it has nothing left to do.
func (t *trial) reopen(ctx context.Context) (v verdict, err error) {
	if err := t.prepare(ctx); err != nil {
		return v, fmt.Errorf("the store cannot be opened: %w", err)
	}
	t.children, t.order.Pause = nil, 0
	if err := t.spawn(0); err != nil {
		return v, err
	}
	p := t.children[0]
	defer p.kill()
	if err := p.ready(ctx); err != nil {
		return v, err
	}
	if err := t.drain(ctx, p); err != nil {
		return v, err
	}
	if _, err := p.end(ctx); err != nil {
		return v, err
	}
	return t.verdict(ctx)
}
