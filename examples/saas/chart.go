package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// A chart draws how many letters of a campaign were sent, delivered, read and failed, over its time.
type chart struct {
	Lines  []line
	Length time.Duration
	Total  int
}

// A line is drawn in a picture of 600 by 200.
type line struct {
	Name, Points string
	Now          int
}

const chartSteps = 60

func (a *app) chart(ctx context.Context, c *campaign) (chart, error) {
	ch := chart{Total: c.Total}
	var end int64
	err := a.db.one(ctx, "SELECT COALESCE(MAX(CASE WHEN read_at > sent_at THEN read_at WHEN failed_at > sent_at THEN failed_at ELSE sent_at END), 0) FROM saas_outbox WHERE campaign = $1", []any{c.ID}, &end)
	if err != nil {
		return ch, err
	}
	step := max(1, (end-c.createdAt)/chartSteps+1)
	ch.Length = time.Duration(step*chartSteps) * time.Millisecond
	for _, name := range []string{"sent", "delivered", "read", "failed"} {
		var counts [chartSteps + 1]int
		l := line{Name: name}
		err := a.db.each(ctx, "SELECT ("+name+"_at - $1) / $2, COUNT(*) FROM saas_outbox WHERE campaign = $3 AND "+name+"_at > 0 GROUP BY 1", []any{c.createdAt, step, c.ID},
			func(rows *sql.Rows) error {
				var at, n int
				err := rows.Scan(&at, &n)
				counts[min(max(at, 0), chartSteps)] += n
				l.Now += n
				return err
			})
		if err != nil {
			return ch, err
		}
		var b strings.Builder
		sum := 0
		for i, n := range counts {
			sum += n
			fmt.Fprintf(&b, "%d,%.1f ", i*600/chartSteps, 196-192*float64(sum)/float64(max(1, c.Total)))
		}
		l.Points = b.String()
		ch.Lines = append(ch.Lines, l)
	}
	return ch, nil
}
