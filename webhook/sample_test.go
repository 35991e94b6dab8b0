package webhook_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// rawOnPurpose lists the samples that hold something without a type.
var rawOnPurpose = map[string]string{
	"messages/unknown-type":  "[IncomingMessage]",
	"messages/batch-one-bad": "[IncomingMessage UndecodableEvent IncomingMessage]",

	"standby/dashboard": "[UnknownEvent]",
	"standby/echo":      "[StandbyEcho]", // the body that was sent

	"business_status_update/undocumented":       "[UnknownEvent]",
	"consumer_profile/undocumented":             "[UnknownEvent]",
	"template_performance_metrics/undocumented": "[UnknownEvent]",
}

// accountFields lists the fields whose deliveries name an account and no phone number id.
var accountFields = []webhook.Field{
	webhook.FieldAccountUpdate, webhook.FieldAccountAlerts, webhook.FieldAccountReviewUpdate,
	webhook.FieldBusinessCapabilityUpdate,
	webhook.FieldBusinessStatusUpdate, webhook.FieldBusinessUsernameUpdate, webhook.FieldBusinessUsernameUpdates,
	webhook.FieldFlows,
	webhook.FieldMessageTemplateComponentsUpdate, webhook.FieldMessageTemplateQualityUpdate,
	webhook.FieldMessageTemplateStatusUpdate,
	webhook.FieldPartnerSolutions, webhook.FieldPaymentConfigurationUpdate, webhook.FieldPhoneNumberNameUpdate,
	webhook.FieldPhoneNumberQualityUpdate, webhook.FieldSecurity, webhook.FieldTemplateCategoryUpdate,
	webhook.FieldTemplateCorrectCategoryDetection, webhook.FieldTemplatePerformanceMetrics,
}

func TestSamplesAreTypedInFull(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, webhooktest.Samples())
	for _, name := range webhooktest.Samples() {
		full := name.Field + "/" + name.Case
		report, err := checkLossless(webhooktest.Sample(name.Field, name.Case), webhook.Decode)
		require.NoError(t, err, full)
		require.Empty(t, report.lost, full)
		if want, ok := rawOnPurpose[full]; ok {
			require.Equal(t, want, fmt.Sprint(report.kinds), full)
			continue
		}
		require.Empty(t, report.untyped, full)
		require.NotContains(t, report.kinds, "UnknownEvent", full)
		require.NotContains(t, report.kinds, "UndecodableEvent", full)
	}
}

func TestSamplesHaveEventsOfTheirField(t *testing.T) {
	t.Parallel()
	for _, name := range webhooktest.Samples() {
		events, err := webhook.Decode(webhooktest.Sample(name.Field, name.Case))
		require.NoError(t, err)
		require.NotEmpty(t, events)
		for i, ev := range events {
			info := ev.Info()
			if !strings.HasPrefix(name.Case, "batch") {
				require.Equal(t, webhook.Field(name.Field), info.Field, name)
				if strings.HasPrefix(name.Case, "certification") || info.Field == webhook.FieldPartnerSolutions {
					require.Empty(t, info.WABAID, name) // it is about a business, not an account
				} else {
					require.Equal(t, "200000000000001", string(info.WABAID), name)
				}
			}
			require.NotEmpty(t, info.Raw, "%v event %d", name, i)
			require.Empty(t, info.Unknown, name)
			if slices.Contains(accountFields, info.Field) || name.Case == "dashboard" {
				require.Empty(t, info.PhoneNumberID, name)
				continue
			}
			require.Equal(t, "300000000000001", string(info.PhoneNumberID), name)
			if info.Field != webhook.FieldAccountSettingsUpdate {
				require.Equal(t, "15550100100", info.DisplayPhoneNumber, name)
			}
		}
	}
}
