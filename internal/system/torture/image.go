package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// An image is a file with an ext4 file system in it, mounted. What is written to it and not synced
// stays in the memory of the kernel: commit=600 keeps ext4 from writing it down meanwhile. So the
// file, copied at any moment, holds what a disk would after a loss of power.
type image struct {
	file  string // of the file system
	mount string // where it is seen while it is up
}

// makeImage makes the file. It is not mounted. It needs root, loop devices and the tools of ext4.
func makeImage(ctx context.Context, dir string, megabytes int) (image, error) {
	m := image{filepath.Join(dir, "disk"), filepath.Join(dir, "mount")}
	if os.Getuid() != 0 {
		return m, fmt.Errorf("%w: only root mounts a file system", errMissing)
	}
	for _, tool := range []string{"mkfs.ext4", "losetup", "mount", "umount"} {
		if _, err := tooling(tool); err != nil {
			return m, err
		}
	}
	if err := command(ctx, "losetup", "-f"); err != nil {
		return m, fmt.Errorf("%w: there are no loop devices: %w", errMissing, err)
	}
	if err := os.WriteFile(m.file, nil, 0o600); err != nil {
		return m, err
	}
	if err := os.Truncate(m.file, int64(megabytes)<<20); err != nil {
		return m, err
	}
	if err := os.MkdirAll(m.mount, 0o755); err != nil { // the server runs as another user
		return m, err
	}
	return m, command(ctx, "mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", m.file)
}

// tooling finds a program of the system's administrator.
func tooling(name string) (string, error) {
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: there is no %s", errMissing, name)
}

// command runs a program of the system's administrator, and returns what it said if it fails.
func command(ctx context.Context, name string, args ...string) error {
	path, err := tooling(name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, waitTimeout, errNoChange)
	defer cancel()
	if text, err := exec.CommandContext(ctx, path, args...).CombinedOutput(); err != nil { // a mount is what is wanted
		return fmt.Errorf("%s: %w: %s", name, errors.Join(err, context.Cause(ctx)), text)
	}
	return nil
}

// up mounts it.
func (m image) up(ctx context.Context) error {
	return command(ctx, "mount", "-o", "loop,commit=600", m.file, m.mount)
}

// down unmounts it, however long others need to let go.
func (m image) down() {
	ctx := context.Background()
	if command(ctx, "umount", m.mount) != nil {
		_ = command(ctx, "umount", "-l", m.mount)
	}
}

// copyTo copies the file as it is at this moment, and makes a folder to mount the copy on.
func (m image) copyTo(ctx context.Context, dir string) (image, error) {
	c := image{filepath.Join(dir, "disk"), filepath.Join(dir, "mount")}
	if err := os.MkdirAll(c.mount, 0o755); err != nil { // the server runs as another user
		return c, err
	}
	return c, command(ctx, "cp", "--sparse=always", m.file, c.file)
}
