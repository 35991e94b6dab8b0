package storage

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sqldb"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// export writes all that the database has of a person. A person of whom only the outbox or the
// inbox has something is no error.
func (db *DB) export(ctx context.Context, phone graph.PhoneNumberID, person string, w io.Writer) error {
	s := db.Store()
	err := coexistence.Export(ctx, s, phone, person, w)
	if err != nil && !errors.Is(err, coexistence.ErrNotFound) {
		return err
	}
	unknown := err
	who, ids, err := db.personNamed(ctx, phone, person)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	lines := 0
	names := namesOf(who.Aliases, who.Identities())
	for _, id := range ids {
		names[id] = true
	}
	err = db.entriesTo(ctx, string(phone), names, func(e entryTo) error {
		lines++
		return enc.Encode(coexistence.ExportLine{Type: "outbox", Outbox: json.RawMessage(e.message)})
	})
	if err != nil {
		return sqldb.Explain("storage: Export", err)
	}
	r := inbox.ForgetRequest{PhoneNumberID: phone, People: peopleOf(who.Aliases, who.Identities())}
	for l, err := range inbox.DeadLettersAbout(ctx, db.inbox, r) {
		if err != nil {
			return err
		}
		line := coexistence.ExportLine{Type: "delivery"}
		if ev, err := l.Event(); err == nil {
			line.Delivery = ev.Info().Raw
		}
		lines++
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	if lines == 0 {
		return unknown
	}
	return nil
}

// personNamed returns the contact of a person who is named as
// [coexistence.MessageStore].Conversation takes it, and the ids of the conversation, by which hosts
// name it in the outbox. A person who is not stored has the alias that the name makes.
func (db *DB) personNamed(
	ctx context.Context, phone graph.PhoneNumberID, person string,
) (who coexistence.Contact, ids []string, err error) {
	s := db.Store()
	c, err := s.Conversation(ctx, phone, person)
	if err == nil {
		return c.Contact, append([]string{c.ID}, c.FormerIDs...), nil
	}
	alias := coexistence.Alias(person)
	if errors.Is(err, coexistence.ErrNotFound) {
		who, err = s.Contact(ctx, phone, coexistence.IdentityOf(alias))
	}
	if errors.Is(err, coexistence.ErrNotFound) {
		return coexistence.Contact{Aliases: []string{alias}}, nil, nil
	}
	return who, nil, err
}
