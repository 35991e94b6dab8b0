// Simulator runs Meta and WhatsApp Business phones as a program, for hosts in any language: a Graph
// API, webhooks to your URL, a page on which you type as the business and as its customers, and a
// control API with which tests do the same.
//
//	go run ./coexistence/simulator -webhook http://127.0.0.1:3000/webhook
//
// At the start there are a number on Cloud API only, with a token and an approved template
// hello_world, and a phone that can be connected for coexistence. Everything that a host needs for
// its settings is printed, stands on the page, and is the same in every run with the same seed. A
// page of yours that loads the sdk.js that is printed, in place of Meta's, opens the popup of the
// simulator. The last line that is printed before the host is waited for is JSON, for programs that
// start this one: {"event":"ready",…}.
//
// The host may begin to listen later: it is asked for the handshake again and again. Without
// -webhook, webhooks go to an endpoint of the simulator's own, which answers 200 and forgets them.
//
// # Settings
//
// Every flag has an environment variable, whose name is SIMULATOR_ and the flag's in capitals:
// -app-secret is SIMULATOR_APP_SECRET. A flag wins. The page and the Graph API listen on this
// machine alone, unless -listen and -graph say otherwise; then -public-url says by which address
// others reach the Graph API.
//
// With -tls, the Graph API and the popup are also at an address with TLS, for pages and clients
// that ask for Meta's own names: lead those to it, and trust the certificate at /ca.pem of the
// page, whose key ends with the program.
//
// # HTTP
//
// The page's address has /control/v1, which /control/v1/openapi.yaml describes, and /healthz. More
// is in docs/simulator.md.
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/simulator.md
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/board"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/loopback"
)

func main() {
	s, err := parse(os.Args[1:], os.LookupEnv, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, s); err != nil {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

// run runs the simulator until ctx ends, and then prints what the session has relied on. What can
// fail at the start does so before the page is served: addresses that are taken, a seed that cannot
// be read. A host that does not listen yet is no failure.
func run(ctx context.Context, out io.Writer, s settings) error {
	out = &lockedWriter{w: out}
	seed, err := s.readSeed()
	if err != nil {
		return err
	}
	if s.webhook == "" {
		closeSink, url, err := sink()
		if err != nil {
			return err
		}
		defer closeSink()
		s.webhook = url
	}
	graph, err := openHall(s.graph)
	if err != nil {
		return fmt.Errorf("the Graph API cannot listen on %s; choose another address with -graph: %w", s.graph, err)
	}
	defer graph.close()
	ca, err := s.speakTLS(graph)
	if err != nil {
		return err
	}
	page, err := net.Listen("tcp", s.listen)
	if err != nil {
		return fmt.Errorf("the page cannot listen on %s; choose another address with -listen: %w", s.listen, err)
	}
	// The settings are printed before lines about the handshake.
	printed := make(chan struct{})
	api, err := control.New(control.Config{
		NewWorld: s.newWorld(graph), Seed: seed, Bare: s.bare, Callback: s.webhook,
		Changed: func(line string) {
			<-printed
			fmt.Fprintln(out, line)
		},
	})
	if err != nil {
		return errors.Join(err, page.Close())
	}
	defer api.Close()
	if err := announce(out, api, page.Addr(), s, ca); err != nil {
		return errors.Join(err, page.Close())
	}
	close(printed)
	if err := serve(ctx, page, routes(api, ca)); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s", api.World().Evidence())
	return nil
}

// speakTLS opens a door with TLS, if the settings have one, and returns its authority.
func (s settings) speakTLS(graph *hall) (*authority, error) {
	if s.tls == "" {
		return nil, nil //nolint:nilnil // without TLS there is no authority
	}
	ca, err := newAuthority(time.Now())
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", s.tls)
	if err != nil {
		return nil, fmt.Errorf("TLS cannot listen on %s; choose another address with -tls: %w", s.tls, err)
	}
	ca.address = l.Addr().String()
	graph.open(tls.NewListener(l, ca.config))
	return ca, nil
}

// routes are the page with the control API, a sign of life for whatever starts the program, and the
// certificate of the local CA.
func routes(api *control.API, ca *authority) http.Handler {
	mux := http.NewServeMux()
	if ca != nil {
		mux.HandleFunc("GET /ca.pem", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-pem-file")
			_, _ = w.Write(ca.pem) //nolint:gosec // a certificate of our own
		})
	}
	mux.Handle("/", board.New(api, board.Config{}).Routes())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, state := api.Callback()
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, "{\"status\":\"ok\",\"callback\":%q}\n", state)
	})
	return loopback.Guard(mux)
}

