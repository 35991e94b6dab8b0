package media

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// A Folder is a [Store] in a directory of this machine, and a [Sizer]. Several processes may use it
// at once.
type Folder struct{ root *os.Root }

var (
	_ Store = (*Folder)(nil)
	_ Sizer = (*Folder)(nil)
)

// OpenFolder opens a directory, and makes it if it does not exist, readable for this user only.
// Close it when nothing uses it any more.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{root}, nil
}

// Close closes the directory.
func (f *Folder) Close() error { return f.root.Close() }

// Put implements [Store]. The file gets its name once it is on the disk.
func (f *Folder) Put(ctx context.Context, key string, r io.Reader) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.root.MkdirAll(path.Dir(key), 0o700); err != nil {
		return err
	}
	part := key + ".part-" + rand.Text()[:8]
	file, err := f.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.root.Remove(part)
		}
	}()
	_, err = io.Copy(file, r)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err := f.root.Rename(part, key); err != nil {
		return err
	}
	return f.sync(path.Dir(key))
}

// sync writes the names of a directory to the disk, where the system does that.
func (f *Folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // Windows refuses it for directories
	return d.Close()
}

// Open implements [Store].
func (f *Folder) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, err := f.root.Open(key)
	if err != nil {
		return nil, err
	}
	return file, nil
}

// Delete implements [Store]. What a process that died left of a file goes with it.
func (f *Folder) Delete(ctx context.Context, prefix string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir, name := path.Split(prefix)
	if name == "" {
		return f.root.RemoveAll(path.Clean(dir))
	}
	entries, err := fs.ReadDir(f.root.FS(), path.Clean(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), name) {
			if err := f.root.RemoveAll(path.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// Size implements [Sizer].
func (f *Folder) Size(ctx context.Context, prefix string) (size int64, err error) {
	err = fs.WalkDir(f.root.FS(), path.Clean(path.Dir(prefix+"x")), func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || d.IsDir() || !strings.HasPrefix(name, prefix) {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return size, err
}
