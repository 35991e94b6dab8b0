package coexistence_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// bakery returns a tracker of one number, to which two customers have just written.
func bakery() *coexistence.Tracker {
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: new(coexistence.MemStore)})
	if err != nil {
		log.Fatal(err)
	}
	ctx, now := context.Background(), time.Now().Truncate(time.Second)
	err = tracker.Onboard(ctx, cloudapi.Onboarding{PhoneNumberID: phone, WABAIDs: []graph.WABAID{"200000000000001"},
		DisplayPhoneNumber: "+1 555 010 0199", OnboardedAt: now.Add(-2 * time.Hour)})
	if err != nil {
		log.Fatal(err)
	}
	for i, m := range []*webhook.IncomingMessage{
		customerWrites("wamid.1", "15550100101", "Ada", "Are you open?"),
		customerWrites("wamid.2", "15550100102", "Ben", "One rye bread, please"),
		customerWrites("wamid.3", "15550100101", "Ada", "Is there rye bread?"),
	} {
		m.At = now.Add(time.Duration(i-10) * time.Second)
		if err := tracker.Handle(ctx, m); err != nil {
			log.Fatal(err)
		}
	}
	return tracker
}

// customerWrites is a text of a customer, written now.
func customerWrites(id graph.MessageID, waID, name, text string) *webhook.IncomingMessage {
	return &webhook.IncomingMessage{
		EventInfo: webhook.EventInfo{PhoneNumberID: phone, At: time.Now().Truncate(time.Second)},
		ID:        id, From: graph.Identity{WAID: waID}, ProfileName: name,
		Type: "text", Content: &webhook.Text{Body: text},
	}
}

// Ask right before an answer is sent. Here the owner answers on the phone meanwhile.
func ExampleTracker_MayAnswer() {
	ctx, tracker := context.Background(), bakery()
	question := customerWrites("wamid.4", "15550100101", "Ada", "Until when?")
	may, err := tracker.MayAnswer(ctx, question)
	fmt.Println(may.Allowed, err)

	err = tracker.Handle(ctx, &webhook.BusinessAppEcho{
		EventInfo: webhook.EventInfo{PhoneNumberID: phone, At: time.Now()}, ID: "wamid.5",
		To: question.From, Content: &webhook.Text{Body: "Until six"},
	})
	if err != nil {
		log.Fatal(err)
	}
	may, err = tracker.MayAnswer(ctx, question)
	fmt.Println(may.Allowed, may.Reason, err)
	// Output:
	// true <nil>
	// false person_active <nil>
}

// A colleague takes over in the host's inbox, and gives the conversation back.
func ExampleTracker_Pause() {
	ctx, tracker := context.Background(), bakery()
	question := customerWrites("wamid.4", "15550100101", "Ada", "Until when?")
	pause := coexistence.Pause{By: "Chris", Reason: "a complaint", Until: time.Now().Add(time.Hour)}
	fmt.Println(tracker.Pause(ctx, phone, "15550100101", pause))
	may, err := tracker.MayAnswer(ctx, question)
	fmt.Println(may.Reason, may.Thread.Pause.By, err)

	fmt.Println(tracker.Resume(ctx, phone, "15550100101"))
	may, err = tracker.MayAnswer(ctx, question)
	fmt.Println(may.Allowed, err)
	// Output:
	// <nil>
	// paused Chris <nil>
	// <nil>
	// true <nil>
}

// Before a person sends: a text needs the open window, a template does not.
func ExampleTracker_MaySend() {
	ctx, tracker := context.Background(), bakery()
	text := cloudapi.Message{To: cloudapi.ToPhone("+15550100101"), Content: &cloudapi.Text{Body: "Until six"}}
	may, err := tracker.MaySend(ctx, phone, "15550100101", text)
	fmt.Println(may.Allowed, time.Until(may.Until) > 23*time.Hour, err)
	// Output: true true <nil>
}

