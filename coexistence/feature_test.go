package coexistence_test

import (
	"os"
	"regexp"
	"strings"
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

// The page of package signup says what becomes of every feature, before Meta's popup opens. Its
// files of other languages have the same keys, by a test there.
func TestThePageBeforeSignupTellsOfEveryFeature(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("../signup/web/connect.js")
	require.NoError(t, err)
	texts := regexp.MustCompile(`(?s)\n  features: \{.*?\n  \},`).Find(script)
	become := map[coexistence.Feature]coexistence.AppEffect{}
	var want []coexistence.Feature
	for _, f := range coexistence.Features() {
		become[f.Feature] = f.App
		want = append(want, f.Feature)
	}
	var got []coexistence.Feature
	for _, m := range regexp.MustCompile(`\n    "([^"]+)":\s+"([^"]+)"`).FindAllSubmatch(texts, -1) {
		unchanged := strings.Contains(string(m[2]), "as before")
		for name := range strings.SplitSeq(string(m[1]), " | ") {
			f := coexistence.Feature(name)
			require.Equal(t, become[f] == coexistence.AppUnchanged, unchanged, name)
			got = append(got, f)
		}
	}
	require.ElementsMatch(t, want, got)
}
