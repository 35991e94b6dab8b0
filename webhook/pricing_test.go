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
	exempt := one[*webhook.MessageStatus](t, string(webhooktest.Sample("messages", "status-paid-exempt"))).Pricing
	require.Equal(t, webhook.PricingRegular, exempt.Type)
	require.Equal(t, webhook.PricingPaidExempt, exempt.Subtype)
	require.True(t, exempt.Free())
	require.False(t, (&webhook.Pricing{Type: webhook.PricingRegular, Subtype: "another"}).Free())
}

func TestVoicemailIsToldFromVoice(t *testing.T) {
	t.Parallel()
	require.True(t, one[*webhook.IncomingMessage](t, string(webhooktest.Sample("messages", "voicemail"))).IsVoicemail())
	for _, other := range []string{"voice", "audio", "text"} {
		require.False(t, one[*webhook.IncomingMessage](t, string(webhooktest.Sample("messages", other))).IsVoicemail())
	}
}
