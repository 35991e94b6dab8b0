package control_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"
)

// An asking is a host that has sent a customer a message with buttons.
type asking struct {
	*harness
}

func newAsking(t *testing.T) asking {
	t.Helper()
	h := newHarness(t, control.Config{
		NewWorld: func() (*coexistencetest.World, error) {
			return coexistencetest.NewWorld(coexistencetest.Config{Templates: []cloudapi.TemplateCreateParams{{
				Name: "ask", Language: "en_US", Components: []cloudapi.ComponentDefinition{
					{Type: cloudapi.ComponentHeader, Format: cloudapi.HeaderText, Text: "Order {{1}}"},
					{Type: cloudapi.ComponentBody, Text: "Do you come, {{1}}?"},
					{Type: cloudapi.ComponentFooter, Text: "The bakery"},
					{Type: cloudapi.ComponentButtons, Buttons: []cloudapi.ButtonDefinition{
						{Type: cloudapi.ButtonDefinitionQuickReply, Text: "Yes"},
						{Type: cloudapi.ButtonDefinitionURL, Text: "See", URL: "https://example.com/{{1}}"},
					}},
				},
			}}}), nil
		},
	})
	h.call(200, "PUT /callback", `{"url":"`+h.host+`"}`)
	h.call(201, "POST "+customer+"/messages", `{"from":"customer","text":"Hello"}`)
	return asking{h}
}

// send sends content to the customer and returns the message's id.
func (a asking) send(content string) string {
	a.t.Helper()
	v := a.graphCall("/"+string(a.api.Phone("15550100100").ID())+"/messages",
		`{"messaging_product":"whatsapp","to":"+15550100142",`+content+`}`)
	var messages []struct{ ID string }
	require.NoError(a.t, json.Unmarshal(v["messages"], &messages))
	return messages[0].ID
}

// write lets the customer write or tap, and returns the message that the host received.
func (a asking) write(body string) string {
	a.t.Helper()
	require.Contains(a.t, a.call(201, "POST "+customer+"/messages", `{"from":"customer",`+body+`}`)["id"], "wamid.")
	a.call(200, "POST /wait", "")
	hooks := items(a.call(200, "GET /webhooks?limit=1", ""))
	number, _ := hooks[0]["number"].(float64)
	return quote(a.call(200, "GET /webhooks/"+quote(number), "")["body"])
}

// shown returns the latest message on the customer's phone.
func (a asking) shown() string {
	a.t.Helper()
	return quote(items(a.call(200, "GET "+customer+"/messages?limit=1", ""))[0])
}

// A message of the host is shown with its buttons, and a tap reaches the host.
func TestACustomerTaps(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	buttons := a.send(`"type":"interactive","interactive":{"type":"button","header":{"type":"image","image":{
		"link":"https://example.com/rye.jpg"}},"body":{"text":"Rye?"},"footer":{"text":"Warm"},"action":{"buttons":[
		{"type":"reply","reply":{"id":"y","title":"Yes"}},{"type":"reply","reply":{"id":"n","title":"No"}}]}}`)
	for _, want := range []string{
		`"text":"Rye?"`, `"footer":"Warm"`, `"media":"image"`, `"link":"https://example.com/rye.jpg"`,
		`"buttons":[{"id":"y","title":"Yes","type":"reply"},{"id":"n","title":"No","type":"reply"}]`,
	} {
		require.Contains(t, a.shown(), want)
	}
	told := a.write(`"type":"tap","message_id":"` + buttons + `","choice":"Yes"`)
	require.Contains(t, told, `"button_reply":{"id":"y","title":"Yes"}`)
	require.Contains(t, told, buttons, "the answer quotes the question")

	list := a.send(`"type":"interactive","interactive":{"type":"list","body":{"text":"Which?"},"action":{
		"button":"See","sections":[{"title":"Bread","rows":[{"id":"1","title":"Rye","description":"dark"}]}]}}`)
	require.Contains(t, a.shown(),
		`"sections":[{"rows":[{"description":"dark","id":"1","title":"Rye"}],"title":"Bread"}]`)
	require.Contains(t, a.shown(), `"buttons":[{"title":"See","type":"list"}]`)
	told = a.write(`"type":"choose","message_id":"` + list + `","choice":"1"`)
	require.Contains(t, told, `"list_reply":{"description":"dark"`)

	template := a.send(`"type":"template","template":{"name":"ask","language":{"code":"en_US"},"components":[
		{"type":"header","parameters":[{"type":"text","text":"7"}]},
		{"type":"body","parameters":[{"type":"text","text":"Ada"}]},
		{"type":"button","sub_type":"quick_reply","index":0,"parameters":[{"type":"payload","payload":"comes"}]},
		{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"o-7"}]}]}`)
	for _, want := range []string{
		`"text":"Do you come, Ada?"`, `"header":"Order 7"`, `"footer":"The bakery"`,
		`{"id":"comes","title":"Yes","type":"reply"}`, `{"title":"See","type":"url","url":"https://example.com/o-7"}`,
	} {
		require.Contains(t, a.shown(), want)
	}
	require.Contains(t, a.write(`"type":"tap","message_id":"`+template+`","choice":"comes"`),
		`"button":{"payload":"comes","text":"Yes"}`)

	const write = "POST " + customer + "/messages"
	require.Contains(t, message(a.call(409, write,
		`{"from":"customer","type":"tap","message_id":"`+buttons+`","choice":"Maybe"}`)), "no button")
	a.call(201, "POST "+app+"/customers", `{"phone_number":"+1 555-010-0142"}`)
	require.Contains(t, message(a.call(400, "POST "+app+"/customers/15550100142/messages",
		`{"from":"business","type":"tap","message_id":"`+buttons+`","choice":"y"}`)), "only the customer can tap")
}

