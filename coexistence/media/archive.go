package media

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

var (
	// ErrNotKept says that there is no file of a message: it has none, it has not been fetched yet,
	// or it could not be.
	ErrNotKept = errors.New("media: no file of this message is kept; look for a dead letter of the archive's inbox")

	// ErrType says that a file is not what its sender says that it is.
	ErrType = errors.New("media: the file is not of the announced type, and was not kept")

	// ErrFull says that a number has as many bytes of files as Config.MaxNumberBytes allows.
	ErrFull = errors.New(
		"media: the number has no room for the file; raise Config.MaxNumberBytes or forget what is old")
)

// A Store keeps files. Keys are what [Key] returns: letters, digits, slashes and the like, and none
// is the beginning of another. It is used by many goroutines.
type Store interface {
	// Put keeps what r holds, as a whole or not at all: if r ends with a different error than
	// [io.EOF], it returns that and keeps nothing. Once it returns nil, the file survives a crash.
	// A file that is there is replaced.
	Put(ctx context.Context, key string, r io.Reader) error

	// Open returns a file, or an error that matches [fs.ErrNotExist].
	Open(ctx context.Context, key string) (io.ReadCloser, error)

	// Delete deletes all files whose key begins with prefix. None is no error.
	Delete(ctx context.Context, prefix string) error
}

// A Sizer is a [Store] that counts, which Config.MaxNumberBytes needs.
type Sizer interface {
	// Size returns how many bytes the files have whose key begins with prefix.
	Size(ctx context.Context, prefix string) (int64, error)
}

// Config configures an [Archive]. Files, Messages and Client are required.
type Config struct {
	// Files stores the files.
	Files Store

	// Messages is the store of the tracker. A file is fetched once its message is in there.
	Messages coexistence.Store

	// Client returns the client of a number, as in coexistence.Config.
	Client coexistence.ClientFunc

	// MaxBytes is the size of the largest file that is kept. If zero, 100 MiB, Meta's own limit.
	MaxBytes int64

	// MaxNumberBytes is how many bytes are kept of a number. Files has to be a [Sizer]. Each
	// process counts for itself what the others add, so they may exceed it by what they fetch at
	// once. If zero, there is no limit.
	MaxNumberBytes int64

	// Types are the beginnings of the MIME types that are kept, such as "image/". Files of others
	// are ignored. If empty, all are kept.
	Types []string
}

// validate lists all mistakes of a Config.
func (c Config) validate() error {
	var errs []error
	if c.Files == nil {
		errs = append(errs, errors.New("media: Config.Files is nil; begin with OpenFolder"))
	}
	if c.Messages == nil {
		errs = append(errs, errors.New("media: Config.Messages is nil; it is the store of the tracker"))
	}
	if c.Client == nil {
		errs = append(errs, errors.New("media: Config.Client is nil; it is the one of coexistence.Config"))
	}
	if c.MaxBytes < 0 || c.MaxNumberBytes < 0 {
		errs = append(errs, errors.New("media: MaxBytes or MaxNumberBytes is negative; zero takes the default"))
	}
	if _, ok := c.Files.(Sizer); !ok && c.MaxNumberBytes > 0 && c.Files != nil {
		errs = append(errs, errors.New("media: Config.MaxNumberBytes needs Config.Files to be a media.Sizer"))
	}
	return errors.Join(errs...)
}

// An Archive keeps the files of messages. It is a [webhook.Handler], idempotent and safe for
// concurrent use.
type Archive struct {
	cfg Config

	mu    sync.Mutex
	sizes map[graph.PhoneNumberID]int64 // as far as they are known, with what is being fetched
}

// New returns an archive. It does no I/O.
func New(cfg Config) (*Archive, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, 100<<20)
	return &Archive{cfg: cfg, sizes: map[graph.PhoneNumberID]int64{}}, nil
}

// plainID is an id that may stand in a key as it is.
var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// prefix is the beginning of the keys of a number.
func prefix(phone graph.PhoneNumberID) string {
	if plainID.MatchString(string(phone)) {
		return string(phone) + "/"
	}
	sum := sha256.Sum256([]byte(phone))
	return "x" + hex.EncodeToString(sum[:16]) + "/"
}

// Key returns the key under which the file of a message is kept. It follows from the number and the
// id of the message, and says nothing about people.
func Key(phone graph.PhoneNumberID, id graph.MessageID) string {
	sum := sha256.Sum256([]byte(id))
	name := hex.EncodeToString(sum[:16])
	return prefix(phone) + name[:2] + "/" + name
}

// A File is a file that was kept. Close it.
type File struct {
	io.ReadCloser

	// MIMEType is the sender's word, whose kind was checked when the file was kept. Have browsers
	// save a file and not show it, unless it is a picture, a film or a sound.
	MIMEType string

	// Filename is the sender's word as well. Never use it as a path.
	Filename string
}

// Open returns the file of a message, or [ErrNotKept].
func (a *Archive) Open(ctx context.Context, m coexistence.Message) (*File, error) {
	if m.Media == nil {
		return nil, ErrNotKept
	}
	r, err := a.cfg.Files.Open(ctx, Key(m.PhoneNumberID, m.ID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotKept
	}
	if err != nil {
		return nil, fmt.Errorf("media: the file of a message cannot be opened: %w", err)
	}
	return &File{r, m.Media.MIMEType, m.Media.Filename}, nil
}

// kept reports whether the file of a message is there.
func (a *Archive) kept(ctx context.Context, key string) (bool, error) {
	r, err := a.cfg.Files.Open(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, r.Close()
}

// wanted reports whether files of a type are kept.
func (a *Archive) wanted(mimeType string) bool {
	return len(a.cfg.Types) == 0 || slices.ContainsFunc(a.cfg.Types, func(beginning string) bool {
		return strings.HasPrefix(strings.ToLower(mimeType), strings.ToLower(beginning))
	})
}

// room returns how many bytes a number has left, or an error that matches [ErrFull].
func (a *Archive) room(ctx context.Context, phone graph.PhoneNumberID) (int64, error) {
	sizer, ok := a.cfg.Files.(Sizer)
	if !ok || a.cfg.MaxNumberBytes == 0 {
		return a.cfg.MaxBytes, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	size, known := a.sizes[phone]
	if !known {
		var err error
		if size, err = sizer.Size(ctx, prefix(phone)); err != nil {
			return 0, err
		}
		a.sizes[phone] = size
	}
	if size >= a.cfg.MaxNumberBytes {
		delete(a.sizes, phone) // something may be deleted until the next one
		return 0, ErrFull
	}
	return min(a.cfg.MaxBytes, a.cfg.MaxNumberBytes-size), nil
}

// count adds a file that was kept to the size of its number, if that is known.
func (a *Archive) count(phone graph.PhoneNumberID, size int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.sizes[phone]; known {
		a.sizes[phone] += size
	}
}
