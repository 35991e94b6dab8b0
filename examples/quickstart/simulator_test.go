package main

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
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
	tracker, err := coexistence.NewTracker(coexistence.Config{Store: new(coexistence.MemStore), AppID: world.AppID()})
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
	require.NoError(t, tracker.Onboard(t.Context(), b.Onboarding))
	_, err = tracker.Begin(t.Context(), coexistence.API(client.WithToken(b.Token)), b.Phone.ID)
	require.NoError(t, err)
	customer := phone.Customer("+1 555 010 0142")
	customer.Sends("Are you open?")
	phone.Send(customer, "Until six.")
	require.NoError(t, world.Wait(t.Context()))

	chat, err := tracker.Store().Conversation(t.Context(), b.Phone.ID, customer.Identity().Key())
	require.NoError(t, err)
	require.Equal(t, 2, chat.Messages)
}
