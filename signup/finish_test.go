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
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			m := newMeta(map[string][]number{wabaA: {coexisting(phoneA, displayA), ordinary(phoneB, displayB)}})
			b := newBench(t, m, func(c *signup.Config) { c.Mode = mode })
			for _, phone := range []string{phoneA, phoneB} {
				_, _ = b.finish(message("FINISH", `{"waba_id":"`+wabaA+`","phone_number_id":"`+phone+`"}`))
			}
			require.NotEmpty(t, m.calls)
			for _, call := range m.calls {
				require.NotContains(t, call, "register")
			}
		})
	}
}

func TestEveryAccountThatHoldsTheNumberIsSubscribed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		second number
		want   []graph.WABAID
	}{
		"same id":                {coexisting(phoneA, displayA), []graph.WABAID{wabaA, wabaB}},
		"another id":             {coexisting(phoneB, "+1 (555) 010-0199"), []graph.WABAID{wabaA, wabaB}},
		"copy that never lived":  {ordinary(phoneB, displayA), []graph.WABAID{wabaA}},
		"another number":         {ordinary(phoneB, displayB), []graph.WABAID{wabaA}},
		"another one on the app": {coexisting(phoneB, displayB), []graph.WABAID{wabaA}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMeta(map[string][]number{wabaA: {coexisting(phoneA, displayA)}, wabaB: {tt.second}})
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
		t.Run(string(named), func(t *testing.T) {
			t.Parallel()
			phone := []number{coexisting(phoneA, displayA)}
			b := newBench(t, newMeta(map[string][]number{wabaA: phone, wabaB: phone}))
			got, err := b.finish(finished(string(named)))
			require.NoError(t, err)
			require.Equal(t, named, got.WABAID)
			require.Len(t, got.WABAIDs, 2)
			require.Equal(t, named, got.WABAIDs[0])
			require.Equal(t, graph.PhoneNumberID(phoneA), got.PhoneNumberID)
			require.Equal(t, got.Phone.DisplayPhoneNumber, got.DisplayPhoneNumber)
		})
	}
}

func TestTheNamedAccountMayBeTheWrongOneOfTwo(t *testing.T) {
	t.Parallel()
	m := newMeta(map[string][]number{wabaA: {}, wabaB: {coexisting(phoneA, displayA)}})
	got, err := newBench(t, m).finish(finished(wabaA))
	require.NoError(t, err)
	require.Equal(t, graph.WABAID(wabaB), got.WABAID)
	require.Equal(t, []graph.WABAID{wabaB}, got.WABAIDs)
}

func TestADeadCopyOfTheNumberIsReplacedByTheLivingOne(t *testing.T) {
	t.Parallel()
	m := newMeta(map[string][]number{
		wabaA: {ordinary(phoneA, displayA)}, wabaB: {coexisting(phoneB, displayA)},
	})
	got, err := newBench(t, m).finish(message("FINISH", `{"waba_id":"`+wabaA+`","phone_number_id":"`+phoneA+`"}`))
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
		"token lists the account":        func(*meta) {},
		"token lists nothing":            func(m *meta) { m.granular, m.owned = nil, []string{wabaA} },
		"account is only shared with us": func(m *meta) { m.granular, m.shared = nil, []string{wabaA} },
		"portfolio owns none, but shared": func(m *meta) {
			m.granular, m.owned, m.shared = nil, []string{}, []string{wabaA}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := happy()
			change(m)
			b := newBench(t, m, partner)
			got, err := b.finish("")
			require.NoError(t, err)
			require.Equal(t, []graph.WABAID{wabaA}, got.WABAIDs)
			require.Nil(t, got.Session)
		})
	}
}

