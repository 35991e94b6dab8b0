package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/natsinbox"
)

// natsEnv holds the name of a configuration file, and makes this program, or its test, a NATS
// server: what Debian has is too old.
const natsEnv = "COEXISTENCE_TORTURE_NATS"

// A natsServer is a NATS server of our own, which may be killed and restarted as we please. It
// listens where it did first.
type natsServer struct {
	dir   string // holds data, and the configuration
	lazy  bool   // syncs every two minutes, as it does by default, and says that it syncs every write
	cmd   *exec.Cmd
	ended chan struct{}

	natsAddress
}

// A natsAddress is where a server listens for clients, and where it tells its settings: host and
// port each.
type natsAddress struct{ Client, Monitor string }

// openNATS opens the engine as hosts do.
func openNATS(ctx context.Context, place string) (opened, error) {
	cfg, err := natsinbox.ParseURL(place)
	if err != nil {
		return opened{}, err
	}
	s, err := natsinbox.OpenStore(ctx, cfg)
	if err != nil {
		return opened{}, err
	}
	return opened{store: s, close: s.Close}, nil
}

// serveNATS is the engine's serve.
func serveNATS(_ context.Context, dir string, _ bool, _ ...string) (server, error) {
	return &natsServer{dir: dir, natsAddress: natsAddress{"127.0.0.1:-1", "127.0.0.1:-1"}}, nil
}

// serveLazyNATS is that of a server with its default settings, which natsinbox refuses: its
// monitoring port is a lie.
func serveLazyNATS(_ context.Context, dir string, _ bool, _ ...string) (server, error) {
	return &natsServer{dir: dir, lazy: true, natsAddress: natsAddress{"127.0.0.1:-1", "127.0.0.1:0"}}, nil
}

// place is the URL for natsinbox.ParseURL.
func (s *natsServer) place() string {
	return fmt.Sprintf("nats://%s?monitor=http://%s", s.Client, s.Monitor)
}

// start starts the server where it was before, and waits until it says where it listens.
func (s *natsServer) start(ctx context.Context) error {
	text := fmt.Sprintf("listen: %q\nserver_name: torture\n", s.Client)
	sync := ", sync_interval: always"
	if s.lazy {
		sync = ""
	} else {
		text += fmt.Sprintf("http: %q\n", s.Monitor)
	}
	text += fmt.Sprintf("jetstream { store_dir: %q%s }\n", filepath.Join(s.dir, "data"), sync)
	file := filepath.Join(s.dir, "nats.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s.cmd = exec.Command(self)
	s.cmd.Env = append(os.Environ(), natsEnv+"="+file)
	if _, err := s.cmd.StdinPipe(); err != nil {
		return err
	}
	if s.lazy {
		s.cmd.Env = append(s.cmd.Env, natsEnv+"_SAYS="+s.Monitor)
	}
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	cmd, ended, said := s.cmd, make(chan struct{}), make(chan []byte, 1)
	s.ended = ended
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			said <- []byte(lines.Text())
		}
		_ = cmd.Wait()
		close(ended)
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, waitTimeout, errNoChange)
	defer cancel()
	select {
	case line := <-said:
		return json.Unmarshal(line, &s.natsAddress)
	case <-ended:
		return errors.New("the NATS server has ended")
	case <-ctx.Done():
		return fmt.Errorf("the NATS server does not start: %w", context.Cause(ctx))
	}
}

// interrupt ends the server, which writes down what it has.
func (s *natsServer) interrupt() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	mustEnd("a NATS server", s.ended)
	s.cmd = nil
}

// kill ends the server at once.
func (s *natsServer) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	mustEnd("a NATS server", s.ended)
	s.cmd = nil
}

// natsMain is the server. It prints where it listens.
func natsMain() int {
	if err := serveFile(os.Getenv(natsEnv)); err != nil {
		fmt.Fprintln(os.Stderr, "NATS server:", err)
		return 1
	}
	return 0
}

// serveFile runs the server until it is interrupted, or until the process that started it is gone.
func serveFile(file string) error {
	opts, err := nats.ProcessConfigFile(file)
	if err != nil {
		return err
	}
	opts.NoLog, opts.NoSigs = true, true
	s, err := nats.NewServer(opts)
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		return errors.New("it does not start")
	}
	at := natsAddress{Client: strings.TrimPrefix(s.ClientURL(), "nats://")}
	if lie := os.Getenv(natsEnv + "_SAYS"); lie != "" {
		if at.Monitor, err = pretend(s, lie); err != nil {
			return err
		}
	} else {
		at.Monitor = s.MonitorAddr().String()
	}
	line, err := json.Marshal(at)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1) // the process that started it is gone
	}()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	<-interrupted
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}

// pretend serves what the server says about itself, except that it says it syncs every write.
// natsinbox would refuse the server otherwise, and the power cuts could not show what that is good
// for.
func pretend(s *nats.Server, addr string) (string, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		v, err := s.Varz(nil)
		if err != nil || v.JetStream.Config == nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		says := *v.JetStream.Config
		says.SyncAlways = true
		v.JetStream.Config = &says
		_ = json.NewEncoder(w).Encode(v)
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String(), nil
}
