package signup_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func TestABusinessAppUserIsConnectedByTheAccountAlone(t *testing.T) {
	t.Parallel()
	var steps []signup.Step
	b := newBench(t, happy(), func(c *signup.Config) {
		c.Progress = func(_ context.Context, step signup.Step, b *signup.Connection) error {
			require.Equal(t, graph.Secret(token), b.Token, "the token is there to be stored from the first step on")
			require.Equal(t, owner, b.Tenant)
			steps = append(steps, step)
			return nil
		}
	})
	before := time.Now()
	got, err := b.finish(finished(wabaA))
	require.NoError(t, err)
	require.Equal(t, signup.OutcomeReady, got.Outcome)
	require.Equal(t, owner, got.Tenant)
	require.Equal(t, graph.Secret(token), got.Token)
	require.True(t, got.TokenExpiresAt.IsZero())
	require.Equal(t, graph.WABAID(wabaA), got.WABAID)
	require.Equal(t, []graph.WABAID{wabaA}, got.WABAIDs)
	require.Equal(t, graph.PhoneNumberID(phoneA), got.Phone.ID)
	require.True(t, got.Phone.Coexists())
	require.Equal(t, graph.BusinessID(business), got.BusinessID)
	require.WithinRange(t, got.OnboardedAt, before, time.Now())
	require.Equal(t, signup.KindCoexistence, got.Session.Kind())
	require.Empty(t, got.Warnings)
	require.Equal(t, b.Steps()[2:], steps, "all steps from the exchange on, in their order")
	require.Equal(t, 1, b.meta.did(exchange))
	require.Equal(t, 1, b.meta.did("POST /"+wabaA+"/subscribed_apps"))

	q, err := url.ParseQuery(b.meta.queries[0])
	require.NoError(t, err)
	require.False(t, q.Has("redirect_uri"), "a code of FB.login's callback is exchanged without redirect_uri")
}

func TestNumbersAreNeverRegisteredOrDeregistered(t *testing.T) {
	t.Parallel()
	for _, mode := range []signup.Mode{signup.ModeCoexistence, signup.ModeStandard, signup.ModeAppOnly} {
		m := newMeta(map[string][]number{wabaA: {coexisting(phoneA, "+1 555 010 0199"), ordinary(phoneB, "+1 555 010 0198")}})
		b := newBench(t, m, func(c *signup.Config) { c.Mode = mode })
		for _, phone := range []string{phoneA, phoneB} {
			_, _ = b.finish(`{"type":"WA_EMBEDDED_SIGNUP","event":"FINISH","data":{"waba_id":"` + wabaA + `","phone_number_id":"` + phone + `"}}`)
		}
		require.NotEmpty(t, m.calls)
		for _, call := range m.calls {
			require.NotContains(t, call, "register")
		}
	}
}

func TestEveryAccountThatHoldsTheNumberIsSubscribed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		second number
		want   []graph.WABAID
	}{
		"same id":                {coexisting(phoneA, "+1 555 010 0199"), []graph.WABAID{wabaA, wabaB}},
		"another id":             {coexisting(phoneB, "+1 (555) 010-0199"), []graph.WABAID{wabaA, wabaB}},
		"copy that never lived":  {ordinary(phoneB, "+1 555 010 0199"), []graph.WABAID{wabaA}},
		"another number":         {ordinary(phoneB, "+1 555 010 0198"), []graph.WABAID{wabaA}},
		"another one on the app": {coexisting(phoneB, "+1 555 010 0198"), []graph.WABAID{wabaA}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMeta(map[string][]number{wabaA: {coexisting(phoneA, "+1 555 010 0199")}, wabaB: {tt.second}})
			b := newBench(t, m)
			got, err := b.finish(finished(wabaA))
			require.NoError(t, err)
			require.Equal(t, graph.WABAID(wabaA), got.WABAID)
			require.Equal(t, tt.want, got.WABAIDs)
			require.Equal(t, graph.PhoneNumberID(phoneA), got.Phone.ID)
			require.Len(t, b.meta.subscribed, len(tt.want))
			require.Equal(t, len(tt.want) > 1, len(got.Warnings) > 0)
		})
	}
}

// The Tracker takes the first account for the one that signup named.
func TestOnboardingNamesTheNumberAndTheAccountOfThePopupFirst(t *testing.T) {
	t.Parallel()
	for _, named := range []graph.WABAID{wabaA, wabaB} {
		phone := []number{coexisting(phoneA, "+1 555 010 0199")}
		got, err := newBench(t, newMeta(map[string][]number{wabaA: phone, wabaB: phone})).finish(finished(string(named)))
		require.NoError(t, err)
		require.Equal(t, named, got.WABAID)
		require.Len(t, got.WABAIDs, 2)
		require.Equal(t, named, got.WABAIDs[0])
		require.Equal(t, graph.PhoneNumberID(phoneA), got.PhoneNumberID)
		require.Equal(t, got.Phone.DisplayPhoneNumber, got.DisplayPhoneNumber)
	}
}

