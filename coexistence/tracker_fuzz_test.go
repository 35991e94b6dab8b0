package coexistence_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Whatever arrives signed, handling it twice is handling it once, and everything that is known can
// be read.
func FuzzTracker(f *testing.F) {
	for _, b := range []string{
		inbound("wamid.1", ada, 1, text("hi")), inbound("wamid.1", ada, 1, ghost),
		inbound("wamid.2", ada, 1, fmt.Sprintf(editOf, "wamid.1", text("x"))),
		echo("wamid.1", ada, 1, image("1", "c")), echo("wamid.2", ada, 1, fmt.Sprintf(revokeOf, "wamid.1")),
		status("wamid.1", ada, 1, "read"),
		history(0, 1, 100, ada, past("wamid.1", ada, 1, mediaGone),
			past("wamid.3", business, 1, fmt.Sprintf(reactionTo, "wamid.1", "A"))),
		historyMedia("wamid.1", ada, 1, image("1", "")), historyMediaEcho("wamid.1", ada, 1, image("1", "")),
		historyDeclined(),
		contact("add", "Ada", ada, 1), contact("remove", "", ada, 2), accountUpdate("ACCOUNT_OFFBOARDED", 1, ""),
		accountUpdate("PARTNER_REMOVED", 1, `,"disconnection_info":{"reason":"CHANGE_NUMBER"}`),
		system("wamid.4", ada, 1, `"type":"user_changed_number","wa_id":"15550100109"`),
	} {
		f.Add([]byte(b))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := webhook.Decode(body)
		if err != nil {
			return
		}
		store := new(coexistence.MemStore)
		tracker := onboard(t, store)
		type known struct {
			conversation coexistence.Conversation
			messages     []coexistence.Message
		}
		everything := func() map[graph.PhoneNumberID][]known {
			all := map[graph.PhoneNumberID][]known{}
			for _, ev := range events {
				var list []known
				number := ev.Info().PhoneNumberID
				for c, err := range store.Conversations(t.Context(), number) {
					require.NoError(t, err)
					k := known{conversation: c}
					for m, err := range store.Messages(t.Context(), number, c.ID) {
						require.NoError(t, err)
						require.Equal(t, c.ID, m.ConversationID)
						k.messages = append(k.messages, m)
					}
					require.Len(t, k.messages, c.MessageCount)
					list = append(list, k)
				}
				all[number] = list
			}
			return all
		}
		handle := func() {
			for _, ev := range events {
				require.NoError(t, tracker.Handle(t.Context(), ev))
			}
		}
		handle()
		once := everything()
		handle()
		require.Equal(t, once, everything())
	})
}