// Since June 2026 Meta leaves out scopes that the token has.
func TestMissingScopesRefuseNothing(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change   func(*meta)
		warnings int
	}{
		"granular": {func(m *meta) { m.granular = nil }, 1}, // a second account could not be looked for
		"all":      {func(m *meta) { m.debug = map[string]string{"scopes": `[]`} }, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := happy()
			tt.change(m)
			got, err := newBench(t, m).finish(finished(wabaA))
			require.NoError(t, err)
			require.Len(t, got.Warnings, tt.warnings)
		})
	}
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
	const (
		debug     = "GET /debug_token"
		numbers   = "GET /" + wabaA + "/phone_numbers"
		node      = "GET /" + phoneA
		subscribe = "POST /" + wabaA + "/subscribed_apps"
		readBack  = "GET /" + wabaA + "/subscribed_apps"
	)
	withPhone := func(waba, phone string) string {
		return message("FINISH", `{"waba_id":"`+waba+`","phone_number_id":"`+phone+`"}`)
	}
	number := func(n ...number) change { return func(m *meta) { m.accounts[wabaA] = n } }
	debugged := func(member, value string) change {
		return func(m *meta) { m.debug = map[string]string{member: value} }
	}
	nothingListed := func(m *meta) { m.granular = nil }
	onItsWay := func(m *meta) { m.accounts[wabaA][0].platform = "NOT_APPLICABLE" }
	app, foreign := finished(wabaA), finished(wabaOther)
	noNumber := message("FINISH_ONLY_WABA", `{"waba_id":"`+wabaA+`"}`)
	type failure struct {
		change  change
		message string
		want    signup.Outcome
	}
	tests := map[signup.Step]map[string]failure{
		signup.StepExchange: {
			"code expired":           {fails(exchange, refuseWith(100, 36007)), app, signup.OutcomeCodeExpired},
			"code used":              {fails(exchange, refuseWith(100, 36009)), app, signup.OutcomeCodeUsed},
			"other redirect":         {fails(exchange, refuseWith(100, 36008)), app, signup.OutcomeWrongRedirect},
			"wrong secret":           {fails(exchange, refuseWith(1, 0)), app, signup.OutcomeMisconfigured},
			"code refused":           {fails(exchange, refuseWith(100, 0)), app, signup.OutcomeCodeRefused},
			"exchange throttled":     {fails(exchange, refuseWith(4, 0)), app, signup.OutcomeUnavailable},
			"exchange breaks":        {fails(exchange, refuse(502, "<html>")), app, signup.OutcomeCodeLost},
			"exchange without token": {fails(exchange, refuse(200, "{}")), app, signup.OutcomeCodeLost},
		},
		signup.StepInspect: {
			"token of another app": {debugged("app_id", `"601"`), app, signup.OutcomeForeignToken},
			"token revoked":        {debugged("is_valid", `false`), app, signup.OutcomeTokenInvalid},
			"app token refused":    {fails(debug, refuseWith(190, 0)), app, signup.OutcomeMisconfigured},
			"inspection breaks":    {fails(debug, refuse(500, "")), app, signup.OutcomeUnavailable},
		},
		signup.StepDiscover: {
			"no account anywhere": {nothingListed, "", signup.OutcomeNoAccount},
			"portfolio owns nothing": {
				func(m *meta) { m.granular, m.owned = nil, []string{} }, "", signup.OutcomeNoAccount,
			},
			"search breaks": {func(m *meta) {
				nothingListed(m)
				m.fail["GET /me"] = refuse(503, "")
			}, "", signup.OutcomeUnavailable},
			"another tenant's account": {func(*meta) {}, foreign, signup.OutcomeNotGranted},
			"foreign, nothing listed":  {nothingListed, foreign, signup.OutcomeNotGranted},
			"foreign, answered as 200": {
				fails("GET /"+wabaOther+"/phone_numbers", refuseWith(200, 0)), foreign, signup.OutcomeNotGranted,
			},
			"no permission":             {fails(numbers, refuseWith(200, 0)), app, signup.OutcomeMissingPermission},
			"no permission, code alone": {fails(numbers, refuseWith(10, 0)), "", signup.OutcomeMissingPermission},
			"number may not be read":    {fails(node, refuseWith(10, 0)), app, signup.OutcomeMissingPermission},
			"token dies on the way":     {fails(numbers, refuseWith(190, 460)), app, signup.OutcomeTokenInvalid},
			"reading breaks":            {fails(numbers, refuse(503, "")), app, signup.OutcomeUnavailable},
			"throttled":                 {fails(numbers, refuseWith(80008, 0)), app, signup.OutcomeUnavailable},
		},
		signup.StepVerify: {
			"number of somebody else": {func(*meta) {}, withPhone(wabaA, "409"), signup.OutcomeNotGranted},
			"new number instead": {
				number(ordinary(phoneA, displayA)), withPhone(wabaA, phoneA), signup.OutcomeFellBack,
			},
			"new number, found": {number(ordinary(phoneA, displayA)), app, signup.OutcomeFellBack},
			"api number": {
				func(m *meta) { m.accounts[wabaA][0].onApp = false }, app, signup.OutcomeFellBack,
			},
			"app not there yet":           {onItsWay, app, signup.OutcomeNotFinished},
			"app not there yet, by phone": {onItsWay, withPhone(wabaA, phoneA), signup.OutcomeNotFinished},
			"no number":                   {number(), app, signup.OutcomeNoNumber},
			"finished without a number":   {func(*meta) {}, noNumber, signup.OutcomeNoNumber},
			"several numbers": {
				number(coexisting(phoneA, displayA), coexisting(phoneB, displayB)), app, signup.OutcomeChooseNumber,
			},
		},
		signup.StepSubscribe: {
			"subscription refused": {fails(subscribe, refuseWith(10, 0)), app, signup.OutcomeMissingPermission},
			"subscription breaks":  {fails(subscribe, refuse(500, "")), app, signup.OutcomeUnavailable},
			"subscription unread":  {fails(readBack, refuse(500, "")), app, signup.OutcomeUnavailable},
		},
		signup.StepConfirm: {
			"subscription forgotten": {func(m *meta) { m.deaf = true }, app, signup.OutcomeNotSubscribed},
		},
	}
	for step, failures := range tests {
		for name, tt := range failures {
			t.Run(string(step)+", "+name, func(t *testing.T) {
				t.Parallel()
				m := happy()
				tt.change(m)
				b := newBench(t, m)
				got, err := b.finish(tt.message)
				e := requireOutcome(t, tt.want, err)
				require.Equal(t, step, e.Step)
				require.LessOrEqual(t, b.meta.did(exchange), 1)
				if step != signup.StepConfirm {
					require.Empty(t, b.meta.subscribed, "nothing is subscribed that was not verified")
				}
				if step == signup.StepExchange || !tt.want.Resumable() {
					require.Nil(t, got, "who cannot go on gets no token")
				} else {
					require.Equal(t, graph.Secret(token), got.Token, "who can go on gets the token")
					require.Equal(t, tt.want, got.Outcome)
				}
			})
		}
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
		"left": {message("CANCEL", `{"current_step":"PHONE_NUMBER_SETUP"}`),
			signup.OutcomeCanceled, signup.ScreenPhoneNumber, 0, signup.OutcomeCanceled.Advice()},
		"app too old": {message("ERROR", `{"error_code":"4563015","session_id":"s1"}`),
			signup.OutcomeFailed, "", graph.CodeSignupUpdateApp, ""},
		"error in a cancellation": {message("CANCEL", `{"error_code":"3441041","session_id":"s1"}`),
			signup.OutcomeFailed, "", graph.CodeSignupNumberElsewhere, ""},
		"error without words": {message("ERROR", `{}`),
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
		wabaA: {coexisting(phoneA, displayA)}, wabaB: {coexisting(phoneB, displayB)},
	}))
	sub := signup.Submission{State: b.begin(), Tenant: owner, Session: session(t, finished(wabaB))}
	got, err := b.submit(t.Context(), sub)
	requireOutcome(t, signup.OutcomeNoCode, err)
	require.Nil(t, got)

	got, err = b.submit(t.Context(), signup.Submission{State: sub.State, Tenant: owner, Code: code})
	require.NoError(t, err)
	require.Equal(t, graph.PhoneNumberID(phoneB), got.Phone.ID, "the session that came before the code still counts")

	_, err = b.finish("")
	requireOutcome(t, signup.OutcomeChooseNumber, err) // without a session it cannot be told
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
		wabaA: {coexisting(phoneA, displayA), coexisting(phoneB, displayB), ordinary("403", "+1 555 010 0197")},
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
	_, err = b.submit(t.Context(), signup.Submission{
		State: sub.State, Tenant: owner, Code: "canary-code-of-another-popup",
	})
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
	m := newMeta(map[string][]number{wabaA: {coexisting(phoneA, displayA), coexisting(phoneB, displayB)}})
	m.fail["POST /"+wabaA+"/subscribed_apps"] = refuse(503, "")
	b := newBench(t, m)
	state := b.begin()
	_, err := b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, Code: code})
	requireOutcome(t, signup.OutcomeChooseNumber, err)
	_, err = b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, PhoneNumberID: phoneB})
	requireOutcome(t, signup.OutcomeUnavailable, err)

	m.change(func() { clear(m.fail) })
	got, err := b.submit(t.Context(), signup.Submission{State: state, Tenant: owner})
	require.NoError(t, err)
	require.Equal(t, graph.PhoneNumberID(phoneB), got.Phone.ID)
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
	m := newMeta(map[string][]number{wabaA: {ordinary(phoneA, displayA)}})
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
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			m := newMeta(map[string][]number{wabaA: {{phoneA, displayA, true, "NOT_APPLICABLE"}}})
			b := newBench(t, m, func(c *signup.Config) { c.Mode = mode })
			_, err := b.finish(message("FINISH", `{"phone_number_id":"`+phoneA+`"}`))
			requireOutcome(t, signup.OutcomeNotFinished, err)
		})
	}
}

