package eligibility_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func TestPageCheckShowsAllThatIsInTheWay(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		number, version string
		state           signup.AppState
		reasons         []string // the first words of each reason
	}{
		"as it should be":     {"+1 201 555 0123", "2.24.17.79", signup.AppWorks, nil},
		"a page without that": {"+1 201 555 0123", "2.24.17.79", "", nil},
		"the other app": {"+1 201 555 0123", "2.24.17.79", signup.AppMessenger,
			[]string{"The number is used in WhatsApp Messenger"}},
		"not verified": {"+1 201 555 0123", "2.24.17.79", signup.AppUnverified,
			[]string{"The phone number is not verified"}},
		"banned": {"+1 201 555 0123", "2.24.17.79", signup.AppInactive,
			[]string{"The WhatsApp Business account is not active"}},
		"country and old version": {"+234 803 000 0123", "2.24.16", signup.AppWorks,
			[]string{"Numbers from Nigeria", "The WhatsApp Business app has version 2.24.16"}},
		"a reason and a question": {"+234 803 000 0123", "", signup.AppWorks,
			[]string{"Numbers from Nigeria", "The version of the WhatsApp Business app is not known"}},
		"questions alone": {"", "newest", signup.AppWorks,
			[]string{"The phone number is missing", "The version of the WhatsApp Business app is not known"}},
		"a number without country": {"201 555 0123", "2.24.17.79", signup.AppWorks,
			[]string{"The phone number has no country code"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := eligibility.PageCheck(func(time.Time) eligibility.Policy { return eligibility.DefaultPolicy })
			got, err := check(t.Context(), "tenant-1",
				signup.CheckParams{PhoneNumber: tt.number, AppVersion: tt.version, AppState: tt.state})
			require.NoError(t, err)
			require.Equal(t, tt.reasons == nil, got.Eligible)
			require.Len(t, got.Reasons, len(tt.reasons))
			for i, r := range got.Reasons {
				require.Contains(t, r.Text, tt.reasons[i])
				require.NotEmpty(t, r.Remedy)
			}
			require.NotEmpty(t, got.Notes)
		})
	}
}

// A host that runs for months follows Meta's rules from the day on which they change.
func TestPageCheckAsksForThePolicyOfEachCheck(t *testing.T) {
	t.Parallel()
	var policy eligibility.Policy
	check := eligibility.PageCheck(func(at time.Time) eligibility.Policy {
		require.WithinDuration(t, time.Now(), at, time.Minute)
		return policy
	})
	nigerian := signup.CheckParams{PhoneNumber: "+234 803 000 0123", AppVersion: "2.24.17"}
	policy = eligibility.DefaultPolicy
	got, err := check(t.Context(), "tenant-1", nigerian)
	require.NoError(t, err)
	require.False(t, got.Eligible)
	policy = eligibility.PolicyAsOf(time.Date(2026, time.April, 15, 0, 0, 0, 0, time.UTC))
	got, err = check(t.Context(), "tenant-1", nigerian)
	require.NoError(t, err)
	require.True(t, got.Eligible)
}

func TestAPolicyIsNamedByADateOrTodayOrNotAtAll(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 29, 0, 0, 0, 0, time.UTC)
	for text, unsupported := range map[string]int{"": 2, "2025-12-01": 2, "2026-04-15": 0, "today": 0} {
		policy, err := eligibility.ParsePolicy(text)
		require.NoError(t, err)
		require.Len(t, policy(now).Unsupported, unsupported, text)
	}
	for _, text := range []string{"yesterday", "2026-13-01", "15.4.2026"} {
		_, err := eligibility.ParsePolicy(text)
		require.Error(t, err, text)
	}
}
