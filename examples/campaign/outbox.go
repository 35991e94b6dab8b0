package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An outbox holds what is to be sent and what became of it. It is a folder of journals, one for each process that writes, in
// which lines are only ever added; the state is what all lines together say. A host has its database in the place of it.
//
// A line is written before the next thing happens, so that a process can be killed at any moment. (A line that is written is
// in the hands of the operating system. To outlive a power cut it would have to be synced as well.)
type outbox struct {
	dir     string
	journal *os.File

	mu    sync.Mutex
	read  map[string]int64 // how far into each journal
	items []item
	known map[graph.MessageID]int // which message has that id
	tally tally
}

// An item is one message of the outbox.
type item struct {
	state  state
	id     graph.MessageID
	millis float64
}

type state uint8

const (
	queued  state = iota
	trying        // a request may be under way
	doubted       // a request ended without saying whether the message was accepted
	sent
)

// A line of a journal.
type line struct {
	Item   int             `json:"item"`
	Do     verb            `json:"do"`
	ID     graph.MessageID `json:"id,omitzero"`
	Millis float64         `json:"millis,omitzero"` // until Meta answered
	Killed bool            `json:"killed,omitzero"` // nobody was left to see the answer
}

type verb string

const (
	try   verb = "try"   // it is about to be sent
	free  verb = "free"  // it was not accepted: it may be sent again
	doubt verb = "doubt" // it may have been accepted: it must not be sent again
	done  verb = "done"  // it was accepted
)

// A tally counts what happened.
type tally struct {
	sent      int
	doubts    int // sends that ended in doubt
	killed    int // of those, because the worker was killed
	confirmed int // doubted messages that had been accepted
	cleared   int // doubted messages that had not
	refused   int // sends that Meta refused, or that never left
	twice     int // messages with two ids: must stay zero
}

func openOutbox(dir, journal string, messages int) (*outbox, error) {
	f, err := os.OpenFile(filepath.Join(dir, journal+".jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	b := &outbox{
		dir: dir, journal: f, read: map[string]int64{}, items: make([]item, messages), known: map[graph.MessageID]int{},
	}
	return b, b.refresh()
}

func (b *outbox) close() { _ = b.journal.Close() }

// write adds a line. It begins with a line break, because whoever wrote before may have been killed in the middle of one.
func (b *outbox) write(l line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = b.journal.Write(fmt.Appendf(nil, "\n%s\n", text))
	return err
}

// refresh reads what was added to the journals.
func (b *outbox) refresh() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	names, err := filepath.Glob(filepath.Join(b.dir, "*.jsonl"))
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := readFrom(name, b.read[name])
		if err != nil {
			return err
		}
		text = text[:bytes.LastIndexByte(text, '\n')+1] // the rest is still being written
		b.read[name] += int64(len(text))
		for row := range bytes.Lines(text) {
			var l line
			if json.Unmarshal(row, &l) == nil && l.Item < len(b.items) {
				b.apply(l)
			}
		}
	}
	return nil
}

func readFrom(name string, offset int64) ([]byte, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	text := make([]byte, info.Size()-offset)
	_, err = f.ReadAt(text, offset)
	return text, err
}

// apply is all the logic there is. Lines of different journals can be read in any order: that a message was accepted is final.
func (b *outbox) apply(l line) {
	it := &b.items[l.Item]
	switch l.Do {
	case try:
		if it.state != sent {
			it.state = trying
		}
	case free:
		if it.state == doubted {
			b.tally.cleared++
		} else {
			b.tally.refused++
		}
		if it.state != sent {
			it.state = queued
		}
	case doubt:
		b.tally.doubts++
		if l.Killed {
			b.tally.killed++
		}
		if it.state == sent {
			b.tally.confirmed++
		} else {
			it.state = doubted
		}
	case done:
		if it.state == doubted {
			b.tally.confirmed++
		}
		if it.id != "" && it.id != l.ID {
			b.tally.twice++
		}
		if it.state != sent {
			b.tally.sent++
		}
		it.state, it.id = sent, l.ID
		it.millis = max(it.millis, l.Millis)
		b.known[l.ID] = l.Item
	}
}

// in returns the messages in a state.
func (b *outbox) in(s state) []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []int
	for i, it := range b.items {
		if it.state == s {
			all = append(all, i)
		}
	}
	return all
}

// accounts reports whether the outbox knows which message has an id.
func (b *outbox) accounts(id graph.MessageID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.known[id]
	return ok
}

func (b *outbox) count() tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tally
}

// answerTimes returns how long Meta took to answer, in milliseconds, for each message that was answered.
func (b *outbox) answerTimes() []float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []float64
	for _, it := range b.items {
		if it.millis > 0 {
			all = append(all, it.millis)
		}
	}
	return all
}
