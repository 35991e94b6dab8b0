package coexistencetest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A tapping is a host that has sent messages to tap.
type tapping struct {
	world    *coexistencetest.World
	h        *host
	phone    *coexistencetest.Phone
	customer *coexistencetest.Customer
	token    graph.Secret
}

func newTapping(t *testing.T) tapping {
	t.Helper()
	world, h, phone, token := connected(t, coexistencetest.Config{
		Fields: []webhook.Field{webhook.FieldMessages, webhook.FieldCalls},
		Templates: []cloudapi.TemplateCreateParams{{
			Name: "ask", Language: "en_US", Components: []cloudapi.ComponentDefinition{
				{Type: cloudapi.ComponentBody, Text: "Do you come?"},
				{Type: cloudapi.ComponentButtons, Buttons: []cloudapi.ButtonDefinition{
					{Type: cloudapi.ButtonDefinitionQuickReply, Text: "Yes"},
					{Type: cloudapi.ButtonDefinitionQuickReply, Text: "No"},
				}},
			},
		}},
	}, coexistencetest.PhoneConfig{})
	customer := phone.Customer("+1 555-010-0142")
	customer.Send("Hello")
	return tapping{world, h, phone, customer, token}
}

// send sends content to the customer, and returns its id.
func (s tapping) send(t *testing.T, content string) graph.MessageID {
	t.Helper()
	status, v := call(t, s.world, s.token, "POST", "/"+string(s.phone.ID())+"/messages",
		`{"messaging_product":"whatsapp","to":"+15550100142",`+content+`}`)
	require.Equal(t, http.StatusOK, status, string(v["error"]))
	var messages []struct{ ID graph.MessageID }
	decodeInto(t, v["messages"], &messages)
	return messages[0].ID
}

// last waits for the customer's latest message and decodes it.
func (s tapping) last(t *testing.T) *webhook.IncomingMessage {
	t.Helper()
	wait(t, s.world)
	all := eventsOf[*webhook.IncomingMessage](t, s.h)
	return all[len(all)-1]
}

func TestACustomerTapsWhatTheHostHasSent(t *testing.T) {
	t.Parallel()
	s := newTapping(t)
	buttons := s.send(t,
		`"type":"interactive","interactive":{"type":"button","body":{"text":"Rye?"},"action":{"buttons":[`+
			`{"type":"reply","reply":{"id":"y","title":"Yes"}},{"type":"reply","reply":{"id":"n","title":"No"}}]}}`)
	for _, button := range []string{"n", "No"} {
		id, err := s.customer.Tap(buttons, button)
		require.NoError(t, err)
		got := s.last(t)
		require.Equal(t, id, got.ID)
		require.Equal(t, buttons, got.Context.ID, "the answer quotes the question")
		require.Equal(t, &webhook.ButtonReply{ID: "n", Title: "No"}, got.Content.(*webhook.Interactive).Reply)
	}
	rows := s.send(t,
		`"type":"interactive","interactive":{"type":"list","body":{"text":"Which?"},"action":{"button":"See",`+
			`"sections":[{"rows":[{"id":"1","title":"Rye","description":"dark"},{"id":"2","title":"Spelt"}]}]}}`)
	_, err := s.customer.Choose(rows, "Rye")
	require.NoError(t, err)
	require.Equal(t, &webhook.ListReply{ID: "1", Title: "Rye", Description: "dark"},
		s.last(t).Content.(*webhook.Interactive).Reply)

	template := s.send(t, `"type":"template","template":{"name":"ask","language":{"code":"en_US"},"components":[`+
		`{"type":"button","sub_type":"quick_reply","index":1,"parameters":[{"type":"payload","payload":"stays"}]}]}`)
	for button, payload := range map[string]string{"Yes": "Yes", "No": "stays", "stays": "stays"} {
		_, err = s.customer.Tap(template, button)
		require.NoError(t, err)
		require.Equal(t, payload, s.last(t).Content.(*webhook.Button).Payload)
	}

	text := s.send(t, `"type":"text","text":{"body":"Hello"}`)
	for id, name := range map[graph.MessageID]string{
		buttons: "Maybe", text: "Yes", template: "Maybe", "wamid.another": "Yes", rows: "Rye",
	} {
		_, err := s.customer.Tap(id, name)
		require.Error(t, err, name)
	}
	_, err = s.customer.Choose(rows, "Barley")
	require.Error(t, err)
	_, err = s.phone.Customer("+1 555-010-0143").Tap(buttons, "y")
	require.Error(t, err, "it was sent to someone else")
	chat := s.phone.Chat(s.customer)
	require.Equal(t, "Hello", chat[len(chat)-1].Content.Text, "what was refused is not in the chat")
}

