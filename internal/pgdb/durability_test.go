//go:build unix

package pgdb_test

import (
	"bytes"
	"database/sql"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/pgdb/pgtest"
)

// A site is a folder with PostgreSQL servers of a test's own, and the user that they run as: a
// server refuses to run as root.
type site struct {
	dir, bin string
	as       *syscall.SysProcAttr
}

func newSite(t *testing.T) *site {
	t.Helper()
	bin, err := exec.LookPath("pg_basebackup")
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_basebackup"); len(found) > 0 {
		bin, err = found[len(found)-1], nil
	}
	if err != nil {
		t.Skip("no PostgreSQL server is installed (initdb, postgres, pg_basebackup), so there can be no standby")
	}
	dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // other users cannot enter the parent of a TempDir
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	s := &site{dir: dir, bin: filepath.Dir(bin)}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Skip("there is no user postgres, and a PostgreSQL server does not run as root")
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		require.NoError(t, err)
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		require.NoError(t, err)
		s.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		require.NoError(t, os.Chown(dir, int(uid), int(gid)))
	}
	return s
}

// folder makes a folder of the servers' user.
func (s *site) folder(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(s.dir, name)
	require.NoError(t, os.Mkdir(dir, 0o700))
	if s.as != nil {
		require.NoError(t, os.Chown(dir, int(s.as.Credential.Uid), int(s.as.Credential.Gid)))
	}
	return dir
}

func (s *site) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.SysProcAttr, cmd.Dir = s.as, "/"
	return cmd
}

func (s *site) run(t *testing.T, name string, args ...string) {
	t.Helper()
	text, err := s.command(name, args...).CombinedOutput()
	require.NoError(t, err, "%s: %s", name, text)
}

// start starts a program that runs until the test ends, or until stop is called.
func (s *site) start(t *testing.T, name string, args ...string) (stop func()) {
	t.Helper()
	cmd := s.command(name, args...)
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGQUIT) // a server ends at once
		<-ended
	}
	t.Cleanup(stop)
	return stop
}

// serve starts a server, and waits until it answers.
func (s *site) serve(t *testing.T, name string) *sql.DB {
	t.Helper()
	s.start(t, "postgres", "-D", filepath.Join(s.dir, name), "-k", s.dir, "-c", "listen_addresses=", "-p", name)
	db, err := sql.Open("pgx", s.url("postgres", name))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	require.Eventually(t, func() bool { return db.Ping() == nil }, time.Minute, 20*time.Millisecond)
	return db
}

// url is that of the server with a port, which is the name of its socket.
func (s *site) url(role, port string) string {
	return "postgres://" + role + "@/postgres?" +
		url.Values{"host": {s.dir}, "port": {port}, "sslmode": {"disable"}}.Encode()
}

// opened opens a database and returns what that has logged.
func opened(t *testing.T, url string) string {
	t.Helper()
	var log bytes.Buffer
	url = pgtest.With(url, "search_path", "$user") // each role has tables of its own
	db, err := pgdb.Open(t.Context(), pgdb.Config{URL: url, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	require.NoError(t, db.Close())
	return log.String()
}

// A failover to a standby that is not synchronous loses what was acknowledged: Open says so, also
// to a role that may not see what standbys do, and is silent otherwise.
func TestOpenWarnsOfAsynchronousStandbys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const primary, standby, warning = "5601", "5602", "set synchronous_standby_names"
	s.run(t, "initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-D", filepath.Join(s.dir, primary))
	db := s.serve(t, primary)
	exec := func(query string) {
		t.Helper()
		_, err := db.ExecContext(t.Context(), query)
		require.NoError(t, err)
	}
	senders := func(n int) {
		t.Helper()
		require.Eventually(t, func() bool {
			var got int
			err := db.QueryRow("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'").Scan(&got)
			return err == nil && got == n
		}, time.Minute, 20*time.Millisecond)
	}
	exec("CREATE ROLE app LOGIN")
	exec("CREATE SCHEMA AUTHORIZATION app")
	exec("CREATE SCHEMA AUTHORIZATION postgres")
	admin, app := s.url("postgres", primary), s.url("app", primary)
	require.Empty(t, opened(t, admin), "nothing is connected")

	s.run(t, "pg_basebackup", "-R", "-c", "fast", "-N", "-d", admin, "-D", filepath.Join(s.dir, standby))
	stop := s.start(t, "pg_receivewal", "-d", admin, "-D", s.folder(t, "archive"))
	senders(1)
	require.Empty(t, opened(t, admin), "what archives the log is no standby")
	require.Empty(t, opened(t, app))
	stop()

	s.serve(t, standby)
	senders(1)
	require.Equal(t, 1, strings.Count(opened(t, admin), warning))
	require.Contains(t, opened(t, app), warning, "by a role without rights")

	exec("ALTER SYSTEM SET synchronous_standby_names = '*'")
	exec("SELECT pg_reload_conf()")
	require.Eventually(t, func() bool {
		var names string
		return db.QueryRow("SHOW synchronous_standby_names").Scan(&names) == nil && names == "*"
	}, time.Minute, 20*time.Millisecond)
	require.Empty(t, opened(t, admin), "it is synchronous")
	require.Empty(t, opened(t, app))
	exec("ALTER ROLE app SET synchronous_commit = local")
	require.Contains(t, opened(t, app), warning, "this role does not wait for it")
}