func TestTheNamedAccountMayBeTheWrongOneOfTwo(t *testing.T) {
	t.Parallel()
	m := newMeta(map[string][]number{wabaA: {}, wabaB: {coexisting(phoneA, "+1 555 010 0199")}})
	got, err := newBench(t, m).finish(finished(wabaA))
	require.NoError(t, err)
	require.Equal(t, graph.WABAID(wabaB), got.WABAID)
	require.Equal(t, []graph.WABAID{wabaB}, got.WABAIDs)
}

func TestADeadCopyOfTheNumberIsReplacedByTheLivingOne(t *testing.T) {
	t.Parallel()
	m := newMeta(map[string][]number{
		wabaA: {ordinary(phoneA, "+1 555 010 0199")}, wabaB: {coexisting(phoneB, "+1 555 010 0199")},
	})
	got, err := newBench(t, m).finish(
		`{"type":"WA_EMBEDDED_SIGNUP","event":"FINISH","data":{"waba_id":"` + wabaA + `","phone_number_id":"` + phoneA + `"}}`)
	require.NoError(t, err)
	require.Equal(t, graph.PhoneNumberID(phoneB), got.Phone.ID)
	require.Equal(t, []graph.WABAID{wabaB}, got.WABAIDs)
}

func TestAnExistingSubscriptionIsLeftAlone(t *testing.T) {
	t.Parallel()
	m := happy()
	m.subscribed[wabaA] = true
	b := newBench(t, m)
	_, err := b.finish(finished(wabaA))
	require.NoError(t, err)
	require.Zero(t, b.meta.did("POST /"+wabaA+"/subscribed_apps"), "another POST would remove an override")
}

func TestACodeAloneIsEnough(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*meta){
		"token lists the account":         func(*meta) {},
		"token lists nothing":             func(m *meta) { m.granular, m.owned = nil, []string{wabaA} },
		"account is only shared with us":  func(m *meta) { m.granular, m.shared = nil, []string{wabaA} },
		"portfolio owns none, but shared": func(m *meta) { m.granular, m.owned, m.shared = nil, []string{}, []string{wabaA} },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := happy()
			change(m)
			b := newBench(t, m, func(c *signup.Config) { c.PartnerBusinessID = "700000000000002" })
			got, err := b.finish("")
			require.NoError(t, err)
			require.Equal(t, []graph.WABAID{wabaA}, got.WABAIDs)
			require.Nil(t, got.Session)
		})
	}
}

func TestMissingGranularScopesRefuseNothing(t *testing.T) {
	t.Parallel()
	m := happy() // since June 2026: the scope is granted and not among the granular ones
	m.granular = nil
	got, err := newBench(t, m).finish(finished(wabaA))
	require.NoError(t, err)
	require.Len(t, got.Warnings, 1, "a second account could not be looked for")

	m = happy()
	m.debug = map[string]string{"scopes": `[]`}
	got, err = newBench(t, m).finish(finished(wabaA))
	require.NoError(t, err)
	require.Len(t, got.Warnings, 2, "a scope that is not listed is a warning")
}

func TestAnExpiringTokenIsAWarning(t *testing.T) {
	t.Parallel()
	m := happy()
	m.debug = map[string]string{"expires_at": `4102444800`}
	got, err := newBench(t, m).finish(finished(wabaA))
	require.NoError(t, err)
	require.Equal(t, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), got.TokenExpiresAt)
	require.Len(t, got.Warnings, 1)
}

func TestARedirectsCodeIsExchangedWithItsURI(t *testing.T) {
	t.Parallel()
	b := newBench(t, happy())
	_, err := b.submit(t.Context(), signup.Submission{
		State: b.begin(), Tenant: owner, Code: code, RedirectURI: "https://app.example.com/back/",
	})
	require.NoError(t, err)
	q, err := url.ParseQuery(b.meta.queries[0])
	require.NoError(t, err)
	require.Equal(t, "https://app.example.com/back/", q.Get("redirect_uri"))
}

