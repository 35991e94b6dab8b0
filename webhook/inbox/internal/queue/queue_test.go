package queue_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/internal/queue"
)

// A driven machine is one with what its owner has: the bodies, and the batches that were claimed.
type driven struct {
	*queue.Machine
	bodies  map[queue.ID]bool
	batches []batch
}

type batch struct {
	token   queue.Token
	records []queue.Record // that are not settled
}

func (d *driven) drop(delivery queue.ID) {
	if !d.bodies[delivery] {
		panic(fmt.Sprintf("the body of delivery %d is dropped twice", delivery))
	}
	delete(d.bodies, delivery)
}

func newDriven() *driven {
	d := &driven{bodies: map[queue.ID]bool{}}
	d.Machine = queue.New(d.drop)
	d.Advance(1) // at 0, nothing can be done: keys have that for "not done"
	return d
}

// newFilled has three lanes of events to begin with.
func newFilled(t require.TestingT) *driven {
	d := newDriven()
	id, _ := d.Append(queue.Record{ReceivedAt: 1}, 5)
	d.bodies[id] = true
	require.Len(t, d.Claim(queue.Claim{Token: "first", Lanes: 1, Lease: time.Second}), 1)
	events := []queue.Record{
		{Lane: "x", PhoneNumberID: "1"}, {Lane: "y", PhoneNumberID: "2", Status: true}, {Lane: "z", Status: true},
		{Lane: "x", Index: 1}, {Lane: "y", Index: 1},
	}
	require.NoError(t, d.Settle("first", []queue.Outcome{{ID: id, Events: events}}))
	return d
}

// A step is one input of a machine. It returns everything that the machine answers.
type step func(d *driven) string

var (
	drawKey    = rapid.SampledFrom([]string{"", "a", "b", "c", "d", "e"})
	drawNumber = rapid.SampledFrom([]graph.PhoneNumberID{"", "1", "2"})

	drawLane = rapid.SampledFrom([]string{"x", "y", "z"})
	drawTime = rapid.Custom(func(t *rapid.T) time.Duration {
		if rapid.IntRange(0, 9).Draw(t, "long") == 9 {
			return time.Second // as the pauses of what was abandoned
		}
		return time.Duration(rapid.IntRange(0, 10).Draw(t, "microseconds")) * time.Microsecond
	})
	drawStepName = rapid.SampledFrom([]string{
		"append", "append", "claim", "claim", "claim", "settle", "settle", "settle", "extend", "extend", "replay",
		"delete", "expire", "pass", "pass",
	})
)

// drawStep draws an input for a machine in the state of d.
func drawStep(t *rapid.T, d *driven, serial int) step {
	switch drawStepName.Draw(t, "step") {
	case "append":
		rec := queue.Record{
			Key: drawKey.Draw(t, "key"), Backfill: rapid.Bool().Draw(t, "backfill"), ReceivedAt: int64(serial),
		}
		size := rapid.IntRange(0, 10).Draw(t, "size")
		return func(d *driven) string {
			id, ok := d.Append(rec, size)
			if ok {
				d.bodies[id] = true
			}
			return fmt.Sprint(id, ok)
		}
	case "claim":
		return drawClaim(t, queue.Token(fmt.Sprint(serial)))
	case "settle":
		if len(d.batches) > 0 {
			return drawSettle(t, d)
		}
	case "extend":
		if len(d.batches) > 0 {
			token, lease := rapid.SampledFrom(d.batches).Draw(t, "batch").token, drawTime.Draw(t, "lease")
			return func(d *driven) string { return fmt.Sprint(d.Extend(token, lease)) }
		}
	case "replay":
		ids := drawDead(t, d)
		return func(d *driven) string { return fmt.Sprint(d.Replay(ids)) }
	case "delete":
		ids := drawDead(t, d)
		return func(d *driven) string { return fmt.Sprint(d.Delete(ids)) }
	case "expire":
		return func(d *driven) string { return fmt.Sprint(d.HasExpired(d.Now()), d.DeleteExpired(d.Now())) }
	}
	passed := drawTime.Draw(t, "passed")
	return func(d *driven) string { d.Advance(d.Now() + passed.Microseconds()); return "" }
}

func drawClaim(t *rapid.T, token queue.Token) step {
	c := queue.Claim{
		Token: token, Kind: queue.Kind(min(1, rapid.IntRange(0, 3).Draw(t, "kind"))),
		Backfill: rapid.IntRange(0, 3).Draw(t, "backfill") == 3,
		Lanes:    rapid.IntRange(1, 3).Draw(t, "lanes"), PerLane: rapid.IntRange(0, 3).Draw(t, "per lane"),
		MaxBytes: rapid.IntRange(0, 20).Draw(t, "bytes"), Lease: drawTime.Draw(t, "lease"),
		Quarantine: rapid.IntRange(0, 3).Draw(t, "quarantine") == 3,
	}
	if rapid.IntRange(0, 3).Draw(t, "except") == 3 {
		c.Except = []graph.PhoneNumberID{drawNumber.Draw(t, "except"), drawNumber.Draw(t, "except")}
	}
	return func(d *driven) string {
		wait, ok := d.Wait(c, d.Now())
		claimed := d.Claim(c)
		if len(claimed) > 0 && (!ok || wait > 0) {
			panic(fmt.Sprintf("Wait said %v, %t, and a claim brought %v", wait, ok, claimed))
		}
		if len(claimed) > 0 {
			d.batches = append(d.batches, batch{token, claimed})
		}
		return fmt.Sprint(claimed)
	}
}

