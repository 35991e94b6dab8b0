package coexistencetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// listed is how many messages the long conversation of the checks of lists has: three for a second.
const listed = 20

// longTalk is a conversation of messages in the order of their ids. It returns them as they are
// read.
func (c *storeCheck) longTalk() ([]coexistence.Message, error) {
	var events []webhook.Event
	for i := range listed {
		at := storeTime.Truncate(time.Second).Add(time.Duration(i/3) * time.Second)
		events = append(events, saidAt(c.phone, graph.MessageID(fmt.Sprintf("wamid.%02d", i)), ada, at, i))
	}
	if err := tell(c.ctx, c.s, events...); err != nil {
		return nil, err
	}
	return c.messages(c.phone, string(ada.UserID))
}

// messageLists reads pages of a conversation: the latest, backwards, forwards, around a message,
// between times. Pages of any size meet without a gap or an overlap, also while a message is put
// between them, and a cursor is good for a message that is not shown any more.
func (c *storeCheck) messageLists() error {
	all, err := c.longTalk()
	if err != nil {
		return err
	}
	at := func(i int) coexistence.Cursor { return all[i].Cursor() }
	tests := []struct {
		what     string
		opts     coexistence.MessageListOptions
		from, to int
	}{
		{"the latest", coexistence.MessageListOptions{Limit: 5}, 15, 20},
		{"more than there are", coexistence.MessageListOptions{Limit: 1000}, 0, 20},
		{"before", coexistence.MessageListOptions{Before: at(10), Limit: 4}, 6, 10},
		{"before, at the beginning", coexistence.MessageListOptions{Before: at(2), Limit: 4}, 0, 2},
		{"after", coexistence.MessageListOptions{After: at(10), Limit: 4}, 11, 15},
		{"after, at the end", coexistence.MessageListOptions{After: at(17), Limit: 4}, 18, 20},
		{"after the last", coexistence.MessageListOptions{After: at(19), Limit: 4}, 0, 0},
		{"around", coexistence.MessageListOptions{Around: at(10), Limit: 5}, 8, 13},
		{"around the first", coexistence.MessageListOptions{Around: at(0), Limit: 6}, 0, 3},
		{"around, one", coexistence.MessageListOptions{Around: at(10), Limit: 1}, 10, 11},
		{"from", coexistence.MessageListOptions{From: all[9].At, Limit: 4}, 9, 13},
		{"until", coexistence.MessageListOptions{Until: all[9].At, Limit: 4}, 5, 9},
		{"between", coexistence.MessageListOptions{From: all[3].At, Until: all[9].At, Limit: 100}, 3, 9},
		{"between, before", coexistence.MessageListOptions{
			From: all[3].At, Until: all[9].At, Before: at(8), Limit: 2,
		}, 6, 8},
		{"between, after", coexistence.MessageListOptions{
			From: all[3].At, Until: all[9].At, After: at(7), Limit: 5,
		}, 8, 9},
		{"a part of a second", coexistence.MessageListOptions{From: all[3].At.Add(-time.Millisecond), Limit: 1}, 3, 4},
	}
	for _, tt := range tests {
		list, err := c.s.ListMessages(c.ctx, c.phone, string(ada.UserID), tt.opts)
		if err != nil {
			return fmt.Errorf("%s: %w", tt.what, err)
		}
		if got, want := messageIDs(list), messageIDs(all[tt.from:tt.to]); !slices.Equal(got, want) {
			return fmt.Errorf("%s: got %v, want %v", tt.what, got, want)
		}
		if len(list) > 0 && !reflect.DeepEqual(list[0], all[tt.from]) {
			return fmt.Errorf("%s: got %+v, want %+v", tt.what, list[0], all[tt.from])
		}
	}
	return errors.Join(c.walk(all), c.badLists())
}

