package control_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/control"
)

// A host in any language tries what it does beside Meta's agent and another partner.
func TestAnotherResponderByHTTP(t *testing.T) {
	t.Parallel()
	h := newHarness(t, control.Config{NewWorld: func() (*coexistencetest.World, error) {
		return coexistencetest.NewWorld(coexistencetest.Config{
			Fields: append(coexistence.Fields(), coexistence.OptionalFields()...),
		}), nil
	}})
	h.call(200, "PUT /callback", `{"url":"`+h.host+`"}`)
	h.playResponders()
	h.call(200, "POST /wait", "")
	for field, want := range map[string]int{"standby": 6, "messaging_handovers": 2} {
		found, ok := h.call(200, "GET /webhooks?field="+field, "")["data"].([]any)
		require.True(t, ok)
		require.GreaterOrEqual(t, len(found), want, field)
	}
}

// playResponders calls all that is about other responders, with success and without.
func (h *harness) playResponders() {
	t := h.t
	const phone = "/phones/15550100100"
	const chat = phone + "/customers/15550100142"
	h.call(409, "POST "+chat+"/thread", `{"action":"take"}`)
	h.call(400, "POST "+phone+"/responders", `{"role":"boss"}`)
	h.call(409, "POST "+phone+"/responders", `{"role":"customer_service"}`)
	agent := h.call(201, "POST "+phone+"/responders", `{"reply":"We open at 7.","pass_on":"person"}`)
	require.Equal(t, "ai_agent", agent["role"])
	h.call(201, "POST "+phone+"/responders", `{"role":"escalation","name":"Call center"}`)
	require.Equal(t, "customer_service", h.call(200, "GET "+phone+"/routing", "")["host_role"])
	h.call(400, "PUT "+phone+"/routing", `{"on":true,"host_role":"boss"}`)
	h.call(409, "PUT "+phone+"/routing", `{"on":true,"host_role":"escalation"}`)
	require.Equal(t, true, h.call(200, "PUT "+phone+"/routing", `{"on":true}`)["on"])

	h.call(201, "POST "+chat+"/messages", `{"from":"customer","text":"Open?"}`)
	thread := h.call(200, "GET "+chat+"/thread", "")
	require.Equal(t, map[string]any{"owner": "ai_agent", "name": "Business Agent"}, thread)
	list, ok := h.call(200, "GET "+chat+"/messages?limit=1", "")["data"].([]any)
	require.True(t, ok)
	last, ok := list[0].(map[string]any)
	require.True(t, ok)
	require.Equal(t, "responder", last["from"])
	require.Equal(t, "Business Agent", last["responder"])
	require.Equal(t, "We open at 7.", last["text"])

	h.call(400, "POST "+chat+"/thread", `{"action":"lend","responder":"ai_agent"}`)
	h.call(400, "POST "+chat+"/thread", `{"action":"pass"}`)
	h.call(409, "POST "+chat+"/thread", `{"action":"release","responder":"escalation"}`)
	h.call(200, "POST "+chat+"/thread", `{"action":"pass","responder":"ai_agent","to":"customer_service"}`)
	require.Equal(t, "host", h.call(200, "GET "+chat+"/thread", "")["owner"])
	h.call(409, "POST "+chat+"/messages", `{"from":"responder","responder":"ai_agent","text":"Still there?"}`)
	h.call(200, "POST "+chat+"/thread", `{"action":"take","responder":"escalation","metadata":"a colleague"}`)
	h.call(201, "POST "+chat+"/messages", `{"from":"responder","responder":"escalation","text":"Hello"}`)
	h.call(400, "POST "+chat+"/messages", `{"from":"customer","type":"template","text":"hello_world"}`)
	h.call(400, "POST "+chat+"/messages", `{"from":"responder","responder":"escalation"}`)
	h.call(200, "POST "+chat+"/thread", `{"action":"release","responder":"escalation"}`)
	require.Equal(t, "idle", h.call(200, "GET "+chat+"/thread", "")["owner"])
	told, ok := h.call(200, "GET "+phone+"/responders", "")["data"].([]any)
	require.True(t, ok)
	require.Len(t, told, 2)
}
