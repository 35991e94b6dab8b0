package webhook_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// customersOf returns the keys of the customers that events are about, in their order.
func customersOf(t *testing.T, events []webhook.Event) (keys []string) {
	t.Helper()
	for _, ev := range events {
		c, ok := ev.(interface{ Customer() graph.Identity })
		require.True(t, ok, "%T", ev)
		keys = append(keys, c.Customer().Key())
	}
	return keys
}

// Two people must never become one, because what one of them writes would be answered to the other.
func TestALoneContactIsNotEverybody(t *testing.T) {
	t.Parallel()
	const alma = `"contacts":[{"wa_id":"15550100111","user_id":"US.1","profile":{"name":"Alma"}}],`
	for name, tt := range map[string]struct {
		field, members string
		want           []string
	}{
		"two messages": {"messages",
			alma + `"messages":[{"id":"a","from":"15550100111"},{"id":"b","from":"15550100122"}]`, []string{"US.1",
				"15550100122"}},
		"the stranger first": {"messages", alma + `"messages":[{"id":"b","from":"15550100122"},` +
			`{"id":"a","from":"15550100111"}]`, []string{"15550100122", "US.1"}},
		"neither is known by it": {"messages",
			`"contacts":[{"user_id":"US.1"}],"messages":[{"id":"a","from":"15550100111"},` +
				`{"id":"b","from":"15550100122"}]`, []string{"15550100111", "15550100122"}},
		"delivered and failed": {"messages",
			alma + `"statuses":[{"id":"a","status":"delivered","recipient_id":"15550100111"},` +
				`{"id":"b","status":"failed","recipient_id":"15550100122"}]`, []string{"US.1", "15550100122"}},
		"a message and a failure": {"messages",
			alma + `"messages":[{"id":"a","from":"15550100111"}],"statuses":[{"id":"b","status":"failed",` +
				`"recipient_id":"15550100122"}]`, []string{"US.1", "15550100122"}},
		"members of a group": {
			"messages", alma + `"statuses":[{"id":"a","recipient_type":"group","recipient_id":"g",` +
				`"recipient_participant_id":"15550100111"},` +
				`{"id":"a","recipient_type":"group","recipient_id":"g","recipient_participant_id":"15550100122"}]`,
			[]string{"US.1", "15550100122"},
		},
		"two echoes": {"smb_message_echoes",
			alma + `"message_echoes":[{"id":"a","to":"15550100111"},{"id":"b","to":"15550100122"}]`, []string{"US.1",
				"15550100122"}},
		"two preferences": {"user_preferences", alma + `"user_preferences":[{"wa_id":"15550100122","value":"stop"},` +
			`{"wa_id":"15550100111","value":"stop"}]`, []string{"15550100122", "US.1"}},
		"two on standby": {"standby", `"standby":{` + alma + `"messages":[{"id":"a","from":"15550100122"},` +
			`{"id":"b","from":"15550100111"}]}`, []string{"15550100122", "US.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := decode(t, inValue(tt.field, tt.members))
			require.Equal(t, tt.want, customersOf(t, events))
			keys := map[string]bool{}
			for _, ev := range events {
				keys[ev.Info().DedupKey] = true
			}
			require.Len(t, keys, len(events), "nor is one of them a repeat of the other")
		})
	}
	update := one[*webhook.GroupParticipantsUpdate](t, inValue("group_participants_update",
		`"contacts":[{"user_id":"US.1","profile":{"name":"Alma"}}],"groups":[{"group_id":"g",`+
			`"added_participants":[{"wa_id":"15550100111"},{"wa_id":"15550100122"}]}]`))
	require.Equal(t, "15550100111", update.Added[0].Identity.Key())
	require.Equal(t, "15550100122", update.Added[1].Identity.Key())
	require.Len(t, update.Unknown, 1, "the contact is kept, as nobody's")
}

// The number of the business can stand where the customer's belongs.
func TestTheBusinessIsNoCustomer(t *testing.T) {
	t.Parallel()
	own := one[*webhook.HistoryMedia](t,
		inValue("history", `"messages":[{"id":"m","from":"15550100100","to":"15550100123","image":{"id":"1"}}]`))
	require.True(t, own.Outbound)
	require.Equal(t, "15550100123", own.Customer().Key())
	require.Empty(t, own.Unknown)
	own = one[*webhook.HistoryMedia](t,
		inValue("history", `"contacts":[{"wa_id":"15550100123","user_id":"US.1"}],"messages":[{"id":"m",`+
			`"from":"15550100100","image":{"id":"1"}}]`))
	require.Equal(t, graph.Identity{WAID: "15550100123", UserID: "US.1"}, own.Customer())
	require.Equal(t, graph.Identity{WAID: "15550100100"}, own.From)
	own = one[*webhook.HistoryMedia](t,
		inValue("history", `"messages":[{"id":"m","from":"15550100100","image":{"id":"1"}}]`))
	require.True(t, own.Customer().IsZero(), "the placeholder knows the conversation")
	theirs := one[*webhook.HistoryMedia](t,
		inValue("history", `"messages":[{"id":"m","from":"15550100123","image":{"id":"1"}}]`))
	require.False(t, theirs.Outbound)
	require.Equal(t, "15550100123", theirs.Customer().Key())
	echo := one[*webhook.BusinessAppEcho](t,
		inValue("smb_message_echoes", `"contacts":[{"wa_id":"15550100100"}],"message_echoes":[{"id":"m"}]`))
	require.True(t, echo.Customer().IsZero())
}

