package coexistence_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func contacts(t *testing.T, store coexistence.Store) []coexistence.Contact {
	t.Helper()
	var list []coexistence.Contact
	for c, err := range store.Contacts(t.Context(), phone) {
		require.NoError(t, err)
		list = append(list, c)
	}
	return list
}

func system(id string, from who, second int, members string) string {
	return body("messages", fmt.Sprintf(`"messages":[{%s"id":%q,"timestamp":%q,"type":"system","system":{%s}}]`,
		from.as("from", "from_user_id"), id, unixSeconds(at(second)), members))
}

func TestContactsEndTheSameInEveryOrder(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		bodies []string
		check  func(*testing.T, []coexistence.Contact)
	}{
		"the latest word about a name wins": {
			[]string{contact("add", "Ada", ada, 1), contact("add", "Ada L.", ada, 2), contact("add", "Old", ada, 0)},
			func(t *testing.T, list []coexistence.Contact) {
				require.Len(t, list, 1)
				require.Equal(t, "Ada L.", list[0].Name)
			},
		},
		"removed, and stays removed": {
			[]string{contact("add", "Ada", ada, 1), contact("remove", "", adaNumber, 2)},
			func(t *testing.T, list []coexistence.Contact) {
				require.Empty(t, list[0].Name)
				require.False(t, list[0].InAddressBook())
			},
		},
		"removed by user id alone": {
			[]string{contact("add", "Ada", ada, 1), contact("remove", "", adaUser, 2)},
			func(t *testing.T, list []coexistence.Contact) { require.False(t, list[0].InAddressBook()) },
		},
		"removed and added again": {
			[]string{contact("add", "Ada", ada, 1), contact("remove", "", ada, 2), contact("add", "Ada again", ada, 3)},
			func(t *testing.T, list []coexistence.Contact) { require.Equal(t, "Ada again", list[0].Name) },
		},
		"one of two entries removed": {
			[]string{
				contact("add", "Ada", who{number: "5215510000101"}, 1),
				contact("add", "Ada (old)", who{number: "525510000101"}, 2),
				contact("remove", "", who{number: "525510000101"}, 3),
			},
			func(t *testing.T, list []coexistence.Contact) {
				require.Len(t, list, 1, "two spellings of one Mexican number")
				require.Equal(t, "Ada", list[0].Name)
			},
		},
		"a formatted number in the address book": {
			[]string{contact("add", "Ada", who{number: "+1 (555) 010-0101"}, 1),
				inbound("wamid.1", ada, 2, text("hi"))},
			func(t *testing.T, list []coexistence.Contact) {
				require.Len(t, list, 1)
				require.Equal(t, "Ada", list[0].Name)
				require.Equal(t, "Ada", list[0].ProfileName)
				require.Equal(t, graph.Identity{UserID: "US.1001", WAID: "15550100101"}, list[0].Identity)
			},
		},
		"a number and a user id that turn out to be one person": {
			[]string{inbound("wamid.1", adaNumber, 1, text("a")), inbound("wamid.2", adaUser, 2, text("b")),
				status("wamid.3", ada, 3, "sent")},
			func(t *testing.T, list []coexistence.Contact) {
				require.Len(t, list, 1)
				require.Equal(t, []string{"US.1001", "15550100101"}, list[0].Aliases)
				require.Equal(t, "US.1001", list[0].Key)
			},
		},
		"another number": {
			[]string{
				inbound("wamid.1", adaNumber, 1, text("a")),
				system("wamid.2", adaNumber, 2, `"type":"user_changed_number","wa_id":"15550100109","body":"User `+
					`changed"`),
				inbound("wamid.3", who{number: "15550100109"}, 3, text("b")),
			},
			func(t *testing.T, list []coexistence.Contact) {
				require.Len(t, list, 1)
				require.Equal(t, "15550100109", list[0].Identity.WAID)
				require.Equal(t, []string{"15550100101", "15550100109"}, list[0].Aliases)
			},
		},
		"another number and back": {
			[]string{
				inbound("wamid.1", adaNumber, 1, text("a")),
				system("wamid.2", adaNumber, 2, `"type":"user_changed_number","wa_id":"15550100109"`),
				system("wamid.3", who{number: "15550100109"}, 3, `"type":"user_changed_number","wa_id":"15550100101"`),
			},
			func(t *testing.T, list []coexistence.Contact) { require.Equal(t, "15550100101", list[0].Identity.WAID) },
		},
		"another user id": {
			[]string{
				inbound("wamid.1", ada, 1, text("a")),
				system("wamid.2", who{}, 2, `"type":"user_changed_user_id","user_id":"US.2002",`+
					`"previous_user_id":"US.1001"`),
				inbound("wamid.3", who{user: "US.2002"}, 3, text("b")),
			},
			func(t *testing.T, list []coexistence.Contact) {
				require.Len(t, list, 1)
				require.Equal(t, graph.Identity{UserID: "US.2002"}, list[0].Identity,
					"the number went with the old user id")
				require.Equal(t, "US.1001", list[0].Key)
			},
		},
		"another user id, before August 2026": {
			[]string{
				inbound("wamid.1", ada, 1, text("a")),
				system("wamid.2", ada, 2, `"type":"user_changed_user_id","user_id":"US.2002","wa_id":"15550100109"`),
			},
			func(t *testing.T, list []coexistence.Contact) {
				require.Len(t, list, 1)
				require.Equal(t, graph.Identity{UserID: "US.2002", WAID: "15550100109"}, list[0].Identity)
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := contacts(t, delivered(t, tt.bodies...))
			tt.check(t, want)
			orders(tt.bodies, func(bodies []string) {
				require.Equal(t, want, contacts(t, delivered(t, append(bodies, bodies...)...)))
			})
		})
	}
}

