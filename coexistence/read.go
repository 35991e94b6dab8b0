package coexistence

import (
	"context"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// MarkRead says that a person at the business has read a conversation up to a message, whose Cursor
// is upTo: see MessageStore.MarkRead. With receipt, the customer sees the blue ticks on what was
// unread until then, by a call of [cloudapi.MessagesService.MarkRead] for the latest of it. A
// program should ask for that only when a person has read: the app may show the conversation as
// read, too. If nothing was unread there is no call. An error of Meta's comes after the
// conversation was marked.
func (t *Tracker) MarkRead(
	ctx context.Context, phone graph.PhoneNumberID, conversation string, upTo Cursor, receipt bool,
) error {
	latest, err := graph.MessageID(""), error(nil)
	if receipt {
		latest, err = t.latestUnread(ctx, phone, conversation, upTo)
	}
	if err != nil {
		return err
	}
	if err := t.cfg.Store.MarkRead(ctx, phone, conversation, upTo); err != nil || latest == "" {
		return err
	}
	c, err := t.Client(ctx, phone)
	if err != nil {
		return err
	}
	return c.Messages.MarkRead(ctx, phone, latest)
}

// latestUnread returns the latest message of the customer up to a place, if the conversation has
// something unread. It looks at as many messages as the last page of a screen has.
func (t *Tracker) latestUnread(
	ctx context.Context, phone graph.PhoneNumberID, conversation string, upTo Cursor,
) (graph.MessageID, error) {
	const page = 100
	c, err := t.cfg.Store.Conversation(ctx, phone, conversation)
	if err != nil || c.UnreadCount == 0 {
		return "", err
	}
	place, err := upTo.Place()
	if err != nil {
		return "", err
	}
	list, err := t.cfg.Store.ListMessages(ctx, phone, c.ID, MessageListOptions{Around: upTo, Limit: 2 * page})
	latest := graph.MessageID("")
	for _, m := range list {
		if m.Received() && m.Place().Compare(place) <= 0 {
			latest = m.ID
		}
	}
	return latest, err
}
