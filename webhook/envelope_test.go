package webhook_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// What stands around the items is not lost either.
func TestTheEnvelopeIsKept(t *testing.T) {
	t.Parallel()
	const message = `{"field":"messages","value":{"messages":[{"id":"m","from":"15550100123",` +
		`"timestamp":"1767225700","text":{"body":"x"}}]}}`
	m := one[*webhook.IncomingMessage](t,
		`{"object":"whatsapp_business_account","entry":[{"id":"2","time":1767225800,"changes":[`+message+`]}]}`)
	require.Equal(t, time.Unix(1767225700, 0).UTC(), m.At)
	require.Equal(t, time.Unix(1767225800, 0).UTC(), m.EntryAt)
	require.Empty(t, m.EventInfo.Unknown)
	for _, name := range webhooktest.Samples() {
		sample := string(webhooktest.Sample(name.Field, name.Case))
		if strings.Count(sample, `"time":`) < strings.Count(sample, `"changes":`) {
			continue
		}
		for _, ev := range decode(t, sample) {
			require.False(t, ev.Info().EntryAt.IsZero(), name)
		}
	}

	for around, want := range map[string]string{
		`{"object":"whatsapp_zz","entry":[{"id":"2","changes":[` + message +
			`]}]}`: `body.object="whatsapp_zz"`,
		`{"entry":[{"id":"2","field":"calls","changes":[` + message +
			`]}]}`: `entry.field="calls"`,
		`{"entry":[{"id":"2","object":{"z":1},"changes":[` + message +
			`]}]}`: `entry.object={"z":1}`,
		`{"entry":[{"id":"2","changes":[` + strings.Replace(message, `"value":{`, `"value":{"field":"history",`, 1) +
			`]}]}`: `value.field="history"`,
	} {
		require.Equal(t, []string{want}, unknownPaths(one[*webhook.IncomingMessage](t, around).EventInfo), around)
	}
	usual := one[*webhook.IncomingMessage](t,
		`{"entry":[{"id":"2","field":"messages","object":"whatsapp_business_account","changes":[`+
			strings.Replace(message, `"value":{`, `"value":{"field":"messages",`, 1)+`]}]}`)
	require.Empty(t, usual.EventInfo.Unknown, "what says nothing else is nothing new")
}

// A contact with another number is another person, even if it is the only one and so is the item.
func TestAContactWithAnotherNumberIsAnotherPerson(t *testing.T) {
	t.Parallel()
	const contact = `"contacts":[{"wa_id":"15550100111","user_id":"US.1","profile":{"name":"Alma"}}],`
	m := one[*webhook.IncomingMessage](t,
		inValue("messages", contact+`"messages":[{"id":"m","from":"15550100122","text":{"body":"x"}}]`))
	require.Equal(t, graph.Identity{WAID: "15550100122"}, m.From)
	require.Empty(t, m.ProfileName)
	require.Len(t, m.EventInfo.Unknown, 1)
	st := one[*webhook.MessageStatus](t,
		inValue("messages", contact+`"statuses":[{"id":"m","status":"read","recipient_id":"15550100122"}]`))
	require.Equal(t, graph.Identity{WAID: "15550100122"}, st.Recipient)

	two := one[*webhook.GroupParticipantsUpdate](t, inValue("group_participants_update",
		`"contacts":[{"wa_id":"15550100111","profile":{"username":"other"}}],"groups":[{"group_id":"g",`+
			`"added_participants":[{"wa_id":"15550100111","username":"alma"}]}]`))
	require.Equal(t, "alma", two.Added[0].Identity.Username)
	require.Equal(t, []string{`value.contacts[0].profile.username="other"`}, unknownPaths(two.EventInfo))
}

// An odd number in what sorts and counts must not take thousands of messages with it.
func TestAChunkSurvivesItsMetadata(t *testing.T) {
	t.Parallel()
	chunk := one[*webhook.HistoryChunk](t, inValue("history", `"history":[{
		"metadata":{"phase":"new","chunk_order":2,"progress":"55%"},
		"threads":[{"id":"15550100123","messages":[{"id":"m","from":"15550100123","text":{"body":"x"}}]}]}]`))
	require.Equal(t, 2, chunk.Order)
	require.Len(t, chunk.Threads()[0].Messages, 1)
	require.ElementsMatch(t, []string{`metadata.phase="new"`, `metadata.progress="55%"`}, unknownPaths(chunk.EventInfo))
}

// A thread without an identity, because its customer hides the number, still has two sides.
func TestAThreadWithoutACustomerHasSides(t *testing.T) {
	t.Parallel()
	list := chunkOf(t, `[{"messages":[{"id":"a","from_user_id":"US.1","text":{"body":"x"}},`+
		`{"id":"b","from":"15550100100","text":{"body":"x"}}]}]`).Threads()[0].Messages
	require.False(t, list[0].Outbound)
	require.True(t, list[1].Outbound)

	two := chunkOf(t, `[{"context":{"wa_id":"US.1","user_id":"US.2"},"messages":[]}]`).Threads()[0]
	require.Equal(t, graph.UserID("US.2"), two.Customer.UserID)
	require.Equal(t, []webhook.UnknownMember{{Path: "context.wa_id", Value: []byte(`"US.1"`)}}, two.Unknown)
}

// Small items grow in memory, so there is an end to every list, and nothing takes the square of its
// length.
func TestEveryListHasAnEnd(t *testing.T) {
	t.Parallel()
	many := func(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	for name, body := range map[string]string{
		"errors of a history": inValue("history", `"history":[{"errors":[`+many(100_000, `{}`)+`]}]`),
		"errors of a message": inValue("messages", `"messages":[{"id":"m","errors":[`+many(100_000, `{}`)+`]}]`),
		"cards of a message":  inValue("messages", `"messages":[{"id":"m","contacts":[`+many(100_000, `{}`)+`]}]`),
		"people of a group": inValue("group_participants_update",
			`"groups":[{"group_id":"g","added_participants":[`+many(100_000, `{}`)+`]}]`),
	} {
		ev := one[*webhook.UndecodableEvent](t, body)
		require.ErrorContains(t, ev.Err, "more", name)
		require.NotEmpty(t, ev.Raw)
	}
	events := decode(t, inValue("messages", `"messages":[`+many(4_000, `{}`)+`],"statuses":[`+many(4_000, `{}`)+`]`))
	require.Len(t, events, 4_001)
	require.IsType(t, &webhook.UndecodableEvent{}, events[4_000])
	require.Contains(t, string(events[4_000].Info().Raw), `"statuses"`, "the rest is left raw")

	var names, contacts strings.Builder
	for range 40_000 {
		names.WriteString(`"x":1,`)
		contacts.WriteString(`{"wa_id":"15550100199"},`)
	}
	decode(t, inValue("group_settings_update", names.String()+`"groups":[`+many(40_000, `{"group_id":"g"}`)+`]`))
	decode(t, inValue("smb_message_echoes", `"contacts":[`+contacts.String()+`{
		"wa_id":"15550100123","identity_key_hash":"h","profile":{"country_code":"US"}}],
		"message_echoes":[`+many(40_000, `{"to":"15550100123"}`)+`]`))
}

func TestPathsAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 100)
	for _, ev := range decode(t, inValue("messages",
		`"`+long+`":{"a":1},"`+long+`x":[1],"messages":[{"id":"m","a`+long+`":1,"text":{"body":"x"}}]`)) {
		for _, m := range ev.Info().Unknown {
			require.True(t, utf8.ValidString(m.Path), m.Path)
			require.Less(t, len(m.Path), 100)
		}
	}
}