// drawSettle settles the first records of a batch, whose lease may be lost. Most of it is in order.
func drawSettle(t *rapid.T, d *driven) step {
	i := rapid.IntRange(0, len(d.batches)-1).Draw(t, "batch")
	b := d.batches[i]
	outs := make([]queue.Outcome, rapid.IntRange(1, len(b.records)).Draw(t, "outcomes"))
	for k := range outs {
		outs[k] = queue.Outcome{
			ID:          b.records[k].ID,
			Disposition: rapid.SampledFrom([]queue.Disposition{0, 0, 0, 0, 2, 2, 1, 3}).Draw(t, "disposition"),
			RetryAfter:  drawTime.Draw(t, "pause"), Reason: "why",
			DropKey: rapid.IntRange(0, 3).Draw(t, "drop key") == 0,
			Events:  make([]queue.Record, rapid.IntRange(0, 3).Draw(t, "events")),
		}
		for n := range outs[k].Events {
			outs[k].Events[n] = queue.Record{
				Key: drawKey.Draw(t, "key"), SupersededBy: drawKey.Draw(t, "superseded by"),
				Lane:     drawLane.Draw(t, "lane"),
				Backfill: rapid.Bool().Draw(t, "backfill"), Index: n,
				PhoneNumberID: drawNumber.Draw(t, "number"), Status: rapid.Bool().Draw(t, "status"),
			}
		}
	}
	return func(d *driven) string {
		err := d.Settle(b.token, outs)
		d.batches[i].records = d.batches[i].records[len(outs):]
		if err != nil || len(d.batches[i].records) == 0 {
			d.batches = slices.Delete(d.batches, i, i+1)
		}
		return fmt.Sprint(err)
	}
}

// drawDead draws IDs of dead letters, and one that may be of none.
func drawDead(t *rapid.T, d *driven) []queue.ID {
	ids := []queue.ID{queue.ID(rapid.IntRange(1, 20).Draw(t, "id"))}
	for _, l := range d.DeadLetters("", 0, 100) {
		if rapid.Bool().Draw(t, "too") {
			ids = append(ids, l.ID)
		}
	}
	return ids
}

// state is everything that a machine knows, as JSON.
func state(t require.TestingT, d *driven) string {
	s := d.Snapshot()
	s.Sort()
	data, err := json.Marshal(s)
	require.NoError(t, err)
	return string(data)
}

// restored is a machine that begins with the snapshot of another.
func restored(t require.TestingT, from *driven) *driven {
	var s queue.Snapshot
	require.NoError(t, json.Unmarshal([]byte(state(t, from)), &s))
	d := newDriven()
	maps.Copy(d.bodies, from.bodies)
	for _, b := range from.batches {
		d.batches = append(d.batches, batch{b.token, slices.Clone(b.records)})
	}
	var err error
	d.Machine, err = queue.Restore(s, d.drop)
	require.NoError(t, err)
	return d
}

func TestARestoredMachineGoesOnAsTheFirstOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := newFilled(t)
		n := rapid.IntRange(1, 100).Draw(t, "steps")
		at := rapid.IntRange(0, n).Draw(t, "snapshot")
		var second *driven
		for i := range n {
			if i == at {
				second = restored(t, first)
			}
			do := drawStep(t, first, i+1)
			got := do(first)
			if second == nil {
				continue
			}
			require.Equal(t, got, do(second))
			require.Equal(t, state(t, first), state(t, second))
			require.Equal(t, first.Stats(first.Now()), second.Stats(second.Now()))
			require.Equal(t, first.DeadLetters("", 0, 100), second.DeadLetters("", 0, 100))
		}
	})
}

