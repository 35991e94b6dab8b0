package main

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/media"
)

// A store keeps files in a bucket.
type store struct{ bucket *blob.Bucket }

var (
	_ media.Store = store{}
	_ media.Sizer = store{}
)

// Put implements [media.Store]. An upload whose context has ended before Close leaves nothing.
func (s store) Put(ctx context.Context, key string, r io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// What the file is says its message. A browser that gets it from the bucket is to save it.
	w, err := s.bucket.NewWriter(ctx, key, &blob.WriterOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		cancel()
		_ = w.Close() // says that it was canceled
		return err
	}
	return w.Close()
}

// Open implements [media.Store].
func (s store) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	r, err := s.bucket.NewReader(ctx, key, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Delete implements [media.Store].
func (s store) Delete(ctx context.Context, prefix string) error {
	return s.each(ctx, prefix, func(o *blob.ListObject) error {
		err := s.bucket.Delete(ctx, o.Key)
		if gcerrors.Code(err) == gcerrors.NotFound {
			return nil // another process was faster
		}
		return err
	})
}

// Size implements [media.Sizer]. It lists all files of a number, which the archive asks for once in
// each process.
func (s store) Size(ctx context.Context, prefix string) (size int64, err error) {
	err = s.each(ctx, prefix, func(o *blob.ListObject) error {
		size += o.Size
		return nil
	})
	return size, err
}

// each calls fn for each file whose key begins with prefix.
func (s store) each(ctx context.Context, prefix string, fn func(*blob.ListObject) error) error {
	for list := s.bucket.List(&blob.ListOptions{Prefix: prefix}); ; {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = fn(o)
		}
		if err != nil {
			return err
		}
	}
}