// walk reads a conversation backwards in pages while it grows and shrinks.
func (c *storeCheck) walk(all []coexistence.Message) error {
	conv, err := c.s.Conversation(c.ctx, c.phone, string(ada.UserID))
	if err != nil {
		return err
	}
	var got []graph.MessageID
	opts := coexistence.MessageListOptions{Limit: 3}
	for {
		list, err := c.s.ListMessages(c.ctx, c.phone, conv.ID, opts)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		got = append(messageIDs(list), got...)
		opts.Before = list[0].Cursor()
		// The message of the cursor goes, and others come above and below it.
		late := saidAt(c.phone, graph.MessageID(fmt.Sprint("wamid.late", len(got))), ada, all[19].At, 100)
		if err := tell(c.ctx, c.s, late); err != nil {
			return err
		}
		err = c.s.UpdateMessages(c.ctx, c.phone, []graph.MessageID{list[0].ID}, func(m *coexistence.Message) {
			m.Type = ""
		})
		if err != nil {
			return err
		}
	}
	if want := messageIDs(all); !slices.Equal(got, want) {
		return fmt.Errorf("pages backwards have %v, want %v", got, want)
	}
	return nil
}

// badLists asks for what is not there, and for what cannot be.
func (c *storeCheck) badLists() error {
	page := func(o coexistence.MessageListOptions) error {
		_, err := c.s.ListMessages(c.ctx, c.phone, string(ada.UserID), o)
		return err
	}
	list := func(o coexistence.ConversationListOptions) error {
		_, err := c.s.ListConversations(c.ctx, c.phone, o)
		return err
	}
	_, err1 := c.s.ListMessages(c.ctx, c.phone, "conv_999999999999", coexistence.MessageListOptions{Limit: 1})
	_, err2 := c.s.ListMessages(c.ctx, c.phone+"-other", string(ada.UserID), coexistence.MessageListOptions{Limit: 1})
	_, err3 := c.s.FindPeople(c.ctx, c.phone, "ada", 0)
	_, _, err4 := c.s.SearchMessages(c.ctx, c.phone, "hi", "", 1001)
	_, _, err5 := c.s.SearchMessages(c.ctx, c.phone, "hi", "?", 1)
	for _, tt := range []struct {
		what      string
		got, want error
	}{
		{"an unknown conversation", err1, coexistence.ErrNotFound},
		{"a conversation of another number", err2, coexistence.ErrNotFound},
		{"marking an unknown conversation", c.s.MarkRead(c.ctx, c.phone, "conv_999999999999", "MSAyIDM"),
			coexistence.ErrNotFound},
		{"marking without a cursor", c.s.MarkRead(c.ctx, c.phone, string(ada.UserID), ""), coexistence.ErrCursor},
		{"no limit", page(coexistence.MessageListOptions{}), coexistence.ErrLimit},
		{"a limit of 1,001", page(coexistence.MessageListOptions{Limit: 1001}), coexistence.ErrLimit},
		{"a bad cursor", page(coexistence.MessageListOptions{Limit: 1, Before: "x"}), coexistence.ErrCursor},
		{"a negative limit", list(coexistence.ConversationListOptions{Limit: -1}), coexistence.ErrLimit},
		{"a bad cursor of a list", list(coexistence.ConversationListOptions{Limit: 1, After: "x"}),
			coexistence.ErrCursor},
		{"people without a limit", err3, coexistence.ErrLimit},
		{"a search with a limit of 1,001", err4, coexistence.ErrLimit},
		{"a search with a bad cursor", err5, coexistence.ErrCursor},
	} {
		if !errors.Is(tt.got, tt.want) {
			return fmt.Errorf("%s: got the error %w, want %w", tt.what, tt.got, tt.want)
		}
	}
	if page(coexistence.MessageListOptions{Limit: 1, Before: "MSAyIDM", After: "MSAyIDM"}) == nil {
		return errors.New("the options Before and After at once are no error")
	}
	return nil
}

