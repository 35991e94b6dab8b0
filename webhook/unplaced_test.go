package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// What contradicts something else, or belongs to an event that has no member for it, is listed
// once, with the first event that it belongs to.
func TestWhatCannotBePlacedIsListed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		field, members string
		kinds          string
		want           [][]string // the members without a place, of each event
	}{
		"the country of an echo's customer": {
			"smb_message_echoes", `"contacts":[{"wa_id":"15550100123","profile":{"name":"A","country_code":"BR"}}],` +
				`"message_echoes":[{"id":"m","to":"15550100123","text":{"body":"x"}}]`,
			"BusinessAppEcho", [][]string{{`value.contacts[0].profile.country_code="BR"`}},
		},
		"the identity hash of an echo's customer": {
			"smb_message_echoes", `"contacts":[{"wa_id":"15550100123","identity_key_hash":"h"}],` +
				`"message_echoes":[{"id":"m","to":"15550100123","text":{"body":"x"}}]`,
			"BusinessAppEcho", [][]string{{`value.contacts[0].identity_key_hash="h"`}},
		},
		"another spelling of an echo's customer": {
			"smb_message_echoes", `"contacts":[{"wa_id":"5215512345678"},` +
				`{"wa_id":"525512345678"}],"message_echoes":[{"id":"m","to":"525512345678"},` +
				`{"id":"n","to":"5215512345678"}]`,
			"BusinessAppEcho BusinessAppEcho", [][]string{nil, nil},
		},
		"the number of an echo's customer": {
			"smb_message_echoes", `"contacts":[{"wa_id":"5215512345678"}],"message_echoes":[{"id":"m",` +
				`"to":"525512345678"}]`,
			"BusinessAppEcho", [][]string{{`value.contacts[0].wa_id="5215512345678"`}},
		},
		"the country and hash of media's sender": {
			"history", `"contacts":[{"wa_id":"15550100123","profile":{"country_code":"BR"},` +
				`"identity_key_hash":"h"}],"messages":[{"id":"m","from":"15550100123","image":{"id":"1"}}]`,
			"HistoryMedia", [][]string{{`value.contacts[0].profile.country_code="BR"`,
				`value.contacts[0].identity_key_hash="h"`}},
		},
		"a price in the conversation and beside it": {
			"messages", `"statuses":[{"id":"s","pricing":{"category":"service"},"conversation":{"id":"c",` +
				`"pricing":{"category":"utility"}}}]`,
			"MessageStatus", [][]string{{`conversation.pricing={"category":"utility"}`}},
		},
		"a price beside the conversation and in it": {
			"messages", `"statuses":[{"id":"s","conversation":{"id":"c","pricing":{"category":"utility"}},` +
				`"pricing":{"category":"service"}}]`,
			"MessageStatus", [][]string{{`conversation.pricing={"category":"utility"}`}},
		},
		"two recipients of a status": {
			"messages", `"statuses":[{"id":"s","recipient_id":"15550100123","message":{"recipient_id":"15550100199"}}]`,
			"MessageStatus", [][]string{{`message.recipient_id="15550100199"`}},
		},
		"two identity hashes": {
			"messages", `"contacts":[{"wa_id":"15550100123","identity_key_hash":"theirs"}],"statuses":[{"id":"s",` +
				`"recipient_id":"15550100123","recipient_identity_key_hash":"own"}]`,
			"MessageStatus", [][]string{{`value.contacts.identity_key_hash="theirs"`}},
		},
		"the same identity hash twice": {
			"messages", `"contacts":[{"wa_id":"15550100123","identity_key_hash":"own"}],"statuses":[{"id":"s",` +
				`"recipient_id":"15550100123","recipient_identity_key_hash":"own"}]`,
			"MessageStatus", [][]string{nil},
		},
		"a second user id of a sender": {"messages", `"messages":[{"id":"m","from":"US.1",` +
			`"from_user_id":"US.2"}]`, "IncomingMessage", [][]string{{`from="US.1"`}}},
		"the same user id of a sender twice": {"messages",
			`"messages":[{"id":"m","from":"US.1","from_user_id":"US.1"}]`, "IncomingMessage", [][]string{nil}},
		"a second user id of an echo's customer": {"smb_message_echoes", `"message_echoes":[{"id":"m","to":"US.1",` +
			`"to_user_id":"US.2"}]`, "BusinessAppEcho", [][]string{{`to="US.1"`}}},
		"a second user id of a recipient": {"messages", `"statuses":[{"id":"s","recipient_id":"US.1",` +
			`"recipient_user_id":"US.2"}]`, "MessageStatus", [][]string{{`recipient_id="US.1"`}}},
		"a second user id of a preference's user": {"user_preferences", `"user_preferences":[{"wa_id":"US.1",` +
			`"user_id":"US.2","value":"stop"}]`, "UserPreference", [][]string{{`wa_id="US.1"`}}},
		"a second user id of a participant": {
			"messages", `"statuses":[{"id":"s","recipient_type":"group","recipient_id":"g",` +
				`"recipient_participant_id":"US.1","recipient_participant_user_id":"US.2"}]`,
			"MessageStatus", [][]string{{`recipient_participant_id="US.1"`}},
		},
		"a second group": {
			"messages", `"statuses":[{"id":"s","recipient_type":"group","recipient_id":"g","group_id":"h"}]`,
			"MessageStatus", [][]string{{`recipient_id="g"`}},
		},
		"a second user id of a contact": {
			"messages", `"contacts":[{"wa_id":"US.1","user_id":"US.2"}],"messages":[{"id":"m","from_user_id":"US.2"}]`,
			"IncomingMessage", [][]string{{`value.contacts[0].wa_id="US.1"`}},
		},
		"user ids that a contact contradicts": {
			"messages", `"contacts":[{"wa_id":"15550100123","user_id":"US.1","parent_user_id":"US.P"}],` +
				`"messages":[{"id":"m","from":"15550100123","from_user_id":"US.2","from_parent_user_id":"US.Q"}]`,
			"IncomingMessage", [][]string{{`value.contacts[0].user_id="US.1"`,
				`value.contacts[0].parent_user_id="US.P"`}},
		},
		"beside content that does not fit": {
			"messages", `"messages":[{"id":"m","text":["x"],"new":1},{"id":"n"}]`, "UndecodableEvent IncomingMessage",
			[][]string{{`new=1`}, nil},
		},
		"beside a status that does not fit": {
			"messages", `"statuses":[{"id":["s"],"new":1}]`, "UndecodableEvent", [][]string{{`new=1`}},
		},
		"beside an echo that does not fit": {
			"smb_message_echoes", `"message_echoes":[{"id":["s"],"new":1}]`, "UndecodableEvent", [][]string{{`new=1`}},
		},
		"beside two reasons and a chunk": {
			"history", `"history":[{"errors":[{"code":1},{"code":2}],"metadata":{"progress":5},"new":1}]`,
			"HistoryFailure HistoryFailure HistoryChunk", [][]string{{`new=1`}, nil, nil},
		},
		"beside a chunk": {"history", `"history":[{"metadata":{"progress":5,"new":1}}]`, "HistoryChunk",
			[][]string{{`metadata.new=1`}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := decode(t, inValue(tt.field, tt.members))
			require.Equal(t, tt.kinds, kindsOf(events))
			for i, ev := range events {
				require.ElementsMatch(t, tt.want[i], unknownPaths(ev.Info()))
			}
		})
	}
}

