package natsinbox

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"container/heap"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// A dump is a machine as it is kept in a snapshot.
type dump struct {
	Version int                `json:"version"`
	Now     int64              `json:"now"`
	LastID  inbox.ID           `json:"last_id"`
	Floor   uint64             `json:"floor"`
	Snap    snapshots          `json:"snapshots"`
	Pieces  map[string]*pieces `json:"pieces,omitzero"`
	Keys    []byte             `json:"keys"` // 32 bytes each
	Records []dumpedRecord     `json:"records"`
	Lanes   []dumpedLane       `json:"lanes"`
	Lost    []inbox.LeaseToken `json:"lost,omitzero"` // holds that lost a lane
	Bodies  []dumpedBody       `json:"bodies,omitzero"`
}

// A dumpedBody is a message of which other parts have come than those that the records need.
type dumpedBody struct {
	Seq  uint64 `json:"seq"`
	Came int    `json:"came"`
}

type dumpedRecord struct {
	inbox.Record

	State  dumpedState `json:"state"`
	Parts  []part      `json:"parts,omitzero"`
	Size   int         `json:"size,omitzero"`
	Open   int         `json:"open,omitzero"`
	Reason string      `json:"reason,omitzero"`
	DiedAt int64       `json:"died_at,omitzero"`
}

type dumpedState int

const (
	dumpedWaiting dumpedState = iota
	dumpedDead
	dumpedSplit
)

type dumpedLane struct {
	Kind  inbox.Kind       `json:"kind"`
	Bulk  bool             `json:"bulk"`
	Lane  string           `json:"lane"`
	Next  int64            `json:"next"`
	Turn  inbox.ID         `json:"turn"`
	Token inbox.LeaseToken `json:"token,omitzero"`
	Held  []inbox.ID       `json:"held,omitzero"`
}

const (
	dumpVersion = 1
	dumpedKey   = 16 + 8 + 8
)

// dump copies everything. The copy shares nothing that changes.
func (m *machine) dump() dump {
	d := dump{Version: dumpVersion, Now: m.now, LastID: m.lastID, Floor: m.floor, Snap: m.snap, Keys: make([]byte, 0, len(m.keys)*dumpedKey)}
	for hash, k := range m.keys {
		d.Keys = append(d.Keys, hash[:]...)
		d.Keys = binary.BigEndian.AppendUint64(d.Keys, uint64(k.delivery))
		d.Keys = binary.BigEndian.AppendUint64(d.Keys, uint64(k.doneAt))
	}
	if len(m.pieces) > 0 {
		d.Pieces = map[string]*pieces{}
		for id, p := range m.pieces {
			c := *p
			c.Data = slices.Clone(p.Data)
			d.Pieces[id] = &c
		}
	}
	add := func(rec *record, state dumpedState) {
		d.Records = append(d.Records, dumpedRecord{rec.Record, state, rec.body, rec.size, rec.open, rec.reason, rec.diedAt})
	}
	for _, rec := range m.deliveries {
		if rec.lane == nil && m.dead[rec.ID] == nil {
			add(rec, dumpedSplit)
		}
	}
	for _, rec := range m.dead {
		add(rec, dumpedDead)
	}
	for name, l := range m.lanes {
		for _, rec := range l.records {
			add(rec, dumpedWaiting)
		}
		d.Lanes = append(d.Lanes, dumpedLane{name.queue.kind, name.queue.bulk, name.lane, l.next, l.turn, l.token, slices.Clone(l.held)})
	}
	for seq, b := range m.bodies {
		if b.came != b.needed {
			d.Bodies = append(d.Bodies, dumpedBody{seq, b.came})
		}
	}
	for token, h := range m.holds {
		if h.lost {
			d.Lost = append(d.Lost, token)
		}
	}
	return d
}

// sort makes equal machines equal bytes.
func (d *dump) sort() {
	slices.SortFunc(d.Records, func(a, b dumpedRecord) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(d.Lanes, func(a, b dumpedLane) int {
		return cmp.Or(cmp.Compare(a.Next, b.Next), cmp.Compare(a.Turn, b.Turn), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Lane, b.Lane))
	})
	slices.Sort(d.Lost)
	slices.SortFunc(d.Bodies, func(a, b dumpedBody) int { return cmp.Compare(a.Seq, b.Seq) })
	keys := slices.SortedFunc(slices.Chunk(d.Keys, dumpedKey), bytes.Compare)
	d.Keys = slices.Concat(keys...)
}

// encode writes a dump.
func (d *dump) encode() ([]byte, error) {
	d.sort()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(json.NewEncoder(z).Encode(d), z.Close()); err != nil {
		return nil, fmt.Errorf("natsinbox: snapshot: %w", err)
	}
	return b.Bytes(), nil
}

// decodeMachine reads what encode wrote.
func decodeMachine(data []byte) (*machine, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("natsinbox: the snapshot is damaged: %w", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("natsinbox: the snapshot is damaged: %w", err)
	}
	var d dump
	if err := decodeStrictly(text, &d); err != nil {
		return nil, err
	}
	if d.Version != dumpVersion || len(d.Keys)%dumpedKey != 0 {
		return nil, errors.New("natsinbox: another release wrote the snapshot; run the same release everywhere")
	}
	return d.machine()
}

func (d *dump) machine() (*machine, error) {
	m := newMachine()
	m.now, m.lastID, m.floor, m.snap = d.Now, d.LastID, d.Floor, d.Snap
	if d.Pieces != nil {
		m.pieces = d.Pieces
	}
	for k := range slices.Chunk(d.Keys, dumpedKey) {
		m.keys[keyHash(k[:16])] = known{inbox.ID(binary.BigEndian.Uint64(k[16:])), int64(binary.BigEndian.Uint64(k[24:]))}
	}
	for _, dl := range d.Lanes {
		l := &lane{
			name: laneName{queueName{dl.Kind, dl.Bulk}, dl.Lane}, next: dl.Next, turn: dl.Turn, token: dl.Token, held: dl.Held,
		}
		m.lanes[l.name] = l
		heap.Push(m.queue(l.name.queue), l)
		if l.token != "" {
			if m.holds[l.token] == nil {
				m.holds[l.token] = new(hold)
			}
			m.holds[l.token].lanes = append(m.holds[l.token].lanes, l)
		}
	}
	for _, token := range d.Lost {
		if h := m.holds[token]; h != nil {
			h.lost = true
		}
	}
	for _, dr := range d.Records {
		rec := &record{Record: dr.Record, body: dr.Parts, size: dr.Size, open: dr.Open, reason: dr.Reason, diedAt: dr.DiedAt}
		rec.split = dr.State == dumpedSplit
		if rec.Kind == inbox.KindDelivery {
			m.deliveries[rec.ID] = rec
			for _, p := range rec.body {
				m.ref(p)
			}
		}
		switch dr.State {
		case dumpedDead:
			m.dead[rec.ID] = rec
		case dumpedWaiting:
			l := m.lanes[laneName{queueName{rec.Kind, rec.Backfill}, rec.Lane}]
			if l == nil {
				return nil, errors.New("natsinbox: the snapshot is damaged: a record has no lane")
			}
			rec.lane = l
			l.records = append(l.records, rec)
		case dumpedSplit:
		}
	}
	for _, b := range d.Bodies {
		if m.bodies[b.Seq] == nil {
			m.bodies[b.Seq] = new(shared)
		}
		m.bodies[b.Seq].came = b.Came
	}
	return m, nil
}
