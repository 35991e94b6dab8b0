package signup_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func TestNewFlowListsEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := signup.NewFlow(signup.Config{})
	for _, want := range []string{"Config.ConfigurationID", "Config.Client"} {
		require.ErrorContains(t, err, want)
	}
	_, err = signup.NewFlow(signup.Config{
		ConfigurationID: "my configuration", Mode: "coex", PartnerBusinessID: "me", AttemptTTL: -1,
		Page: signup.PageConfig{
			Tenant: func(*http.Request) (string, error) { return owner, nil },
			SDKURL: "sdk.js", RedirectURI: "http://app.example.com/",
			TrustedOrigins: []string{"app.example.com", "https://app.example.com/", "https://app.example.com"},
		},
	})
	for _, want := range []string{
		"ConfigurationID", "Client", "Mode", "PartnerBusinessID", "AttemptTTL", "Config.Connected", "Page.SDKURL",
		"Page.RedirectURI", `"app.example.com"`, `"https://app.example.com/"`,
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), `"https://app.example.com" `)
}

// refusal is what NewFlow says of a page, and of the rest of an empty Config.
func refusal(page signup.PageConfig) error {
	_, err := signup.NewFlow(signup.Config{Page: page})
	return err
}

func TestAPageThatIsUsedNeedsATenant(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]signup.PageConfig{
		"prefix":   {Prefix: "/whatsapp/"},
		"origins":  {TrustedOrigins: []string{"https://app.example.com"}},
		"page":     {PageURL: "/settings"},
		"redirect": {RedirectURI: "https://app.example.com/signup/back"},
		"check": {Check: func(context.Context, string, signup.CheckParams) (signup.CheckResult, error) {
			return signup.CheckResult{}, nil
		}},
		"launch": {LaunchFor: func(context.Context, string) (signup.LaunchOptions, error) {
			return signup.LaunchOptions{}, nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, refusal(page), "Config.Page.Tenant is nil")
		})
	}
}

func TestAPageThatIsNotUsedNeedsNothing(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]signup.PageConfig{
		"empty":                           {},
		"headers for the host's own page": {SDKURL: "http://127.0.0.1:9/sdk.js"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NotContains(t, refusal(page).Error(), "Page")
		})
	}
}

func TestAPrefixCanBeMounted(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{
		"signup/", "/signup", "//", "/a//b/", "/../", "/./", "/{id}/", "/a b/", "/%2f/", "/?/", "GET /signup/",
	} {
		t.Run(prefix, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, refusal(signup.PageConfig{Prefix: prefix}), "Config.Page.Prefix")
		})
	}
}

func TestStatesBelongToTheirOwnerOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, happy())
	state := b.begin()
	require.NotEqual(t, state, b.begin())
	require.GreaterOrEqual(t, len(state), 26)

	_, err := b.submit(t.Context(), signup.Submission{State: "made-up", Tenant: owner, Code: code})
	requireOutcome(t, signup.OutcomeStateUnknown, err)
	_, err = b.submit(t.Context(), signup.Submission{Tenant: owner, Code: code})
	requireOutcome(t, signup.OutcomeStateUnknown, err)
	for _, other := range []string{"tenant-2", ""} {
		_, err = b.submit(t.Context(), signup.Submission{State: state, Tenant: other, Code: code})
		requireOutcome(t, signup.OutcomeWrongTenant, err)
	}
	require.Empty(t, b.meta.calls, "a state that is refused spends no code")

	_, err = b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, Code: code})
	require.NoError(t, err, "others cannot spend it either")
	_, err = b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, Code: "canary-code-2"})
	requireOutcome(t, signup.OutcomeStateUsed, err)
	require.Equal(t, 1, b.meta.did(exchange))
}

func TestAnAttemptNeedsATenant(t *testing.T) {
	t.Parallel()
	f := flow(t, "")
	_, err := f.StartAttempt(t.Context(), "")
	require.ErrorContains(t, err, "signup: StartAttempt needs the tenant")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.StartAttempt(ctx, owner)
	require.ErrorIs(t, err, context.Canceled)
}

func TestStatesExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := flow(t, "")
		a, err := f.StartAttempt(t.Context(), owner)
		require.NoError(t, err)
		require.Equal(t, time.Now().Add(time.Hour), a.ExpiresAt)
		finish := func() error {
			_, err := f.Finish(t.Context(), signup.Submission{State: a.State, Tenant: owner})
			return err
		}
		time.Sleep(time.Hour - time.Nanosecond)
		requireOutcome(t, signup.OutcomeNoCode, finish())
		time.Sleep(time.Nanosecond)
		requireOutcome(t, signup.OutcomeStateExpired, finish())
		time.Sleep(time.Hour + time.Nanosecond)
		_, err = f.StartAttempt(t.Context(), owner)
		require.NoError(t, err)
		requireOutcome(t, signup.OutcomeStateUnknown, finish()) // forgotten
	})
}

func TestAnOwnerCannotFillTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := flow(t, "")
		finish := func(state graph.Secret, tenant string) error {
			_, err := f.Finish(t.Context(), signup.Submission{State: state, Tenant: tenant})
			return err
		}
		other, err := f.StartAttempt(t.Context(), "tenant-2")
		require.NoError(t, err)
		var states []graph.Secret
		for range 25 {
			time.Sleep(time.Second)
			a, err := f.StartAttempt(t.Context(), owner)
			require.NoError(t, err)
			states = append(states, a.State)
		}
		for i, state := range states {
			want := signup.OutcomeNoCode
			if i < 5 {
				want = signup.OutcomeStateUnknown
			}
			requireOutcome(t, want, finish(state, owner))
		}
		requireOutcome(t, signup.OutcomeNoCode, finish(other.State, "tenant-2"))
	})
}

func TestEveryOutcomeSaysWhatToDo(t *testing.T) {
	t.Parallel()
	all := []signup.Outcome{
		signup.OutcomeReady, signup.OutcomeNeedsRegistration, signup.OutcomeFellBack, signup.OutcomeNotFinished,
		signup.OutcomeChooseNumber, signup.OutcomeNoNumber, signup.OutcomeNoAccount, signup.OutcomeTaken,
		signup.OutcomeCanceled, signup.OutcomeFailed, signup.OutcomeNoCode, signup.OutcomeMisconfigured,
		signup.OutcomeCodeExpired, signup.OutcomeCodeUsed, signup.OutcomeCodeLost, signup.OutcomeCodeRefused,
		signup.OutcomeWrongRedirect, signup.OutcomeForeignToken, signup.OutcomeTokenInvalid,
		signup.OutcomeMissingPermission, signup.OutcomeNotGranted, signup.OutcomeStateUnknown,
		signup.OutcomeStateExpired, signup.OutcomeStateUsed, signup.OutcomeWrongTenant, signup.OutcomeNotSubscribed,
		signup.OutcomeUnavailable, signup.OutcomeOverrideRefused, signup.OutcomeCreditRefused,
		signup.OutcomeOtherCredit, signup.OutcomeNumberUnverified, signup.OutcomeVerificationSent,
		signup.OutcomeVerificationNotSent, signup.OutcomeVerificationWrong, signup.OutcomePINMismatch,
		signup.OutcomeRegisterLimit, signup.OutcomeRegisterLate,
	}
	said := map[string]bool{}
	for _, o := range all {
		require.False(t, said[o.Advice()], "%s says the same as another", o)
		said[o.Advice()] = true
		t.Run(string(o), func(t *testing.T) {
			t.Parallel()
			require.Regexp(t, `^[A-Z].*\.$`, o.Advice())
			require.NotEmpty(t, o.Actor())
			require.Equal(t, o == signup.OutcomeReady || o == signup.OutcomeNeedsRegistration, o.Connected())

			err := fmt.Sprint(&signup.Error{Outcome: o, Step: signup.StepVerify})
			require.Regexp(t, `^signup: verify: `+string(o)+`: .*[^.]$`, err)
		})
	}
}

