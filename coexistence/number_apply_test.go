package coexistence_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Seen with the simulator: a business changed its phone and disconnected within one second, and
// stayed active.
func TestARemovalInTheSecondOfASuspensionIsBelieved(t *testing.T) {
	t.Parallel()
	second := t0.Add(time.Hour)
	s := applied(onboarded(), account(webhook.AccountOffboarded, second),
		account(webhook.AccountReconnected, second.Add(-time.Second)))
	s = s.ApplyReading(&cloudapi.Phone{IsOnBizApp: true, PlatformType: cloudapi.PlatformCloudAPI},
		second.Add(300*time.Millisecond))
	require.Equal(t, coexistence.StageOnboarded, s.Stage)
	s = applied(s, removedFor("ACCOUNT_DISCONNECTED", "USER", second))
	require.Equal(t, coexistence.StageRemoved, s.Stage)
}

// Meta names one reason for two things that a business can do about in different ways.
func TestWhoDisconnectedTheAccountDecidesTheRemedy(t *testing.T) {
	t.Parallel()
	user := applied(onboarded(), removedFor("ACCOUNT_DISCONNECTED", "USER", t0.Add(time.Hour))).Remedy()
	meta := applied(onboarded(), removedFor("ACCOUNT_DISCONNECTED", "SYSTEM", t0.Add(time.Hour))).Remedy()
	require.Contains(t, user, "disconnected in the WhatsApp Business app")
	require.Contains(t, meta, "policy status")
}

// Updates are dated by Meta's clock in whole seconds, readings by the host's clock. Seen with the
// simulator: a business that disconnected a moment after its number was read stayed active forever.
func TestAnUpdateMomentsBesideAReadingIsBelieved(t *testing.T) {
	t.Parallel()
	both := &cloudapi.Phone{IsOnBizApp: true, PlatformType: cloudapi.PlatformCloudAPI}
	read := t0.Add(time.Hour + 400*time.Millisecond)
	second := read.Truncate(time.Second)
	ended := func(at time.Time) *webhook.AccountUpdate { return removedFor("ACCOUNT_DISCONNECTED", "USER", at) }
	paused := func(at time.Time) *webhook.AccountUpdate { return account(webhook.AccountOffboarded, at) }
	believed := map[string]struct {
		update *webhook.AccountUpdate
		want   coexistence.Stage
	}{
		"removed in the second of the reading":    {ended(second), coexistence.StageRemoved},
		"removed, and the host's clock is fast":   {ended(second.Add(-20 * time.Second)), coexistence.StageRemoved},
		"suspended in the second of the reading":  {paused(second), coexistence.StageOffboarded},
		"suspended, and the host's clock is fast": {paused(second.Add(-20 * time.Second)), coexistence.StageOffboarded},
	}
	for name, tt := range believed {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := applied(onboarded().ApplyReading(both, read), tt.update)
			require.Equal(t, tt.want, s.Stage)
			require.Equal(t, tt.want, applied(s, tt.update).Stage, "a repeat changes nothing")
			require.True(t, s.NeedsRefresh(), "a later reading has to settle it")

			s = s.ApplyReading(both, read.Add(time.Second))
			require.Equal(t, coexistence.StageOnboarded, s.Stage, "the number was read again, and lives")
			require.True(t, s.NeedsRefresh(), "that reading is hardly later than the update")
			require.Equal(t, coexistence.StageOnboarded, applied(s, tt.update).Stage,
				"a repeat of what the reading has settled changes nothing")

			s = s.ApplyReading(both, read.Add(time.Hour))
			require.False(t, s.NeedsRefresh())
			require.Equal(t, coexistence.StageOnboarded, applied(s, tt.update).Stage)
		})
	}
	for name, update := range map[string]*webhook.AccountUpdate{
		"removed long before the reading":   ended(second.Add(-time.Minute)),
		"suspended long before the reading": paused(second.Add(-time.Minute)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := applied(onboarded().ApplyReading(both, read), update)
			require.Equal(t, coexistence.StageOnboarded, s.Stage)
			require.Equal(t, coexistence.StageOnboarded, applied(s, update).Stage, "a repeat changes nothing")
		})
	}
}

// Seen in the model test: a reading finds the number suspended before an update has said so; then
// both updates arrive, dated before it.
func TestAReconnectionDatedBeforeAReadingAsksForAnother(t *testing.T) {
	t.Parallel()
	gone := &cloudapi.Phone{IsOnBizApp: true, PlatformType: "NOT_APPLICABLE"}
	back := &cloudapi.Phone{IsOnBizApp: true, PlatformType: cloudapi.PlatformCloudAPI}
	at := t0.Add(time.Hour)
	s := onboarded().ApplyReading(gone, at.Add(20*time.Minute))
	require.Equal(t, coexistence.StageOffboarded, s.Stage)
	s = applied(s, account(webhook.AccountOffboarded, at), account(webhook.AccountReconnected, at.Add(-time.Second)))
	require.True(t, s.NeedsRefresh())
	s = s.ApplyReading(back, at.Add(2*time.Hour))
	require.Equal(t, coexistence.StageOnboarded, s.Stage)
	require.False(t, applied(s, account(webhook.AccountReconnected, at.Add(-time.Second))).NeedsRefresh(), "a repeat")
}
