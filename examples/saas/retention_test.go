package main

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Each tenant chooses for how long its messages are kept, and what is older goes when the tracker
// does its rounds.
func TestATenantChoosesHowLongMessagesAreKept(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, bread := furnish(t, a, "bakery")
	butcher, meat := furnish(t, a, "butcher")
	for _, phone := range []string{bread["phone"], meat["phone"]} {
		a.fill(t, phone, 31*24) // each wrote an hour before the one before
	}
	for _, days := range []string{"", "-1", "31", "many"} {
		status, _ := baker.post("/settings", url.Values{"days": {days}})
		require.Equal(t, http.StatusUnprocessableEntity, status, days)
	}
	status, _ := baker.post("/settings", url.Values{"days": {"30"}})
	require.Equal(t, http.StatusSeeOther, status)
	_, body := baker.get("/settings")
	require.Contains(t, body, `<option value="30" selected>`)
	_, body = butcher.get("/settings")
	require.Contains(t, body, `<option value="0" selected>`)
	for phone, want := range map[string]time.Duration{
		bread["phone"]: 30 * 24 * time.Hour, meat["phone"]: 0, "a number without a token": 0,
	} {
		keep, err := a.retention(t.Context(), graph.PhoneNumberID(phone))
		require.NoError(t, err)
		require.Equal(t, want, keep, phone)
	}
	_ = a.tracker.ReconcileAll(t.Context()) // Meta knows nothing of these numbers, which is an error
	has := func(v *visitor, phone, person string) bool {
		status, _ := v.get("/numbers/" + phone + "/people/" + person)
		return status == http.StatusOK
	}
	require.True(t, has(baker, bread["phone"], "15550200700"))
	require.False(t, has(baker, bread["phone"], "15550200730"))
	require.True(t, has(butcher, meat["phone"], "15550200730"))
}