func TestAccountsOfTheListAreLookedAtToo(t *testing.T) {
	t.Parallel()
	m := newMeta(map[string][]number{wabaA: {}, wabaB: {coexisting(phoneA, displayA)}})
	m.granular = nil
	got, err := newBench(t, m).finish(message("FINISH", `{"waba_ids":["`+wabaA+`","`+wabaB+`","`+wabaOther+`"]}`))
	require.NoError(t, err)
	require.Equal(t, []graph.WABAID{wabaB}, got.WABAIDs)
	require.NotEmpty(t, got.Warnings, "the one that cannot be read is named")
}

func TestABrowserCannotMakeTheServerCallWithoutEnd(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf(`"60%02d"`, i))
	}
	m := happy()
	b := newBench(t, m)
	_, err := b.finish(message("FINISH", `{"waba_ids":[`+strings.Join(many, ",")+`]}`))
	require.NoError(t, err)
	require.Less(t, len(m.calls), 40)
}

func TestTheSearchAmongSharedAccountsSkipsStrangers(t *testing.T) {
	t.Parallel()
	m := sharedBehind(499)
	got, err := newBench(t, m, partner).finish("")
	require.NoError(t, err)
	require.Equal(t, []graph.WABAID{wabaA}, got.WABAIDs)
	require.Zero(t, m.did("GET /610000/phone_numbers"), "other businesses are none of ours")
}