// What stops a signup, what it is called, and what becomes of the token.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	type change = func(*meta)
	fail := func(call string, h http.HandlerFunc) change { return func(m *meta) { m.fail[call] = h } }
	const (
		debug     = "GET /debug_token"
		numbers   = "GET /" + wabaA + "/phone_numbers"
		node      = "GET /" + phoneA
		subscribe = "POST /" + wabaA + "/subscribed_apps"
		readBack  = "GET /" + wabaA + "/subscribed_apps"
	)
	withPhone := func(waba, phone string) string {
		return `{"type":"WA_EMBEDDED_SIGNUP","event":"FINISH","data":{"waba_id":"` + waba + `","phone_number_id":"` + phone + `"}}`
	}
	number := func(n ...number) change { return func(m *meta) { m.accounts[wabaA] = n } }
	tests := map[string]struct {
		change  change
		message string
		want    signup.Outcome
		step    signup.Step
	}{
		"code expired":                {fail(exchange, refuseWith(100, 36007)), finished(wabaA), signup.OutcomeCodeExpired, signup.StepExchange},
		"code used":                   {fail(exchange, refuseWith(100, 36009)), finished(wabaA), signup.OutcomeCodeUsed, signup.StepExchange},
		"other redirect":              {fail(exchange, refuseWith(100, 36008)), finished(wabaA), signup.OutcomeWrongRedirect, signup.StepExchange},
		"wrong secret":                {fail(exchange, refuseWith(1, 0)), finished(wabaA), signup.OutcomeMisconfigured, signup.StepExchange},
		"code refused":                {fail(exchange, refuseWith(100, 0)), finished(wabaA), signup.OutcomeCodeRefused, signup.StepExchange},
		"exchange throttled":          {fail(exchange, refuseWith(4, 0)), finished(wabaA), signup.OutcomeUnavailable, signup.StepExchange},
		"exchange breaks":             {fail(exchange, refuse(502, "<html>")), finished(wabaA), signup.OutcomeCodeLost, signup.StepExchange},
		"exchange without token":      {fail(exchange, refuse(200, "{}")), finished(wabaA), signup.OutcomeCodeLost, signup.StepExchange},
		"token of another app":        {func(m *meta) { m.debug = map[string]string{"app_id": `"601"`} }, finished(wabaA), signup.OutcomeForeignToken, signup.StepInspect},
		"token revoked":               {func(m *meta) { m.debug = map[string]string{"is_valid": `false`} }, finished(wabaA), signup.OutcomeTokenInvalid, signup.StepInspect},
		"app token refused":           {fail(debug, refuseWith(190, 0)), finished(wabaA), signup.OutcomeMisconfigured, signup.StepInspect},
		"inspection breaks":           {fail(debug, refuse(500, "")), finished(wabaA), signup.OutcomeUnavailable, signup.StepInspect},
		"no account anywhere":         {func(m *meta) { m.granular = nil }, "", signup.OutcomeNoAccount, signup.StepDiscover},
		"portfolio owns nothing":      {func(m *meta) { m.granular, m.owned = nil, []string{} }, "", signup.OutcomeNoAccount, signup.StepDiscover},
		"search breaks":               {func(m *meta) { m.granular, m.fail["GET /me"] = nil, refuse(503, "") }, "", signup.OutcomeUnavailable, signup.StepDiscover},
		"another tenant's account":    {func(*meta) {}, finished(wabaOther), signup.OutcomeNotGranted, signup.StepDiscover},
		"foreign, nothing listed":     {func(m *meta) { m.granular = nil }, finished(wabaOther), signup.OutcomeNotGranted, signup.StepDiscover},
		"foreign, answered as 200":    {fail("GET /"+wabaOther+"/phone_numbers", refuseWith(200, 0)), finished(wabaOther), signup.OutcomeNotGranted, signup.StepDiscover},
		"no permission":               {fail(numbers, refuseWith(200, 0)), finished(wabaA), signup.OutcomeMissingPermission, signup.StepDiscover},
		"no permission, code alone":   {fail(numbers, refuseWith(10, 0)), "", signup.OutcomeMissingPermission, signup.StepDiscover},
		"number may not be read":      {fail(node, refuseWith(10, 0)), finished(wabaA), signup.OutcomeMissingPermission, signup.StepDiscover},
		"token dies on the way":       {fail(numbers, refuseWith(190, 460)), finished(wabaA), signup.OutcomeTokenInvalid, signup.StepDiscover},
		"reading breaks":              {fail(numbers, refuse(503, "")), finished(wabaA), signup.OutcomeUnavailable, signup.StepDiscover},
		"number of somebody else":     {func(*meta) {}, withPhone(wabaA, "409"), signup.OutcomeNotGranted, signup.StepVerify},
		"new number instead":          {number(ordinary(phoneA, "+1 555 010 0199")), withPhone(wabaA, phoneA), signup.OutcomeFellBack, signup.StepVerify},
		"new number, found":           {number(ordinary(phoneA, "+1 555 010 0199")), finished(wabaA), signup.OutcomeFellBack, signup.StepVerify},
		"api number":                  {func(m *meta) { m.accounts[wabaA][0].onApp = false }, finished(wabaA), signup.OutcomeFellBack, signup.StepVerify},
		"app not there yet":           {func(m *meta) { m.accounts[wabaA][0].platform = "NOT_APPLICABLE" }, finished(wabaA), signup.OutcomeNotFinished, signup.StepVerify},
		"app not there yet, by phone": {func(m *meta) { m.accounts[wabaA][0].platform = "NOT_APPLICABLE" }, withPhone(wabaA, phoneA), signup.OutcomeNotFinished, signup.StepVerify},
		"no number":                   {number(), finished(wabaA), signup.OutcomeNoNumber, signup.StepVerify},
		"finished without a number":   {func(*meta) {}, `{"type":"WA_EMBEDDED_SIGNUP","event":"FINISH_ONLY_WABA","data":{"waba_id":"` + wabaA + `"}}`, signup.OutcomeNoNumber, signup.StepVerify},
		"several numbers": {number(coexisting(phoneA, "+1 555 010 0199"), coexisting(phoneB, "+1 555 010 0198")),
			finished(wabaA), signup.OutcomeChooseNumber, signup.StepVerify},
		"subscription refused":   {fail(subscribe, refuseWith(10, 0)), finished(wabaA), signup.OutcomeMissingPermission, signup.StepSubscribe},
		"subscription breaks":    {fail(subscribe, refuse(500, "")), finished(wabaA), signup.OutcomeUnavailable, signup.StepSubscribe},
		"subscription unread":    {fail(readBack, refuse(500, "")), finished(wabaA), signup.OutcomeUnavailable, signup.StepSubscribe},
		"throttled":              {fail(numbers, refuseWith(80008, 0)), finished(wabaA), signup.OutcomeUnavailable, signup.StepDiscover},
		"subscription forgotten": {func(m *meta) { m.deaf = true }, finished(wabaA), signup.OutcomeNotSubscribed, signup.StepConfirm},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := happy()
			tt.change(m)
			b := newBench(t, m)
			got, err := b.finish(tt.message)
			e := requireOutcome(t, tt.want, err)
			require.Equal(t, tt.step, e.Step)
			require.LessOrEqual(t, b.meta.did(exchange), 1)
			if tt.step == signup.StepExchange {
				require.Nil(t, got)
				return
			}
			require.Equal(t, tt.want.Resumable(), got != nil, "who can go on gets the token, who cannot does not")
			if got != nil {
				require.Equal(t, graph.Secret(token), got.Token)
				require.Equal(t, tt.want, got.Outcome)
			}
			if tt.step != signup.StepConfirm {
				require.Empty(t, b.meta.subscribed, "nothing is subscribed that was not verified")
			}
		})
	}
}