func TestAnOutcomeOfALaterVersionSaysNothing(t *testing.T) {
	t.Parallel()
	require.Empty(t, signup.Outcome("later").Advice())
	require.False(t, signup.Outcome("later").Resumable())
}

// Twenty reloads of the page while a code is being exchanged must not cost the token that it
// brings.
func TestAnAttemptAtWorkIsNotForgotten(t *testing.T) {
	t.Parallel()
	m := happy()
	b := newBench(t, m)
	var state graph.Secret
	m.seen = func(call string) {
		if call != exchange {
			return
		}
		for range 50 {
			_, err := b.StartAttempt(t.Context(), owner)
			require.NoError(t, err)
		}
		s, err := b.Status(t.Context(), state, owner)
		require.NoError(t, err)
		require.Equal(t, signup.PhaseRunning, s.Phase)
	}
	state = b.begin()
	got, err := b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, Code: code})
	require.NoError(t, err)
	require.Equal(t, signup.OutcomeReady, got.Outcome)
	s, err := b.Status(t.Context(), state, owner)
	require.NoError(t, err)
	require.Equal(t, signup.OutcomeReady, s.Outcome, "its end is stored")
}

// A key service that is down for a minute says nothing about the tokens that it sealed.
func TestACipherThatFailsForAWhileForgetsNoToken(t *testing.T) {
	t.Parallel()
	cipher, err := signup.NewKeyring(newKey(t))
	require.NoError(t, err)
	down := &unwell{Cipher: cipher}
	m := happy()
	m.fail["GET /"+wabaA+"/phone_numbers"] = refuse(503, "")
	b := newBench(t, m, func(c *signup.Config) { c.Cipher = down })
	state := b.begin()
	_, err = b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, Code: code})
	requireOutcome(t, signup.OutcomeUnavailable, err)
	down.ill.Store(true)
	for range 50 {
		_, err := b.StartAttempt(t.Context(), owner)
		require.NoError(t, err)
	}
	down.ill.Store(false)
	m.change(func() { clear(m.fail) })
	got, err := b.submit(t.Context(), signup.Submission{State: state, Tenant: owner})
	require.NoError(t, err)
	require.Equal(t, signup.OutcomeReady, got.Outcome)
}

// One attempt whose key is lost keeps no other from going on after a restart.
func TestAttemptsThatCannotBeReadHideNoOthers(t *testing.T) {
	t.Parallel()
	store, m := new(signup.MemStore), happy()
	m.fail["GET /"+wabaA+"/phone_numbers"] = refuse(503, "")
	with := func(key []byte) *bench {
		cipher, err := signup.NewKeyring(key)
		require.NoError(t, err)
		return newBench(t, m, func(c *signup.Config) { c.Store, c.Cipher = store, cipher })
	}
	lost, kept := with(newKey(t)), with(newKey(t))
	for _, b := range []*bench{lost, kept} {
		_, err := b.finish("")
		requireOutcome(t, signup.OutcomeUnavailable, err)
	}
	all, err := kept.Attempts(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.ErrorContains(t, all[0].Err, "cannot be decrypted")
	require.Equal(
		t, signup.AttemptStatus{ID: all[0].ID, Tenant: owner, BeganAt: all[0].BeganAt, Err: all[0].Err}, all[0],
	)
	require.NoError(t, all[1].Err)
	require.Equal(t, signup.PhaseGranted, all[1].Phase)
	m.change(func() { clear(m.fail) })
	_, err = kept.Resume(t.Context(), all[1].ID, "")
	require.NoError(t, err)
}

// An unwell cipher opens nothing for a while.
type unwell struct {
	signup.Cipher
	ill atomic.Bool
}

func (u *unwell) Decrypt(ciphertext, associated []byte) ([]byte, error) {
	if u.ill.Load() {
		return nil, errors.New("the key service is down")
	}
	return u.Cipher.Decrypt(ciphertext, associated)
}
