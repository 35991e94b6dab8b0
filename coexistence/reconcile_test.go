package coexistence_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func TestAJobTendsANumber(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	asked := 0
	client := func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
		asked++
		return cloudapi.NewClient(d.srv.Config())
	}
	_, err := d.tracker.Tend(t.Context(), d.phone.ID, func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
		return nil, errors.New("the token does not open")
	})
	require.Error(t, err)
	did, err := d.tracker.Tend(t.Context(), d.phone.ID, client)
	require.NoError(t, err)
	require.True(t, did)
	require.Equal(t, 2, d.srv.Count("POST", syncPath), "contacts and history")

	asked = 0
	did, err = d.tracker.Tend(t.Context(), d.phone.ID, client)
	require.NoError(t, err)
	require.False(t, did)
	require.Zero(t, asked, "nothing is due, so no token is needed")

	require.NoError(t, d.tracker.Handle(t.Context(), &webhook.AccountUpdate{
		EventInfo: webhook.EventInfo{WABA: d.phone.WABAs[0], At: time.Now()}, Event: webhook.AccountOffboarded,
	}))
	require.True(t, d.state(t).NeedsConfirm())
	did, err = d.tracker.Tend(t.Context(), d.phone.ID, client)
	require.NoError(t, err)
	require.True(t, did)
	require.True(t, d.state(t).Stage.Live(), "the number was read, and works")
	require.Equal(t, 2, d.srv.Count("POST", syncPath), "and nothing is asked for twice")
	_, err = d.tracker.Tend(t.Context(), "another number", client)
	require.Error(t, err)
}
