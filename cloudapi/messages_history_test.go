package cloudapi_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestHistoryReadsWhatMetaWrites(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"data":[{"id":"71","message_id":"wamid.A","events":{"data":[
		{"id":"81","delivery_status":"SENT","timestamp":1640995200,"webhook_update_state":"DELIVERED",
			"application":{"id":"9"},"webhook_uri":"https://example.com/webhook"},
		{"id":82,"delivery_status":"FAILED","timestamp":"1640995260","webhook_update_state":"RETRYING",
			"error_description":"Webhook endpoint returned HTTP 500"}]}},
		{"id":"72","message_id":"wamid.B"}],"paging":{"cursors":{"after":"x"}}}`))
	var got []*cloudapi.MessageHistory
	for h, err := range srv.client(t).Messages.History(t.Context(), phoneID, cloudapi.MessageHistoryOptions{}) {
		require.NoError(t, err)
		h.Response = cloudapi.Response{}
		got = append(got, h)
	}
	at := func(s int64) graph.Timestamp { return graph.Timestamp{Time: time.Unix(s, 0).UTC()} }
	require.Equal(t, []*cloudapi.MessageHistory{
		{ID: "71", MessageID: "wamid.A", Events: []cloudapi.MessageHistoryEvent{
			{
				ID: "81", Status: cloudapi.DeliverySent, At: at(1640995200), Webhook: cloudapi.WebhookDelivered,
				AppID: "9",
			},
			{
				ID: "82", Status: cloudapi.DeliveryFailed, At: at(1640995260), Webhook: cloudapi.WebhookRetrying,
				Error: "Webhook endpoint returned HTTP 500",
			},
		}},
		{ID: "72", MessageID: "wamid.B"},
	}, got)
	require.NotContains(t, srv.seen()[0].target, "webhook_uri", "a callback URL is not asked for: it may hold a secret")
}

func TestHistoryOfTheFake(t *testing.T) {
	t.Parallel()
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(srv.Close)
	phone := srv.AddPhone(cloudapitest.Phone{})
	srv.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(srv.ClientConfig())
	require.NoError(t, err)
	var sent []graph.MessageID
	for range 60 {
		s, err := client.Messages.Send(t.Context(), phone.ID, text())
		require.NoError(t, err)
		sent = append([]graph.MessageID{s.ID}, sent...)
	}
	var got []graph.MessageID
	var last *cloudapi.MessageHistory
	for h, err := range client.Messages.History(t.Context(), phone.ID, cloudapi.MessageHistoryOptions{Limit: 25}) {
		require.NoError(t, err)
		require.Equal(t, cloudapi.DeliverySent, h.Events[0].Status)
		got, last = append(got, h.MessageID), h
	}
	require.Equal(t, sent, got)
	for h, err := range client.Messages.History(t.Context(), phone.ID, cloudapi.MessageHistoryOptions{
		MessageID: sent[30],
	}) {
		require.NoError(t, err)
		require.Equal(t, sent[30], h.MessageID)
	}
	var events []*cloudapi.MessageHistoryEvent
	for ev, err := range client.Messages.HistoryEvents(t.Context(), last.ID, cloudapi.MessageHistoryEventOptions{}) {
		require.NoError(t, err)
		events = append(events, ev)
	}
	require.Len(t, events, 1)
	require.Equal(t, cloudapi.DeliverySent, events[0].Status)
	require.False(t, events[0].At.IsZero())
	for range client.Messages.HistoryEvents(t.Context(), last.ID, cloudapi.MessageHistoryEventOptions{
		Status: cloudapi.DeliveryRead,
	}) {
		require.Fail(t, "nobody has read it")
	}
	for _, err := range client.Messages.HistoryEvents(t.Context(), "810000000009999",
		cloudapi.MessageHistoryEventOptions{}) {
		require.ErrorIs(t, err, graph.ErrAccessLost)
	}
}

// A send ended without an answer. Status webhooks with its CallbackData would tell; when none came,
// the history does, as far as it goes: every message in it that is accounted for is not the one.
func ExampleMessagesService_History() {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	phone := srv.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	message := cloudapi.Message{
		To: cloudapi.ToPhone("+1 555 010 0142"), CallbackData: "order-991",
		Content: &cloudapi.Text{Body: "Your order is on its way."},
	}

	known := map[graph.MessageID]bool{} // from answers and status webhooks
	first, err := client.Messages.Send(ctx, phone.ID, message)
	if err != nil {
		fmt.Println(err)
		return
	}
	known[first.ID] = true

	srv.Inject(cloudapitest.Fault{Drop: true, Accept: true}) // the next one is accepted, and its answer is lost
	message.CallbackData = "order-992"
	_, err = client.Messages.Send(ctx, phone.ID, message)
	fmt.Println(err)

	unaccounted := 0
	for h, err := range client.Messages.History(ctx, phone.ID, cloudapi.MessageHistoryOptions{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if !known[h.MessageID] {
			unaccounted++
		}
	}
	fmt.Println(unaccounted, "message without a known sender: order-992 must not be sent again")
	// Output:
	// cloudapi: POST /{phone-number-id}/messages: no answer came: EOF (it may have been done all the same: look before you repeat it)
	// 1 message without a known sender: order-992 must not be sent again
}
