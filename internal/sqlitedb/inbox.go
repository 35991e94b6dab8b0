package sqlitedb

import (
	"context"
	"errors"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqlinbox"
)

// An Inbox is an inbox's store with a file to itself.
type Inbox struct {
	*sqlinbox.Store

	file *File
}

// OpenInbox opens a file for an inbox only.
func OpenInbox(ctx context.Context, path string) (*Inbox, error) {
	file, err := Open(ctx, path)
	if err != nil {
		return nil, err
	}
	store, err := sqlinbox.Open(ctx, file.DB)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Inbox{store, file}, nil
}

// Close closes the file.
func (s *Inbox) Close() error { return s.file.Close() }
