package main

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// This is all that a test of your own takes: the simulator is Meta, the phone and a customer.
func TestTheChatHasWhatBothSidesWrote(t *testing.T) {
	t.Parallel()
	world := coexistencetest.NewWorld(coexistencetest.Config{})
	defer world.Close()
	phone := world.NewPhone(coexistencetest.PhoneConfig{History: coexistencetest.History{Messages: 100}})
	client, err := cloudapi.NewClient(world.ClientConfig())
	require.NoError(t, err)
	var token graph.Secret
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store: new(coexistence.MemStore),
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) {
			return client.WithToken(token), nil
		},
	})
	require.NoError(t, err)
	endpoint, err := webhook.NewEndpoint(world.WebhookConfig(), webhook.Dispatch(tracker))
	require.NoError(t, err)
	host := httptest.NewServer(endpoint)
	defer host.Close()
	require.NoError(t, world.DeliverTo(host.URL))
	flow, err := signup.NewFlow(signup.Config{ConfigurationID: world.ConfigurationID(), Client: client})
	require.NoError(t, err)

	b, err := coexistencetest.SignUp(t.Context(), flow, phone, coexistencetest.ShareHistory)
	require.NoError(t, err)
	token = b.Token
	require.NoError(t, tracker.Onboard(t.Context(), b.Onboarding))
	require.NoError(t, tracker.Reconcile(t.Context(), b.Phone.ID))
	customer := phone.Customer("+1 555 010 0142")
	customer.Send("Are you open?")
	phone.Send(customer, "Until six.")
	require.NoError(t, world.WaitDelivered(t.Context()))

	chat, err := tracker.Store().Conversation(t.Context(), b.Phone.ID, customer.Identity().Key())
	require.NoError(t, err)
	require.Equal(t, 2, chat.MessageCount)
}
