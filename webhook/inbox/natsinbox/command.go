package natsinbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// An entry is a message of the log: commands of one process, which are carried out one after the
// other, by everybody who reads the log, with the same result.
type entry struct {
	Node     string            `json:"node"`
	Batch    uint64            `json:"batch"`
	Commands []json.RawMessage `json:"commands"`
}

// A command changes what is in the inbox. One member is set.
type command struct {
	Append      []appended  `json:"append,omitzero"`
	Claim       *claimed    `json:"claim,omitzero"`
	Extend      *extended   `json:"extend,omitzero"`
	Settle      *settled    `json:"settle,omitzero"`
	Replay      []inbox.ID  `json:"replay,omitzero"`
	Purge       []inbox.ID  `json:"purge,omitzero"`
	Forget      *int64      `json:"forget,omitzero"` // keys of what was done longer ago, in microseconds
	Floor       uint64      `json:"floor,omitzero"`  // bodies up to here that nothing needs are deleted, and none is accepted any more
	Snapshot    string      `json:"snapshot,omitzero"`
	Snapshotted *snapshotAt `json:"snapshotted,omitzero"`
}

// An appended is a delivery, whose body lies in the stream of bodies.
type appended struct {
	Key        string `json:"key,omitzero"`
	Bulk       bool   `json:"bulk,omitzero"`
	ReceivedAt int64  `json:"received_at"` // microseconds
	Body       []part `json:"body,omitzero"`
}

// A part is a part of a message in the stream of bodies, which has Of parts. They come into the
// inbox with different commands: the message is needed until the last of them has come.
type part struct {
	Seq  uint64 `json:"seq"`
	From int    `json:"from,omitzero"`
	Size int    `json:"size"`
	Of   int    `json:"of"`
}

type claimed struct {
	Token    inbox.LeaseToken `json:"token"`
	Kind     inbox.Kind       `json:"kind,omitzero"`
	Bulk     bool             `json:"bulk,omitzero"`
	Lanes    int              `json:"lanes"`
	PerLane  int              `json:"per_lane"`
	MaxBytes int              `json:"max_bytes,omitzero"`
	Lease    time.Duration    `json:"lease"`
	Worker   string           `json:"worker,omitzero"`
}

type extended struct {
	Token inbox.LeaseToken `json:"token"`
	Lease time.Duration    `json:"lease"`
}

type settled struct {
	Token    inbox.LeaseToken `json:"token"`
	Outcomes []outcome        `json:"outcomes"`
}

// An outcome is an [inbox.Settlement].
type outcome struct {
	ID     inbox.ID          `json:"id"`
	Kind   inbox.Disposition `json:"kind,omitzero"`
	After  time.Duration     `json:"after,omitzero"`
	Reason string            `json:"reason,omitzero"`
	Events []event           `json:"events,omitzero"`
	Forget bool              `json:"forget,omitzero"`
}

// An event is an event on its way into the inbox.
type event struct {
	Key      string `json:"key,omitzero"`
	YieldsTo string `json:"yields_to,omitzero"`
	Lane     string `json:"lane,omitzero"`
	Bulk     bool   `json:"bulk,omitzero"`
	Index    int    `json:"index,omitzero"`

	PhoneNumberID graph.PhoneNumberID `json:"phone_number_id,omitzero"`
}

// A snapshotAt says which snapshot there is.
type snapshotAt struct {
	ID    string   `json:"id"`
	At    uint64   `json:"at"`    // the message of the log after which it was taken
	Size  int      `json:"size"`  // in bytes
	Parts []uint64 `json:"parts"` // messages of the stream of snapshots
}

func newSettled(token inbox.LeaseToken, outcomes []inbox.Settlement) *settled {
	s := &settled{Token: token, Outcomes: make([]outcome, len(outcomes))}
	for i, out := range outcomes {
		s.Outcomes[i] = outcome{
			ID: out.ID, Kind: out.Disposition, After: out.RetryAfter, Reason: out.Reason, Forget: out.DropKey,
		}
		for _, ev := range out.Events {
			s.Outcomes[i].Events = append(s.Outcomes[i].Events, event{
				ev.DedupKey, ev.SupersededBy, ev.Lane, ev.Backfill, ev.Index, ev.PhoneNumberID,
			})
		}
	}
	return s
}

// decodeEntry reads a message of the log. What it does not know is an error: it must not be carried
// out differently from how a later release does it.
func decodeEntry(data []byte) (node string, batch uint64, commands []command, err error) {
	var e entry
	if err := decodeStrictly(data, &e); err != nil {
		return "", 0, nil, err
	}
	commands = make([]command, len(e.Commands))
	for i, raw := range e.Commands {
		if err := decodeStrictly(raw, &commands[i]); err != nil {
			return "", 0, nil, err
		}
	}
	return e.Node, e.Batch, commands, nil
}

func decodeStrictly[T any](data []byte, v *T) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("natsinbox: the log holds what this release does not know, because another one writes it; "+
			"run the same release everywhere: %w", err)
	}
	return nil
}
