package coexistencetest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func newFlow(t *testing.T, world *coexistencetest.World, change ...func(*signup.Config)) *signup.Flow {
	t.Helper()
	client, err := cloudapi.NewClient(world.ClientConfig())
	require.NoError(t, err)
	cfg := signup.Config{ConfigurationID: world.ConfigurationID(), Client: client}
	for _, fn := range change {
		fn(&cfg)
	}
	flow, err := signup.NewFlow(cfg)
	require.NoError(t, err)
	return flow
}

func TestOneCallSignsAPhoneUp(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		session coexistencetest.SessionVariant
		sharing coexistencetest.HistorySharing
		second  bool
	}{
		"as documented": {coexistencetest.SessionDocumented, coexistencetest.ShareHistory, false},
		"no message":    {coexistencetest.SessionLost, coexistencetest.ShareHistory, false},
		"declined":      {coexistencetest.SessionWithPhone, coexistencetest.DeclineHistory, false},
		"two accounts":  {coexistencetest.SessionDocumented, coexistencetest.ShareHistory, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world, h := newWorld(t, coexistencetest.Config{Session: tt.session})
			phone := world.NewPhone(coexistencetest.PhoneConfig{
				Business: "Ovenbird Bakery", SecondAccount: tt.second, History: coexistencetest.History{Messages: 20},
			})
			var taken *signup.Connection
			flow := newFlow(t, world, func(c *signup.Config) {
				c.Connected = func(_ context.Context, b *signup.Connection) error { taken = b; return nil }
			})
			b, err := coexistencetest.SignUp(t.Context(), flow, phone, tt.sharing)
			require.NoError(t, err)
			require.Same(t, taken, b)
			require.Equal(t, "Ovenbird Bakery", b.Tenant)
			require.Equal(t, phone.ID(), b.Phone.ID)
			require.ElementsMatch(t, phone.WABAs(), b.WABAIDs)
			require.True(t, phone.Coexists())

			require.Equal(t, 200, requestSync(t, world, b.Token, phone, "history"))
			wait(t, world)
			declined := slices.ContainsFunc(h.received(), func(body string) bool {
				return strings.Contains(body, fmt.Sprintf(`"code":%d`, int(graph.CodeHistorySharingOff)))
			})
			require.Equal(t, tt.sharing == coexistencetest.DeclineHistory, declined)
		})
	}
}

func TestASignUpIsRefusedLikeInThePopup(t *testing.T) {
	t.Parallel()
	world, _ := newWorld(t, coexistencetest.Config{})
	old := world.NewPhone(coexistencetest.PhoneConfig{AppVersion: "2.23.1"})
	_, err := coexistencetest.SignUp(t.Context(), newFlow(t, world), old, coexistencetest.ShareHistory)
	require.ErrorIs(t, err, graph.CodeSignupUpdateApp)

	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	another := newFlow(t, world, func(c *signup.Config) { c.ConfigurationID = "900000000000009" })
	_, err = coexistencetest.SignUp(t.Context(), another, phone, coexistencetest.ShareHistory)
	require.ErrorContains(t, err, "Sorry, something went wrong")
	require.False(t, phone.Coexists())

	ordinary := newFlow(t, world, func(c *signup.Config) { c.Mode = signup.ModeStandard })
	b, err := coexistencetest.SignUp(t.Context(), ordinary, phone, coexistencetest.ShareHistory)
	require.NoError(t, err)
	require.Equal(t, signup.OutcomeNeedsRegistration, b.Outcome)
	require.Equal(t, phone.Business(), b.BusinessID)
	require.False(t, phone.Coexists(), "it is another number")
}

func TestASignUpNeedsNoSocket(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		world := coexistencetest.NewWorld(coexistencetest.Config{Network: new(cloudapitest.Network)})
		defer world.Close()
		phone := world.NewPhone(coexistencetest.PhoneConfig{})
		b, err := coexistencetest.SignUp(t.Context(), newFlow(t, world), phone, coexistencetest.ShareHistory)
		require.NoError(t, err)
		require.Equal(t, phone.ID(), b.Phone.ID)
	})
}

func TestThePopupTakesTheLaunchOfAFlow(t *testing.T) {
	t.Parallel()
	world, _ := newWorld(t, coexistencetest.Config{})
	launch, err := newFlow(t, world).Launch(signup.LaunchOptions{})
	require.NoError(t, err)
	popup, err := world.OpenSignup(launch)
	require.NoError(t, err)
	require.True(t, popup.OffersExistingAccount())
	_, err = world.OpenSignup(nil)
	require.ErrorContains(t, err, "no config_id")
}
