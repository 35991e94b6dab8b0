package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// The page of a number shows what Meta bills this month, and what is free.
func TestTheNumbersPageShowsTheMonth(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	at := "/numbers/" + bread["phone"]
	_, body := baker.get(at)
	require.Contains(t, body, "1000 of 1000")
	for n, pricing := range []string{
		`"category":"service","type":"free_customer_service"`, `"category":"marketing","type":"regular"`,
	} {
		require.NoError(t, a.inbox.Receive(t.Context(), webhook.Delivery{ReceivedAt: time.Now(), Body: fmt.Appendf(nil,
			`{"object":"whatsapp_business_account","entry":[{"id":"a-made-up-account","changes":[{"field":"messages","value":{
			"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100100","phone_number_id":%q},
			"statuses":[{"id":"wamid.billed%d","status":"delivered","timestamp":"%d","recipient_id":"15550100142",
			"recipient_user_id":"BR.1001","pricing":{"pricing_model":"PMP",%s}}]}}],"time":1}]}`,
			bread["phone"], n, time.Now().Unix(), pricing)}))
	}
	require.NoError(t, a.inbox.WaitIdle(t.Context()))
	status, body := baker.get(at)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "999 of 1000")
	require.Contains(t, body, "<td>marketing</td><td>BR</td><td>1</td><td>billed</td>")
	require.Contains(t, body, "<td>service</td><td>BR</td><td>1</td><td>free</td>")
	other, _ := furnish(t, a, "florist")
	status, _ = other.get(at)
	require.Equal(t, http.StatusNotFound, status)
}
