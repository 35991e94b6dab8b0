package cloudapitest

import (
	"cmp"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Server is a fake Graph API. It is safe for concurrent use. Close it when done.
type Server struct {
	// URL is the server's base URL, such as "http://127.0.0.1:41311", without a version.
	URL string

	listener *listener
	network  *Network
	mux      *http.ServeMux
	edges    []route // routes, for those of them that read others

	// Set once, when the server is made.
	app           App
	systemToken   graph.Secret
	strict        bool
	proofRequired bool
	enforceLimits bool
	clock         func() time.Time

	// mu guards all that follows. Exported methods lock it, and so does the server for each
	// request: the caller of an unexported method must hold it, unless its comment says otherwise.
	mu       sync.Mutex
	source   *rand.PCG // what rand draws from
	rand     *rand.Rand
	underWay int        // calls that are not carried out yet, hooks included
	idle     *sync.Cond // is signalled when underWay falls to zero
	state

	// Hooks of the host's. They are called without the lock, so that they may call the server.
	onMessage   []func(SentMessage)
	onRead      []func(ReadReceipt)
	onSync      []func(SyncRequest)
	onSubscribe []func(graph.WABAID, bool)
	onTemplate  []func(Template, TemplateChange)
	onThread    []func(Thread)
}

// A state is what changes while a server runs, and what a snapshot holds.
type state struct {
	advanced time.Duration // how far the clock is ahead of Config.Clock
	lastID   int64
	calls    []time.Time // of the last hour, without messages, which do not count against that budget

	appSubscriptions []AppSubscription
	businesses       []*Business
	wabas            []*waba
	phones           []*phone
	objects          []*object
	handles          map[graph.UploadHandle]bool
	users            []graph.Identity
	tokens           map[graph.Secret]*Token
	codes            map[graph.Secret]*code

	sent     []SentMessage
	reads    []ReadReceipt
	requests []LoggedRequest
	faults   []*fault // those that wait for their request, the oldest first
	chaos    *chaos   // nil for none
	delay    time.Duration
	budgets  map[string]*budget // by what they limit

	keepLast   int // see KeepLast; 0 for no limit
	sentBefore int // how many accepted messages are forgotten
}

// An App is the Meta app that a Server plays the Graph API for.
type App struct {
	ID     graph.AppID
	Secret graph.Secret // signs appsecret_proof, and webhooks of package coexistencetest
	Name   string
}

// Config configures a [Server]. The zero Config is a made-up app on the loopback interface, without
// limits.
type Config struct {
	// App is the app that the server plays the Graph API for. Empty members keep their made-up
	// values.
	App App

	// Clock is the time of the server. If nil, time.Now. [Server.Advance] adds to it.
	Clock func() time.Time

	// Seed makes ids and tokens come out the same in every run with the same order of calls. If
	// zero, it is 1.
	Seed uint64

	// Strict refuses at once what Meta lets pass or reports later by webhook: a message outside the
	// 24-hour window, a phone number without a plus sign, both `to` and `recipient`, members of a
	// request that are not documented, a sample file of a template that was not uploaded, a read
	// receipt for a message that [Server.RecordInbound] does not know. Good for the tests of a
	// program that composes such requests.
	Strict bool

	// RequireProof refuses calls without appsecret_proof, like the app setting "Require app
	// secret". A proof that is sent is checked in any case.
	RequireProof bool

	// EnforceLimits refuses messages above the documented rates: 20 a second for a coexistence
	// number and 80 for others (130429), one in six seconds to one person with a burst of 45
	// (131056). Received messages count as far as [Server.RecordInbound] is told.
	EnforceLimits bool

	// Network carries the calls instead of the loopback interface. [Server.ClientConfig] then holds
	// a client that reaches the server.
	Network *Network

	// Listener is one of the caller's, such as one with a port that stays the same. The server
	// closes it.
	Listener net.Listener
}

// NewServer starts a server with one app, its system token and nothing else.
func NewServer(cfg Config) *Server {
	s := newServer(cfg)
	own := cfg.Listener
	if own == nil {
		own = s.network.open()
	}
	s.listener = listen(s.mux, own)
	s.URL = s.listener.url
	return s
}

// newServer makes a server that does not listen yet.
func newServer(cfg Config) *Server {
	source := rand.NewPCG(cmp.Or(cfg.Seed, 1), 0x9e3779b97f4a7c15)
	s := &Server{
		app: App{
			ID:     cmp.Or(cfg.App.ID, "987650000000001"),
			Secret: cmp.Or(cfg.App.Secret, "made-up-app-secret"),
			Name:   cmp.Or(cfg.App.Name, "Made-up app"),
		},
		network:       cfg.Network,
		strict:        cfg.Strict,
		proofRequired: cfg.RequireProof,
		enforceLimits: cfg.EnforceLimits,
		clock:         cfg.Clock,
		source:        source,
		rand:          rand.New(source),
		edges:         routes,
		state: state{
			lastID:  100000000000000,
			tokens:  map[graph.Secret]*Token{},
			codes:   map[graph.Secret]*code{},
			budgets: map[string]*budget{},
			handles: map[graph.UploadHandle]bool{},
		},
	}
	s.idle = sync.NewCond(&s.mu)
	if s.clock == nil {
		s.clock = time.Now
	}
	s.systemToken = s.AddToken(Token{Type: TokenSystemUser, Scopes: allScopes})
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("/", s.serve)
	s.mux.HandleFunc(mediaPath, s.serveMedia)
	return s
}

// Close ends the server after the requests under way. Later ones find no one listening.
func (s *Server) Close() { s.listener.close() }

// Handle serves something else at the same address, for simulators that are built on the server:
// pages of a popup, files. The pattern is one of [http.ServeMux], and no version of the Graph API.
func (s *Server) Handle(pattern string, h http.Handler) { s.mux.Handle(pattern, h) }

// App returns the app.
func (s *Server) App() App { return s.app }

// SystemToken returns a token that never expires and may do everything: the partner's own system
// user.
func (s *Server) SystemToken() graph.Secret { return s.systemToken }

// AppToken returns the app's own token, APPID|SECRET.
func (s *Server) AppToken() graph.Secret {
	return graph.Secret(string(s.app.ID) + "|" + s.app.Secret.Reveal())
}

// ClientConfig returns what a client needs to call the server, with the system token. Retries are
// quick, so that a test that provokes them does not wait, and nothing is held back, unless
// [Config].EnforceLimits makes it worth while.
func (s *Server) ClientConfig() cloudapi.Config {
	limiter := cloudapi.Unlimited
	if s.enforceLimits {
		limiter = nil
	}
	cfg := cloudapi.Config{
		Limiter:     limiter,
		AppID:       s.app.ID,
		AppSecret:   s.app.Secret,
		AccessToken: s.systemToken,
		BaseURL:     s.URL,
		Retry:       cloudapi.RetryPolicy{MinWait: time.Millisecond, MaxWait: 20 * time.Millisecond},
	}
	if s.network != nil {
		cfg.HTTPClient = s.network.Client()
	}
	return cfg
}

// Now returns the server's time.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// now returns the time on the server's clock. The caller must hold s.mu.
func (s *Server) now() time.Time { return s.clock().Add(s.advanced).UTC() }

// Advance moves the server's clock on, so that codes and tokens expire and windows close.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advanced += d
}

// OnMessage calls fn after a message was accepted, before the answer leaves, in the goroutine of
// the request. Answers wait for fn.
func (s *Server) OnMessage(fn func(SentMessage)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onMessage = append(s.onMessage, fn)
}

// OnRead calls fn after a message was marked as read, like [Server.OnMessage].
func (s *Server) OnRead(fn func(ReadReceipt)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onRead = append(s.onRead, fn)
}

// OnSyncAppData calls fn after a sync was accepted, like [Server.OnMessage].
func (s *Server) OnSyncAppData(fn func(SyncRequest)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onSync = append(s.onSync, fn)
}

// OnSubscribe calls fn after the app was subscribed to an account (true) or unsubscribed (false),
// like [Server.OnMessage].
func (s *Server) OnSubscribe(fn func(waba graph.WABAID, subscribed bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onSubscribe = append(s.onSubscribe, fn)
}
