package usage

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/tombstone"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Config configures a [Meter]. Nothing is required.
type Config struct {
	// Location is the time zone in which months begin. Meta does not say which one it is; that of
	// the account is another guess. If nil, UTC. What was counted stays in its month.
	Location *time.Location

	// Market names the market of a message's recipient as your rates do. It is stored, so return
	// no phone number, and few different names: each is a line of each month. If nil, [Country] of
	// the recipient.
	Market func(st *webhook.MessageStatus) string

	// Budget returns what the messages of a number may cost in a month before OnBudget is called.
	// The zero Money is no budget. It is called for every delivered message, so answer from memory.
	// If nil, no number has a budget. After it is raised, a budget is reported again.
	Budget func(ctx context.Context, phone graph.PhoneNumberID) (Money, error)

	// Rates are your prices. Messages without a rate count as nothing. Required with Budget.
	Rates RateFunc

	// OnBudget is called when a number reaches its budget, before the event that reached it is
	// settled. If it returns an error, or the process ends meanwhile, it is called again. It has 30
	// seconds and must not use the inbox. Required with Budget.
	OnBudget func(ctx context.Context, a Alert) error
}

// validate lists all mistakes of a Config.
func (c Config) validate() error {
	if c.Budget == nil {
		return nil
	}
	var errs []error
	if c.Rates == nil {
		errs = append(errs, errors.New("usage: Config.Budget needs Config.Rates"))
	}
	if c.OnBudget == nil {
		errs = append(errs, errors.New("usage: Config.Budget needs Config.OnBudget"))
	}
	return errors.Join(errs...)
}

// A Meter counts the messages of numbers in a database. It is a [webhook.Handler], idempotent and
// safe for concurrent use, in one process or, with PostgreSQL, in many. It costs two statements for
// a message; where events are prepared together, as an inbox does, two for all of them. A budget
// adds one for each message, until the host was told.
type Meter struct {
	cfg   Config
	db    *sqldb.DB
	key   atomic.Pointer[tombstone.Key] // of the database; nil until it was read
	added atomic.Int64                  // messages since the last time that old ones were deleted

	telling sync.Mutex // held while the host is told
	told    sync.Map   // phone number id → alertKey, of the last time
}

var _ webhook.Preparer = (*Meter)(nil)

// New returns a meter over a database that package sqlite or package postgres has opened: hosts
// call the method Usage of that. It does no I/O.
func New(db *sqldb.DB, cfg Config) (*Meter, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	if cfg.Market == nil {
		cfg.Market = func(st *webhook.MessageStatus) string { return Country(st.Customer()) }
	}
	return &Meter{cfg: cfg, db: db}, nil
}

// Country returns the country in a person's user id, as an ISO 3166 code such as "BR", or "" if
// there is no user id. Since April 2026, all statuses of delivered messages have one. Meta bills by
// the calling code of the phone number; that the country is the same is assumed.
func Country(id graph.Identity) string {
	for _, user := range []graph.UserID{id.UserID, id.ParentUserID} {
		if graph.IsUserID(string(user)) {
			return string(user[:2])
		}
	}
	return ""
}

// Handle implements [webhook.Handler]: it counts the message that a status tells of. Events of
// other kinds, and statuses that are not counted, are passed over.
func (m *Meter) Handle(ctx context.Context, ev webhook.Event) error {
	a, ok := m.arrivalOf(ev)
	if !ok {
		return nil
	}
	if p, ok := ctx.Value(preparedKey{m}).(webhook.Event); !ok || p != ev {
		if err := m.count(ctx, []arrival{a}); err != nil {
			return sqldb.Explain("usage: Handle", err)
		}
	}
	return m.alert(ctx, a)
}

// preparedKey is that of an event which is counted, in its own context.
type preparedKey struct{ m *Meter }

// Prepare implements [webhook.Preparer]: it counts the messages of a batch in one transaction. If
// that fails, each is left for Handle.
func (m *Meter) Prepare(ctx context.Context, batch []webhook.Preparation) {
	var list []arrival
	var places []int
	for i, p := range batch {
		if a, ok := m.arrivalOf(p.Event); ok {
			list, places = append(list, a), append(places, i)
		}
	}
	if len(list) == 0 || m.count(ctx, list) != nil {
		return
	}
	for _, i := range places {
		batch[i].Context = context.WithValue(batch[i].Context, preparedKey{m}, batch[i].Event)
	}
}

// Month returns what was counted for a number in the calendar month of a moment: time.Now() for
// the current one. It reads the lines of that month, however many messages there were. A number of
// which nothing was counted has no lines.
func (m *Meter) Month(ctx context.Context, phone graph.PhoneNumberID, at time.Time) (*Month, error) {
	begin := m.begin(at)
	month := &Month{PhoneNumberID: phone, Begin: begin, End: begin.AddDate(0, 1, 0)}
	err := m.db.Read(ctx, m.db, func(rows *sql.Rows) error {
		var l Line
		err := rows.Scan(&l.Category, &l.Type, &l.Subtype, &l.Market, &l.Messages)
		month.Lines = append(month.Lines, l)
		return err
	}, `SELECT category, type, subtype, market, messages FROM coexistence_usage
		WHERE phone = ? AND month = ? ORDER BY category, type, subtype, market`,
		sqldb.Clean(string(phone)), monthName(begin))
	if err != nil {
		return nil, sqldb.Explain("usage: Month", err)
	}
	return month, nil
}

// begin returns the first moment of the month of another.
func (m *Meter) begin(at time.Time) time.Time {
	at = at.In(m.cfg.Location)
	return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, m.cfg.Location)
}

// monthName is how a month is stored: 2026-11.
func monthName(begin time.Time) string { return begin.Format("2006-01") }