// conversationLists pages through the conversations of a number, the latest first, with all and
// with the unread ones alone, and counts what is unread.
func (c *storeCheck) conversationLists() error {
	var events []webhook.Event
	var want []string
	for i := range 7 { // all in one second
		who := graph.Identity{WAID: fmt.Sprintf("1555010020%d", i)}
		events = append(events, saidAt(c.phone, graph.MessageID(fmt.Sprintf("wamid.%d", 9-i)), who, storeTime, i))
		want = append(want, who.WAID)
	}
	slices.Reverse(want)
	if err := tell(c.ctx, c.s, events...); err != nil {
		return err
	}
	if err := c.put(c.phone, coexistence.Message{ID: "wamid.h", PhoneNumberID: c.phone, Person: "hidden"}); err != nil {
		return err
	}
	for limit := range 8 {
		got, err := c.conversationPages(coexistence.ConversationListOptions{Limit: limit + 1})
		if err != nil || !slices.Equal(got, want) {
			return fmt.Errorf("pages of %d: got %v with error %w, want %v", limit+1, got, err, want)
		}
	}
	for _, i := range []int{1, 4, 5} {
		conv, err := c.s.Conversation(c.ctx, c.phone, want[i])
		if err != nil {
			return err
		}
		if err := c.s.MarkRead(c.ctx, c.phone, conv.ID, conv.Last.Cursor()); err != nil {
			return err
		}
	}
	got, err := c.conversationPages(coexistence.ConversationListOptions{Limit: 2, Unread: true})
	if wanted := []string{want[0], want[2], want[3], want[6]}; err != nil || !slices.Equal(got, wanted) {
		return fmt.Errorf("unread ones: got %v with error %w, want %v", got, err, wanted)
	}
	n, err := c.s.CountUnread(c.ctx, c.phone)
	if err == nil && n != (coexistence.UnreadCount{Messages: 4, Conversations: 4}) {
		err = fmt.Errorf("unread are %+v, want 4 messages in 4 conversations", n)
	}
	return err
}

// manyUnread has one conversation more with something unread than are counted. The oldest, which is
// not, has two messages.
func (c *storeCheck) manyUnread() error {
	var ids []graph.MessageID
	for i := range coexistence.MaxListLimit + 2 {
		ids = append(ids, graph.MessageID(fmt.Sprintf("wamid.%04d", i)))
	}
	err := c.s.UpdateMessages(c.ctx, c.phone, ids, func(m *coexistence.Message) {
		i := slices.Index(ids, m.ID)
		m.Person, m.Origin = fmt.Sprintf("1555%07d", max(i, 1)), coexistence.OriginCustomer
		m.At = storeTime.Truncate(time.Second).Add(time.Duration(max(i, 1)) * time.Second)
		m.Type, m.Text = webhook.TypeText, "Rye?"
	})
	if err != nil {
		return err
	}
	want := coexistence.UnreadCount{Messages: coexistence.MaxListLimit, Conversations: coexistence.MaxListLimit}
	n, err := c.s.CountUnread(c.ctx, c.phone)
	if err == nil && n != want {
		err = fmt.Errorf("unread are %+v with %d conversations and more, want %+v", n, coexistence.MaxListLimit, want)
	}
	return err
}

// conversationPages walks through a list of conversations, and returns the keys of their contacts.
func (c *storeCheck) conversationPages(opts coexistence.ConversationListOptions) (keys []string, err error) {
	for {
		list, err := c.s.ListConversations(c.ctx, c.phone, opts)
		if err != nil || len(list) == 0 {
			return keys, err
		}
		for _, conv := range list {
			one, err := c.s.Conversation(c.ctx, c.phone, conv.ID)
			if err != nil || !reflect.DeepEqual(one, conv) || conv.Last == nil {
				return nil, fmt.Errorf("the list has %+v, and one by itself is %+v, error %w", conv, one, err)
			}
			keys = append(keys, conv.Contact.Key)
		}
		opts.After = list[len(list)-1].Cursor()
	}
}

