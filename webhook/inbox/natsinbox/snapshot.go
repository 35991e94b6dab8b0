package natsinbox

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/internal/queue"
)

// A snapshot is a machine as it is stored, so that a process need not read the log from its
// beginning.
type snapshot struct {
	Version      int                      `json:"version"` // snapshotVersion
	Queue        queue.Snapshot           `json:"queue"`
	Parts        map[queue.ID][]part      `json:"parts,omitzero"` // of the bodies of deliveries
	Messages     []savedMessage           `json:"messages,omitzero"`
	LowWatermark uint64                   `json:"low_watermark,omitzero"`
	Partial      map[string]*partialEntry `json:"partial,omitzero"` // entries, by their IDs
	Snapshots    snapshotTurns            `json:"snapshots"`        // that were there before this one
}

// A savedMessage is a message of the stream of bodies of which more parts have arrived than are
// needed. The counts of all others follow from Parts.
type savedMessage struct {
	Seq     uint64 `json:"seq"`
	Arrived int    `json:"arrived"`
}

// snapshotVersion is the format that this release reads and writes. It refuses any other.
const snapshotVersion = 3

// snapshot copies everything. The copy shares nothing that changes, so that it can be encoded while
// the machine goes on.
func (m *machine) snapshot() *snapshot {
	s := &snapshot{
		Version: snapshotVersion, Queue: m.queue.Snapshot(), Parts: maps.Clone(m.bodies.parts),
		LowWatermark: m.bodies.lowWatermark,
		Snapshots:    m.snapshots,
	}
	if len(m.partial) > 0 {
		s.Partial = map[string]*partialEntry{}
	}
	for id, p := range m.partial {
		c := *p
		c.Data = slices.Clone(p.Data)
		s.Partial[id] = &c
	}
	for seq, msg := range m.bodies.messages {
		if msg.arrived != msg.needed {
			s.Messages = append(s.Messages, savedMessage{seq, msg.arrived})
		}
	}
	return s
}

// encode writes a snapshot as compressed JSON. Equal machines have equal bytes. It sorts the
// snapshot, which may take a while, so the caller does not hold a lock.
func (s *snapshot) encode() ([]byte, error) {
	s.Queue.Sort()
	slices.SortFunc(s.Messages, func(a, b savedMessage) int { return cmp.Compare(a.Seq, b.Seq) })
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed) // what is large are hashes, which do not shrink
	if err != nil {
		return nil, err
	}
	if err := errors.Join(json.NewEncoder(z).Encode(s), z.Close()); err != nil {
		return nil, fmt.Errorf("natsinbox: snapshot: %w", err)
	}
	return b.Bytes(), nil
}

// decodeMachine reads what encode wrote. A snapshot of another release is an error, and so is one
// that is damaged.
func decodeMachine(data []byte) (*machine, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("natsinbox: the snapshot is damaged: %w", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("natsinbox: the snapshot is damaged: %w", err)
	}
	// The version first: what another release wrote has other members.
	var head struct {
		Version int `json:"version"`
	}
	if json.Unmarshal(text, &head) == nil && head.Version != snapshotVersion {
		return nil, errVersion
	}
	var s snapshot
	if err := decodeStrictly(text, &s); err != nil {
		return nil, err
	}
	return s.machine()
}

var errVersion = errors.New("natsinbox: another release wrote the snapshot; run the same release everywhere")

// machine returns the machine that the snapshot is of. The counts of messages follow from the
// bodies that deliveries need, except where parts have arrived that are not needed any more.
func (s *snapshot) machine() (*machine, error) {
	m := newMachine()
	var err error
	if m.queue, err = queue.Restore(s.Queue, m.bodies.drop); err != nil {
		return nil, fmt.Errorf("natsinbox: %w", err)
	}
	m.snapshots, m.bodies.lowWatermark = s.Snapshots, s.LowWatermark
	if s.Partial != nil {
		m.partial = s.Partial
	}
	for id, body := range s.Parts {
		m.bodies.parts[id] = body
		m.bodies.arrive(body)
	}
	for _, saved := range s.Messages {
		m.bodies.message(saved.Seq).arrived = saved.Arrived
	}
	return m, nil
}