func TestSystemMessagesKnowTheirCustomer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		message string
		want    graph.Identity
	}{
		"a new user id": {
			`"type":"system","system":{"type":"user_changed_user_id","user_id":"US.2","parent_user_id":"US.ENT.2",` +
				`"previous_user_id":"US.1"}`,
			graph.Identity{UserID: "US.2", ParentUserID: "US.ENT.2"},
		},
		"a new number": {`"from":"15550100123","type":"system","system":{"type":"user_changed_number",` +
			`"wa_id":"15550100124"}`, graph.Identity{WAID: "15550100123"}},
		"a number, bare": {`"type":"system","system":{"type":"user_changed_number","wa_id":"15550100124"}`,
			graph.Identity{WAID: "15550100124"}},
		"the legacy shape": {`"type":"system","system":{"type":"customer_changed_number","new_wa_id":"15550100124"}`,
			graph.Identity{WAID: "15550100124"}},
	} {
		m := one[*webhook.IncomingMessage](t, inValue("messages", `"messages":[{"id":"m",`+tt.message+`}]`))
		require.Equal(t, tt.want, m.Customer(), name)
	}
}

// What stays on the phone is a placeholder under whatever type, or none, and never takes the place
// of the content.
func TestPlaceholdersOfEveryShape(t *testing.T) {
	t.Parallel()
	const code = `"errors":[{"code":131060}]`
	complete := one[*webhook.IncomingMessage](t, inValue("messages", `"messages":[{"id":"m","text":{"body":"x"}}]`))
	for _, typ := range []string{``, `"type":"unsupported",`, `"type":"unknown",`, `"type":"errors",`,
		`"type":"unsupported","unsupported":{"type":"unknown"},`} {
		m := one[*webhook.UnavailableMessage](t,
			inValue("messages", `"messages":[{"id":"m","from":"15550100123","group_id":"g",`+typ+code+`}]`))
		require.Equal(t, complete.DedupKey, m.MessageDedupKey(), typ)
		require.NotEqual(t, complete.DedupKey, m.DedupKey, typ)
		require.Equal(t, graph.GroupID("g"), m.GroupID)
	}
	one[*webhook.IncomingMessage](t, inValue("messages", `"messages":[{"id":"m","text":{"body":"x"},`+code+`}]`))
	one[*webhook.IncomingMessage](t,
		inValue("messages", `"messages":[{"id":"m","type":"hologram","hologram":{"a":1},`+code+`}]`))

	standby := func(message string) *webhook.StandbyMessage {
		return one[*webhook.StandbyMessage](t,
			inValue("standby", `"standby":{"messages":[{"id":"m","from":"15550100123",`+message+`}]}`))
	}
	placeholder, text := standby(`"type":"unsupported",`+code), standby(`"text":{"body":"x"}`)
	require.Equal(t, text.DedupKey, placeholder.MessageDedupKey())
	require.NotEqual(t, text.DedupKey, placeholder.DedupKey)
	require.Empty(t, text.MessageDedupKey())
}

// Small things that are odd must not take a payment, a failure or an answer with them.
func TestOddMembersSpoilNothing(t *testing.T) {
	t.Parallel()
	payment := func(notes string) *webhook.MessageStatus {
		return one[*webhook.MessageStatus](t,
			inValue("messages", `"statuses":[{"id":"p","type":"payment","status":"captured",`+
				`"payment":{"reference_id":"r","notes":`+notes+`}}]`))
	}
	require.Empty(t, payment(`[]`).Payment.Notes)
	require.Empty(t, payment(`[]`).EventInfo.Unknown)
	nested := payment(`{"a":"1","b":{"c":2}}`)
	require.Equal(t, map[string]string{"a": "1"}, nested.Payment.Notes)
	require.Equal(t, []string{`payment.notes.b={"c":2}`}, unknownPaths(nested.EventInfo))

	failed := one[*webhook.MessageStatus](t,
		inValue("messages", `"statuses":[{"id":"s","status":"failed","errors":[{"code":"E_LATE","title":"t"}]}]`))
	require.Equal(t, []webhook.Error{{Title: "t"}}, failed.Errors)
	require.Equal(t, []string{`errors[0].code="E_LATE"`}, unknownPaths(failed.EventInfo))

	answer := func(response string) webhook.InteractiveReply {
		m := one[*webhook.IncomingMessage](t,
			inValue("messages", `"messages":[{"id":"m","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow",`+
				`"response_json":`+response+`}}}]`))
		return m.Content.(*webhook.Interactive).Reply
	}
	require.Equal(t, answer(`"{\"a\":1}"`), answer(`{"a":1}`))

	asks := one[*webhook.GroupParticipantsUpdate](t, inValue("group_participants_update",
		`"groups":[{"group_id":"g","type":"group_join_request_created","join_request_id":"j","user_id":"US.1",`+
			`"username":"@alma"}]`))
	require.Equal(t, graph.Identity{UserID: "US.1", Username: "alma"}, asks.Requester)
	require.Empty(t, asks.Unknown)
}
