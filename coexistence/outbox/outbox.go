package outbox

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Config configures an [Outbox]. Tracker is required.
type Config struct {
	// Tracker files what was sent into its conversation, says whether a number is suspended, and
	// has the client of each number (coexistence.Config.Client), whose limiter decides how fast it
	// sends. A number whose client cannot be had is suspended for a minute.
	Tracker *coexistence.Tracker

	// Send sends. If nil, [cloudapi.MessagesService.Send] does; that of package
	// coexistence/templates checks templates before.
	Send coexistence.SendFunc

	// LeaseDuration is how long a number stays reserved for a process that died. It is prolonged as
	// long as the process lives. If zero, 15 seconds.
	LeaseDuration time.Duration

	// UnknownTimeout is how long a message whose fate is unknown waits for a status webhook, before
	// Meta's message history decides. Meta promises neither when a status comes nor when the
	// history is complete, so be generous. If zero, an hour.
	UnknownTimeout time.Duration

	// MaxConcurrentSends is how many requests are under way for a number at once. If zero, 8, which
	// is enough for 20 messages a second.
	MaxConcurrentSends int

	// PollInterval is how often the database is asked for work that was not announced with
	// [Outbox.Notify]. If zero, half a second.
	PollInterval time.Duration

	// Retention is how long entries are kept that are sent or failed, counted from when they were
	// put in. If zero, 90 days.
	Retention time.Duration

	// OnChange is called when something has changed for a number, from many goroutines; it must not
	// block. A page that shows entries may look again. If nil, nothing is called.
	OnChange func(phone graph.PhoneNumberID)

	// Logger gets what no caller can see. If nil, nothing is logged.
	Logger *slog.Logger
}

// validate checks a Config before its defaults are filled in.
func (c Config) validate() error {
	var errs []error
	if c.Tracker == nil {
		errs = append(errs, errors.New("outbox: Config.Tracker is nil; it stores what was sent"))
	}
	if c.LeaseDuration < 0 || c.UnknownTimeout < 0 || c.MaxConcurrentSends < 0 ||
		c.PollInterval < 0 || c.Retention < 0 {
		errs = append(errs, errors.New(
			"outbox: a duration or MaxConcurrentSends of the Config is negative; zero takes the default"))
	}
	return errors.Join(errs...)
}

// An Outbox keeps messages in a database and sends them. It is a [webhook.Handler] that settles
// entries by their statuses: put it behind the tracker. It is safe for concurrent use, in one
// process or, with PostgreSQL, in many.
type Outbox struct {
	cfg  Config
	db   database
	wake chan struct{} // holds a token when the loop is to look for work at once

	mu      sync.Mutex
	started bool               // or shut down: Start works once
	stop    context.CancelFunc // of the loop; nil before Start
	running sync.WaitGroup
}

var _ webhook.Handler = (*Outbox)(nil)

// New returns an outbox over a database that package sqlite or package postgres has opened: hosts
// call the method Outbox of that. Nothing is sent before [Outbox.Start].
func New(db *sqldb.DB, cfg Config) (*Outbox, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.LeaseDuration = cmp.Or(cfg.LeaseDuration, 15*time.Second)
	cfg.UnknownTimeout = cmp.Or(cfg.UnknownTimeout, time.Hour)
	cfg.MaxConcurrentSends = cmp.Or(cfg.MaxConcurrentSends, 8)
	cfg.PollInterval = cmp.Or(cfg.PollInterval, 500*time.Millisecond)
	cfg.Retention = cmp.Or(cfg.Retention, 90*24*time.Hour)
	if cfg.Send == nil {
		cfg.Send = coexistence.SendMessage
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Outbox{cfg: cfg, db: database{db}, wake: make(chan struct{}, 1)}, nil
}

// Notify lets this process look for work at once: call it after the commit of an
// [Outbox.EnqueueTx].
func (o *Outbox) Notify() {
	select {
	case o.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// changed tells Config.OnChange about a number, after what changed is stored.
func (o *Outbox) changed(phone graph.PhoneNumberID) {
	if o.cfg.OnChange != nil {
		o.cfg.OnChange(phone)
	}
}
