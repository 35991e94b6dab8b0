package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// The bot answers whom it knows, where they asked. Whatever else comes must not fail, or what the
// same customer writes next would wait.
func TestTheBotAnswersInPrivateAlone(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	const phone, waba = graph.PhoneNumberID("100000000000001"), graph.WABAID("200000000000001")
	require.NoError(t, a.tracker.Onboard(t.Context(), cloudapi.Onboarding{
		PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}, OnboardedAt: time.Now(),
	}))
	for i, tt := range []struct { // in this order: the first has a private chat when it writes in a group
		name    string
		message string // who wrote, and where
		answers int
	}{
		{"a customer", `"from":"15550100142"`, 1},
		{"the same in a group", `"from":"15550100142","group_id":"g1"`, 0},
		{"another in a group", `"from":"15550100143","group_id":"g1"`, 0},
		{"a customer without a number", `"from":"US.1001"`, 1},
		{"the business itself", `"from":"15550100100"`, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, err := graph.Collect(a.outbox.List(t.Context(), outbox.Filter{PhoneNumberID: phone}))
			require.NoError(t, err)
			require.NoError(t, a.inbox.Receive(t.Context(), webhook.Delivery{
				ReceivedAt: time.Now(), Body: fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{
				"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100100","phone_number_id":%q},
				"messages":[{"id":"wamid.%d","timestamp":"%d",%s,"type":"text","text":{"body":"When are you open?"}}]}}]}]}`, waba, phone, i, time.Now().Unix(), tt.message),
			}))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			require.NoError(t, a.inbox.WaitIdle(ctx))
			cancel()
			after, err := graph.Collect(a.outbox.List(t.Context(), outbox.Filter{PhoneNumberID: phone}))
			require.NoError(t, err)
			require.Len(t, after, len(before)+tt.answers)
			m, err := a.inbox.Metrics(t.Context())
			require.NoError(t, err)
			require.Zero(t, m.Retried+m.DeadLettered, tt.message)
		})
	}
}

// The team answers a customer who is known by number. Then the user id becomes known: it is the
// same conversation, and the bot still has nothing to say in it.
func TestTheBotDoesNotTalkOverTheTeamWhenAUserIDBecomesKnown(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	const phone, waba = graph.PhoneNumberID("100000000000001"), graph.WABAID("200000000000001")
	require.NoError(t, a.tracker.Onboard(t.Context(), cloudapi.Onboarding{
		PhoneNumberID: phone, WABAIDs: []graph.WABAID{waba}, OnboardedAt: time.Now(),
	}))
	receive := func(id, from, text string) {
		require.NoError(t, a.inbox.Receive(t.Context(), webhook.Delivery{
			ReceivedAt: time.Now(), Body: fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{
			"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100100","phone_number_id":%q},
			"messages":[{"id":%q,"timestamp":"%d",%s,"type":"text","text":{"body":%q}}]}}]}]}`, waba, phone, id, time.Now().Unix(), from, text),
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, a.inbox.WaitIdle(ctx))
	}
	receive("wamid.1", `"from":"15550100142"`, "Hello?")
	chat, err := a.tracker.Store().Conversation(t.Context(), phone, "15550100142")
	require.NoError(t, err)
	_, err = a.outbox.Enqueue(t.Context(), outbox.Message{
		ID: "team-1", PhoneNumberID: phone, ConversationID: chat.ID,
		Payload: cloudapi.Message{
			To: cloudapi.ToPhone("15550100142"), Content: &cloudapi.Text{Body: "I will look"}, ByPerson: true,
		},
	})
	require.NoError(t, err)
	receive("wamid.2", `"from":"15550100142","from_user_id":"US.1001"`, "When are you open?")
	again, err := a.tracker.Store().Conversation(t.Context(), phone, "US.1001")
	require.NoError(t, err)
	require.Equal(t, chat.ID, again.ID)
	list, err := graph.Collect(a.outbox.List(t.Context(), outbox.Filter{PhoneNumberID: phone}))
	require.NoError(t, err)
	require.Len(t, list, 1, "the bot is silent")
}
