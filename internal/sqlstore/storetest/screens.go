package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

const (
	// talk is how many messages the first person of a crowd has written.
	talk = 3000

	// few is how many people have written to another number, which is forgotten.
	few = 300

	otherPhone = "106540352242923"
)

// crowded is the i-th person of a number.
func crowded(i int) string { return fmt.Sprintf("1555%07d", i) }

// Crowd fills a store with so many people that a plan that reads all of it is a bad one: a planner
// with statistics needs more of them than one that goes by rules. Each has written once but for
// the first. Nothing is where a table would have it by luck: people write in any order. Nine of ten
// have nothing unread. db is the database of the store.
func Crowd(ctx context.Context, store coexistence.Store, db *sql.DB, crowd int) error {
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
	if err != nil {
		return err
	}
	type text struct {
		phone graph.PhoneNumberID
		who   int
	}
	var texts []text
	for i := range crowd + talk {
		texts = append(texts, text{Phone, max(0, i-talk+1)})
	}
	for i := range few {
		texts = append(texts, text{otherPhone, i})
	}
	r := rand.New(rand.NewPCG(1, 2))
	seconds := r.Perm(len(texts))
	r.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	var batch []webhook.Preparation
	for i, one := range texts {
		at := time.Unix(start+int64(seconds[i]), 0).UTC()
		said := "Do you have rye bread?"
		if i%1000 == 0 {
			said = "heliotrope"
		}
		batch = append(batch, webhook.Preparation{Context: ctx, Event: &webhook.IncomingMessage{
			EventInfo: webhook.EventInfo{PhoneNumberID: one.phone, At: at, ReceivedAt: at},
			ID:        graph.MessageID(fmt.Sprintf("wamid.%06d", i)), From: graph.Identity{WAID: crowded(one.who)},
			ProfileName: fmt.Sprintf("Ada X%d", one.who), Content: &webhook.Text{Body: said},
		}})
		if len(batch) == 1000 || i == len(texts)-1 {
			tracker.Prepare(ctx, batch)
			batch = nil
		}
	}
	one, err := store.Conversation(ctx, Phone, crowded(0))
	if err == nil && one.MessageCount != talk {
		err = fmt.Errorf("the first person has %d messages", one.MessageCount)
	}
	if err == nil {
		_, err = db.ExecContext(ctx, "UPDATE coexistence_conversations SET unread = 0 WHERE id % 10 <> 0")
	}
	return err
}

// ShowScreens asks a store that Crowd has filled for all that screens, exports and bots ask for, in
// pages of any size, and then forgets some of it.
func ShowScreens(ctx context.Context, store coexistence.Store) error {
	whole, err := store.Conversation(ctx, Phone, crowded(0))
	if err != nil {
		return err
	}
	all, err := store.ListMessages(ctx, Phone, whole.ID, coexistence.MessageListOptions{Limit: 1000})
	if err != nil {
		return err
	}
	in := all[len(all)/2].Cursor()
	for _, limit := range []int{1, 30, 50, 101, 201, coexistence.MaxListLimit} {
		if err := showLists(ctx, store, limit, in); err != nil {
			return err
		}
	}
	if err := showOne(ctx, store); err != nil {
		return err
	}
	f, ok := store.(coexistence.Forgetter)
	if !ok {
		return fmt.Errorf("%T is no coexistence.Forgetter", store)
	}
	for _, r := range []coexistence.ForgetRequest{
		{PhoneNumberID: Phone, Person: crowded(17)},
		{PhoneNumberID: otherPhone, Before: time.Unix(start+talk, 0)},
		{PhoneNumberID: otherPhone},
	} {
		if err := f.Forget(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// showLists asks for pages of one size: what they begin with, and what is around a place.
func showLists(ctx context.Context, s coexistence.Store, limit int, at coexistence.Cursor) error {
	for _, opts := range []coexistence.ConversationListOptions{{}, {After: at}, {Unread: true}} {
		opts.Limit = limit
		list, err := s.ListConversations(ctx, Phone, opts)
		if err := some(len(list), err); err != nil {
			return err
		}
	}
	for _, opts := range []coexistence.MessageListOptions{
		{}, {Before: at}, {After: at}, {Around: at}, {From: time.Unix(start+100, 0)},
	} {
		opts.Limit = limit
		list, err := s.ListMessages(ctx, Phone, crowded(0), opts)
		if err := some(len(list), err); err != nil {
			return err
		}
	}
	for _, name := range []string{"ad", "ada x1"} {
		list, err := s.FindPeople(ctx, Phone, name, limit)
		if err := some(len(list), err); err != nil {
			return err
		}
	}
	for _, words := range []string{"rye br", "heliotrope"} {
		list, _, err := s.SearchMessages(ctx, Phone, words, "", limit)
		if err := some(len(list), err); err != nil {
			return err
		}
	}
	return nil
}

// some says that a page is empty, so that none is looked at that shows nothing.
func some(n int, err error) error {
	if err == nil && n == 0 {
		err = errors.New("a page shows nothing")
	}
	return err
}

// showOne asks for all that is about one conversation, or is one walk through a number.
func showOne(ctx context.Context, s coexistence.Store) error {
	who := crowded(18)
	c, err := s.Conversation(ctx, Phone, who)
	if err != nil {
		return err
	}
	if _, err := s.Conversation(ctx, Phone, c.ID); err != nil {
		return err
	}
	if _, err := s.Message(ctx, Phone, c.Last.ID); err != nil {
		return err
	}
	if n, err := s.CountUnread(ctx, Phone); err != nil || n.Conversations != coexistence.MaxListLimit {
		return fmt.Errorf("unread are %+v, error %w", n, err)
	}
	if err := s.MarkRead(ctx, Phone, c.ID, c.Cursor()); err != nil {
		return err
	}
	if _, err := s.NumbersByWABA(ctx, waba); err != nil {
		return err
	}
	for _, err := range []error{
		pages(s.Conversations(ctx, Phone)), pages(s.Messages(ctx, Phone, crowded(0))), pages(s.Contacts(ctx, Phone)),
		pages(s.Numbers(ctx)),
	} {
		if err != nil {
			return err
		}
	}
	return coexistence.Export(ctx, s, Phone, who, io.Discard)
}

// pages walks through some pages of a list.
func pages[T any](list iter.Seq2[T, error]) error {
	n := 0
	for _, err := range list {
		if n++; err != nil || n == 1200 {
			return err
		}
	}
	return nil
}
