package natsinbox_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/natsinbox"
)

const roleVariable = "NATSINBOX_TEST_ROLE"

// TestMain plays the other process too: a host that is killed.
func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == "" {
		code := m.Run()
		if serverDir != "" {
			_ = os.RemoveAll(serverDir)
		}
		os.Exit(code)
	}
	if err := holdForever(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A run without tests that need a server builds none: every worker of a fuzz target is such a run,
// and the coordinator of the workers waits for what they have started.
func TestARunWithoutServersBuildsNone(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\n: >\"${0%/*}/called\"\n"), 0o700))
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^$")
	cmd.Env = append(os.Environ(), "PATH="+bin)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoFileExists(t, filepath.Join(bin, "called"))
}

// An address is where a server listens.
type address struct {
	Client, Monitor string
}

// serverDir is where serverProgram was built. It is empty as long as no test has asked for a
// server.
var serverDir string

// serverProgram is the NATS server that internal/system names, built once. It cannot be built from
// a module cache, which holds this module only.
var serverProgram = sync.OnceValues(func() (path string, err error) {
	dir, err := os.MkdirTemp("", "natsserver")
	if err != nil {
		return "", err
	}
	serverDir = dir
	path = filepath.Join(dir, "natsserver")
	cmd := exec.Command("go", "build", "-o", path, "./natsserver")
	cmd.Dir = filepath.Join("..", "..", "..", "internal", "system")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// A natsServer is a process of its own.
type natsServer struct {
	t testing.TB
	address

	name       string
	file, more string
	process    *process
	names      sync.Mutex
	count      int
}

const synced = "sync_interval: always"

// newServer starts a server with settings of JetStream. more is further configuration.
func newServer(t testing.TB, jetstream, more string) *natsServer {
	t.Helper()
	s := &natsServer{t: t, name: "N1", file: filepath.Join(t.TempDir(), "nats.conf"), more: more}
	s.write("listen: 127.0.0.1:-1\nhttp: 127.0.0.1:-1", jetstream)
	s.start()
	return s
}

// newCluster starts servers that keep streams together, each with its settings of JetStream.
func newCluster(t testing.TB, settings ...string) (list []*natsServer) {
	t.Helper()
	var routes []string
	for range settings {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		routes = append(routes, l.Addr().String())
		require.NoError(t, l.Close())
	}
	for i, setting := range settings {
		s := &natsServer{t: t, name: fmt.Sprint("N", i+1), file: filepath.Join(t.TempDir(), "nats.conf")}
		s.more = fmt.Sprintf(
			"cluster { name: C, listen: %q, routes: [ nats://%s ] }", routes[i], strings.Join(routes, ", nats://"),
		)
		s.write("listen: 127.0.0.1:-1\nhttp: 127.0.0.1:-1", setting)
		s.start()
		list = append(list, s)
	}
	nc, err := nats.Connect(list[0].Client)
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	require.Eventually(t, func() bool { // until they have elected one
		_, err := js.AccountInfo(t.Context())
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	return list
}

// clusterConfig names all of them.
func clusterConfig(list []*natsServer) natsinbox.Config {
	cfg := natsinbox.Config{Name: "inbox", Replicas: len(list)}
	for _, s := range list {
		cfg.URLs = append(cfg.URLs, s.Client)
		cfg.Monitors = append(cfg.Monitors, s.Monitor)
	}
	return cfg
}

func (s *natsServer) write(listen, jetstream string) {
	text := fmt.Sprintf("%s\nserver_name: %s\njetstream { store_dir: %q, %s }\n%s\n",
		listen, s.name, filepath.Join(filepath.Dir(s.file), "data"), jetstream, s.more)
	require.NoError(s.t, os.WriteFile(s.file, []byte(text), 0o600))
}

func (s *natsServer) start() {
	s.t.Helper()
	program, err := serverProgram()
	require.NoError(s.t, err)
	s.process = startProcess(s.t, "", program, s.file)
	require.NoError(s.t, json.Unmarshal([]byte(s.process.line()), &s.address))
}

// restart kills the server and starts it again, where it was, with settings of JetStream.
func (s *natsServer) restart(jetstream string) {
	s.t.Helper()
	s.process.kill()
	s.write(fmt.Sprintf("listen: %q\nhttp: %q", s.Client[len("nats://"):], s.Monitor[len("http://"):]), jetstream)
	s.start()
}

// config names an inbox of its own.
func (s *natsServer) config() natsinbox.Config {
	s.names.Lock()
	defer s.names.Unlock()
	s.count++
	return natsinbox.Config{
		URLs: []string{s.Client}, Monitors: []string{s.Monitor}, Name: fmt.Sprintf("inbox%d", s.count),
	}
}

// open opens a store, which is closed at the end.
func (s *natsServer) open(cfg natsinbox.Config) *natsinbox.Store {
	s.t.Helper()
	store, err := natsinbox.OpenStore(s.t.Context(), cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, store.Close()) })
	return store
}

// within is a context for waits that end in moments, if all is well. One that is over says what the
// wait was for, instead of the test's being killed.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// receive hands a delivery over until it is accepted, as Meta does.
func receive(ctx context.Context, t *testing.T, in *inbox.Inbox, i, customers int) {
	for {
		err := in.Receive(ctx, webhook.Delivery{Body: body(i, customers), ReceivedAt: time.Now()})
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Errorf("delivery %d was never accepted: %v", i, err)
			return
		}
	}
}

// A process is the server, or this program in another role.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	lines *bufio.Scanner
	once  sync.Once
}

func startProcess(t testing.TB, role, program, arg string) *process {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, arg)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &process{t: t, cmd: cmd, lines: bufio.NewScanner(out)}
	t.Cleanup(p.kill)
	return p
}

// line is the next line that the process prints.
func (p *process) line() string {
	p.t.Helper()
	slow := time.AfterFunc(2*time.Minute, func() { _ = p.cmd.Process.Kill() })
	defer slow.Stop()
	require.True(p.t, p.lines.Scan(), "the process ended, or printed nothing for two minutes")
	return p.lines.Text()
}

// kill is kill -9.
func (p *process) kill() {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait() // it was killed
	})
}