func TestAnAnswerToAFlowFitsItsJSON(t *testing.T) {
	t.Parallel()
	s := newTapping(t)
	flow := `{"version":"7.2","screens":[{"id":"A","terminal":true,"layout":{"type":"SingleColumnLayout","children":[` +
		`{"type":"Footer","label":"Done","on-click-action":{"name":"complete",` +
		`"payload":{"day":"${form.day}","note":"x"}}}]}}]}`
	quoted, err := json.Marshal(flow)
	require.NoError(t, err)
	status, v := call(t, s.world, s.token, "POST", "/"+string(s.phone.WABA())+"/flows",
		`{"name":"visit","categories":["OTHER"],"publish":true,"flow_json":`+string(quoted)+`}`)
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `[]`, string(v["validation_errors"]))
	var id string
	decodeInto(t, v["id"], &id)
	_, v = call(t, s.world, s.token, "GET", "/"+id+"?fields=json_version", "")
	require.JSONEq(t, `"7.2"`, string(v["json_version"]))

	sent := s.send(t,
		`"type":"interactive","interactive":{"type":"flow","body":{"text":"When?"},"action":{"name":"flow",`+
			`"parameters":{"flow_message_version":"3","flow_id":"`+id+`","flow_cta":"Open","flow_token":"t-1"}}}`)
	for _, wrong := range []string{`{}`, `{"day":"1"}`, `{"day":"1","note":"a","more":1}`, `[]`} {
		_, err = s.customer.CompleteFlow(sent, json.RawMessage(wrong))
		require.Error(t, err, wrong)
	}
	_, err = s.customer.CompleteFlow(sent, json.RawMessage(`{"day":"2027-01-02","note":"x"}`))
	require.NoError(t, err)
	reply := s.last(t).Content.(*webhook.Interactive).Reply.(*webhook.FlowReply)
	require.JSONEq(t, `{"day":"2027-01-02","note":"x","flow_token":"t-1"}`, reply.Response)
	_, err = s.customer.CompleteFlow(s.send(t, `"type":"text","text":{"body":"Hello"}`), json.RawMessage(`{}`))
	require.Error(t, err)
}

func TestACustomerOrdersAndComesFromAnAd(t *testing.T) {
	t.Parallel()
	s := newTapping(t)
	s.customer.SendContent(coexistencetest.Order("cat-1", "For Friday",
		coexistencetest.OrderItem{RetailerID: "rye", Quantity: 2, Price: 4.5, Currency: "USD"}))
	order := s.last(t).Content.(*webhook.Order)
	require.Equal(t, "cat-1", order.CatalogID)
	require.Equal(t, "rye", order.Items[0].RetailerID)
	require.Equal(t, 2, order.Items[0].Quantity)

	s.customer.SendContent(coexistencetest.Text("How much?").Referred(coexistencetest.Referral{
		SourceType: "ad", SourceID: "123", SourceURL: "https://example.com/ad", ClickID: "clid-1", Headline: "Rye",
	}))
	got := s.last(t)
	require.Equal(t, "clid-1", got.Referral.ClickID)
	require.Equal(t, "123", got.Referral.SourceID)

	quoted := s.send(t, `"type":"text","text":{"body":"Which one?"}`)
	s.customer.SendContent(coexistencetest.Text("This one").QuotingProduct(quoted, "cat-1", "rye"))
	require.Equal(t, "rye", s.last(t).Context.Product.RetailerID)
}

func TestACustomerCallsTheNumber(t *testing.T) {
	t.Parallel()
	s := newTapping(t)
	_, err := s.customer.Call()
	require.Error(t, err, "calling is switched off")
	status, _ := call(t, s.world, s.token, "POST", "/"+string(s.phone.ID())+"/settings",
		`{"calling":{"status":"ENABLED"}}`)
	require.Equal(t, http.StatusOK, status)
	id, err := s.customer.Call()
	require.NoError(t, err)
	status, v := call(t, s.world, s.token, "POST", "/"+string(s.phone.ID())+"/calls",
		`{"messaging_product":"whatsapp",`+
			`"call_id":"`+string(id)+`","action":"accept","session":{"sdp_type":"answer","sdp":"v=0"}}`)
	require.Equal(t, http.StatusOK, status, string(v["error"]))
	s.world.Advance(time.Minute)
	require.NoError(t, s.customer.HangUp(id))
	require.Error(t, s.customer.HangUp(id), "it is over")
	wait(t, s.world)
	calls := eventsOf[*webhook.Call](t, s.h)
	require.Len(t, calls, 2)
	require.Equal(t, id, calls[0].ID)
	require.Equal(t, graph.SDPOffer, calls[0].Session.Type)
	require.Equal(t, s.customer.Identity().UserID, calls[1].From.UserID)
	require.InDelta(t, 60, calls[1].Seconds, 5)
}
