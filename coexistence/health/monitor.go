package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// Config configures a [Monitor]. Tracker is required. What is not set leaves its parts unknown.
type Config struct {
	// Tracker knows the numbers. Its Client is what [Monitor.Read] asks Meta with.
	Tracker *coexistence.Tracker

	// Token returns what is known of the token of a number: the method Get of
	// [storage.DB.Tokens]. A host that keeps tokens elsewhere sets ExpiresAt alone, and returns
	// [storage.ErrNoToken] if there is none. If nil, only a token that Meta refuses is noticed.
	Token func(context.Context, graph.PhoneNumberID) (storage.TokenInfo, error)

	// Inbox is looked at for the backlog and for dead letters. If nil, neither is known.
	Inbox *inbox.Inbox

	// Outbox is looked at for messages in doubt. If nil, they are not known.
	Outbox *outbox.Outbox

	// Arrivals receives every event: put it after the other handlers. If nil, the drift is unknown,
	// and the time of the last delivery is that of the store.
	Arrivals *Arrivals

	// MaxSilence is for how long nothing may arrive for a number before that is a warning. If zero,
	// three days, which a shop that closes at weekends does not reach.
	MaxSilence time.Duration

	// ReadInterval is how often [Monitor.Run] and [Monitor.CheckAll] read each number from Meta,
	// with six calls or so. A webhook that says that limits have changed has it read before that.
	// If zero, they never do; 6 hours is a good choice.
	ReadInterval time.Duration

	// OnChange is called by [Monitor.Run] and [Monitor.CheckAll] for each part that has changed:
	// for one number after the other, for several at once. The next look waits until it returns.
	// In several processes, each calls it for each change: see the package documentation. If nil,
	// nothing is called.
	OnChange func(context.Context, Change)

	// Logger gets what Run could not read. If nil, nothing is logged.
	Logger *slog.Logger
}

// A Monitor looks at the health of numbers. It is safe for concurrent use.
type Monitor struct {
	cfg Config

	pass sync.Mutex // held by CheckAll, so that changes come in order

	mu      sync.Mutex
	numbers map[graph.PhoneNumberID]record
	known   map[PartName]Part // of the backlog, which is of all numbers
}

// A record is what a monitor remembers of a number.
type record struct {
	reading reading
	parts   map[PartName]Part // as they were known last; not changed any more once stored
	health  Health            // of the last CheckAll
}

// New returns a monitor. It does no I/O.
func New(cfg Config) (*Monitor, error) {
	var errs []error
	if cfg.Tracker == nil {
		errs = append(errs, errors.New("health: Config.Tracker is nil; it knows the numbers"))
	}
	if cfg.MaxSilence < 0 || cfg.ReadInterval < 0 {
		errs = append(errs, errors.New("health: a duration of the Config is negative; zero takes the default"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.MaxSilence = cmp.Or(cfg.MaxSilence, 3*24*time.Hour)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Monitor{cfg: cfg, numbers: map[graph.PhoneNumberID]record{}}, nil
}

// Health says how a number is, from what is stored and what this process has counted. It calls
// nothing at Meta: see [Monitor.Read]. A number that was not onboarded is
// [coexistence.ErrNotOnboarded]. With any other error, the parts that could not be read are
// unknown, and the rest of the result holds.
func (m *Monitor) Health(ctx context.Context, phone graph.PhoneNumberID) (Health, error) {
	n, err := m.number(ctx, phone)
	if err != nil {
		return Health{}, err
	}
	all, err1 := m.backlog(ctx)
	h, err2 := m.look(ctx, n, all)
	return h, errors.Join(err1, err2)
}

// number returns a number that was onboarded.
func (m *Monitor) number(ctx context.Context, phone graph.PhoneNumberID) (coexistence.Number, error) {
	n, err := m.cfg.Tracker.Store().Number(ctx, phone)
	if errors.Is(err, coexistence.ErrNotFound) || err == nil && n.Stage == coexistence.StageNone {
		return n, coexistence.ErrNotOnboarded
	}
	return n, err
}

// look judges all parts of a number. The backlog, which is the same for all, is handed in.
func (m *Monitor) look(ctx context.Context, n coexistence.Number, all Backlog) (Health, error) {
	now, r := time.Now(), m.reading(n.PhoneNumberID)
	h := Health{
		PhoneNumberID: n.PhoneNumberID, At: now.UTC(), ReadAt: r.at, Number: n,
		Connection: connection(n, now), Sync: syncs(n, now), Enforcement: enforcement(n, r.preflight.Phone, now),
		Phone: phoneUse(n, now), Responders: responders(n),
		Quality: quality(r), Limits: limits(r), Webhooks: webhooks(r), Payment: payment(r),
		Drift: m.drift(n), Backlog: all,
	}
	var errs [4]error
	h.Token, errs[0] = m.token(ctx, n, r, now)
	h.Delivery, errs[1] = m.delivery(ctx, n, now)
	h.DeadLetters, errs[2] = m.deadLetters(ctx, n, all)
	h.Sends, errs[3] = m.sends(ctx, n, now)
	if n.Stage == coexistence.StageRemoved {
		// Its token is deleted, it cannot be read, and nothing arrives: the connection says so.
		away := judge(StatusUnknown, CodeNotConnected)
		h.Token.Verdict, h.Quality.Verdict, h.Limits.Verdict = away, away, away
		h.Webhooks.Verdict, h.Payment.Verdict = away, away
	}
	return h, errors.Join(errs[:]...)
}

// token asks the host for what is known of the token.
func (m *Monitor) token(
	ctx context.Context, n coexistence.Number, r reading, now time.Time,
) (Token, error) {
	if m.cfg.Token == nil {
		if r.at.IsZero() {
			return Token{Verdict: judge(StatusUnknown, CodeNotConfigured)}, nil
		}
		return token(storage.TokenInfo{}, nil, r, now), nil
	}
	info, err := m.cfg.Token(ctx, n.PhoneNumberID)
	t := token(info, err, r, now)
	if t.Status == StatusUnknown {
		return t, fmt.Errorf("health: number %s: token: %w", n.PhoneNumberID, err)
	}
	return t, nil
}
