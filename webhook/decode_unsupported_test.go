package webhook_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Meta has written "unsupported", "unknown", "errors" and no type at all beside the two codes that
// say that the content is missing.
func TestAMessageWithoutContentIsUnsupportedWhateverItsType(t *testing.T) {
	t.Parallel()
	const around = `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"%s","value":{` +
		`"metadata":{"display_phone_number":"15550100100","phone_number_id":"2"},%s}}]}]}`
	places := map[string]struct {
		field, value string
		content      func(webhook.Event) webhook.Content
	}{
		"messages": {"messages", `"messages":[%s]`, func(ev webhook.Event) webhook.Content {
			if m, ok := ev.(*webhook.IncomingMessage); ok {
				return m.Content
			}
			return &ev.(*webhook.UnavailableMessage).Unsupported
		}},
		"echoes": {"smb_message_echoes", `"message_echoes":[%s]`, func(ev webhook.Event) webhook.Content {
			return ev.(*webhook.BusinessAppEcho).Content
		}},
		"other echoes": {"message_echoes", `"message_echoes":[%s]`, func(ev webhook.Event) webhook.Content {
			return ev.(*webhook.OtherAppEcho).Content
		}},
		"standby": {"standby", `"standby":{"messages":[%s]}`, func(ev webhook.Event) webhook.Content {
			return ev.(*webhook.StandbyMessage).Message.Content
		}},
		"history": {
			"history", `"history":[{"metadata":{"phase":0,"chunk_order":1,"progress":9},"threads":[{` +
				`"id":"15550100123","messages":[%s]}]}]`, func(ev webhook.Event) webhook.Content {
				for _, m := range ev.(*webhook.HistoryChunk).Messages() {
					return m.Content
				}
				return nil
			},
		},
	}
	types := map[string]string{
		"none": "", "errors": `"type":"errors",`, "unknown": `"type":"unknown",`,
		"unsupported": `"type":"unsupported",`,
	}
	for place, p := range places {
		for name, typ := range types {
			for code, unavailable := range map[int]bool{131051: false, 131060: true, 131000: false} {
				t.Run(fmt.Sprintf("%s, type %s, code %d", place, name, code), func(t *testing.T) {
					t.Parallel()
					message := fmt.Sprintf(`{"from":"15550100123","id":"wamid.1","timestamp":"1767261600",`+
						`%s"errors":[{"code":%d,"title":"Message type unknown"}]}`, typ, code)
					events, err := webhook.Decode(fmt.Appendf(nil, around, p.field, fmt.Sprintf(p.value, message)))
					require.NoError(t, err)
					require.Len(t, events, 1)
					_, unsupported := p.content(events[0]).(*webhook.UnsupportedContent)
					require.Equal(t, code != 131000 || name == "unsupported", unsupported)
					_, gone := events[0].(*webhook.UnavailableMessage)
					require.Equal(t, unavailable && place == "messages", gone)
				})
			}
		}
	}
}

func TestALegacyHandoverNamesItsCustomer(t *testing.T) {
	t.Parallel()
	events, err := webhook.Decode([]byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","time":1767261600,` +
		`"changes":[{"field":"messaging_handovers","value":{"metadata":{"display_phone_number":"15550100100",` +
		`"phone_number_id":"2"},"contacts":[{"wa_id":"15550100123","user_id":"US.123"}],"control_taken":{` +
		`"previous_owner_app_id":"9","previous_owner_app_role":"meta_business_agent"}}}]}]}`))
	require.NoError(t, err)
	h := events[0].(*webhook.MessagingHandover)
	require.Equal(t, webhook.HandoverControlTaken, h.Type)
	require.Equal(t, "15550100123", h.Customer().WAID)
	require.EqualValues(t, "US.123", h.Customer().UserID)
	require.EqualValues(t, "2", h.PhoneNumberID)
	require.EqualValues(t, 1767261600, h.At.Unix())
	require.Empty(t, h.Unknown)
}