// readMarks marks a conversation as read, up to a message, to an earlier one, and again; what comes
// late below the mark is read, and what a person at the business answers is. History is never
// unread.
func (c *storeCheck) readMarks() error {
	all, err := c.longTalk()
	if err != nil {
		return err
	}
	key := string(ada.UserID)
	unread := func(what string, want int) error {
		conv, err := c.s.Conversation(c.ctx, c.phone, key)
		if err != nil {
			return err
		}
		n, err := c.s.CountUnread(c.ctx, c.phone)
		if err == nil && (conv.UnreadCount != want || n.Messages != want) {
			err = fmt.Errorf("%s: %d are unread in the conversation and %d of the number, want %d", what,
				conv.UnreadCount, n.Messages, want)
		}
		return err
	}
	mark := func(i int) error { return c.s.MarkRead(c.ctx, c.phone, key, all[i].Cursor()) }
	echo := &webhook.BusinessAppEcho{ID: "wamid.echo", To: ada, Content: &webhook.Text{Body: "Yes"}}
	echo.EventInfo = saidAt(c.phone, "", ada, all[18].At, 30).EventInfo
	late := saidAt(c.phone, "wamid.late", ada, all[1].At, 50)
	next := saidAt(c.phone, "wamid.next", ada, all[19].At.Add(time.Second), 0)
	return errors.Join(
		unread("nothing was read", listed), mark(4), unread("five were read", listed-5),
		mark(2), unread("an earlier mark changes nothing", listed-5),
		mark(7), mark(7), unread("the same mark twice", listed-8),
		tell(c.ctx, c.s, late), unread("one comes late, above the mark", listed-8),
		tell(c.ctx, c.s, echo), unread("a person has answered", 0),
		tell(c.ctx, c.s, next), unread("the customer goes on", 1),
	)
}

// people finds people by the beginnings of their names and numbers.
func (c *storeCheck) people() error {
	named := func(who graph.Identity, name string) error {
		return tell(c.ctx, c.s, &webhook.AppStateSync{
			EventInfo: webhook.EventInfo{PhoneNumberID: c.phone, At: storeTime},
			Type:      webhook.AppStateContact, Action: webhook.AppStateAdd,
			Contact: webhook.AppContact{PhoneNumber: who.WAID, UserID: who.UserID, FullName: name},
		})
	}
	hello := incoming(c.phone, graph.Identity{UserID: "US.1003", Username: "Curie.m"}, storeTime)
	hello.ProfileName = "Марія Skłodowska"
	err := errors.Join(named(ada, "Ada Byron"), named(grace, "Grace Brewster-Hopper"), tell(c.ctx, c.s, hello))
	if err != nil {
		return err
	}
	find := func(text string, want ...string) error {
		list, err := c.s.FindPeople(c.ctx, c.phone, text, 10)
		var got []string
		for _, conv := range list {
			got = append(got, conv.Contact.Key)
			if conv.ID == "" || !reflect.DeepEqual(conv.Contact.Key, conv.Contact.Aliases[0]) {
				err = errors.Join(err, fmt.Errorf("found %+v", conv))
			}
		}
		if err != nil || !slices.Equal(got, want) {
			return fmt.Errorf("%q finds %v with error %w, want %v", text, got, err, want)
		}
		return nil
	}
	const adas, graces, maries = "US.1001", "US.1002", "US.1003"
	err = errors.Join(
		find("ada", adas), find("AD", adas), find("b", graces, adas), find("by ad", adas), find("hopper gr", graces),
		find("+1 555 010-01", adas, graces), find("15550100102", graces), find("марі", maries), find("SKŁ", maries),
		find("curie", maries), find("da"), find("ada grace"), find(""), find("?! -"), find("5550100102"),
	)
	if err != nil {
		return err
	}
	if err := named(ada, "Ada Lovelace"); err != nil { // another name replaces the one before
		return err
	}
	list, err := c.s.FindPeople(c.ctx, c.phone, "b", 1)
	other, err1 := c.s.FindPeople(c.ctx, c.phone+"-other", "ada", 10)
	if len(list) != 1 || len(other) > 0 {
		err = errors.Join(err, err1, fmt.Errorf("%d found with a limit of 1, %d through another number", len(list),
			len(other)))
	}
	return errors.Join(err, find("byron"), find("love", adas))
}