func TestNoPersonIsFiledTwice(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ one, other string }{
		"Mexico":    {"5215510000101", "525510000101"},
		"Argentina": {"5491150000101", "541150000101"},
		"Brazil":    {"5511980000101", "551180000101"},
		"anywhere":  {"15550100101", "+1 555 010 0101"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := delivered(t,
				inbound("wamid.1", who{number: tt.one}, 1, text("a")),
				echo("wamid.2", who{number: tt.other}, 2, text("b")),
				contact("add", "Ada", who{number: tt.other}, 3),
				history(0, 1, 100, who{number: tt.other}, past("wamid.0", business, 0, text("0"))),
			)
			list := conversations(t, store)
			require.Len(t, list, 1)
			require.Equal(t, "Ada", list[0].Contact.Name)
			require.Equal(t, []string{"0", "a", "b"}, texts(t, store, list[0].ID))
			require.Equal(t, tt.one, message(t, store, "wamid.1").Customer.WAID, "nothing that is sent to is rewritten")
			for _, spelling := range []string{tt.one, tt.other, "+" + tt.one} {
				c, err := store.Conversation(t.Context(), phone, spelling)
				require.NoError(t, err)
				require.Equal(t, list[0], c)
			}
		})
	}
}

func TestTheBusinessIsNeverACustomer(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"echo to the business itself":            echo("wamid.1", business, 1, text("note to self")),
		"media of history from the business":     historyMedia("wamid.1", business, 1, image("3001", "")),
		"contact entry of the business":          contact("add", "Us", business, 1),
		"status to the business":                 status("wamid.1", business, 1, "sent"),
		"a thread of history with nobody behind": history(0, 1, 10, who{}, past("wamid.1", business, 1, text("?"))),
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := delivered(t, body)
			require.Empty(t, contacts(t, store))
			require.Empty(t, conversations(t, store))
		})
	}
	// Meta writes Brazilian display numbers without the ninth digit.
	b := strings.ReplaceAll(echo("wamid.1", who{number: "5511980000101"}, 1, text("x")), display, "551180000101")
	require.Empty(t, contacts(t, delivered(t, b)))
}

func TestMediaWithoutAThreadWaitsForItsPlaceholder(t *testing.T) {
	t.Parallel()
	store := delivered(t, historyMedia("wamid.1", business, 1, image("3001", "look")))
	require.False(t, message(t, store, "wamid.1").Visible())
	deliver(t, store, history(0, 1, 100, ada, past("wamid.1", business, 1, mediaGone)))
	m := message(t, store, "wamid.1")
	require.True(t, m.Visible())
	require.True(t, m.Outbound)
	require.Equal(t, []string{"look"}, texts(t, store, "US.1001"))
}

