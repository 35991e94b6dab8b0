package natsinbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/internal/queue"
)

// An entry is a message of the log: commands of one process. Every process that reads the log
// applies them one after the other, with the same result.
type entry struct {
	Node     string            `json:"node"`
	Batch    uint64            `json:"batch"`
	Commands []json.RawMessage `json:"commands"`
}

// A command is one change of the inbox. Exactly one member is set.
type command struct {
	Append []appended   `json:"append,omitzero"`
	Claim  *queue.Claim `json:"claim,omitzero"`
	Extend *extended    `json:"extend,omitzero"`
	Settle *settled     `json:"settle,omitzero"`
	Replay []queue.ID   `json:"replay,omitzero"` // dead letters
	Delete []queue.ID   `json:"purge,omitzero"`  // dead letters

	// Forget deletes the keys of what was done so many microseconds ago or longer.
	Forget *int64 `json:"forget,omitzero"`

	// Erase forgets what waits and what is dead, Replace stores a delivery's body again.
	Erase   *erased   `json:"erase,omitzero"`
	Replace *replaced `json:"replace,omitzero"`

	// LowWatermark is a message of the stream of bodies. From now on, no delivery is accepted whose
	// body lies there or before, so those that no delivery needs can be deleted.
	LowWatermark uint64 `json:"floor,omitzero"`

	// Snapshot asks for the turn to make one, for the node that it names. Snapshotted says that one
	// is stored.
	Snapshot    string       `json:"snapshot,omitzero"`
	Snapshotted *snapshotRef `json:"snapshotted,omitzero"`
}

// erases reports whether the bodies that nothing needs any more after the command are to be
// overwritten on the disks of the servers. Those that were handled are not: see [Store.Forget].
func (c command) erases() bool { return c.Erase != nil || c.Replace != nil || c.Delete != nil }

// An appended is a delivery, with the places of its body's parts in the stream of bodies.
type appended struct {
	queue.Record

	Body []part `json:"body,omitzero"`
}

// A part is a piece of a body, in a message of the stream of bodies. A message holds Of parts, of
// one body or of several, which come into the log with different commands.
type part struct {
	Seq  uint64 `json:"seq"` // of the message
	From int    `json:"from,omitzero"`
	Size int    `json:"size"`
	Of   int    `json:"of"`
}

// An extended is a lease that is to end so long from now.
type extended struct {
	Token queue.Token   `json:"token"`
	Lease time.Duration `json:"lease"`
}

// A settled is what became of records of a batch: all outcomes are stored, or none.
type settled struct {
	Token    queue.Token     `json:"token"`
	Outcomes []queue.Outcome `json:"outcomes"`
}

// A snapshotRef says which snapshot there is.
type snapshotRef struct {
	ID    string   `json:"id"`
	At    uint64   `json:"at"`    // the last message of the log that is in it
	Size  int      `json:"size"`  // in bytes
	Parts []uint64 `json:"parts"` // messages of the stream of snapshots
}

// newSettled is a settlement as a command. Of an event, what the machine gives it is left out.
func newSettled(token inbox.LeaseToken, outcomes []inbox.Settlement) *settled {
	s := &settled{Token: queue.Token(token), Outcomes: make([]queue.Outcome, len(outcomes))}
	for i, out := range outcomes {
		s.Outcomes[i] = queue.Outcome{
			ID: queue.ID(out.ID), Disposition: queue.Disposition(out.Disposition), RetryAfter: out.RetryAfter,
			Reason:  out.Reason,
			DropKey: out.DropKey,
		}
		for _, ev := range out.Events {
			s.Outcomes[i].Events = append(s.Outcomes[i].Events, queue.Record{
				Key: ev.DedupKey, SupersededBy: ev.SupersededBy, Lane: ev.Lane, Backfill: ev.Backfill, Index: ev.Index,
				PhoneNumberID: ev.PhoneNumberID, Status: ev.Status,
			})
		}
	}
	return s
}

// fromQueue returns a record of the inbox, without its body.
func fromQueue(rec queue.Record) inbox.Record {
	return inbox.Record{
		ID: inbox.ID(rec.ID), Delivery: inbox.ID(rec.Delivery), Kind: inbox.Kind(rec.Kind), DedupKey: rec.Key,
		SupersededBy: rec.SupersededBy, Lane: rec.Lane, PhoneNumberID: rec.PhoneNumberID, Backfill: rec.Backfill,
		Status: rec.Status, Index: rec.Index, ReceivedAt: time.UnixMicro(rec.ReceivedAt).UTC(), Attempts: rec.Attempts,
		Abandoned: rec.Abandoned,
	}
}

// queueIDs are IDs as the queue has them.
func queueIDs(ids []inbox.ID) []queue.ID {
	list := make([]queue.ID, len(ids))
	for i, id := range ids {
		list[i] = queue.ID(id)
	}
	return list
}

// decodeEntry reads a message of the log. A member that this release does not know is an error: if
// it were skipped, this process would know something other than one of a later release.
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

// decodeStrictly decodes JSON in which no member may be unknown.
func decodeStrictly[T any](data []byte, v *T) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("natsinbox: the log holds what this release does not know, because another one writes it; "+
			"run the same release everywhere: %w", err)
	}
	return nil
}
