package outbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A campaign ends for the person who stopped it, and for no other one; answers go on.
func TestACampaignSendsNothingToThoseWhoStoppedIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		p := newPlatform(t, 1000)
		h := start(t, e, p, outbox.Config{})
		campaign := func(id string, person int) outbox.Message {
			m := p.text(id, person)
			m.Campaign = "spring"
			return m
		}
		stop := &webhook.UserPreference{
			EventInfo: webhook.EventInfo{
				Field: webhook.FieldUserPreferences, PhoneNumberID: p.phone.ID, At: time.Now().Add(-time.Hour),
			},
			User:     graph.Identity{WAID: "15550100001"},
			Category: webhook.PreferenceMarketing, Value: webhook.PreferenceStop,
		}
		require.NoError(t, h.tracker.Handle(t.Context(), stop))
		h.put(campaign("stopped", 1), campaign("other", 2), p.text("answer", 1))
		got := h.becomes("stopped", outbox.StateFailed)
		require.Contains(t, got.Reason, "stopped")
		require.Zero(t, got.Attempts, "it was not tried")
		require.Zero(t, got.Code)
		h.becomes("other", outbox.StateSent)
		h.becomes("answer", outbox.StateSent)

		// A refusal of Meta's ends it as well.
		p.Inject(cloudapitest.Fault{On: messagesCall, Code: graph.CodeUserStoppedMarketing})
		h.put(campaign("refused", 3))
		require.Equal(t, graph.CodeUserStoppedMarketing, h.becomes("refused", outbox.StateFailed).Code)
		h.put(campaign("next", 3))
		require.Zero(t, h.becomes("next", outbox.StateFailed).Attempts)

		resume := *stop
		resume.Value, resume.At = webhook.PreferenceResume, time.Now()
		require.NoError(t, h.tracker.Handle(t.Context(), &resume))
		h.put(campaign("resumed", 1))
		h.becomes("resumed", outbox.StateSent)
		require.Equal(t, map[string]int{"other": 1, "answer": 1, "resumed": 1}, p.accepted())
	})
}
