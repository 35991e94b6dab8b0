package cloudapi_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Of all that can go wrong with a send, only the limits and a request that never left may be tried
// again.
func TestSendThatMayHaveGoneOutOrIsRefusedForGoodIsNotSafeToRetry(t *testing.T) {
	t.Parallel()
	for name, tt := range failures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, tt.step)
			_, err := srv.client(t).Messages.Send(t.Context(), phoneID, text())
			require.False(t, asError(t, err).SafeToRetry())
		})
	}
}

func TestLimitAndUnsentRequestAreSafeToRetry(t *testing.T) {
	t.Parallel()
	once := func(cfg *cloudapi.Config) { cfg.Retry.MaxAttempts = 1 }
	for _, code := range refusals {
		_, err := serve(t, reply(400, graphError(code, ""))).client(t, once).Messages.Send(t.Context(), phoneID, text())
		require.True(t, asError(t, err).SafeToRetry(), code)
		_, err = serve(t, reply(400, graphError(code, ""))).client(t).Phones.SyncAppData(t.Context(), phoneID,
			cloudapi.SyncContacts)
		require.True(t, asError(t, err).SafeToRetry(), "one-shot call, %s", code)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := serve(t).client(t).Messages.Send(ctx, phoneID, text())
	require.True(t, asError(t, err).SafeToRetry(), "not sent")
}

func TestReadAndSettingAreSafeToRetryWhereASendIsNot(t *testing.T) {
	t.Parallel()
	require.True(t, get(t, drop).SafeToRetry())
	require.True(t, get(t, reply(500, graphError("2", ""))).SafeToRetry())
	require.False(t, get(t, reply(400, graphError("190", "463"))).SafeToRetry())

	err := serve(t, drop).client(t, func(cfg *cloudapi.Config) { cfg.Retry.MaxAttempts = 1 }).
		Profiles.Update(t.Context(), phoneID, cloudapi.ProfileUpdateParams{About: new("Open from 7 to 18 h")})
	require.Equal(t, cloudapi.OutcomeUnknown, asError(t, err).Outcome)
	require.True(t, asError(t, err).SafeToRetry())

	_, err = serve(t, drop).client(t).OAuth.Exchange(t.Context(), cloudapi.CodeExchangeParams{Code: "code"})
	require.False(t, asError(t, err).SafeToRetry(), "a code works once")
}

// A host's tests make errors of their own.
func TestErrorThatAHostMakesSaysWhetherItIsSafeToRetry(t *testing.T) {
	t.Parallel()
	require.True(t, (&cloudapi.Error{Outcome: cloudapi.OutcomeNotSent}).SafeToRetry())
	require.True(t, (&cloudapi.Error{Outcome: cloudapi.OutcomeRefused, Code: graph.CodeRateLimitHit}).SafeToRetry())
	require.False(t,
		(&cloudapi.Error{Outcome: cloudapi.OutcomeRefused, Code: graph.CodeReengagementMessage}).SafeToRetry())
	require.False(t, (&cloudapi.Error{Outcome: cloudapi.OutcomeUnknown}).SafeToRetry())
}
