package webhook_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

func TestServiceMessagesCanCost(t *testing.T) {
	t.Parallel()
	status := one[*webhook.MessageStatus](t, string(webhooktest.Sample("messages", "status-regular-service")))
	require.Equal(t, webhook.PricingService, status.Pricing.Category)
	require.False(t, status.Pricing.Free())
	for typ, free := range map[webhook.PricingType]bool{
		webhook.PricingFreeService: true, webhook.PricingFreeEntryPoint: true, webhook.PricingFreeGroupService: true,
		"": false, "free_of_taste": false,
	} {
		require.Equal(t, free, (&webhook.Pricing{Type: typ}).Free(), typ)
	}
}

func TestVoicemailIsToldFromVoice(t *testing.T) {
	t.Parallel()
	require.True(t, one[*webhook.IncomingMessage](t, string(webhooktest.Sample("messages", "voicemail"))).IsVoicemail())
	for _, other := range []string{"voice", "audio", "text"} {
		require.False(t, one[*webhook.IncomingMessage](t, string(webhooktest.Sample("messages", other))).IsVoicemail())
	}
}
