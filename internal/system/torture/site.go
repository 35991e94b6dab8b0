package main

import (
	"context"
	"os"
)

// A site is a place for an engine that is gone when it is closed.
type site struct {
	place  string // what the engine's open takes
	server server // nil if the engine has none
	dir    string // removed by close
}

// newSite makes an empty place for an engine, and starts its server.
func newSite(ctx context.Context, engine string, settings ...string) (*site, error) {
	dir, err := os.MkdirTemp("", "torture")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the server may run as another user
		return nil, err
	}
	s, err := siteIn(ctx, engine, dir, true, settings...)
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// siteIn is a place in a folder. The server is started.
func siteIn(ctx context.Context, engine, dir string, fresh bool, settings ...string) (*site, error) {
	s := &site{place: dir, dir: dir}
	if !hasServer(engine) {
		return s, nil
	}
	var err error
	if s.server, err = engines[engine].serve(ctx, dir, fresh, settings...); err != nil {
		return nil, err
	}
	if err := s.server.start(ctx); err != nil {
		s.stop()
		return nil, err
	}
	s.place = s.server.place()
	return s, nil
}

// stop ends the server, if there is one, and leaves the files.
func (s *site) stop() {
	if s.server != nil {
		s.server.kill()
	}
}

// close ends the server and removes the files.
func (s *site) close() {
	s.stop()
	_ = os.RemoveAll(s.dir)
}
