package natsinbox

import (
	"maps"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/internal/queue"
)

// A bodyRefs counts references to the messages of the stream of bodies. It is a part of the
// machine, so all processes have the same.
//
// A message holds bodies of several deliveries, which enter the log one after the other. It can be
// deleted when all of its parts have arrived in the log and none is needed; a delivery that is
// handled before its neighbour has arrived must not take the neighbour's body with it.
type bodyRefs struct {
	parts    map[queue.ID][]part // of each delivery whose body is needed
	messages map[uint64]*bodyMessage

	// lowWatermark is the last message of which no more parts can arrive: see command.LowWatermark.
	lowWatermark uint64

	// freed collects messages that nothing needs any more, for the process whose commands did that.
	freed []uint64
}

// A bodyMessage counts the parts of a message. How many there are in all, each part knows
// (part.Of).
type bodyMessage struct {
	needed  int // parts that deliveries need
	arrived int // parts that have entered the log
}

func newBodyRefs() *bodyRefs {
	return &bodyRefs{parts: map[queue.ID][]part{}, messages: map[uint64]*bodyMessage{}}
}

// tooLate reports whether a part lies at or below the low watermark, so that its message may be
// gone.
func (r *bodyRefs) tooLate(body []part) bool {
	for _, p := range body {
		if p.Seq <= r.lowWatermark {
			return true
		}
	}
	return false
}

// arrive counts the parts of a body that has entered the log, as needed.
func (r *bodyRefs) arrive(body []part) {
	for _, p := range body {
		msg := r.message(p.Seq)
		msg.needed++
		msg.arrived++
	}
}

// message returns the counts of a message.
func (r *bodyRefs) message(seq uint64) *bodyMessage {
	msg := r.messages[seq]
	if msg == nil {
		msg = new(bodyMessage)
		r.messages[seq] = msg
	}
	return msg
}

// release counts the parts of a body as not needed. A message of which parts have not arrived
// stays; if they never do, its bodies are orphans: see Store.deleteOrphans.
func (r *bodyRefs) release(body []part) {
	for _, p := range body {
		msg := r.messages[p.Seq]
		if msg.needed--; msg.needed == 0 && msg.arrived >= p.Of {
			delete(r.messages, p.Seq)
			r.freed = append(r.freed, p.Seq)
		}
	}
}

// drop releases the body of a delivery.
func (r *bodyRefs) drop(delivery queue.ID) {
	r.release(r.parts[delivery])
	delete(r.parts, delivery)
}

// raise sets the low watermark, which never sinks, and forgets messages below that nothing needs.
func (r *bodyRefs) raise(lowWatermark uint64) {
	r.lowWatermark = max(r.lowWatermark, lowWatermark)
	maps.DeleteFunc(
		r.messages, func(seq uint64, msg *bodyMessage) bool { return seq <= r.lowWatermark && msg.needed == 0 },
	)
}

// needs reports whether a delivery needs a part of the message.
func (r *bodyRefs) needs(seq uint64) bool {
	msg := r.messages[seq]
	return msg != nil && msg.needed > 0
}

// needed counts the messages that are needed. If the stream has no more, there are no orphans.
func (r *bodyRefs) needed() (n int) {
	for _, msg := range r.messages {
		if msg.needed > 0 {
			n++
		}
	}
	return n
}
