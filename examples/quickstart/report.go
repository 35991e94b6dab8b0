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

// timeline prints Ada's conversation as the host has it.
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

// summary counts what the host has in the end.
func (s *story) summary(ctx context.Context) error {
	origins := map[coexistence.Origin]int{}
	conversations, messages, media := 0, 0, 0
	for c, err := range s.store.Conversations(ctx, s.number) {
		if err != nil {
			return err
		}
		conversations++
		for m, err := range s.store.Messages(ctx, s.number, c.ID) {
			if err != nil {
				return err
			}
			origins[m.Origin]++
			messages++
			if m.Media != nil {
				media++
			}
		}
	}
	if err := s.compare(ctx, messages); err != nil {
		return err
	}
	contacts := 0
	for c, err := range s.store.Contacts(ctx, s.number) {
		if err != nil {
			return err
		}
		if c.InAddressBook() {
			contacts++
		}
	}
	st, err := s.state(ctx)
	if err != nil {
		return err
	}
	s.say("%6d messages in %d conversations, %d of them with media: all that the phone has", messages, conversations, media)
	for _, origin := range slices.SortedFunc(maps.Keys(origins), func(a, b coexistence.Origin) int {
		return cmp.Compare(origins[b], origins[a])
	}) {
		s.say("%6d   %s", origins[origin], map[coexistence.Origin]string{
			coexistence.OriginHistory:  "from history",
			coexistence.OriginCustomer: "written by customers",
			coexistence.OriginApp:      "written on the phone",
			coexistence.OriginAPI:      "sent through Cloud API",
		}[origin])
	}
	s.say("%6d contacts of the address book", contacts)
	s.say("%6d %% of the history, %s", st.History.Progress, st.HistoryStatus(time.Now()))

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

// compare looks for every message of the phone on the host.
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
