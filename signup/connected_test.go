package signup_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// However a signup succeeds, the host is notified in one place, and before the attempt drops the
// token.
func TestConnectedTakesEveryBusiness(t *testing.T) {
	t.Parallel()
	ways := map[string]func(*bench) (*signup.Connection, error){
		"finish": func(b *bench) (*signup.Connection, error) { return b.finish(finished(wabaA)) },
		"resume a connection": func(b *bench) (*signup.Connection, error) {
			return b.ResumeConnection(b.t.Context(), &signup.Connection{Tenant: owner, Token: token}, "")
		},
		"recover": func(b *bench) (*signup.Connection, error) {
			return b.Recover(b.t.Context(), owner, signup.SharedAccount{WABAID: wabaA, BusinessID: business})
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var taken []*signup.Connection
			var fail error
			b := newBench(t, happy(), func(c *signup.Config) {
				c.Connected = func(_ context.Context, got *signup.Connection) error {
					require.Equal(t, signup.OutcomeReady, got.Outcome)
					taken = append(taken, got)
					return fail
				}
			})
			got, err := way(b)
			require.NoError(t, err)
			require.Equal(t, []*signup.Connection{got}, taken)

			fail = graph.CodeAccessTokenExpired // of a call of the host's own: it says nothing about this signup
			got, err = way(b)
			e := requireOutcome(t, signup.OutcomeUnavailable, err)
			require.Equal(t, signup.StepReady, e.Step)
			require.ErrorIs(t, err, fail)
			require.Equal(t, graph.Secret(token), got.Token, "the business can be resumed")
		})
	}
}

func TestResumeAllHandsBusinessesOver(t *testing.T) {
	t.Parallel()
	fail := errors.New("the database is down")
	taken := 0
	b := newBench(t, happy(), func(c *signup.Config) {
		c.Connected = func(context.Context, *signup.Connection) error { taken++; return fail }
	})
	for range 2 {
		_, err := b.finish("")
		requireOutcome(t, signup.OutcomeUnavailable, err)
	}
	n, err := b.ResumeAll(t.Context())
	require.Zero(t, n)
	require.ErrorIs(t, err, fail)
	require.Equal(t, 4, taken)
	fail = nil
	n, err = b.ResumeAll(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, n)
	n, err = b.ResumeAll(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "each was taken")

	_, err = flow(t, "").ResumeAll(t.Context())
	require.ErrorContains(t, err, "Config.Connected")
}
