package sqlinbox

import (
	"cmp"
	"context"
	"database/sql"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// The column class of lanes. A lane of statuses becomes one of messages when it gets another event,
// and stays one until it is empty.
const (
	classMessages = 0
	classStatuses = 1 // the lane has only statuses
)

// statusShare is the share of a claim's lanes for statuses while there are messages: one in
// statusShare.
const statusShare = 8

// turns has the number after which the next claim of a queue begins, by class. It is in memory, and
// starts at random, so that processes do not all begin with the same number.
type turns struct {
	mu   sync.Mutex
	last map[queue][2]string
}

func (t *turns) of(q queue) [2]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, ok := t.last[q]; ok {
		return last
	}
	anywhere := strconv.FormatInt(rand.Int64N(1e15), 10) //nolint:gosec // a starting point is no secret
	return [2]string{anywhere, anywhere}
}

func (t *turns) set(q queue, last [2]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil {
		t.last = map[queue][2]string{}
	}
	t.last[q] = last
}

// look finds out, without a transaction, whether a claim may find something: most of the time there
// is nothing to do. It lists the numbers with ready lanes, in the order of their turns, up to the
// number of lanes that the claim can take.
//
// It seeks from one number to the next in the index of ready lanes, so that its cost depends on
// what it finds, however many lanes a number has. It scans two ranges: from the number whose turn
// it is, and from the first one.
func (s *Store) look(ctx context.Context, in querier, q queue, req inbox.ClaimRequest) (found sighting, err error) {
	if q.kind == inbox.KindDelivery {
		return s.lookForDeliveries(ctx, q)
	}
	type place struct {
		class int64 // or another kind of row
		at    sql.NullInt64
		name  string
	}
	var places []place
	last := s.turns.of(q)
	err = s.read(ctx, in, func(rows *sql.Rows) error {
		var p place
		err := rows.Scan(&p.class, &p.at, &p.name)
		places = append(places, p)
		return err
	}, lookQuery, q.bulk, last[0], last[1], req.Lanes+len(req.Except), s.in(0))
	if err != nil {
		return sighting{}, err
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.at.Int64, b.at.Int64) })
	for _, p := range places {
		in := time.Duration(p.at.Int64) * time.Microsecond
		switch p.class {
		case dueRow, quarantineRow:
			ended := p.at.Valid && in <= 0
			found.due = found.due || ended && p.class == dueRow
			found.quarantined = found.quarantined || ended && p.class == quarantineRow
			if in > 0 && (found.wait == 0 || in < found.wait) {
				found.wait = in
			}
		default:
			numbers := &found.numbers[p.class]
			if len(*numbers) < req.Lanes && !slices.Contains(*numbers, p.name) &&
				!slices.Contains(req.Except, graph.PhoneNumberID(p.name)) {
				*numbers = append(*numbers, p.name)
				found.ready = true
			}
		}
	}
	return found, nil
}

// Rows of lookQuery without a number: the end of the next lease or pause, and of the next
// quarantine.
const (
	dueRow        = 2
	quarantineRow = 3
)

// lookQuery returns a row for each class (0, 1), lap and number, with its place, and the rows
// without a number. Lap 0 begins after the number that came last, lap 1 with the first number. The
// subquery that seeks the next number uses the index of ready lanes. With MIN in place of ORDER BY
// and LIMIT, PostgreSQL may read all rows.
var lookQuery = func() string {
	const next = "(SELECT x.number FROM webhook_lanes x WHERE x.state = 0 AND x.kind = 1 AND x.bulk = q.bulk AND "
	return `WITH RECURSIVE q AS (
		SELECT CAST(? AS BIGINT) AS bulk, CAST(? AS TEXT) AS last0, CAST(? AS TEXT) AS last1,
			CAST(? AS BIGINT) AS most, ? + $now AS at),
	walk (class, lap, step, number) AS (
		SELECT c.class, 0, 1, ` + next + `x.class = c.class AND
			x.number > CASE c.class WHEN 0 THEN q.last0 ELSE q.last1 END ORDER BY x.number LIMIT 1)
			FROM (SELECT 0 AS class UNION ALL SELECT 1) AS c CROSS JOIN q
		UNION ALL
		SELECT c.class, 1, 1, ` + next + `x.class = c.class ORDER BY x.number LIMIT 1)
			FROM (SELECT 0 AS class UNION ALL SELECT 1) AS c CROSS JOIN q
		UNION ALL
		SELECT w.class, w.lap, w.step + 1, ` + next + `x.class = w.class AND x.number > w.number
			ORDER BY x.number LIMIT 1) FROM walk w CROSS JOIN q WHERE w.number IS NOT NULL AND w.step < q.most)
	SELECT class, lap * 1000000 + step, number FROM walk WHERE number IS NOT NULL
	UNION ALL SELECT 2, (SELECT x.next_at FROM webhook_lanes x
		WHERE x.kind = 1 AND x.bulk = q.bulk AND x.state = 1 ORDER BY x.next_at LIMIT 1) - q.at, '' FROM q
	UNION ALL SELECT 3, (SELECT x.next_at FROM webhook_lanes x
		WHERE x.kind = 1 AND x.bulk = q.bulk AND x.state = 2 ORDER BY x.next_at LIMIT 1) - q.at, '' FROM q`
}()

// A pile is the claimable lanes or deliveries of one number and class.
type pile[T any] struct {
	class  int
	number string
	wanted int // how many to read
	items  []T // the ones read
	dealt  int // how many of them are in the batch
}

// full reports whether there may be more than were read.
func (p *pile[T]) full() bool { return len(p.items) == p.wanted }

