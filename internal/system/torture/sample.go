package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// A sample is what a host and its database use at a moment of a soak.
type sample struct {
	at          time.Duration // since the soak began
	rss         int           // bytes of the host's process
	goroutines  int           // of the host
	connections int           // to the database
	left        int           // events and deliveries to be handled
	unsent      int           // entries of the outbox
	tables      []tableSample
}

// A tableSample is what the server knows of a table.
type tableSample struct {
	name              string
	bytes, indexes    int
	live, dead        int // rows, as far as the server has counted
	vacuums, analyzes int // by the autovacuum
}

// sample takes one.
func (t *trial) sample(ctx context.Context, db *sql.DB, at time.Duration) (s sample, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, waitTimeout, errNoChange)
	defer cancel()
	p := t.running()[0]
	r, err := p.ask(ctx, "stats")
	if err != nil {
		return s, err
	}
	s = sample{at: at, goroutines: r.Goroutines, left: r.Left, unsent: r.Unsent}
	if s.rss, err = residentOf(p.cmd.Process.Pid); err != nil {
		return s, err
	}
	err = db.QueryRowContext(ctx, `SELECT COUNT(*) FROM pg_stat_activity
		WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`).Scan(&s.connections)
	if err != nil {
		return s, err
	}
	rows, err := db.QueryContext(ctx, `SELECT relname, pg_table_size(relid), pg_indexes_size(relid), n_live_tup,
		n_dead_tup, autovacuum_count, autoanalyze_count FROM pg_stat_user_tables ORDER BY relname`)
	if err != nil {
		return s, err
	}
	defer rows.Close()
	for rows.Next() {
		var v tableSample
		if err := rows.Scan(&v.name, &v.bytes, &v.indexes, &v.live, &v.dead, &v.vacuums, &v.analyzes); err != nil {
			return s, err
		}
		s.tables = append(s.tables, v)
	}
	return s, rows.Err()
}

// residentOf reads how many bytes of memory a process has, from /proc.
func residentOf(pid int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/%d/statm holds %q", pid, text)
	}
	pages, err := strconv.Atoi(fields[1])
	return pages * os.Getpagesize(), err
}

const megabyte = 1 << 20

// printSampleHead prints the head of the lines of print.
func printSampleHead(out io.Writer) {
	fmt.Fprintf(out, "%9s %9s %11s %12s %8s %8s %10s %10s %8s %8s %9s\n", "at", "RSS MB", "goroutines", "connections",
		"waiting", "unsent", "tables MB", "indexes MB", "dead", "vacuums", "analyzes")
}

// print prints the sample in a line, with the sums of its tables.
func (s sample) print(out io.Writer) {
	var sum tableSample
	for _, v := range s.tables {
		sum.bytes += v.bytes
		sum.indexes += v.indexes
		sum.dead += v.dead
		sum.vacuums += v.vacuums
		sum.analyzes += v.analyzes
	}
	fmt.Fprintf(out, "%9v %9.1f %11d %12d %8d %8d %10.1f %10.1f %8d %8d %9d\n", s.at.Round(time.Second),
		float64(s.rss)/megabyte, s.goroutines, s.connections, s.left, s.unsent, float64(sum.bytes)/megabyte,
		float64(sum.indexes)/megabyte, sum.dead, sum.vacuums, sum.analyzes)
}

// printTables prints each table at the start and at the end.
func printTables(out io.Writer, first, last sample) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "table\tMB\tat the end\tindexes MB\tat the end\trows\tdead\tvacuums\tanalyzes\t")
	for _, v := range last.tables {
		i := slices.IndexFunc(first.tables, func(f tableSample) bool { return f.name == v.name })
		var before tableSample
		if i >= 0 {
			before = first.tables[i]
		}
		fmt.Fprintf(table, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t%d\t%d\t%d\t\n", v.name, float64(before.bytes)/megabyte,
			float64(v.bytes)/megabyte, float64(before.indexes)/megabyte, float64(v.indexes)/megabyte, v.live, v.dead,
			v.vacuums, v.analyzes)
	}
	_ = table.Flush()
}

// The bounds of growth: from the middle third of the samples to the last third, of which the
// medians count. The first third is the warm-up.
const (
	rssGrowth        = 0.15         // of what it was, plus rssSlack
	rssSlack         = 8 * megabyte // a collection of garbage more or less
	goroutineGrowth  = 20
	connectionGrowth = 2
	connectionPool   = 18 // of a host: 16, one that listens, and one to spare; until then it fills
)

// growth returns an error if what a host uses still grows after the warm-up.
func growth(list []sample) error {
	third := len(list) / 3
	if third == 0 {
		return errors.New("there are too few samples to see growth")
	}
	median := func(of []sample, value func(sample) int) int {
		values := make([]int, len(of))
		for i, s := range of {
			values[i] = value(s)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	var errs []error
	for _, b := range []struct {
		what  string
		value func(sample) int
		more  func(before int) int // how much growth is allowed
	}{
		{"RSS in bytes", func(s sample) int { return s.rss }, func(before int) int {
			return int(rssGrowth*float64(before)) + rssSlack
		}},
		{"goroutines", func(s sample) int { return s.goroutines }, func(int) int { return goroutineGrowth }},
		{"connections", func(s sample) int { return s.connections }, func(before int) int {
			return max(connectionGrowth, connectionPool-before)
		}},
	} {
		before, after := median(list[third:2*third], b.value), median(list[2*third:], b.value)
		if after > before+b.more(before) {
			errs = append(errs, fmt.Errorf("%s grow from %d to %d after the warm-up; at most %d more are allowed",
				b.what, before, after, b.more(before)))
		}
	}
	return errors.Join(errs...)
}