func TestThePopupsOwnEndIsReported(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		message string
		want    signup.Outcome
		screen  signup.Screen
		code    graph.Code
		advice  string
	}{
		"left": {`{"type":"WA_EMBEDDED_SIGNUP","event":"CANCEL","data":{"current_step":"PHONE_NUMBER_SETUP"}}`,
			signup.OutcomeCanceled, signup.ScreenPhoneNumber, 0, signup.OutcomeCanceled.Advice()},
		"app too old": {`{"type":"WA_EMBEDDED_SIGNUP","event":"ERROR","data":{"error_code":"4563015","session_id":"s1"}}`,
			signup.OutcomeFailed, "", graph.CodeSignupUpdateApp, ""},
		"error in a cancellation": {`{"type":"WA_EMBEDDED_SIGNUP","event":"CANCEL","data":{"error_code":"3441041","session_id":"s1"}}`,
			signup.OutcomeFailed, "", graph.CodeSignupNumberElsewhere, ""},
		"error without words": {`{"type":"WA_EMBEDDED_SIGNUP","event":"ERROR","data":{}}`,
			signup.OutcomeFailed, "", 0, signup.OutcomeFailed.Advice()},
	}
	for name, tt := range tests {
		for _, code := range []graph.Secret{code, ""} {
			t.Run(fmt.Sprintf("%s, code %t", name, code != ""), func(t *testing.T) {
				t.Parallel()
				b := newBench(t, happy())
				sub := signup.Submission{State: b.begin(), Tenant: owner, Code: code, Session: session(t, tt.message)}
				_, err := b.submit(t.Context(), sub)
				e := requireOutcome(t, tt.want, err)
				require.Equal(t, tt.screen, e.Screen)
				require.Equal(t, tt.code, e.Code)
				if tt.code != 0 {
					require.ErrorIs(t, err, tt.code)
					require.ErrorIs(t, err, graph.ErrSignup)
					require.Equal(t, "s1", e.SessionID)
					require.NotEqual(t, tt.want.Advice(), e.Advice(), "Meta's code is advised on")
				} else {
					require.Equal(t, tt.advice, e.Advice())
					require.NotErrorIs(t, err, graph.CodeAuthException, "no code is not code 0")
				}
				require.Empty(t, b.meta.calls, "who left did not agree, even if there is a code")

				_, err = b.submit(t.Context(), sub)
				requireOutcome(t, signup.OutcomeStateUsed, err)
			})
		}
	}
}

func TestCodeAndSessionComeInEitherOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t, newMeta(map[string][]number{
		wabaA: {coexisting(phoneA, "+1 555 010 0199")}, wabaB: {coexisting(phoneB, "+1 555 010 0198")},
	}))
	sub := signup.Submission{State: b.begin(), Tenant: owner, Session: session(t, finished(wabaB))}
	got, err := b.submit(t.Context(), sub)
	requireOutcome(t, signup.OutcomeNoCode, err)
	require.Nil(t, got)

	got, err = b.submit(t.Context(), signup.Submission{State: sub.State, Tenant: owner, Code: code})
	require.NoError(t, err)
	require.Equal(t, graph.PhoneNumberID(phoneB), got.Phone.ID, "the session that came before the code still counts")

	_, err = b.finish("")
	requireOutcome(t, signup.OutcomeChooseNumber, err) // without it, nobody could tell
}

func TestASubmissionWithoutAnythingWaitsForTheCode(t *testing.T) {
	t.Parallel()
	b := newBench(t, happy())
	state := b.begin()
	for range 3 {
		_, err := b.submit(t.Context(), signup.Submission{State: state, Tenant: owner})
		requireOutcome(t, signup.OutcomeNoCode, err)
	}
	require.Empty(t, b.meta.calls)
	_, err := b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, Code: code})
	require.NoError(t, err)
}

func TestOneOfSeveralNumbersIsChosenWithoutANewCode(t *testing.T) {
	t.Parallel()
	b := newBench(t, newMeta(map[string][]number{
		wabaA: {coexisting(phoneA, "+1 555 010 0199"), coexisting(phoneB, "+1 555 010 0198"), ordinary("403", "+1 555 010 0197")},
	}))
	sub := signup.Submission{State: b.begin(), Tenant: owner, Code: code, Session: session(t, finished(wabaA))}
	waiting, err := b.submit(t.Context(), sub)
	requireOutcome(t, signup.OutcomeChooseNumber, err)
	require.Len(t, waiting.Numbers, 2, "only those that coexist")

	for _, wrong := range []graph.PhoneNumberID{"409", ""} {
		_, err = b.submit(t.Context(), signup.Submission{State: sub.State, Tenant: owner, PhoneNumberID: wrong})
		requireOutcome(t, signup.OutcomeChooseNumber, err)
	}
	_, err = b.submit(t.Context(), signup.Submission{State: sub.State, Tenant: "tenant-2", PhoneNumberID: phoneB})
	requireOutcome(t, signup.OutcomeWrongTenant, err)
	_, err = b.submit(t.Context(), signup.Submission{State: sub.State, Tenant: owner, Code: "canary-code-of-another-popup"})
	requireOutcome(t, signup.OutcomeStateUsed, err)

	// The page may repeat the code it sent before.
	got, err := b.submit(t.Context(), signup.Submission{
		State: sub.State, Tenant: owner, Code: code, PhoneNumberID: phoneB,
	})
	require.NoError(t, err)
	require.Equal(t, graph.PhoneNumberID(phoneB), got.Phone.ID)
	require.Equal(t, waiting.OnboardedAt, got.OnboardedAt)
	require.Empty(t, got.Numbers)

	_, err = b.submit(t.Context(), signup.Submission{State: sub.State, Tenant: owner, PhoneNumberID: phoneA})
	requireOutcome(t, signup.OutcomeStateUsed, err)

	again, err := b.ResumeConnection(t.Context(), waiting, phoneA)
	require.NoError(t, err, "what Finish returned is enough, without the attempt")
	require.Equal(t, graph.PhoneNumberID(phoneA), again.Phone.ID)
	require.Nil(t, waiting.Phone, "Resume leaves its argument alone")
	require.Equal(t, 1, b.meta.did(exchange))
}

