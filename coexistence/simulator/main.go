// Simulator runs Meta and a WhatsApp Business phone as a program, for hosts in any language: a
// Graph API on this machine, webhooks to your URL, and a page on which you type as the business and
// as its customers.
//
//	go run ./coexistence/simulator -webhook http://127.0.0.1:3000/webhook
//
// Your host answers the handshake, verifies signatures with the app secret that is printed, and
// calls the Graph API at the address that is printed. A page of yours that loads the sdk.js that is
// printed, in place of Meta's, opens the popup of the simulator. Made-up secrets and addresses stay
// the same from run to run. Without -webhook, everything is delivered to an endpoint of its own,
// which answers 200 and forgets it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/board"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/loopback"
)

// settings are the flags. world has those that are settings of the world itself.
type settings struct {
	webhook, secret, verify, listen, graph string
	number, version                        string
	messages                               int
	world                                  coexistencetest.Config
	bare                                   bool
}

func main() {
	var s settings
	flag.StringVar(&s.webhook, "webhook", "", "the `URL` of your host's webhook")
	flag.StringVar(&s.secret, "app-secret", "made-up-app-secret", "what deliveries are signed with")
	flag.StringVar(&s.verify, "verify-token", "made-up-verify-token", "what your host expects in the handshake")
	flag.StringVar(&s.listen, "listen", "127.0.0.1:8089", "where the page is")
	flag.StringVar(&s.graph, "graph", "127.0.0.1:8088", "where the Graph API and the popup are")
	flag.StringVar(&s.number, "number", "+1 555-010-0199", "the number of the business")
	flag.StringVar(&s.version, "app-version", "", "of the WhatsApp Business app; one below 2.24.17 cannot be connected")
	flag.IntVar(&s.messages, "messages", 400, "how many past messages the phone holds")
	flag.BoolVar(&s.bare, "bare", false, "leave the code exchange and the subscription to your host, as Meta does")
	flag.Uint64Var(&s.world.Seed, "seed", 1, "decides everything that is left to chance")
	d := &s.world.Delivery
	flag.IntVar(&d.DuplicatesPercent, "duplicates", 0, "how many of a hundred deliveries come twice")
	flag.IntVar(&d.Reorder, "reorder", 1, "how far deliveries may get out of order")
	flag.IntVar(&d.Batch, "batch", 1, "how many changes a delivery may hold")
	flag.IntVar(&d.LostAnswersPercent, "lost-answers", 0, "how many of a hundred answers of your host get lost")
	flag.DurationVar(&d.Delay, "delay", 0, "how late deliveries may come")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, s); err != nil {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

// run runs the simulator until ctx ends, and then prints what the session has relied on. Everything
// that can fail at the start does so before the page is served: a host that does not answer the
// handshake, addresses that are taken.
func run(ctx context.Context, out io.Writer, s settings) error {
	if s.webhook == "" {
		closeSink, url, err := sink()
		if err != nil {
			return err
		}
		defer closeSink()
		s.webhook = url
	}
	world, err := newWorld(s)
	if err != nil {
		return err
	}
	defer world.Close()
	// The phone is there before the page is, and the handshake has been made.
	b, err := newBoard(world, s)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", s.listen)
	if err != nil {
		return fmt.Errorf("the page cannot listen on %s; choose another address with -listen: %w", s.listen, err)
	}
	for _, line := range []struct{ name, value string }{
		{"page", "http://" + l.Addr().String() + "/"}, {"graph API", world.URL}, {"sdk.js", world.SDKURL()},
		{"configuration", world.ConfigurationID()}, {"app id", string(world.AppID())}, {"app secret", s.secret},
		{"system token", world.Graph().SystemToken().Reveal()}, {"verify token", s.verify}, {"webhooks to", s.webhook},
	} {
		fmt.Fprintf(out, "%-14s %s\n", line.name, line.value)
	}
	if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		fmt.Fprintln(out, "Other machines can reach this page, and with it everything that it shows and does.")
	}
	server := &http.Server{
		Handler: loopback.Guard(b.Routes()), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	fmt.Fprintf(out, "\n%s", world.Evidence())
	return nil
}

// newBoard puts a phone with a past on the page, and has the world deliver to the host.
func newBoard(world *coexistencetest.World, s settings) (*board.Board, error) {
	phone := world.NewPhone(coexistencetest.PhoneConfig{
		PhoneNumber: s.number, Business: "Ovenbird Bakery", AppVersion: s.version,
		History: coexistencetest.History{Messages: s.messages},
	})
	b, err := board.New(world, phone, board.Config{Hook: s.webhook, Bare: s.bare})
	if err != nil {
		return nil, err
	}
	return b, world.DeliverTo(s.webhook)
}

// sink is a host that does the handshake and answers 200 to everything, for a session without a
// host: the page then shows what would have been delivered.
func sink() (closeSink func(), url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = io.WriteString(w, r.URL.Query().Get("hub.challenge")) //nolint:gosec // no browser takes this for a page
	})
	go func() { _ = server.Serve(l) }()
	return func() { _ = server.Close() }, "http://" + l.Addr().String() + "/", nil
}

// newWorld makes the world of the settings, in which Meta's limits hold. Deliveries that fail are
// tried again for hours, since a host is stopped and started while it is written.
func newWorld(s settings) (*coexistencetest.World, error) {
	cfg := s.world
	cfg.App = cloudapitest.App{Secret: graph.Secret(s.secret)}
	cfg.VerifyToken = graph.Secret(s.verify)
	cfg.Delivery.Backoff, cfg.Delivery.MaxBackoff, cfg.Delivery.MaxAttempts = time.Second, time.Hour, 1000
	cfg.Graph.EnforceLimits = true
	if s.graph != "" {
		l, err := net.Listen("tcp", s.graph)
		if err != nil {
			return nil, fmt.Errorf("the Graph API cannot listen on %s; choose another address with -graph: %w", s.graph,
				err)
		}
		cfg.Graph.Listener = l
	}
	return coexistencetest.NewWorld(cfg), nil
}