// deal takes n items round-robin over the numbers; one in eight is of statuses. If a number or a
// class has nothing left, others get its turns. take takes an item of a pile, and reports whether
// it could.
func deal[T any](piles [2][]*pile[T], n int, take func(*pile[T]) bool) {
	var at [2]int
	next := func(class int) bool {
		for len(piles[class]) > 0 {
			i := at[class] % len(piles[class])
			if take(piles[class][i]) {
				at[class] = i + 1
				return true
			}
			piles[class], at[class] = slices.Delete(slices.Clone(piles[class]), i, i+1), i
		}
		return false
	}
	for i := range n {
		class := classMessages
		if i%statusShare == statusShare-1 {
			class = classStatuses
		}
		if !next(class) && !next(1-class) {
			return
		}
	}
}

// dealt returns n items of the piles in the order of their turns.
func dealt[T any](piles [2][]*pile[T], n int) (items []T) {
	deal(piles, n, func(p *pile[T]) bool {
		if p.dealt == len(p.items) {
			return false
		}
		items = append(items, p.items[p.dealt])
		p.dealt++
		return true
	})
	return items
}

// maxDeals is how often readyLanes locks lanes to fill a batch, because some numbers had fewer than
// their turns. The rest is left to the next claim.
const maxDeals = 3

// readyLanes locks ready lanes, for each number those that have waited longest. With PostgreSQL,
// lanes that other claims have locked are skipped. It returns them in the order of their turns, so
// that a batch can end anywhere, and whether these are all ready lanes.
func (s *Store) readyLanes(
	ctx context.Context, tx *sql.Tx, q queue, limit int, numbers [2][]string,
) (lanes []claimable, all bool, err error) {
	var piles [2][]*pile[claimable]
	for class := range numbers {
		for _, number := range numbers[class] {
			piles[class] = append(piles[class], &pile[claimable]{class: class, number: number})
		}
	}
	more := piles // the piles that may have more lanes
	for n, locks := limit, 0; n > 0 && len(more[0])+len(more[1]) > 0 && locks < maxDeals; locks++ {
		deal(more, n, func(p *pile[claimable]) bool { p.wanted++; return true })
		wanting := slices.DeleteFunc(slices.Concat(more[0], more[1]), (*pile[claimable]).full)
		if err := s.lockPiles(ctx, tx, q, wanting); err != nil {
			return nil, false, err
		}
		n = limit
		for class := range piles {
			more[class] = nil
			for _, p := range piles[class] {
				n -= len(p.items)
				if p.full() {
					more[class] = append(more[class], p)
				}
			}
		}
		if len(more[classMessages]) > 0 {
			more[classStatuses] = nil // statuses have had their share
		}
	}
	// If a class has as many numbers as were asked for, it may have more.
	all = len(numbers[0]) < limit && len(numbers[1]) < limit &&
		!slices.ContainsFunc(slices.Concat(piles[0], piles[1]), (*pile[claimable]).full)
	return dealt(piles, limit), all, nil
}

// lockPiles locks the wanted number of lanes of each pile.
func (s *Store) lockPiles(ctx context.Context, tx *sql.Tx, q queue, piles []*pile[claimable]) error {
	most := 0
	cells := make([][]sqldb.Cell, len(piles))
	for i, p := range piles {
		cells[i] = []sqldb.Cell{
			sqldb.Number(int64(p.class)), sqldb.Text(p.number), sqldb.Number(int64(p.wanted)), sqldb.Number(int64(i)),
		}
		p.items, most = nil, max(most, p.wanted)
	}
	from, args := s.db.Dialect.Table([]string{"class bigint", "number text", "wanted bigint", "place bigint"}, cells)
	query := `SELECT r.place, l.lane, l.abandoned FROM ` + from + ` CROSS JOIN LATERAL (
			SELECT x.lane, x.abandoned, x.next_at FROM webhook_lanes x WHERE x.state = 0 AND x.kind = 1 AND x.bulk = ?
			AND x.class = r.class AND x.number = r.number ORDER BY x.next_at LIMIT r.wanted` + s.skipLocked() + `) l
		ORDER BY r.place, l.next_at`
	args = append(args, q.bulk)
	if s.db.Dialect == sqldb.SQLite { // which has no limit per row
		query = `SELECT r.place, l.lane, l.abandoned FROM ` + from + ` CROSS JOIN webhook_lanes l
			WHERE l.kind = 1 AND l.bulk = ? AND l.lane IN (SELECT x.lane FROM webhook_lanes x WHERE x.state = 0
				AND x.kind = 1 AND x.bulk = ? AND x.class = r.class AND x.number = r.number ORDER BY x.next_at LIMIT ?)
			ORDER BY r.place, l.next_at`
		args = append(args, q.bulk, most)
	}
	return s.read(ctx, tx, func(rows *sql.Rows) error {
		var place int
		var l claimable
		err := rows.Scan(&place, &l.lane, &l.abandoned)
		if p := piles[place]; len(p.items) < p.wanted {
			l.class, l.number = p.class, p.number
			p.items = append(p.items, l)
		}
		return err
	}, query, args...)
}

// quarantinedLane locks a lane in quarantine whose pause is over.
func (s *Store) quarantinedLane(ctx context.Context, tx *sql.Tx, q queue) (lanes []claimable, err error) {
	err = s.read(ctx, tx, func(rows *sql.Rows) error {
		var l claimable
		err := rows.Scan(&l.lane, &l.abandoned)
		lanes = append(lanes, l)
		return err
	}, `SELECT lane, abandoned FROM webhook_lanes WHERE kind = 1 AND bulk = ? AND state = 2 AND next_at <= ? + $now
		ORDER BY next_at LIMIT 1`+s.skipLocked(), q.bulk, s.in(0))
	return lanes, err
}