func TestAFailureAfterTheExchangeIsResumed(t *testing.T) {
	t.Parallel()
	m := happy()
	m.fail["POST /"+wabaA+"/subscribed_apps"] = refuse(503, "")
	b := newBench(t, m)
	sub := signup.Submission{State: b.begin(), Tenant: owner, Code: code, Session: session(t, finished(wabaA))}
	_, err := b.submit(t.Context(), sub)
	requireOutcome(t, signup.OutcomeUnavailable, err)
	m.change(func() { clear(m.fail) })
	got, err := b.submit(t.Context(), signup.Submission{State: sub.State, Tenant: owner})
	require.NoError(t, err)
	require.Equal(t, signup.OutcomeReady, got.Outcome)
	require.Equal(t, 1, b.meta.did(exchange))
}

func TestAChoiceIsNotAskedForTwice(t *testing.T) {
	t.Parallel()
	m := newMeta(map[string][]number{wabaA: {coexisting(phoneA, "+1 555 010 0199"), coexisting(phoneB, "+1 555 010 0198")}})
	m.fail["POST /"+wabaA+"/subscribed_apps"] = refuse(503, "")
	b := newBench(t, m)
	state := b.begin()
	for _, sub := range []signup.Submission{{Code: code}, {PhoneNumberID: phoneB}, {}} {
		sub.State, sub.Tenant = state, owner
		got, err := b.submit(t.Context(), sub)
		if sub.PhoneNumberID == "" && sub.Code == "" {
			require.NoError(t, err)
			require.Equal(t, graph.PhoneNumberID(phoneB), got.Phone.ID)
			break
		}
		require.Error(t, err)
		if sub.PhoneNumberID != "" {
			requireOutcome(t, signup.OutcomeUnavailable, err)
			m.change(func() { clear(m.fail) })
		}
	}
}

func TestAnUnspentCodeMayBeSubmittedAgain(t *testing.T) {
	t.Parallel()
	m := happy()
	m.fail[exchange] = refuseWith(4, 0)
	b := newBench(t, m)
	sub := signup.Submission{State: b.begin(), Tenant: owner, Code: code}
	_, err := b.submit(t.Context(), sub)
	requireOutcome(t, signup.OutcomeUnavailable, err)
	require.Equal(t, 1, b.meta.did(exchange), "the flow itself never repeats it")
	m.change(func() { clear(m.fail) })
	_, err = b.submit(t.Context(), sub)
	require.NoError(t, err)
}

func TestAnAccountFromTheWebhookIsResumedWith(t *testing.T) {
	t.Parallel()
	m := happy()
	m.granular = nil
	b := newBench(t, m)
	waiting, err := b.finish("")
	requireOutcome(t, signup.OutcomeNoAccount, err)
	waiting.WABAID = wabaA
	got, err := b.ResumeConnection(t.Context(), waiting, "")
	require.NoError(t, err)
	require.Equal(t, []graph.WABAID{wabaA}, got.WABAIDs)

	waiting.WABAID = wabaOther
	_, err = b.ResumeConnection(t.Context(), waiting, "")
	requireOutcome(t, signup.OutcomeNotGranted, err)
}

func TestANumberThatFellBackCanBeKeptAsAnOrdinaryOne(t *testing.T) {
	t.Parallel()
	m := newMeta(map[string][]number{wabaA: {ordinary(phoneA, "+1 555 010 0199")}})
	waiting, err := newBench(t, m).finish(finished(wabaA))
	requireOutcome(t, signup.OutcomeFellBack, err)
	standard := newBench(t, m, func(c *signup.Config) { c.Mode = signup.ModeStandard })
	got, err := standard.ResumeConnection(t.Context(), waiting, "")
	require.NoError(t, err)
	require.Equal(t, signup.OutcomeNeedsRegistration, got.Outcome)
	require.True(t, m.subscribed[wabaA])

	m.accounts[wabaA][0].platform = "CLOUD_API"
	got, err = standard.ResumeConnection(t.Context(), waiting, "")
	require.NoError(t, err)
	require.Equal(t, signup.OutcomeReady, got.Outcome)
}

func TestANumberOfTheAppIsNeverLeftToBeRegistered(t *testing.T) {
	t.Parallel()
	for _, mode := range []signup.Mode{signup.ModeCoexistence, signup.ModeStandard, signup.ModeAppOnly} {
		m := newMeta(map[string][]number{wabaA: {{phoneA, "+1 555 010 0199", true, "NOT_APPLICABLE"}}})
		_, err := newBench(t, m, func(c *signup.Config) { c.Mode = mode }).finish(message("FINISH", `{"phone_number_id":"`+phoneA+`"}`))
		requireOutcome(t, signup.OutcomeNotFinished, err)
	}
}