func TestACustomerAnswersAFlow(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	flow := `{"version":"7.2","screens":[{"id":"A","terminal":true,"layout":{"type":"SingleColumnLayout","children":[` +
		`{"type":"Footer","label":"Done","on-click-action":{"name":"complete","payload":{"day":"${form.day}"}}}]}}]}`
	made := a.graphCall("/"+string(a.api.Phone("15550100100").WABA())+"/flows",
		`{"name":"visit","categories":["OTHER"],"publish":true,"flow_json":`+quote(flow)+`}`)
	sent := a.send(`"type":"interactive","interactive":{"type":"flow","body":{"text":"When?"},"action":{"name":"flow",
		"parameters":{"flow_message_version":"3","flow_id":` + string(made["id"]) + `,"flow_cta":"Open","flow_token":"t-1"}}}`)
	require.Contains(t, a.shown(), `"buttons":[{"title":"Open","type":"flow"}]`)
	told := a.write(`"type":"flow","message_id":"` + sent + `","answer":{"day":"Friday"}`)
	require.Contains(t, told, `{\"day\":\"Friday\",\"flow_token\":\"t-1\"}`)
	v := a.call(409, "POST "+customer+"/messages",
		`{"from":"customer","type":"flow","message_id":"`+sent+`","answer":{"hour":"3"}}`)
	require.Contains(t, message(v), "hands over {day}")
}

func TestACustomerOrdersAsksAndComesFromAnAd(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	told := a.write(`"type":"order","catalog_id":"cat-1","text":"For Friday","product_items":[
		{"product_retailer_id":"rye","quantity":2,"item_price":4.5,"currency":"USD"}]`)
	require.Contains(t, told,
		`"product_items":[{"currency":"USD","item_price":4.5,"product_retailer_id":"rye","quantity":2}]`)
	require.Contains(t, a.write(`"text":"How much?","referral":{"source_type":"ad","source_id":"7","ctwa_clid":"c-1"}`),
		`"referral":{"ctwa_clid":"c-1","source_id":"7","source_type":"ad"}`)
	question := a.send(`"type":"text","text":{"body":"Which one?"}`)
	told = a.write(`"text":"This","reply_to":"` + question + `","catalog_id":"cat-1","product_retailer_id":"rye"`)
	require.Contains(t, told, `"referred_product":{"catalog_id":"cat-1","product_retailer_id":"rye"}`)
	require.Contains(t, told, question)
	const write = "POST " + customer + "/messages"
	for body, says := range map[string]string{
		`{"from":"customer","type":"order"}`:                               "catalog_id and product_items",
		`{"from":"customer","text":"x","product_retailer_id":"rye"}`:       "also has a catalog_id",
		`{"from":"customer","type":"tap","choice":"y"}`:                    "message_id is missing",
		`{"from":"customer","text":"x","referral":{"source":"an advert"}}`: "source",
	} {
		require.Contains(t, message(a.call(400, write, body)), says)
	}
}

func TestACustomerCalls(t *testing.T) {
	t.Parallel()
	a := newAsking(t)
	const calls = customer + "/calls"
	require.Contains(t, message(a.call(409, "POST "+calls, "")), "switch calling on")
	number := "/" + string(a.api.Phone("15550100100").ID())
	a.graphCall(number+"/settings", `{"calling":{"status":"ENABLED"}}`)
	ringing := a.call(201, "POST "+calls, "")
	require.Equal(t, "ringing", ringing["state"])
	a.graphCall(number+"/calls", `{"messaging_product":"whatsapp","call_id":`+quote(ringing["id"])+`,
		"action":"accept","session":{"sdp_type":"answer","sdp":"v=0"}}`)
	require.Equal(t, "accepted", items(a.call(200, "GET "+calls, ""))[0]["state"])
	id, _ := ringing["id"].(string)
	require.Equal(t, "ended", a.call(200, "POST "+calls+"/"+id+"/hang-up", "")["state"])
	require.Contains(t, message(a.call(409, "POST "+calls+"/"+id+"/hang-up", "")), "over")
}
