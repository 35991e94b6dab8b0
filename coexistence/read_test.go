package coexistence_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// The customer sees the blue ticks if the host wants that, once, on the latest message that was
// read.
func TestMarkReadSendsTheReceiptThatIsAskedFor(t *testing.T) {
	t.Parallel()
	var calls []string
	meta := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		calls = append(calls, string(b))
		_, _ = io.WriteString(w, `{"success":true}`)
	}))
	t.Cleanup(meta.Close)
	client, err := cloudapi.NewClient(cloudapi.Config{AccessToken: "token", BaseURL: meta.URL})
	require.NoError(t, err)
	store := delivered(t, inbound("wamid.1", ada, 1, text("a")), inbound("wamid.2", ada, 2, text("b")),
		inbound("wamid.3", ada, 3, text("c")))
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store:  store,
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	require.NoError(t, err)
	mark := func(id graph.MessageID, receipt bool) {
		t.Helper()
		m := message(t, store, id)
		require.NoError(t, tracker.MarkRead(t.Context(), phone, m.ConversationID, m.Cursor(), receipt))
	}
	mark("wamid.1", false)
	require.Empty(t, calls)
	mark("wamid.2", true)
	require.Len(t, calls, 1)
	require.True(t, strings.Contains(calls[0], `"wamid.2"`) && strings.Contains(calls[0], `"read"`), calls[0])
	mark("wamid.3", false)
	mark("wamid.3", true)
	require.Len(t, calls, 1, "nothing was unread")
	c, err := store.Conversation(t.Context(), phone, "US.1001")
	require.NoError(t, err)
	require.Zero(t, c.UnreadCount)
	require.ErrorIs(t, tracker.MarkRead(t.Context(), phone, "conv_99", c.Last.Cursor(), true), coexistence.ErrNotFound)
	require.ErrorIs(t, tracker.MarkRead(t.Context(), phone, c.ID, "x", false), coexistence.ErrCursor)
}