func TestAccountsOfTheListAreLookedAtToo(t *testing.T) {
	t.Parallel()
	m := newMeta(map[string][]number{wabaA: {}, wabaB: {coexisting(phoneA, "+1 555 010 0199")}})
	m.granular = nil
	got, err := newBench(t, m).finish(message("FINISH", `{"waba_ids":["`+wabaA+`","`+wabaB+`","`+wabaOther+`"]}`))
	require.NoError(t, err)
	require.Equal(t, []graph.WABAID{wabaB}, got.WABAIDs)
	require.NotEmpty(t, got.Warnings, "the one that cannot be read is named")

	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf(`"60%02d"`, i))
	}
	m = happy()
	b := newBench(t, m)
	_, err = b.finish(message("FINISH", `{"waba_ids":[`+strings.Join(many, ",")+`]}`))
	require.NoError(t, err)
	require.Less(t, len(m.calls), 40, "a browser cannot make the server call without end")
}

func TestTheSearchAmongSharedAccountsSkipsStrangersAndEnds(t *testing.T) {
	t.Parallel()
	for _, strangers := range []int{499, 500} {
		m := happy()
		m.granular, m.owned, m.strangers = nil, []string{}, strangers
		for i := range strangers {
			m.shared = append(m.shared, fmt.Sprintf("61%04d", i))
		}
		m.shared = append(m.shared, wabaA)
		got, err := newBench(t, m, func(c *signup.Config) { c.PartnerBusinessID = "700000000000002" }).finish("")
		require.Zero(t, m.did("GET /610000/phone_numbers"), "other businesses are none of ours")
		if strangers == 500 {
			requireOutcome(t, signup.OutcomeNoAccount, err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, []graph.WABAID{wabaA}, got.WABAIDs)
	}
}

func TestWhatIsOddIsWarnedAbout(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change  func(*meta)
		message string
		want    string
	}{
		"ids as numbers":    {func(*meta) {}, message("FINISH", `{"waba_id":500000000000001}`), "data.waba_id was left out"},
		"another portfolio": {func(*meta) {}, message("FINISH", `{"business_id":"700000000000009"}`), "another portfolio"},
		"owner unreadable":  {func(m *meta) { m.fail["GET /"+wabaA] = lost }, finished(wabaA), "owner could not be read"},
		"override": {func(m *meta) {
			m.fail["GET /"+phoneA] = refuse(200, `{"id":"`+phoneA+`","is_on_biz_app":true,"platform_type":"CLOUD_API",
				"webhook_configuration":{"whatsapp_business_account":"https://elsewhere.example.com"}}`)
		}, finished(wabaA), "override"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := happy()
			tt.change(m)
			got, err := newBench(t, m).finish(tt.message)
			require.NoError(t, err)
			require.Len(t, got.Warnings, 1)
			require.Contains(t, got.Warnings[0], tt.want)
		})
	}
}

func TestAClientWithoutSecretIsAMistakeOfTheHost(t *testing.T) {
	t.Parallel()
	client, err := cloudapi.NewClient(cloudapi.Config{AppID: appID})
	require.NoError(t, err)
	_, err = signup.NewFlow(signup.Config{ConfigurationID: "900000000000001", Client: client})
	require.ErrorContains(t, err, "Client has no AppSecret")
	client, err = cloudapi.NewClient(cloudapi.Config{AppSecret: "made-up-secret"})
	require.NoError(t, err)
	_, err = signup.NewFlow(signup.Config{ConfigurationID: "900000000000001", Client: client})
	require.ErrorContains(t, err, "Client has no AppID")
}

func TestOnboardingIsCountedFromTheFirstAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t, happy())
	sub := signup.Submission{State: b.begin(), Tenant: owner, Session: session(t, finished(wabaA))}
	_, err := b.submit(t.Context(), sub)
	requireOutcome(t, signup.OutcomeNoCode, err)
	first := time.Now()
	got, err := b.submit(t.Context(), signup.Submission{State: sub.State, Tenant: owner, Code: code})
	require.NoError(t, err)
	require.False(t, got.OnboardedAt.After(first))
}

