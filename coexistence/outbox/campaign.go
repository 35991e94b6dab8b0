package outbox

import (
	"context"
	"database/sql"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
)

// PauseCampaign keeps the entries of a campaign that are still queued from going out. What is with
// Meta is not called back. A campaign can be paused before its first entry is put in.
func (o *Outbox) PauseCampaign(ctx context.Context, campaign string) error {
	return o.setPaused(ctx, campaign, 1)
}

// ResumeCampaign lets a campaign continue.
func (o *Outbox) ResumeCampaign(ctx context.Context, campaign string) error {
	return o.setPaused(ctx, campaign, 0)
}

// setPaused creates the campaign if there is none yet.
func (o *Outbox) setPaused(ctx context.Context, campaign string, paused int) error {
	_, err := o.db.exec(ctx, nil, "PauseCampaign", `INSERT INTO outbox_campaigns (id, paused) VALUES (?, ?)
		ON CONFLICT (id) DO UPDATE SET paused = excluded.paused`, campaign, paused)
	o.Notify()
	return err
}

// Counts are the numbers of a campaign's entries.
type Counts struct {
	// Paused reports that the queued ones do not go out.
	Paused bool

	// Total is how many entries there are, and the next five how many of them are in each state.
	Total, Queued, Sending, Unknown, Sent, Failed int

	// Delivered and Read are those of the sent ones whose status says so. A message that was read
	// counts as delivered, too, even if no status said that.
	Delivered, Read int
}

// Done reports whether all entries are sent or failed.
func (c Counts) Done() bool { return c.Sent+c.Failed == c.Total }

// CampaignCounts counts the entries of a campaign. An unknown one has none.
func (o *Outbox) CampaignCounts(ctx context.Context, campaign string) (c Counts, err error) {
	ctx = sqldb.Unhurried(ctx)
	var paused int
	_, err = o.db.row(ctx, "CampaignCounts", "SELECT paused FROM outbox_campaigns WHERE id = ?",
		[]any{campaign}, &paused)
	if err != nil {
		return c, err
	}
	c.Paused = paused != 0
	_, err = o.db.row(ctx, "CampaignCounts", `SELECT COUNT(*),
			COUNT(CASE WHEN state = 'queued' THEN 1 END), COUNT(CASE WHEN state = 'sending' THEN 1 END),
			COUNT(CASE WHEN state = 'unknown' THEN 1 END), COUNT(CASE WHEN state = 'sent' THEN 1 END),
			COUNT(CASE WHEN state = 'failed' THEN 1 END),
			COUNT(CASE WHEN state = 'sent' AND (delivered_at > 0 OR read_at > 0) THEN 1 END),
			COUNT(CASE WHEN state = 'sent' AND read_at > 0 THEN 1 END)
		FROM outbox_entries WHERE campaign = ?`, []any{campaign},
		&c.Total, &c.Queued, &c.Sending, &c.Unknown, &c.Sent, &c.Failed, &c.Delivered, &c.Read)
	return c, err
}

// A Series is the course of a campaign as numbers for a chart.
type Series struct {
	// Start is when the first step begins, and Step how long each is.
	Start time.Time
	Step  time.Duration // between two points; zero if nothing was put in

	// Each list has one number for each step: how many entries were sent, delivered, read or failed
	// by its end. They only grow.
	Sent, Delivered, Read, Failed []int
}

// CampaignSeries divides the time from the first entry of a campaign to the last thing that
// happened to one into so many steps, at least one, of a millisecond at least. An unknown campaign
// has the step at 1970, and zeros.
func (o *Outbox) CampaignSeries(ctx context.Context, campaign string, steps int) (Series, error) {
	ctx, steps = sqldb.Unhurried(ctx), max(steps, 1)
	var start, end int64
	_, err := o.db.row(ctx, "CampaignSeries", `SELECT COALESCE(MIN(put_at), 0),
			COALESCE(MAX(CASE WHEN read_at > 0 THEN read_at WHEN delivered_at > 0 THEN delivered_at
				WHEN failed_at > 0 THEN failed_at ELSE sent_at END), 0)
		FROM outbox_entries WHERE campaign = ?`, []any{campaign}, &start, &end)
	if err != nil {
		return Series{}, err
	}
	step := max(1, (end-start)/int64(steps)+1)
	s := Series{Start: moment(start), Step: time.Duration(step) * time.Millisecond}
	for column, counts := range map[string]*[]int{
		"sent_at": &s.Sent, "delivered_at": &s.Delivered, "read_at": &s.Read, "failed_at": &s.Failed,
	} {
		*counts = make([]int, steps)
		err := o.db.rows(ctx, "CampaignSeries",
			"SELECT ("+column+" - ?) / ?, COUNT(*) FROM outbox_entries"+
				" WHERE campaign = ? AND "+column+" > 0 GROUP BY 1",
			[]any{start, step, campaign}, func(rows *sql.Rows) error {
				var at, n int
				err := rows.Scan(&at, &n)
				(*counts)[min(max(at, 0), steps-1)] += n // Meta's clock, which dates statuses, may be behind
				return err
			})
		if err != nil {
			return Series{}, err
		}
		for i := 1; i < steps; i++ {
			(*counts)[i] += (*counts)[i-1]
		}
	}
	return s, nil
}