// When something happened is known, though it may not fit what it is.
func TestWhatDoesNotFitKeepsItsTime(t *testing.T) {
	t.Parallel()
	at := time.Unix(1767225600, 0).UTC()
	for field, members := range map[string]string{
		"messages": `"messages":[{"timestamp":"1767225600","text":["x"]}],` +
			`"statuses":[{"timestamp":"1767225600","status":["x"]}]`,
		"smb_message_echoes": `"message_echoes":[{"timestamp":"1767225600","text":["x"]}]`,
		"smb_app_state_sync": `"state_sync":[{"metadata":{"timestamp":"1767225600"},"contact":5}]`,
	} {
		for _, ev := range decode(t, inValue(field, members)) {
			odd, ok := ev.(*webhook.UndecodableEvent)
			require.True(t, ok, "%T", ev)
			require.Equal(t, at, odd.At, "%s: %s", field, odd.Raw)
		}
	}
}

// Messages before the id of their thread have to wait for it. Their mismatches are not forgotten
// then.
func TestWaitingMessagesTellWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ threads, want string }{
		"messages behind the id": {
			`[{"id":"15550100123","messages":{"odd":1}}]`, "thread: messages: want an array, got an object",
		},
		"messages before the id": {
			`[{"messages":{"odd":1},"id":"15550100123"}]`, "thread: messages: want an array, got an object",
		},
		"messages before the context": {
			`[{"messages":"odd","context":{"wa_id":"15550100123"}}]`, "thread: messages: want an array, got a string",
		},
		"an odd id, too": {
			`[{"messages":"odd","id":["15550100123"]}]`, "thread: id: want a string, got an array",
		},
		"an odd message": {
			`[{"messages":[{"id":"1","from":"15550100123","text":["x"]}],"id":"15550100123"}]`,
			"text: want an object, got an array",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chunk, n := chunkOf(t, tt.threads), 0
			for _, m := range chunk.Messages() {
				n++
				require.EqualError(t, m.Err, "webhook: "+tt.want)
				require.NotEmpty(t, m.Raw)
			}
			require.Equal(t, 1, n)
			require.EqualError(t, chunk.Threads()[0].Messages[0].Err, "webhook: "+tt.want)
		})
	}
}

func TestWaitingMessagesTellWhatHasNoPlace(t *testing.T) {
	t.Parallel()
	const threads = `[{"messages":[{"id":"1","from":"US.1","from_user_id":"US.2"}],"id":"15550100123"}]`
	n := 0
	for _, m := range chunkOf(t, threads).Messages() {
		n++
		require.NoError(t, m.Err)
		require.Equal(t, []string{`from="US.1"`}, unknownPaths(webhook.EventInfo{Unknown: m.Unknown}))
	}
	require.Equal(t, 1, n)
}
