package coexistence_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

type heard []string

func (h *heard) Received(_ context.Context, phone graph.PhoneNumberID, at time.Time) {
	*h = append(*h, string(phone)+" "+at.Format(time.TimeOnly))
}

// What customers send takes from the throughput of the number; what the owner writes, and what is old, does not.
func TestTheTrackerTellsTheLimiterWhatArrives(t *testing.T) {
	t.Parallel()
	var got heard
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: new(coexistence.MemStore), Inbound: &got})
	require.NoError(t, err)
	info := webhook.EventInfo{Phone: phone, At: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}
	ada := graph.Identity{WAID: "15550100123"}
	for _, ev := range []webhook.Event{
		&webhook.IncomingMessage{EventInfo: info, ID: "wamid.1", From: ada},
		&webhook.UnavailableMessage{EventInfo: info, ID: "wamid.2", From: ada},
		&webhook.MessageEcho{EventInfo: info, ID: "wamid.3", To: ada},
		&webhook.MessageStatus{EventInfo: info, ID: "wamid.4", Recipient: ada},
		&webhook.HistoryChunk{EventInfo: info},
		&webhook.Unknown{EventInfo: info},
	} {
		require.NoError(t, tracker.Handle(t.Context(), ev))
	}
	require.Equal(t, heard{string(phone) + " 10:00:00", string(phone) + " 10:00:00"}, got)
}
