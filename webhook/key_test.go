package webhook_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

func keysOf(t *testing.T, body string) (keys []string) {
	t.Helper()
	for _, ev := range decode(t, body) {
		keys = append(keys, ev.Info().DedupKey)
	}
	return keys
}

func TestKeysTellEventsApart(t *testing.T) {
	t.Parallel()
	message := func(members string) string { return inValue("messages", `"messages":[{`+members+`}]`) }
	status := func(members string) string { return inValue("messages", `"statuses":[{`+members+`}]`) }
	template := func(at int, members string) string {
		return fmt.Sprintf(`{"entry":[{"id":"1","time":%d,"changes":[{"field":"message_template_status_update",`+
			`"value":{"message_template_id":7,%s}}]}]}`, at, members)
	}
	tests := map[string]struct {
		a, b string
		same bool
	}{
		"a repeat": {message(`"id":"m","text":{"body":"x"}`),
			message(`"id":"m","text":{"body":"x"}`), true},
		"a repeat in another shape": {message(`"id":"m","text":{"body":"x"}`),
			message(`"text":{"body":"x","new":1},"id":"m"`), true},
		"another message": {message(`"id":"m"`), message(`"id":"n"`), false},
		"another number": {message(`"id":"m"`),
			strings.ReplaceAll(message(`"id":"m"`), "300000000000001", "300000000000002"), false},
		"echo and message": {message(`"id":"m"`),
			inValue("smb_message_echoes", `"message_echoes":[{"id":"m"}]`), false},
		"media and message": {message(`"id":"m"`), inValue("history", `"messages":[{"id":"m"}]`), false},
		"status repeated": {status(`"id":"m","status":"read","recipient_id":"1"`),
			status(`"id":"m","status":"read"`), true},
		"another status": {status(`"id":"m","status":"read"`), status(`"id":"m","status":"sent"`),
			false},
		"status of another participant": {status(`"id":"m","status":"read","recipient_participant_id":"1"`),
			status(`"id":"m","status":"read","recipient_participant_id":"2"`), false},
		"status and message": {message(`"id":"m"`), status(`"id":"m"`), false},
		"payment goes on": {status(`"id":"p","status":"pending",` +
			`"payment":{"transaction":{"status":"pending"}}`), status(`"id":"p","status":"pending",` +
			`"payment":{"transaction":{"status":"failed"}}`), false},
		"payment repeated": {status(`"id":"p","status":"pending","payment":{"reference_id":"r"}`),
			status(`"id":"p","status":"pending","payment":{"reference_id":"r","receipt":"x"}`), true},
		"payment, then a refund": {status(`"id":"p","status":"captured","payment":{"reference_id":"r"}`),
			status(`"id":"p","status":"captured","payment":{"reference_id":"r","refunds":[{"id":"f",` +
				`"status":"pending"}]}`), false},
		"refund goes on": {status(`"id":"p","status":"captured","payment":{"refunds":[{"id":"f",` +
			`"status":"pending"}]}`), status(`"id":"p","status":"captured","payment":{"refunds":[{"id":"f",` +
			`"status":"success"}]}`), false},
		"another chunk": {inValue("history", `"history":[{"metadata":{"chunk_order":1},"threads":[{}]}]`),
			inValue("history", `"history":[{"metadata":{"chunk_order":2},"threads":[{}]}]`), false},
		"same place, other content": {inValue("history", `"history":[{"metadata":{"chunk_order":1},"threads":[{}]}]`),
			inValue("history", `"history":[{"metadata":{"chunk_order":1},"threads":[{"id":"1"}]}]`), false},
		"contact repeated": {inValue("smb_app_state_sync", `"state_sync":[{"action":"add"}]`),
			inValue("smb_app_state_sync", `"state_sync":[{"action":"add"},{}]`), true},
		"contact changed": {inValue("smb_app_state_sync", `"state_sync":[{"action":"add"}]`),
			inValue("smb_app_state_sync", `"state_sync":[{"action":"remove"}]`), false},
		"account update repeated": {`{"entry":[{"id":"1","time":5,"changes":[{"field":"account_update",` +
			`"value":{"event":"X"}}]}]}`, `{"entry":[{"changes":[{"value":{"event":"X"},"field":"account_update"}],` +
			`"time":"5","id":"1"}]}`, true},
		"account update, another time": {`{"entry":[{"id":"1","time":5,"changes":[{"field":"account_update",` +
			`"value":{"event":"X"}}]}]}`, `{"entry":[{"id":"1","time":6,"changes":[{"field":"account_update",` +
			`"value":{"event":"X"}}]}]}`, false},
		"account update, other account": {`{"entry":[{"id":"1","changes":[{"field":"account_update",` +
			`"value":{"event":"X"}}]}]}`, `{"entry":[{"id":"2","changes":[{"field":"account_update",` +
			`"value":{"event":"X"}}]}]}`, false},
		"call goes on": {inValue("calls", `"calls":[{"id":"c","event":"connect"}]`),
			inValue("calls", `"calls":[{"id":"c","event":"terminate"}]`), false},
		"call repeated": {inValue("calls", `"calls":[{"id":"c","event":"connect"}]`),
			inValue("calls", `"calls":[{"id":"c","event":"connect","new":1}]`), true},
		"call and its status": {inValue("calls", `"calls":[{"id":"c"}]`),
			inValue("calls", `"statuses":[{"id":"c"}]`), false},
		"call status goes on": {inValue("calls", `"statuses":[{"id":"c","status":"RINGING"}]`),
			inValue("calls", `"statuses":[{"id":"c","status":"ACCEPTED"}]`), false},
		"group under two names": {inValue("group_participants_update", `"groups":[{"group_id":"g",`+
			`"type":"group_participants_add","request_id":"r"}]`), inValue("group_participant_update",
			`"groups":[{"group_id":"g","type":"group_add_participants","request_id":"r"}]`), true},
		"group, another request": {inValue("group_settings_update", `"groups":[{"group_id":"g","request_id":"r"}]`),
			inValue("group_settings_update", `"groups":[{"group_id":"g","request_id":"s"}]`), false},
		"group, another time": {inValue("group_status_update", `"groups":[{"group_id":"g","timestamp":"5"}]`),
			inValue("group_status_update", `"groups":[{"group_id":"g","timestamp":6}]`), false},
		"group, repeated": {inValue("group_status_update", `"groups":[{"group_id":"g","timestamp":"5"}]`),
			inValue("group_status_update", `"groups":[{"group_id":"g","timestamp":5,"new":1}]`), true},
		"group, one asks twice": {inValue("group_participants_update",
			`"groups":[{"group_id":"g","join_request_id":"1","timestamp":"5"}]`), inValue("group_participants_update",
			`"groups":[{"group_id":"g","join_request_id":"2","timestamp":"5"}]`), false},
		"group, two join at once": {inValue("group_participants_update", `"groups":[{"group_id":"g",`+
			`"timestamp":"5","added_participants":[{"wa_id":"1"}]}]`), inValue("group_participants_update",
			`"groups":[{"group_id":"g","timestamp":"5","added_participants":[{"wa_id":"2"}]}]`), false},
		"group, some of a request fail": {inValue("group_participants_update", `"groups":[{"group_id":"g",`+
			`"request_id":"r","removed_participants":[{"input":"1"}]}]`), inValue("group_participants_update",
			`"groups":[{"group_id":"g","request_id":"r","failed_participants":[{"input":"1"}]}]`), false},
		"template repeated": {template(5, `"event":"PAUSED"`), template(5, `"event":"PAUSED","new":1`),
			true},
		"template, another event": {template(5, `"event":"PAUSED"`), template(5, `"event":"APPROVED"`), false},
		"template, another time":  {template(5, `"event":"PAUSED"`), template(6, `"event":"PAUSED"`), false},
		"template and its quality": {template(5, `"event":"PAUSED"`), template(5, `"new_quality_score":"RED"`),
			false},
		"username under two names": {inValue("business_username_update", `"status":"approved"`),
			inValue("business_username_updates", `"status":"approved"`), true},
		"preference repeated": {inValue("user_preferences", `"user_preferences":[{"wa_id":"1",`+
			`"value":"stop","timestamp":5}]`), inValue("user_preferences", `"user_preferences":[{"wa_id":"1",`+
			`"value":"stop","timestamp":"5"}]`), true},
		"preference changed": {inValue("user_preferences", `"user_preferences":[{"wa_id":"1",`+
			`"value":"stop","timestamp":5}]`), inValue("user_preferences", `"user_preferences":[{"wa_id":"1",`+
			`"value":"resume","timestamp":5}]`), false},
		"standby and message": {message(`"id":"m"`),
			inValue("standby", `"standby":{"messages":[{"id":"m"}]}`), false},
		"standby repeated": {inValue("standby", `"standby":{"messages":[{"id":"m"}]}`),
			inValue("standby", `"standby":{"messages":[{"id":"m","new":1}]}`), true},
		"echo and echo": {inValue("message_echoes", `"message_echoes":[{"id":"m"}]`),
			inValue("smb_message_echoes", `"message_echoes":[{"id":"m"}]`), false},
		"parts do not run into another": {strings.ReplaceAll(message(`"id":"1m"`), "300000000000001", "30"),
			strings.ReplaceAll(message(`"id":"m"`), "300000000000001", "301"), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := keysOf(t, tt.a)[0], keysOf(t, tt.b)[0]
			require.NotEmpty(t, a)
			require.NotEmpty(t, b)
			require.Equal(t, tt.same, a == b, "%s %s", a, b)
		})
	}
	require.Equal(t, []string{"", "", ""},
		keysOf(t, inValue("messages", `"messages":[{"text":{}}],"statuses":[{}],"errors":[{"code":1}]`)))
}

func TestKeysHoldNothingPersonal(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^[a-z_]+:[0-9a-f]{32}$`)
	seen := map[string]webhooktest.SampleName{}
	for _, name := range webhooktest.Samples() {
		for _, ev := range decode(t, string(webhooktest.Sample(name.Field, name.Case))) {
			key := ev.Info().DedupKey
			switch ev.(type) {
			case *webhook.PhoneNumberError, *webhook.HistoryFailure:
				require.Empty(t, key)
				continue
			case *webhook.HistoryChunk:
				if name.Case == "progress-only" {
					continue
				}
			}
			require.Regexp(t, shape, key, name)
			require.NotContains(t, seen, key, "%v and %v", name, seen[key])
			seen[key] = name
		}
	}
}