// Whatever has happened, everything can be handled or deleted in the end, and then no body is left:
// drop panics if one is dropped twice.
func TestEveryBodyIsDroppedOnceInTheEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newFilled(t)
		n := rapid.IntRange(1, 100).Draw(t, "steps")
		for i := range n {
			drawStep(t, d, i+1)(d)
		}
		d.Advance(d.Now() + time.Second.Microseconds()) // all leases and pauses are over
		for _, kind := range []queue.Kind{queue.KindDelivery, queue.KindEvent} {
			for _, backfill := range []bool{false, true} {
				handleAll(t, d, kind, backfill)
			}
		}
		for _, l := range d.DeadLetters("", 0, 1000) {
			require.True(t, d.bodies[l.Delivery], "a dead letter has a body")
			require.Equal(t, 1, d.Delete([]queue.ID{l.ID}))
		}
		require.Empty(t, d.bodies)
		require.Equal(t, queue.Stats{DoneKeys: d.Stats(d.Now()).DoneKeys}, d.Stats(d.Now()), "nothing but keys is left")
		d.Advance(d.Now() + 1)
		d.DeleteExpired(d.Now())
		require.Zero(t, d.Stats(d.Now()), "no key is left")
	})
}

// handleAll settles everything of a queue as done.
func handleAll(t require.TestingT, d *driven, kind queue.Kind, backfill bool) {
	for i := 0; ; i++ {
		token := queue.Token(fmt.Sprint("end ", kind, backfill, i))
		claimed := d.Claim(queue.Claim{
			Token: token, Kind: kind, Backfill: backfill, Lanes: 9, PerLane: 9, Lease: time.Millisecond,
		})
		if len(claimed) == 0 {
			if d.Quarantined(kind, backfill) {
				claimed = d.Claim(queue.Claim{
					Token: token, Kind: kind, Backfill: backfill, Quarantine: true, Lease: time.Millisecond,
				})
				require.Len(t, claimed, 1)
				require.GreaterOrEqual(t, claimed[0].Abandoned, 2)
			} else if wait, left := d.Wait(queue.Claim{Kind: kind, Backfill: backfill}, d.Now()); left {
				require.LessOrEqual(t, wait, time.Minute, "the longest pause of what was abandoned")
				d.Advance(d.Now() + wait.Microseconds())
				continue
			} else {
				return
			}
		}
		for _, rec := range claimed {
			require.True(t, d.bodies[rec.Delivery], "a claimed record has a body")
			require.NoError(t, d.Settle(token, []queue.Outcome{{ID: rec.ID}}))
		}
	}
}

func TestTheClockNeverGoesBack(t *testing.T) {
	t.Parallel()
	m := queue.New(func(queue.ID) {})
	m.Advance(10)
	m.Advance(5)
	require.Equal(t, int64(10), m.Now())
}

func TestADispositionThatDoesNotExistIsRefused(t *testing.T) {
	t.Parallel()
	m := queue.New(func(queue.ID) {})
	id, _ := m.Append(queue.Record{Key: "a"}, 0)
	m.Claim(queue.Claim{Token: "t", Lanes: 1, Lease: time.Second})
	require.ErrorContains(t, m.Settle("t", []queue.Outcome{{ID: id, Disposition: 4}}), "does not exist")
	require.NoError(t, m.Settle("t", []queue.Outcome{{ID: id}}))
}

// A lane whose records do not fit together would make later calls panic.
func TestADamagedSnapshotIsRefused(t *testing.T) {
	t.Parallel()
	good := func() queue.Snapshot {
		m := queue.New(func(queue.ID) {})
		m.Append(queue.Record{Key: "a"}, 1)
		m.Claim(queue.Claim{Token: "t", Lanes: 1, Lease: time.Second})
		return m.Snapshot()
	}
	_, err := queue.Restore(good(), func(queue.ID) {})
	require.NoError(t, err)
	for name, damage := range map[string]func(*queue.Snapshot){
		"half a key":       func(s *queue.Snapshot) { s.Keys = s.Keys[1:] },
		"no record":        func(s *queue.Snapshot) { s.Records = nil },
		"no lane":          func(s *queue.Snapshot) { s.Lanes = nil },
		"a lane twice":     func(s *queue.Snapshot) { s.Lanes = append(s.Lanes, s.Lanes[0]) },
		"another delivery": func(s *queue.Snapshot) { s.Records[0].Delivery++ },
		"no queues":        func(s *queue.Snapshot) { s.Queues = nil },
		"a turn of nothing": func(s *queue.Snapshot) {
			s.Queues[0].Messages = append(s.Queues[0].Messages, queue.StoredTurn{Number: "1", At: 1})
		},
		"no turn": func(s *queue.Snapshot) {
			s.Lanes[0].Token, s.Lanes[0].Leased, s.Lanes[0].ReadyAt = "", nil, 0
		},
		"an unknown state":      func(s *queue.Snapshot) { s.Records[0].State = 7 },
		"a lease of nothing":    func(s *queue.Snapshot) { s.Lanes[0].Leased = nil },
		"a lease of a stranger": func(s *queue.Snapshot) { s.Lanes[0].Leased[0]++ },
		"an event without its delivery": func(s *queue.Snapshot) {
			s.Records[0].Kind, s.Lanes[0].Kind = queue.KindEvent, queue.KindEvent
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := good()
			damage(&s)
			_, err := queue.Restore(s, func(queue.ID) {})
			require.ErrorContains(t, err, "damaged")
		})
	}
}