// search finds messages by words: new ones, edited ones, none that is deleted or of another number.
func (c *storeCheck) search() error {
	said := func(phone graph.PhoneNumberID, n int, text string) *webhook.IncomingMessage {
		id, at := graph.MessageID(fmt.Sprint("wamid.", n)), storeTime.Add(time.Duration(n)*time.Minute)
		m := saidAt(phone, id, ada, at, 0)
		m.Content = &webhook.Text{Body: text}
		return m
	}
	other := c.phone + "-other"
	err := tell(c.ctx, c.s, said(c.phone, 1, "Do you have rye bread?"), said(c.phone, 2, "RYE, please: two loaves"),
		said(c.phone, 3, "Хліб є?"), said(c.phone, 4, "rye rye rye 7.50 AND \"OR\" NEAR(x) * -y"),
		said(other, 5, "rye of somebody else"))
	if err != nil {
		return err
	}
	find := func(words string, want ...graph.MessageID) error {
		var got []graph.MessageID
		var after coexistence.Cursor
		for range 10 { // of two
			list, next, err := c.s.SearchMessages(c.ctx, c.phone, words, after, 2)
			if err != nil {
				return fmt.Errorf("%q: %w", words, err)
			}
			for _, m := range list {
				if m.ConversationID == "" {
					return fmt.Errorf("%q: %s has no conversation", words, m.ID)
				}
			}
			got = append(got, messageIDs(list)...)
			if after = next; after == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("%q finds %v, want %v", words, got, want)
		}
		return nil
	}
	change := func(id graph.MessageID, fn func(*coexistence.Message)) error {
		return c.s.UpdateMessages(c.ctx, c.phone, []graph.MessageID{id}, fn)
	}
	return errors.Join(
		find("rye", "wamid.4", "wamid.2", "wamid.1"), find("ry", "wamid.4", "wamid.2", "wamid.1"),
		find("bread rye", "wamid.1"), find("rye loaf"), find("loaves two", "wamid.2"), find("ye"),
		find("хліб", "wamid.3"), find("ХЛ", "wamid.3"), find("7.50", "wamid.4"), find("and \"or\"", "wamid.4"),
		find("near", "wamid.4"), find(""), find("?* \" '"),
		change("wamid.1", func(m *coexistence.Message) { m.Text = "wheat" }), find("bread"), find("whe", "wamid.1"),
		change("wamid.2", func(m *coexistence.Message) { m.RevokedAt = storeTime }), find("rye", "wamid.4"),
		tell(c.ctx, c.s, said(c.phone, 6, "and wheat")), find("wheat", "wamid.6", "wamid.1"),
	)
}

// endedLists reads with a context that has ended.
func (c *storeCheck) endedLists() error {
	ctx, cancel := context.WithCancel(c.ctx)
	cancel()
	_, err1 := c.s.ListConversations(ctx, c.phone, coexistence.ConversationListOptions{Limit: 1})
	_, err2 := c.s.CountUnread(ctx, c.phone)
	_, err3 := c.s.FindPeople(ctx, c.phone, "ada", 1)
	_, _, err4 := c.s.SearchMessages(ctx, c.phone, "ada", "", 1)
	for what, err := range map[string]error{
		"ListConversations": err1, "CountUnread": err2, "FindPeople": err3, "SearchMessages": err4,
	} {
		if err == nil {
			return errors.New(what + " returned no error")
		}
	}
	return nil
}