func TestResumeNeedsAToken(t *testing.T) {
	t.Parallel()
	b := newBench(t, happy())
	for _, in := range []*signup.Connection{nil, {}, {Tenant: owner}, {Token: token}} {
		_, err := b.ResumeConnection(t.Context(), in, "")
		requireOutcome(t, signup.OutcomeNoCode, err)
	}
	require.Empty(t, b.meta.calls)
}

func TestTheHostReservesBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	var asked []string
	answer := fmt.Errorf("tenant-2 has it: %w", signup.ErrTaken)
	m := newMeta(map[string][]number{wabaA: {coexisting(phoneA, "+1 555 010 0199")}, wabaB: {coexisting(phoneA, "+1 555 010 0199")}})
	b := newBench(t, m, func(c *signup.Config) {
		c.Reserve = func(_ context.Context, tenant string, waba graph.WABAID, phone graph.PhoneNumberID) error {
			asked = append(asked, fmt.Sprint(tenant, waba, phone))
			return answer
		}
	})
	sub := signup.Submission{State: b.begin(), Tenant: owner, Code: code, Session: session(t, finished(wabaB))}
	_, err := b.submit(t.Context(), sub)
	e := requireOutcome(t, signup.OutcomeTaken, err)
	require.Equal(t, signup.StepReserve, e.Step)
	require.ErrorIs(t, err, signup.ErrTaken)
	require.Empty(t, m.subscribed)

	answer = errors.New("database is down")
	_, err = b.submit(t.Context(), signup.Submission{State: sub.State, Tenant: owner})
	requireOutcome(t, signup.OutcomeUnavailable, err)
	require.ErrorIs(t, err, answer)

	answer, asked = nil, nil
	_, err = b.submit(t.Context(), signup.Submission{State: sub.State, Tenant: owner})
	require.NoError(t, err)
	require.Equal(t, []string{fmt.Sprint(owner, wabaB, phoneA), fmt.Sprint(owner, wabaA, phoneA)}, asked)
}

func TestAHostThatCannotStoreTheTokenStopsTheSignup(t *testing.T) {
	t.Parallel()
	for _, step := range newBench(t, happy()).Steps()[2:] {
		t.Run(string(step), func(t *testing.T) {
			t.Parallel()
			down := errors.New("database is down")
			b := newBench(t, happy(), func(c *signup.Config) {
				c.Progress = func(_ context.Context, s signup.Step, _ *signup.Connection) error {
					if s == step {
						return down
					}
					return nil
				}
			})
			got, err := b.finish(finished(wabaA))
			e := requireOutcome(t, signup.OutcomeUnavailable, err)
			require.Equal(t, step, e.Step)
			require.ErrorIs(t, err, down)
			require.Equal(t, graph.Secret(token), got.Token)
		})
	}
}

func TestTwoSubmissionsAtOnceExchangeOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, happy())
	state := b.begin()
	var connected, used atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := b.Finish(t.Context(), signup.Submission{State: state, Tenant: owner, Code: code})
			if e, ok := errors.AsType[*signup.Error](err); ok && e.Outcome == signup.OutcomeStateUsed {
				used.Add(1)
			} else if err == nil {
				connected.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, connected.Load())
	require.EqualValues(t, 7, used.Load())
	require.Equal(t, 1, b.meta.did(exchange))
}

func TestACanceledContextSpendsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, happy())
	sub := signup.Submission{State: b.begin(), Tenant: owner, Code: code}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.submit(ctx, sub)
	requireOutcome(t, signup.OutcomeUnavailable, err)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, b.meta.calls)
	_, err = b.submit(t.Context(), sub)
	require.NoError(t, err)
}

func TestAContextThatEndsOnTheWayLeavesTheTokenToResume(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	m := happy()
	m.seen = func(call string) {
		if call == "GET /"+wabaA+"/phone_numbers" {
			cancel()
		}
	}
	b := newBench(t, m)
	sub := signup.Submission{State: b.begin(), Tenant: owner, Code: code}
	got, err := b.submit(ctx, sub)
	requireOutcome(t, signup.OutcomeUnavailable, err)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, graph.Secret(token), got.Token)
	got, err = b.submit(t.Context(), signup.Submission{State: sub.State, Tenant: owner})
	require.NoError(t, err)
	require.Equal(t, signup.OutcomeReady, got.Outcome)
	require.Equal(t, 1, b.meta.did(exchange))
}

func TestAnExchangeThatIsCutOffIsNotRepeated(t *testing.T) {
	t.Parallel()
	m := happy()
	m.fail[exchange] = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	b := newBench(t, m)
	_, err := b.finish(finished(wabaA))
	requireOutcome(t, signup.OutcomeCodeLost, err)
	require.Equal(t, 1, b.meta.did(exchange))
}
