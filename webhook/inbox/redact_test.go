package inbox

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

const shared = `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"messages","value":{
	"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100200","phone_number_id":"106540352242922"},
	"contacts":[{"profile":{"name":"Ada"},"wa_id":"15550100101","user_id":"US.1001"},
		{"profile":{"name":"Grace"},"wa_id":"15550100102"}],
	"messages":[{"from":"15550100101","id":"wamid.1","timestamp":"1700000000","type":"text","text":{"body":"secret"}},
		{"from":"15550100102","id":"wamid.2","timestamp":"1700000000","type":"text","text":{"body":"15550100101"}},
		{"from":"US.1001","id":"wamid.3","timestamp":"1700000000","type":"text","text":{"body":"secret"}}],
	"statuses":[{"id":"wamid.4","status":"read","timestamp":"1700000000","recipient_id":"+1 555 010-0101"}]}}]}]}`

var adaRequest = ForgetRequest{
	PhoneNumberID: "106540352242922", People: []graph.Identity{{UserID: "US.1001", WAID: "15550100101"}},
}

func TestARedactedBodyHasNothingOfThePersonAndAllOfOthers(t *testing.T) {
	t.Parallel()
	a := newRedaction(adaRequest)
	for _, split := range []bool{true, false} {
		rest, changed := a.apply([]byte(shared), split)
		require.True(t, changed)
		require.NotContains(t, string(rest), "secret")
		require.NotContains(t, string(rest), "Ada")
		require.NotContains(t, string(rest), "US.1001")
		events, err := webhook.Decode(rest)
		require.NoError(t, err)
		if split {
			require.Len(t, events, 4, "the others keep their index")
			require.Equal(t, graph.MessageID("wamid.2"), events[1].(*webhook.IncomingMessage).ID)
		} else {
			require.Len(t, events, 1)
			require.Equal(t, graph.MessageID("wamid.2"), events[0].(*webhook.IncomingMessage).ID)
			require.Equal(t, "Grace", events[0].(*webhook.IncomingMessage).ProfileName)
		}
		again, changed := a.apply(rest, split)
		require.False(t, changed)
		require.Equal(t, string(rest), string(again))
	}
}

func TestABodyAboutOthersIsNotChanged(t *testing.T) {
	t.Parallel()
	a := newRedaction(ForgetRequest{
		PhoneNumberID: "106540352242922", People: []graph.Identity{{UserID: "US.1009", WAID: "15550100109"}},
	})
	rest, changed := a.apply([]byte(shared), true)
	require.False(t, changed)
	require.True(t, bytes.Equal([]byte(shared), rest), "%s", rest)
}

func TestNothingIsLeftOfANumberInABody(t *testing.T) {
	t.Parallel()
	other := strings.ReplaceAll(shared, "106540352242922", "106540352242923")
	both := strings.Replace(shared, `}}]}]}`, `}}]},`+other[strings.Index(other, `{"id":"102290129340398"`):], 1)
	a := newRedaction(ForgetRequest{PhoneNumberID: "106540352242922"})
	for split, want := range map[bool]int{true: 8, false: 4} {
		rest, changed := a.apply([]byte(both), split)
		require.True(t, changed)
		require.NotContains(t, string(rest), "106540352242922")
		require.Equal(t, 2, strings.Count(string(rest), "secret"), "what is of the other number")
		events, err := webhook.Decode(rest)
		require.NoError(t, err)
		require.Len(t, events, want)
	}
	rest, changed := a.apply([]byte(shared), false)
	require.True(t, changed)
	events, err := decode(rest, time.Time{})
	require.NoError(t, err)
	require.Empty(t, events)
}

func TestABodyThatIsNoObjectGoesAsAWhole(t *testing.T) {
	t.Parallel()
	a := newRedaction(adaRequest)
	rest, changed := a.apply([]byte(`{"from":"15550100101"`), true)
	require.True(t, changed)
	require.NotContains(t, string(rest), "15550100101")
}

// Whichever person of whichever sample is taken out, the other events keep their places.
func TestARedactedBodyKeepsThePlacesOfEvents(t *testing.T) {
	t.Parallel()
	n := 0
	for _, name := range webhooktest.Samples() {
		body := webhooktest.Sample(name.Field, name.Case)
		events, err := webhook.Decode(body)
		require.NoError(t, err)
		for _, ev := range events {
			who, ok := ev.(interface{ Customer() graph.Identity })
			if !ok || who.Customer().IsZero() {
				continue
			}
			r := ForgetRequest{PhoneNumberID: ev.Info().PhoneNumberID, People: []graph.Identity{who.Customer()}}
			rest, changed := newRedaction(r).apply(body, true)
			require.True(t, changed, name)
			after, err := webhook.Decode(rest)
			require.NoError(t, err)
			require.Len(t, after, len(events), name)
			n++
		}
	}
	require.Positive(t, n, "no sample has a customer")
}