func TestTheSearchAmongSharedAccountsEnds(t *testing.T) {
	t.Parallel()
	_, err := newBench(t, sharedBehind(500), partner).finish("")
	requireOutcome(t, signup.OutcomeNoAccount, err)
}

func partner(c *signup.Config) { c.PartnerBusinessID = "700000000000002" }

// sharedBehind is a Meta where the account is shared with the partner, behind those of strangers.
func sharedBehind(strangers int) *meta {
	m := happy()
	m.granular, m.owned, m.strangers = nil, []string{}, strangers
	for i := range strangers {
		m.shared = append(m.shared, fmt.Sprintf("61%04d", i))
	}
	m.shared = append(m.shared, wabaA)
	return m
}

func TestWhatIsOddIsWarnedAbout(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change  func(*meta)
		message string
		want    string
	}{
		"ids as numbers": {
			func(*meta) {}, message("FINISH", `{"waba_id":500000000000001}`), "data.waba_id was left out",
		},
		"another portfolio": {
			func(*meta) {}, message("FINISH", `{"business_id":"700000000000009"}`), "another portfolio",
		},
		"owner unreadable": {
			func(m *meta) { m.fail["GET /"+wabaA] = lost }, finished(wabaA), "owner could not be read",
		},
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
	m := newMeta(map[string][]number{wabaA: {coexisting(phoneA, displayA)}, wabaB: {coexisting(phoneA, displayA)}})
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
