package modeltest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// compareOrder checks that messages which were written within one second stand in the order in
// which the phone shows them, as far as the host was told: see [telling.before].
func (r *run) compareOrder(ctx context.Context, store coexistence.Store, c *customer) error {
	if c.movedAlone {
		return nil // there are two conversations
	}
	index, at := map[graph.MessageID]int{}, map[graph.MessageID]int64{}
	for m, err := range store.Messages(ctx, r.host.phone, c.Identity().Key()) {
		if err != nil {
			return err
		}
		index[m.ID], at[m.ID] = len(index), m.At.Unix()
	}
	var second []coexistencetest.ChatMessage // the messages of one second, in the phone's order
	for _, m := range r.phone.Chat(c.Customer) {
		if _, shown := index[m.ID]; !shown || at[m.ID] != m.At.Unix() {
			continue // of which only an edit was heard, at another time
		}
		if len(second) > 0 && second[0].At.Unix() != m.At.Unix() {
			second = nil
		}
		if len(second) > 0 {
			r.out.Shared++
		}
		now := r.toldOf(m)
		for _, above := range second {
			if !r.toldOf(above).before(now) {
				continue
			}
			r.out.Ordered++
			if index[above.ID] > index[m.ID] {
				return fmt.Errorf("conversation with %s: message %s stands above %s, the phone shows it below",
					c.number, m.ID, above.ID)
			}
		}
		second = append(second, m)
	}
	return nil
}

// A telling is what the host was told of the place of a message.
type telling struct {
	past time.Time // when a history last told; zero if none did

	// from and to are between which two attempts of deliveries it was first told live. Place is
	// where in the body, if both are of one attempt; it says nothing between other deliveries.
	from, to      time.Time
	number, place int
}

// before reports whether the host was told that a message stands above another one, which it does
// on the phone. A history lists both in order, or the later one is too late for it; one that lists
// the lower message only, because the upper one was deleted meanwhile, tells nothing. Live, the
// deliveries arrived in order; where they overtook each other within the second, it is not told.
func (t telling) before(o telling) bool {
	switch {
	case !t.past.IsZero():
		return !o.past.After(t.past)
	case !o.past.IsZero() || t.to.IsZero() || o.from.IsZero():
		return false
	case t.number == o.number && t.from.Equal(t.to):
		return t.place < o.place
	}
	return t.to.Before(o.from)
}

// toldOf returns what was told of a message. An event about it, as a status, places it too.
func (r *run) toldOf(m coexistencetest.ChatMessage) telling {
	told := telling{past: m.PastAt}
	if k := r.known[m.ID]; m.Author == coexistencetest.AuthorAPI && k != nil && k.registered {
		told.from, told.to = m.At, m.At // before any delivery
		return told
	}
	for _, d := range r.world.Deliveries() {
		place := placeIn(d.Body, m.ID)
		if place < 0 || len(d.Attempts) == 0 {
			continue
		}
		if first := d.Attempts[0].At; told.from.IsZero() || first.Before(told.from) {
			told.from = first
		}
		for _, a := range d.Attempts {
			if a.Status == http.StatusOK && (told.to.IsZero() || a.At.Before(told.to)) {
				told.to, told.number, told.place = a.At, d.Number, place
			}
		}
	}
	return told
}

// placeIn returns where a delivery speaks of a message, or -1. What a history says of it does not
// count: that is told by PastAt, and a reaction in a history places nothing.
func placeIn(body []byte, id graph.MessageID) int {
	place := bytes.Index(body, []byte(`"`+id+`"`))
	if place < 0 || !bytes.Contains(body, []byte(`"threads"`)) {
		return place
	}
	var delivery struct {
		Entry []struct {
			Changes []struct {
				Value json.RawMessage `json:"value"`
			} `json:"changes"`
		} `json:"entry"`
	}
	if json.Unmarshal(body, &delivery) != nil {
		return -1
	}
	before := 0
	for _, entry := range delivery.Entry {
		for _, change := range entry.Changes {
			in := bytes.Index(change.Value, []byte(`"`+id+`"`))
			if in >= 0 && !bytes.Contains(change.Value, []byte(`"threads"`)) {
				return before + in
			}
			before += len(change.Value)
		}
	}
	return -1
}