func TestConversationInNumbers(t *testing.T) {
	t.Parallel()
	store := delivered(t,
		history(0, 1, 100, ada, past("wamid.0", ada, -90000, text("old")),
			past("wamid.00", business, -80000, text("answer"))),
		inbound("wamid.1", ada, 10, text("new")), echo("wamid.2", ada, 20, text("reply")),
		status("wamid.2", ada, 30, "read"),
	)
	c, err := store.Conversation(t.Context(), phone, "15550100101")
	require.NoError(t, err)
	require.Equal(t, 4, c.MessageCount)
	require.Equal(t, at(20), c.LastAt)
	require.Equal(t, at(10), c.CustomerAt)
	require.Equal(t, at(20), c.HumanAt)
	require.True(t, c.WindowOpen(at(10).Add(24*time.Hour-time.Second)))
	require.False(t, c.WindowOpen(at(10).Add(24*time.Hour)))
	require.Equal(t, at(10).Add(24*time.Hour), c.WindowClosesAt())
	require.True(t, c.HumanActive(time.Hour, at(20).Add(time.Hour-time.Second)))
	require.False(t, c.HumanActive(time.Hour, at(20).Add(time.Hour)))
}

// What was imported opens no window, but shows that a person was talking.
func TestImportedConversation(t *testing.T) {
	t.Parallel()
	store := delivered(t, history(0, 1, 100, ada, past("wamid.0", ada, 0, text("q")),
		past("wamid.1", business, 10, text("a"))))
	c, err := store.Conversation(t.Context(), phone, "US.1001")
	require.NoError(t, err)
	require.False(t, c.WindowOpen(at(11)))
	require.Zero(t, c.WindowClosesAt())
	require.True(t, c.HumanActive(time.Hour, at(11)))
}

func TestDisplayNameTakesTheBest(t *testing.T) {
	t.Parallel()
	c := coexistence.Contact{PhoneNumberID: phone}
	require.Empty(t, c.DisplayName())
	c.Key = "US.1001"
	require.Equal(t, "US.1001", c.DisplayName())
	c.Identity.WAID = "15550100101"
	require.Equal(t, "+15550100101", c.DisplayName())
	c.Identity.Username = "ada"
	require.Equal(t, "@ada", c.DisplayName())

	c = contacts(t, delivered(t, inbound("wamid.1", ada, 1, text("a"))))[0]
	require.Equal(t, "Ada", c.DisplayName())
	c = contacts(t, delivered(t, inbound("wamid.1", ada, 1, text("a")), contact("add", "Ada from the shop", ada, 2)))[0]
	require.Equal(t, "Ada from the shop", c.DisplayName())
	require.Equal(t, "Ada", c.ProfileName, "both names are kept")
}

func TestAliases(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		id   graph.Identity
		want []string
	}{
		"nobody": {graph.Identity{}, nil},
		"everything": {graph.Identity{UserID: "US.1", ParentUserID: "US.ENT.2", WAID: "+5215510000101",
			Username: "ada"}, []string{"US.1", "525510000101", "US.ENT.2"}},
		"a name alone":           {graph.Identity{Username: "ada"}, []string{"@ada"}},
		"a user id for a number": {graph.Identity{WAID: "US.1"}, []string{"US.1"}},
		"digits for a user id":   {graph.Identity{UserID: "5215510000101"}, []string{"525510000101"}},
		"nonsense":               {graph.Identity{UserID: " ", WAID: "none"}, []string{" "}},
		"the same twice":         {graph.Identity{UserID: "US.1", WAID: "US.1"}, []string{"US.1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, coexistence.Aliases(tt.id))
			if len(tt.want) > 0 {
				store := new(coexistence.MemStore)
				tracker, err := coexistence.NewTracker(coexistence.Config{Store: store})
				require.NoError(t, err)
				require.NoError(t, tracker.Handle(t.Context(), &webhook.IncomingMessage{
					EventInfo: webhook.EventInfo{PhoneNumberID: phone}, ID: "wamid.1", From: tt.id,
				}))
				require.Equal(t, tt.want, contacts(t, store)[0].Aliases)
			}
			for _, a := range tt.want {
				require.Equal(t, a, coexistence.Alias(a), "an alias stands for itself")
			}
		})
	}
}

func TestContactSurvivesJSON(t *testing.T) {
	t.Parallel()
	store := delivered(t, inbound("wamid.1", ada, 1, text("a")), contact("add", "Ada", adaNumber, 2),
		contact("remove", "", adaUser, 3))
	want := contacts(t, store)[0]
	b, err := json.Marshal(want)
	require.NoError(t, err)
	var got coexistence.Contact
	require.NoError(t, json.Unmarshal(b, &got))
	require.Equal(t, want, got)
}
