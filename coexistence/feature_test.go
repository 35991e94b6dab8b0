package coexistence_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

func TestFeaturesAreFitToShow(t *testing.T) {
	t.Parallel()
	seen := map[coexistence.Feature]coexistence.FeatureChange{}
	for _, f := range coexistence.Features() {
		require.NotContains(t, seen, f.Feature)
		seen[f.Feature] = f
		require.NotEmpty(t, f.Name)
		require.Contains(t, []coexistence.AppEffect{coexistence.AppUnchanged, coexistence.AppReduced,
			coexistence.AppDisabled}, f.App, f.Name)
		for _, sentence := range []string{f.AppText, f.APIText} {
			require.Regexp(t, `^[A-Z].{10,}\.$`, sentence, f.Name)
		}
		require.NotEmpty(t, f.Source)
		require.False(t, f.AsOf.IsZero())
	}
	// What Meta's table of 2026-06-26 takes away from the app, and what it lets Cloud API see.
	for _, f := range []coexistence.Feature{
		coexistence.FeatureDisappearing, coexistence.FeatureViewOnce, coexistence.FeatureLiveLocation,
		coexistence.FeatureBroadcasts,
	} {
		require.Equal(t, coexistence.AppDisabled, seen[f].App, f)
		require.False(t, seen[f].OnAPI, f)
	}
	for _, f := range []coexistence.Feature{coexistence.FeatureChats, coexistence.FeatureContacts} {
		require.Equal(t, coexistence.AppUnchanged, seen[f].App, f)
		require.True(t, seen[f].OnAPI, f)
	}
	for _, f := range []coexistence.Feature{
		coexistence.FeatureGroups, coexistence.FeatureCalls, coexistence.FeatureCatalog,
		coexistence.FeatureMessagingTool,
		coexistence.FeatureProfile, coexistence.FeatureChannels,
	} {
		require.Equal(t, coexistence.AppUnchanged, seen[f].App, f)
		require.False(t, seen[f].OnAPI, f)
	}
}

func TestFeaturesAreTheCallersToChange(t *testing.T) {
	t.Parallel()
	coexistence.Features()[0].Name = "changed"
	require.NotEqual(t, "changed", coexistence.Features()[0].Name)
}
