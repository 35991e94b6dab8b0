package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A spool is a folder of deliveries, and the [webhook.Receiver] that fills it.
type spool struct {
	dir     *os.Root
	arrived chan struct{} // says that there is something to do
}

// openSpool opens the folder, and makes it if it does not exist. What it holds are customers'
// messages: other users of the machine may not read it.
func openSpool(path string) (*spool, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	dir, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &spool{dir, make(chan struct{}, 1)}, nil
}

func (s *spool) close() { _ = s.dir.Close() }

// Receive writes a delivery down. If that fails, Meta is asked to keep it.
func (s *spool) Receive(_ context.Context, d webhook.Delivery) error {
	name := fmt.Sprintf("%020d-%x", d.ReceivedAt.UnixNano(), sha256.Sum256(d.Body))
	if err := s.write(name, d.Body); err != nil {
		return fmt.Errorf("%w: %w", webhook.ErrUnavailable, err)
	}
	select {
	case s.arrived <- struct{}{}:
	default: // the worker has not looked yet, and will find this one too
	}
	return nil
}

// write returns when the bytes are on the disk, under a name that says they are complete.
func (s *spool) write(name string, body []byte) (err error) {
	f, err := s.dir.OpenFile(name+".part", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, bytes.NewReader(body))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, s.dir.Remove(name+".part"))
	}
	if err := s.dir.Rename(name+".part", name+".json"); err != nil {
		return err
	}
	return s.sync()
}

// sync writes the folder itself down: without it, a power cut can take the new name away.
func (s *spool) sync() error {
	dir, err := s.dir.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// each calls fn with every delivery, oldest first, and deletes those for which it returns nil.
func (s *spool) each(fn func(webhook.Delivery) error) error {
	dir, err := s.dir.Open(".")
	if err != nil {
		return err
	}
	entries, err := dir.ReadDir(-1)
	if err := errors.Join(err, dir.Close()); err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".json" {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names) // they begin with the time
	var errs []error
	for _, name := range names {
		errs = append(errs, s.take(name, fn))
	}
	return errors.Join(errs...)
}

// take calls fn with one delivery, and deletes its file once fn has returned nil. If the process
// ends in between, the delivery is handled again: handlers must be idempotent.
func (s *spool) take(name string, fn func(webhook.Delivery) error) error {
	var at int64
	if _, err := fmt.Sscanf(name, "%d-", &at); err != nil {
		return fmt.Errorf("a file that is not ours: %w", err)
	}
	body, err := s.dir.ReadFile(name)
	if err != nil {
		return err
	}
	if err := fn(webhook.Delivery{Body: body, ReceivedAt: time.Unix(0, at)}); err != nil {
		return err
	}
	return s.dir.Remove(name)
}
