package coexistence_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A heard limiter holds nothing back, and remembers what numbers received.
type heard []received

type received struct {
	phone graph.PhoneNumberID
	at    time.Time
}

func (h *heard) Wait(context.Context, cloudapi.SendRequest) error { return nil }

func (h *heard) RecordInbound(_ context.Context, phone graph.PhoneNumberID, at time.Time) {
	*h = append(*h, received{phone, at})
}

// What customers send takes from the throughput of the number; what the owner writes, and what is
// old, does not.
func TestTheTrackerTellsTheLimiterWhatArrives(t *testing.T) {
	t.Parallel()
	var got heard
	client, err := cloudapi.NewClient(cloudapi.Config{Limiter: &got})
	require.NoError(t, err)
	asked := 0
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store: new(coexistence.MemStore),
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
			asked++
			return client, nil
		},
	})
	require.NoError(t, err)
	info := webhook.EventInfo{PhoneNumberID: phone, At: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}
	ada := graph.Identity{WAID: "15550100123"}
	for _, ev := range []webhook.Event{
		&webhook.IncomingMessage{EventInfo: info, ID: "wamid.1", From: ada},
		&webhook.UnavailableMessage{EventInfo: info, ID: "wamid.2", From: ada},
		&webhook.BusinessAppEcho{EventInfo: info, ID: "wamid.3", To: ada},
		&webhook.MessageStatus{EventInfo: info, ID: "wamid.4", Recipient: ada},
		&webhook.HistoryChunk{EventInfo: info},
		&webhook.UnknownEvent{EventInfo: info},
	} {
		require.NoError(t, tracker.Handle(t.Context(), ev))
	}
	require.Equal(t, heard{{phone, info.At}, {phone, info.At}}, got, "the first two")
	require.Equal(t, 1, asked, "a token is not read for every message")
}

// Events are handled although tokens cannot be read, and do not wait for them again and again.
func TestWhatArrivesDoesNotWaitForTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got heard
		client, err := cloudapi.NewClient(cloudapi.Config{Limiter: &got})
		require.NoError(t, err)
		down := true
		tracker, err := coexistence.NewTracker(coexistence.Config{
			Store: new(coexistence.MemStore),
			Client: func(ctx context.Context, _ graph.PhoneNumberID) (*cloudapi.Client, error) {
				if down {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return client, nil
			},
		})
		require.NoError(t, err)
		began := time.Now()
		for range 100 {
			require.NoError(t, tracker.Handle(t.Context(), &webhook.IncomingMessage{
				EventInfo: webhook.EventInfo{PhoneNumberID: phone}, ID: "wamid.1",
				From: graph.Identity{WAID: "15550100123"},
			}))
		}
		require.Less(t, time.Since(began), 5*time.Second)
		require.Empty(t, got)
		down = false
		time.Sleep(2 * time.Minute)
		require.NoError(t, tracker.Handle(t.Context(), &webhook.IncomingMessage{
			EventInfo: webhook.EventInfo{PhoneNumberID: phone}, ID: "wamid.2",
			From: graph.Identity{WAID: "15550100123"},
		}))
		require.Len(t, got, 1)
	})
}