// The list of an inbox, the latest conversation first.
func ExampleMemStore_ListConversations() {
	ctx, store := context.Background(), bakery().Store()
	chats, err := store.ListConversations(ctx, phone, coexistence.ConversationListOptions{Limit: 30})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range chats {
		fmt.Printf("%s (%d new): %s\n", c.Contact.DisplayName(), c.UnreadCount, c.Last.Text)
	}
	more := coexistence.ConversationListOptions{After: chats[len(chats)-1].Cursor(), Limit: 30}
	chats, err = store.ListConversations(ctx, phone, more)
	fmt.Println(len(chats), err)
	// Output:
	// Ada (2 new): Is there rye bread?
	// Ben (1 new): One rye bread, please
	// 0 <nil>
}

// The latest page of a conversation, then the one before it.
func ExampleMemStore_ListMessages() {
	ctx, store := context.Background(), bakery().Store()
	page, err := store.ListMessages(ctx, phone, "15550100101", coexistence.MessageListOptions{Limit: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(page[0].Text)
	page, err = store.ListMessages(ctx, phone, "15550100101", coexistence.MessageListOptions{
		Before: page[0].Cursor(), Limit: 1,
	})
	fmt.Println(page[0].Text, err)
	// Output:
	// Is there rye bread?
	// Are you open? <nil>
}

// People by the beginnings of their names or numbers, messages by their words.
func ExampleMemStore_SearchMessages() {
	ctx, store := context.Background(), bakery().Store()
	people, err := store.FindPeople(ctx, phone, "be", 20)
	fmt.Println(people[0].Contact.DisplayName(), err)

	found, next, err := store.SearchMessages(ctx, phone, "rye br", "", 20)
	for _, m := range found {
		fmt.Println(m.Text)
	}
	fmt.Println(next == "", err)
	// Output:
	// Ben <nil>
	// Is there rye bread?
	// One rye bread, please
	// true <nil>
}

// A person has read a conversation. No blue ticks are sent here.
func ExampleTracker_MarkRead() {
	ctx, tracker := context.Background(), bakery()
	store := tracker.Store()
	page, err := store.ListMessages(ctx, phone, "15550100101", coexistence.MessageListOptions{Limit: 50})
	if err != nil {
		log.Fatal(err)
	}
	err = tracker.MarkRead(ctx, phone, "15550100101", page[len(page)-1].Cursor(), false)
	fmt.Println(err)
	unread, err := store.CountUnread(ctx, phone)
	fmt.Println(unread.Messages, unread.Conversations, err)
	// Output:
	// <nil>
	// 1 1 <nil>
}

// What a page about the syncs shows.
func ExampleNumber_HistoryStatus() {
	onboarded := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	n := coexistence.Number{}.Onboard(cloudapi.Onboarding{PhoneNumberID: phone, OnboardedAt: onboarded})
	show := func(now time.Time) {
		status := n.HistoryStatus(now)
		fmt.Printf("%q %d %% %v\n", status, n.History.Progress, n.Remaining(now).Truncate(time.Hour))
	}
	show(onboarded.Add(time.Hour))
	n = n.Apply(&webhook.HistoryChunk{
		EventInfo: webhook.EventInfo{At: onboarded.Add(2 * time.Hour)}, Order: 1, Progress: 40,
	})
	show(onboarded.Add(2 * time.Hour))
	show(onboarded.Add(4 * time.Hour))
	// Output:
	// "" 0 % 23h0m0s
	// "streaming" 40 % 22h0m0s
	// "stalled" 40 % 20h0m0s
}

// A person asks to be forgotten. What Meta still repeats about the person is not stored again.
func ExampleTracker_Forget() {
	ctx, tracker := context.Background(), bakery()
	err := tracker.Forget(ctx, coexistence.ForgetRequest{PhoneNumberID: phone, Person: "15550100101"})
	fmt.Println(err)
	_, err = tracker.Store().Conversation(ctx, phone, "15550100101")
	fmt.Println(errors.Is(err, coexistence.ErrNotFound))
	// Output:
	// <nil>
	// true
}

// A person asks what is stored: a line of JSON for the contact, the conversation, each message.
func ExampleExport() {
	ctx, store := context.Background(), bakery().Store()
	if err := coexistence.Export(ctx, store, phone, "15550100101", os.Stdout); err != nil {
		log.Fatal(err)
	}
}
