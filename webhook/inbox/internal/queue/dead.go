package queue

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

// DeadLetters lists up to limit dead letters with IDs larger than after, in the order of their IDs.
// If number is set, only events about it are listed.
func (m *Machine) DeadLetters(number graph.PhoneNumberID, after ID, limit int) []StoredRecord {
	ids := m.dead.page(number, after, limit)
	letters := make([]StoredRecord, len(ids))
	for i, id := range ids {
		letters[i] = m.dead.records[id].StoredRecord
	}
	return letters
}

// Replay forgets dead letters together with their keys, and makes their deliveries wait for being
// split again. Events that were handled are known by their keys, and are left out then. It returns
// how many of the dead letters there were.
func (m *Machine) Replay(ids []ID) int {
	return m.takeDead(ids, func(rec, delivery *record) {
		if rec.Kind == KindEvent {
			delivery.Open--
			m.keys.remove(rec.Key)
			if delivery.State != split {
				return // another of its dead letters was replayed before, or it is dead itself
			}
		}
		delivery.Attempts = 0
		m.enqueue(delivery)
	})
}

// Delete deletes dead letters. Their keys stay known until they expire, and a delivery's body goes
// with the last event that needs it. It returns how many of the dead letters there were.
func (m *Machine) Delete(ids []ID) int {
	return m.takeDead(ids, func(rec, delivery *record) {
		if rec.Kind == KindDelivery {
			delivery.State = split // into nothing
		} else {
			m.closeEvent(rec)
		}
		m.dropIfDone(delivery.ID)
	})
}

// takeDead removes dead letters from the list, and passes each, with its delivery, to fn. A dead
// delivery is its own.
func (m *Machine) takeDead(ids []ID, fn func(rec, delivery *record)) (n int) {
	for _, id := range ids {
		if rec := m.dead.records[id]; rec != nil {
			m.dead.remove(rec)
			fn(rec, m.deliveries[rec.Delivery])
			n++
		}
	}
	return n
}
