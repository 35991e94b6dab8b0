package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// timeline prints Ada's conversation as the host has it: history, live messages of both sides and
// what was sent through Cloud API are one list, in the order in which they were written.
func (s *story) timeline(ctx context.Context) error {
	for m, err := range s.store.Messages(ctx, s.number, s.ada.Identity().Key()) {
		if err != nil {
			return err
		}
		from := "Ada"
		if m.Outbound {
			from = "bakery"
		}
		s.say("%s  %-8s  %-6s  %s", m.At.Local().Format("2006-01-02 15:04"), m.Origin, from, describe(m))
	}
	return nil
}

// describe is a message in one line. An edited one keeps what it said first, a deleted one what it
// said; media that history announced have their files as soon as those have arrived.
func describe(m coexistence.Message) string {
	text := m.Text
	if text == "" {
		text = "[" + string(m.Type) + "]"
	}
	var notes []string
	if m.Media != nil {
		notes = append(notes, string(m.Type))
	}
	if m.Edited() {
		notes = append(notes, fmt.Sprintf("edited, was %q", m.Original.Text))
	}
	if m.Revoked() {
		notes = append(notes, "deleted")
	}
	if m.Status != "" && m.Outbound && !m.Imported() {
		notes = append(notes, string(m.Status))
	}
	if len(notes) > 0 {
		text += "   (" + strings.Join(notes, ", ") + ")"
	}
	return text
}

// summary counts what the host has in the end, and holds it against what the simulator knows: the
// story fails if a message is missing, or there twice.
func (s *story) summary(ctx context.Context) error {
	t, err := s.count(ctx)
	if err != nil {
		return err
	}
	if err := s.compare(ctx, t.messages); err != nil {
		return err
	}
	// The address book of the phone arrives as contacts, and every change of it afterwards.
	contacts := 0
	for c, err := range s.store.Contacts(ctx, s.number) {
		if err != nil {
			return err
		}
		if c.InAddressBook() { // others are known from their messages only
			contacts++
		}
	}
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	s.say("%6d messages in %d conversations, %d of them with media: all that the phone has",
		t.messages, t.conversations, t.media)
	for _, origin := range slices.SortedFunc(maps.Keys(t.origins), func(a, b coexistence.Origin) int {
		return cmp.Compare(t.origins[b], t.origins[a])
	}) {
		s.say("%6d   %s", t.origins[origin], map[coexistence.Origin]string{
			coexistence.OriginHistory:  "from history",
			coexistence.OriginCustomer: "written by customers",
			coexistence.OriginApp:      "written on the phone",
			coexistence.OriginAPI:      "sent through Cloud API",
		}[origin])
	}
	s.say("%6d contacts of the address book", contacts)
	s.say("%6d %% of the history, %s", st.History.Progress, st.HistoryStatus(time.Now()))

	// Meta repeats what is not acknowledged for seven days; here it also repeats what was.
	posts, repeats := 0, 0
	for _, d := range s.world.Deliveries() {
		posts += len(d.Attempts)
		if d.Duplicate {
			repeats++
		}
	}
	s.say("%6d webhook POSTs, %d of them repeats, %d not acknowledged", posts, repeats, len(s.world.Undelivered()))
	s.say("  number is %s", st.Stage)
	return nil
}

// A tally is how much of what the host has stored.
type tally struct {
	conversations, messages, media int
	origins                        map[coexistence.Origin]int // how a message came to the host
}

// count reads all conversations. The store pages through them, so that it takes no more memory than
// one page, however many there are.
func (s *story) count(ctx context.Context) (tally, error) {
	t := tally{origins: map[coexistence.Origin]int{}}
	for c, err := range s.store.Conversations(ctx, s.number) {
		if err != nil {
			return t, err
		}
		t.conversations++
		for m, err := range s.store.Messages(ctx, s.number, c.ID) {
			if err != nil {
				return t, err
			}
			t.messages++
			t.origins[m.Origin]++
			if m.Media != nil {
				t.media++
			}
		}
	}
	return t, nil
}

// compare looks for every message of the phone on the host, by the id that Meta gave it: both sides
// know a message by it, whichever of them wrote it.
func (s *story) compare(ctx context.Context, messages int) error {
	onPhone := 0
	for _, c := range s.phone.Customers() {
		for _, m := range s.phone.Chat(c) {
			if _, err := s.store.Message(ctx, s.number, m.ID); err != nil {
				return fmt.Errorf("message %s is on the phone only: %w", m.ID, err)
			}
			onPhone++
		}
	}
	if onPhone != messages {
		return fmt.Errorf("the phone has %d messages, the host %d", onPhone, messages)
	}
	return nil
}
