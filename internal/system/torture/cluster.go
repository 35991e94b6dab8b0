package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errMissing means that this machine lacks something that a trial needs. The trial is left out, and
// says so.
var errMissing = errors.New("this machine cannot do that")

// A cluster is a PostgreSQL server of our own, which may be killed and restarted as we please. It
// listens on a socket in its folder.
type cluster struct {
	dir      string // holds data, and the socket
	bin      string
	settings []string
	as       *syscall.SysProcAttr // the server refuses to run as root
	uid, gid int                  // of that user

	cmd   *exec.Cmd     // nil while the server does not run
	ended chan struct{} // closed when its process has ended
}

// newCluster makes the files of a server in dir. It is not started.
func newCluster(ctx context.Context, dir string, settings ...string) (*cluster, error) {
	c, err := oldCluster(dir, settings...)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.data(), 0o700); err != nil {
		return nil, err
	}
	if err := c.own(dir, c.data()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, waitTimeout)
	defer cancel()
	cmd := exec.CommandContext(
		ctx, filepath.Join(c.bin, "initdb"), "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C",
		"-D", c.data(),
	)
	cmd.SysProcAttr, cmd.Dir = c.as, "/"
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, text)
	}
	return c, nil
}

// oldCluster is a server whose files are there. It takes the newest version that is installed.
func oldCluster(dir string, settings ...string) (*cluster, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		path, err := exec.LookPath("initdb")
		if err != nil {
			return nil, fmt.Errorf("%w: no PostgreSQL server is installed", errMissing)
		}
		found = []string{path}
	}
	c := &cluster{dir: dir, bin: filepath.Dir(found[len(found)-1]), settings: settings}
	if os.Getuid() == 0 {
		if err := c.become("postgres"); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// servePostgreSQL is the engine's serve.
func servePostgreSQL(ctx context.Context, dir string, fresh bool, settings ...string) (server, error) {
	if fresh {
		return newCluster(ctx, dir, settings...)
	}
	return oldCluster(dir, settings...)
}

// data is the folder of the server's files.
func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

// become has the server run as a user: it refuses to run as root.
func (c *cluster) become(name string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return fmt.Errorf("%w: there is no user %s, and a PostgreSQL server does not run as root", errMissing, name)
	}
	if c.uid, err = strconv.Atoi(u.Uid); err != nil {
		return err
	}
	if c.gid, err = strconv.Atoi(u.Gid); err != nil {
		return err
	}
	c.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(c.uid), Gid: uint32(c.gid)}}
	return nil
}

// own gives paths to the user that the server runs as.
func (c *cluster) own(paths ...string) error {
	for _, path := range paths {
		if c.as == nil {
			continue
		}
		if err := os.Chown(path, c.uid, c.gid); err != nil {
			return err
		}
	}
	return nil
}

// place returns the URL of the server.
func (c *cluster) place() string {
	return "postgres://postgres@/postgres?" + url.Values{"host": {c.dir}, "sslmode": {"disable"}}.Encode()
}

// start starts the server, and waits until it answers. What it says goes to a file and not to a
// pipe: its own processes inherit it, and a pipe would be open for as long as one of them lives.
func (c *cluster) start(ctx context.Context) error {
	args := []string{
		"-D", c.data(), "-k", c.dir, "-c", "listen_addresses=", "-c", "max_connections=120", "-c", "max_wal_size=256MB",
	}
	for _, s := range c.settings {
		args = append(args, "-c", s)
	}
	c.cmd = exec.Command(filepath.Join(c.bin, "postgres"), args...)
	c.cmd.SysProcAttr, c.cmd.Dir = c.as, "/"
	said, err := os.OpenFile(
		filepath.Join(os.TempDir(), filepath.Base(c.dir)+".log"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600,
	)
	if err != nil {
		return err
	}
	defer said.Close()
	defer func() { _ = os.Remove(said.Name()) }()
	c.cmd.Stdout, c.cmd.Stderr = said, said
	if err := c.cmd.Start(); err != nil {
		return err
	}
	cmd, ended := c.cmd, make(chan struct{})
	c.ended = ended
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	db, err := sql.Open("pgx", c.place())
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, waitTimeout, errNoChange)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(said.Name())
			return fmt.Errorf("the PostgreSQL server has ended: %s", text)
		case <-ctx.Done():
			return fmt.Errorf("the PostgreSQL server does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// interrupt ends the server, which throws its clients out and writes down what it has.
func (c *cluster) interrupt() {
	_ = c.cmd.Process.Signal(os.Interrupt)
	mustEnd("a PostgreSQL server", c.ended)
	c.cmd = nil
}

// kill ends all processes of the server at once, as a loss of power would: those that it has
// started too, of which none may outlive it and write to the files of the next one.
func (c *cluster) kill() {
	if c.cmd == nil {
		return
	}
	// Stopped first, so that it starts no others meanwhile.
	_ = c.cmd.Process.Signal(syscall.SIGSTOP)
	children := childrenOf(c.cmd.Process.Pid)
	for _, pid := range children {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = c.cmd.Process.Kill()
	mustEnd("a PostgreSQL server", c.ended)
	c.cmd = nil
	for _, pid := range children {
		for began := time.Now(); syscall.Kill(pid, 0) == nil; time.Sleep(time.Millisecond) {
			if time.Since(began) > waitTimeout {
				panic(fmt.Sprintf("the PostgreSQL process %d was killed and has not ended", pid))
			}
		}
	}
}

// childrenOf lists the processes that a process has started, from /proc.
func childrenOf(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it is gone
		}
		// The name, in brackets, may hold anything.
		_, rest, _ := strings.Cut(string(text[max(0, slices.Index(text, ')')):]), ") ")
		fields := strings.Fields(rest)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pids = append(pids, pid)
		}
	}
	return pids
}