// serve serves h on l until ctx ends.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    log.New(io.Discard, "", 0), // connections that are cut are no news
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// A ready is the line that tells other programs that the simulator listens, and where. Secrets are
// those of a made-up app.
type ready struct {
	Event           string `json:"event"`
	Page            string `json:"page"`
	Control         string `json:"control"`
	Graph           string `json:"graph"`
	SDK             string `json:"sdk"`
	TLS             string `json:"tls,omitzero"` // the address
	CA              string `json:"ca,omitzero"`  // the URL of its certificate
	AppID           string `json:"app_id"`
	AppSecret       string `json:"app_secret"`
	VerifyToken     string `json:"verify_token"`
	SystemToken     string `json:"system_token"`
	ConfigurationID string `json:"configuration_id"`
	PhoneNumberID   string `json:"phone_number_id,omitzero"` // of the first number that is ready
	WABAID          string `json:"waba_id,omitzero"`
	AccessToken     string `json:"access_token,omitzero"`
	Webhook         string `json:"webhook"`
	Seed            uint64 `json:"seed"`
}

// announce prints what a host needs, for people and then for programs.
func announce(out io.Writer, api *control.API, page net.Addr, s settings, ca *authority) error {
	w := api.World()
	base := "http://" + s.reach(page)
	r := ready{
		Event: "ready", Page: base + "/", Control: base + "/control/v1", Graph: w.URL, SDK: w.SDKURL(),
		AppID: string(w.AppID()), AppSecret: w.AppSecret().Reveal(), VerifyToken: w.VerifyToken().Reveal(),
		SystemToken: w.Graph().SystemToken().Reveal(), ConfigurationID: w.ConfigurationID(),
		Webhook: s.webhook, Seed: s.world.Seed,
	}
	if ca != nil {
		r.TLS, r.CA = ca.address, base+"/ca.pem"
	}
	for _, p := range w.Phones() {
		if p.CloudAPIOnly() && r.AccessToken == "" {
			r.PhoneNumberID, r.WABAID = string(p.ID()), string(p.WABA())
			r.AccessToken = p.AccessToken().Reveal()
		}
	}
	for _, line := range []struct{ name, value string }{
		{"page", r.Page}, {"control API", r.Control + "/openapi.yaml"}, {"graph API", r.Graph}, {"sdk.js", r.SDK},
		{"TLS", r.TLS}, {"its CA", r.CA},
		{"configuration", r.ConfigurationID}, {"app id", r.AppID}, {"app secret", r.AppSecret},
		{"system token", r.SystemToken}, {"verify token", r.VerifyToken}, {"number id", r.PhoneNumberID},
		{"account id", r.WABAID}, {"access token", r.AccessToken}, {"webhooks to", r.Webhook},
	} {
		if line.value != "" {
			fmt.Fprintf(out, "%-14s %s\n", line.name, line.value)
		}
	}
	if ip := page.(*net.TCPAddr).IP; !ip.IsLoopback() {
		fmt.Fprintln(out, "Other machines can reach this page, and with it everything that it shows and does.")
	}
	return json.NewEncoder(out).Encode(r) //nolint:gosec // the token opens nothing but this simulator
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

// A lockedWriter is written to by the program and by the news of the handshake.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(p)
}
