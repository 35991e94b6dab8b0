package signup_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func TestTheStepsOfAFlowAreThoseItWasAskedFor(t *testing.T) {
	t.Parallel()
	plain := newBench(t, happy())
	require.NotContains(t, plain.Steps(), signup.StepRegister)
	require.NotContains(t, plain.Steps(), signup.StepCredit)
	full := newBench(t, happy(), ordinaryMode, withCredit, withOverride)
	require.Equal(t, signup.Steps(), full.Steps())
}

func ordinaryMode(c *signup.Config) {
	c.Mode = signup.ModeStandard
	c.PIN = func(context.Context, *signup.Connection) (graph.Secret, error) { return "123456", nil }
}

func withCredit(c *signup.Config) {
	c.Credit = &signup.Credit{
		Line: "200000000000001", SystemUser: "300000000000001",
		Approve: func(context.Context, *signup.Connection) (string, error) { return "EUR", nil },
	}
}

func withOverride(c *signup.Config) {
	c.Override = func(context.Context, *signup.Connection) (cloudapi.WebhookOverride, error) {
		return cloudapi.WebhookOverride{CallbackURL: "https://hooks.example.com/1", VerifyToken: "v"}, nil
	}
}

const attach = "POST /200000000000001/whatsapp_credit_sharing_and_attach"

func TestCreditIsSharedOnceAndTakenBack(t *testing.T) {
	t.Parallel()
	m := happy()
	b := newBench(t, m, withCredit)
	got, err := b.finish(finished(wabaA))
	require.NoError(t, err)
	require.Equal(t, &signup.CreditShare{
		Line: "200000000000001", WABAID: wabaA, Allocation: "910000000000000", Currency: "EUR",
	}, got.Credit)
	require.Equal(t, 1, m.did(attach))

	got, err = b.ResumeConnection(t.Context(), got, "")
	require.NoError(t, err)
	require.Equal(t, 1, m.did(attach), "a line that is attached is not shared again")
	got.Credit = nil // a host that lost it
	got, err = b.ResumeConnection(t.Context(), got, "")
	require.NoError(t, err)
	require.Equal(t, "910000000000000", got.Credit.Allocation, "it is found")
	require.Equal(t, 1, m.did(attach))

	for range 2 { // twice is no error
		require.NoError(t, b.Revoke(t.Context(), got))
		require.Empty(t, m.allocated)
		require.Empty(t, m.subscribed)
	}
}

func TestCreditThatCannotBeShared(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		meta   func(*meta)
		change func(*signup.Config)
		want   signup.Outcome
	}{
		"refused":        {fails(attach, refuseWith(200, 0)), nil, signup.OutcomeCreditRefused},
		"Meta is down":   {fails(attach, refuse(503, "")), nil, signup.OutcomeUnavailable},
		"another's line": {func(m *meta) { m.funding[wabaA] = "1" }, nil, signup.OutcomeOtherCredit},
		"no system user": {
			fails("POST /"+wabaA+"/assigned_users", refuseWith(200, 0)), nil, signup.OutcomeCreditRefused,
		},
		"not approved":    {nil, approve("", errors.New("not yet")), signup.OutcomeUnavailable},
		"unknown tender":  {nil, approve("BTC", nil), signup.OutcomeUnavailable},
		"account is gone": {fails("GET /"+wabaA, lost), nil, signup.OutcomeNotGranted},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := happy()
			b := newBench(t, m, withCredit, func(c *signup.Config) {
				if tt.change != nil {
					tt.change(c)
				}
			})
			if tt.meta != nil {
				tt.meta(m)
			}
			_, err := b.finish(finished(wabaA))
			e := requireOutcome(t, tt.want, err)
			require.Equal(t, signup.StepCredit, e.Step)
			require.LessOrEqual(t, m.did(attach), 1)
		})
	}
}

func approve(currency string, err error) func(*signup.Config) {
	return func(c *signup.Config) {
		c.Credit.Approve = func(context.Context, *signup.Connection) (string, error) { return currency, err }
	}
}

func TestRevokeTellsWhatItCouldNotUndo(t *testing.T) {
	t.Parallel()
	m := happy()
	b := newBench(t, m, withCredit)
	got, err := b.finish(finished(wabaA))
	require.NoError(t, err)
	m.change(func() {
		m.fail["DELETE /910000000000000"] = refuse(503, "")
		m.fail["DELETE /"+wabaA+"/subscribed_apps"] = refuse(503, "")
	})
	err = b.Revoke(t.Context(), got)
	require.ErrorContains(t, err, "credit was not revoked")
	require.ErrorContains(t, err, "still subscribed to account "+wabaA)
}

// A process that died, or an answer that got lost, leaves a line that pays and whose allocation was
// not noted.
func TestRevokeFindsCreditWhoseAllocationWasNotNoted(t *testing.T) {
	t.Parallel()
	m := happy()
	b := newBench(t, m, withCredit)
	done, err := b.finish(finished(wabaA))
	require.NoError(t, err)
	done.Credit.Allocation, done.BusinessID = "", ""
	m.change(func() { m.fail["GET /200000000000001/owning_credit_allocation_configs"] = refuse(503, "") })
	require.ErrorContains(t, b.Revoke(t.Context(), done), "credit was not revoked")
	require.Len(t, m.allocated, 1)
	m.change(func() {
		clear(m.fail)
		m.subscribed[wabaA] = true
	})
	for range 2 {
		require.NoError(t, b.Revoke(t.Context(), done))
		require.Empty(t, m.allocated)
		require.Empty(t, m.subscribed)
	}
}

func TestAnOverrideComesAfterAPlainSubscription(t *testing.T) {
	t.Parallel()
	m := happy()
	b := newBench(t, m, withOverride)
	got, err := b.finish(finished(wabaA))
	require.NoError(t, err)
	require.Equal(t, "https://hooks.example.com/1", m.overrides[wabaA])
	require.Equal(t, 2, m.did("POST /"+wabaA+"/subscribed_apps"), "plain first: Meta refuses an override without")
	_, err = b.ResumeConnection(t.Context(), got, "")
	require.NoError(t, err)
	require.Equal(t, 2, m.did("POST /"+wabaA+"/subscribed_apps"))
}

func TestARefusedOverrideUndoesNothing(t *testing.T) {
	t.Parallel()
	m := happy()
	m.subscribed[wabaA] = true
	m.fail["POST /"+wabaA+"/subscribed_apps"] = refuseWith(2200, 0)
	got, err := newBench(t, m, withOverride).finish(finished(wabaA))
	e := requireOutcome(t, signup.OutcomeOverrideRefused, err)
	require.Equal(t, signup.StepOverride, e.Step)
	require.ErrorIs(t, err, graph.CodeCallbackVerificationFailed)
	require.NotNil(t, got.Phone)
}

func TestAnOrdinaryNumberIsRegistered(t *testing.T) {
	t.Parallel()
	const register = "POST /" + phoneA + "/register"
	onCloudAPI := func(m *meta) { m.accounts[wabaA][0].platform = "CLOUD_API" }
	pin := func(pin graph.Secret, err error) func(*signup.Config) {
		return func(c *signup.Config) {
			c.PIN = func(context.Context, *signup.Connection) (graph.Secret, error) { return pin, err }
		}
	}
	tests := map[string]struct {
		meta   func(*meta)
		change func(*signup.Config)
		want   signup.Outcome
		calls  int
	}{
		"done":               {nil, nil, signup.OutcomeReady, 1},
		"on Cloud API":       {onCloudAPI, nil, signup.OutcomeReady, 0},
		"another PIN":        {func(m *meta) { m.pin = "999999" }, nil, signup.OutcomePINMismatch, 1},
		"too many PINs":      {fails(register, refuseWith(133008, 0)), nil, signup.OutcomePINMismatch, 1},
		"not verified":       {func(m *meta) { m.unverified = true }, nil, signup.OutcomeNumberUnverified, 1},
		"ten times":          {fails(register, refuseWith(133016, 0)), nil, signup.OutcomeRegisterLimit, 1},
		"deleted just now":   {fails(register, refuseWith(133015, 0)), nil, signup.OutcomeUnavailable, 1},
		"answer is lost":     {fails(register, refuse(502, "")), nil, signup.OutcomeUnavailable, 1},
		"no PIN today":       {nil, pin("", errors.New("vault is down")), signup.OutcomeUnavailable, 0},
		"PIN of five digits": {nil, pin("12345", nil), signup.OutcomeUnavailable, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMeta(map[string][]number{wabaA: {ordinary(phoneA, displayA)}})
			b := newBench(t, m, ordinaryMode, func(c *signup.Config) {
				if tt.change != nil {
					tt.change(c)
				}
			})
			if tt.meta != nil {
				tt.meta(m)
			}
			got, err := b.finish("")
			require.Equal(t, tt.want, got.Outcome)
			if err != nil {
				e := requireOutcome(t, tt.want, err)
				require.Equal(t, signup.StepRegister, e.Step)
				require.NotContains(t, err.Error(), "12345")
			}
			require.Equal(t, tt.calls, m.did(register))
			require.Len(t, got.Registrations, tt.calls)
		})
	}
}

const (
	requestCode = "POST /" + phoneA + "/request_code"
	verifyCode  = "POST /" + phoneA + "/verify_code"
)

func TestAnOrdinaryNumberIsVerifiedOnTheWay(t *testing.T) {
	t.Parallel()
	const register = "POST /" + phoneA + "/register"
	m := newMeta(map[string][]number{wabaA: {ordinary(phoneA, displayA)}})
	m.status, m.unverified = "NOT_VERIFIED", true
	b := newBench(t, m, ordinaryMode)
	state := b.begin()
	submit := func(sub signup.Submission) error {
		sub.State, sub.Tenant = state, owner
		got, err := b.submit(t.Context(), sub)
		require.NotNil(t, got)
		if err != nil {
			require.NotContains(t, err.Error(), "482913")
			require.NotContains(t, err.Error(), "123456")
		}
		return err
	}
	e := requireOutcome(t, signup.OutcomeNumberUnverified, submit(signup.Submission{Code: code}))
	require.Equal(t, signup.StepRegister, e.Step)
	require.Zero(t, m.did(requestCode), "it was not asked for")

	verify := func(code graph.Secret) error { return submit(signup.Submission{VerificationCode: code}) }
	requireOutcome(t, signup.OutcomeVerificationWrong, verify("482913")) // none was sent
	requireOutcome(t, signup.OutcomeVerificationSent, submit(signup.Submission{SendCode: cloudapi.CodeBySMS}))
	requireOutcome(t, signup.OutcomeVerificationWrong, verify("000000"))
	requireOutcome(t, signup.OutcomeVerificationWrong, verify("4829")) // Meta is not even asked
	require.Equal(t, 2, m.did(verifyCode))
	m.change(func() { m.fail[requestCode] = refuseWith(136024, 0) })
	again := signup.Submission{SendCode: cloudapi.CodeByVoice, Language: "pt_BR"}
	requireOutcome(t, signup.OutcomeVerificationNotSent, submit(again))
	require.Zero(t, m.did(register), "no try is wasted on a number that is not verified")

	require.NoError(t, verify("482913"))
	require.Equal(t, 1, m.did(register))
	require.Equal(t, 1, m.did(exchange))
}

func TestAVerificationWhoseAnswerGetsLost(t *testing.T) {
	t.Parallel()
	m := newMeta(map[string][]number{wabaA: {ordinary(phoneA, displayA)}})
	m.status = "NOT_VERIFIED"
	m.fail[verifyCode] = func(w http.ResponseWriter, r *http.Request) {
		m.status = "VERIFIED"
		refuse(502, "")(w, r)
	}
	b := newBench(t, m, ordinaryMode)
	state := b.begin()
	_, err := b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, Code: code})
	requireOutcome(t, signup.OutcomeNumberUnverified, err)
	got, err := b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, VerificationCode: "482913"})
	require.NoError(t, err)
	require.Equal(t, signup.OutcomeReady, got.Outcome)
	require.Equal(t, 1, m.did(verifyCode))
}

// A number that was verified elsewhere meanwhile is no mistake, and one whose verification ran out
// can be verified again.
func TestAVerificationThatIsNotNeededOrNeededAgain(t *testing.T) {
	t.Parallel()
	m := newMeta(map[string][]number{wabaA: {ordinary(phoneA, displayA)}})
	m.status, m.unverified = "VERIFIED", true
	b := newBench(t, m, ordinaryMode)
	state := b.begin()
	_, err := b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, Code: code})
	requireOutcome(t, signup.OutcomeNumberUnverified, err) // Meta refuses to register it all the same
	m.change(func() { m.unverified = false })
	_, err = b.submit(t.Context(), signup.Submission{State: state, Tenant: owner, SendCode: cloudapi.CodeBySMS})
	require.NoError(t, err, "136024 stands for verified as well")
	require.Equal(t, 1, m.did(requestCode))
}

// The owner's phone has verified a number of the app, and nothing here may touch that.
func TestANumberOfTheAppIsNeverVerified(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*signup.Config)
		want   signup.Outcome // of the error; empty connects
	}{
		"coexistence":           {func(*signup.Config) {}, ""},
		"a flow that registers": {ordinaryMode, signup.OutcomeNotFinished},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := happy()
			m.status = "NOT_VERIFIED"
			b := newBench(t, m, tt.change)
			got, err := b.submit(t.Context(), signup.Submission{
				State: b.begin(), Tenant: owner, Code: code, SendCode: cloudapi.CodeBySMS, VerificationCode: "482913",
			})
			requireEnd(t, tt.want, err)
			require.NotNil(t, got)
			require.Zero(t, m.did(requestCode))
			require.Zero(t, m.did(verifyCode))
			require.Zero(t, m.did("POST /"+phoneA+"/register"))
		})
	}
}

func TestAPageVerifiesTheNumber(t *testing.T) {
	t.Parallel()
	m := newMeta(map[string][]number{wabaA: {ordinary(phoneA, displayA)}})
	m.status = "NOT_VERIFIED"
	p := newPage(t, m, ordinaryMode)
	state := quoted(p.state())
	got := p.post("/finish", body("state", state, "code", quoted(code)))
	require.Equal(t, signup.OutcomeNumberUnverified, got.Outcome)
	require.Equal(t, "+1 555 010 0199", got.Phone, "the page says which number")
	got = p.post("/finish", body("state", state, "send_code", `"sms"`, "language", `"pt_BR"`))
	require.Equal(t, signup.OutcomeVerificationSent, got.Outcome)
	got = p.post("/status", body("state", state))
	require.Equal(t, signup.OutcomeVerificationSent, got.Outcome, "a reload finds its way back")
	got = p.post("/finish", body("state", state, "verification_code", `"482 913"`))
	require.Equal(t, signup.OutcomeReady, got.Outcome)
}

func TestAPageAsksForAVerificationThatThereIs(t *testing.T) {
	t.Parallel()
	for name, pairs := range map[string][]string{
		"another way":      {"send_code", `"PIGEON"`},
		"a code of words":  {"verification_code", `"abc"`},
		"another language": {"send_code", `"SMS"`, "language", `"../x"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPage(t, happy(), ordinaryMode)
			got := p.post("/finish", body(append(pairs, "state", quoted(p.state()))...))
			require.Equal(t, http.StatusBadRequest, got.status)
		})
	}
}

// Every try counts at Meta, also one whose process died, and the eleventh would lock the number.
func TestRegistrationsKeepToMetasLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMeta(map[string][]number{wabaA: {ordinary(phoneA, displayA)}})
		m.pin = "999999"
		f := onMachine(t, &machine{Store: new(signup.MemStore), meta: m, left: 1 << 30}, nil, func(c *signup.Config) {
			ordinaryMode(c)
			c.Store = nil
		})
		a, err := f.StartAttempt(t.Context(), owner)
		require.NoError(t, err)
		_, err = f.Finish(t.Context(), signup.Submission{State: a.State, Tenant: owner, Code: code})
		resume := func() error {
			all, err := f.Attempts(t.Context(), owner)
			require.NoError(t, err)
			_, err = f.Resume(t.Context(), all[0].ID, "")
			return err
		}
		for range 9 {
			requireOutcome(t, signup.OutcomePINMismatch, err)
			time.Sleep(time.Hour)
			err = resume()
		}
		requireOutcome(t, signup.OutcomePINMismatch, err)
		requireOutcome(t, signup.OutcomeRegisterLimit, resume())
		require.Equal(t, 10, m.did("POST /"+phoneA+"/register"))
		time.Sleep(64 * time.Hour) // the first ones are three days old
		requireOutcome(t, signup.OutcomePINMismatch, resume())
	})
}

func TestASignupIsTooOldToRegister(t *testing.T) {
	t.Parallel()
	m := newMeta(map[string][]number{wabaA: {ordinary(phoneA, displayA)}})
	b := newBench(t, m, ordinaryMode)
	_, err := b.ResumeConnection(t.Context(), &signup.Connection{
		Tenant: owner, Token: token,
		Onboarding: cloudapi.Onboarding{OnboardedAt: time.Now().Add(-15 * 24 * time.Hour)},
	}, "")
	requireOutcome(t, signup.OutcomeRegisterLate, err)
	require.Zero(t, m.did("POST /"+phoneA+"/register"))
}

// The webhook names the account and its owner, and the token is fetched, not made.
func TestASignupIsRecoveredFromTheWebhookAlone(t *testing.T) {
	t.Parallel()
	m := happy()
	b := newBench(t, m)
	at := time.Now().Add(-time.Minute)
	shared := signup.SharedAccount{WABAID: wabaA, BusinessID: business, At: at}
	for range 2 { // can be repeated
		got, err := b.Recover(t.Context(), owner, shared)
		require.NoError(t, err)
		require.Equal(t, signup.OutcomeReady, got.Outcome)
		require.Equal(t, graph.Secret(token), got.Token)
		require.Equal(t, at, got.OnboardedAt)
		require.Equal(t, graph.PhoneNumberID(phoneA), got.Phone.ID)
	}
	require.Zero(t, m.did(exchange))
}

func TestASignupThatCannotBeRecovered(t *testing.T) {
	t.Parallel()
	const fetch = "POST /" + business + "/system_user_access_tokens"
	good := signup.SharedAccount{WABAID: wabaA, BusinessID: business}
	tests := map[string]struct {
		meta   func(*meta)
		tenant string
		shared signup.SharedAccount
		want   signup.Outcome
	}{
		"no tenant":    {nil, "", good, signup.OutcomeNoAccount},
		"no ids":       {nil, owner, signup.SharedAccount{}, signup.OutcomeNoAccount},
		"no portfolio": {nil, owner, signup.SharedAccount{WABAID: wabaA}, signup.OutcomeNoAccount},
		"no account":   {nil, owner, signup.SharedAccount{BusinessID: business}, signup.OutcomeNoAccount},
		"no id of an account": {
			nil, owner, signup.SharedAccount{WABAID: "x/y", BusinessID: business}, signup.OutcomeNoAccount,
		},
		"another's account": {
			nil, owner, signup.SharedAccount{WABAID: wabaOther, BusinessID: business}, signup.OutcomeNotGranted,
		},
		"no permission":  {fails(fetch, refuseWith(200, 0)), owner, good, signup.OutcomeMissingPermission},
		"a token's end":  {fails(fetch, refuseWith(190, 0)), owner, good, signup.OutcomeTokenInvalid},
		"an empty token": {fails(fetch, refuse(200, `{}`)), owner, good, signup.OutcomeUnavailable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := happy()
			if tt.meta != nil {
				tt.meta(m)
			}
			_, err := newBench(t, m).Recover(t.Context(), tt.tenant, tt.shared)
			requireOutcome(t, tt.want, err)
		})
	}
}

func TestTheHostedPageTakesNothingButTheApp(t *testing.T) {
	t.Parallel()
	f := newBench(t, happy(), func(c *signup.Config) { c.Mode = signup.ModeStandard })
	address, err := f.HostedURL(signup.LaunchOptions{})
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	require.Equal(t, "https", u.Scheme)
	require.Equal(t, "business.facebook.com", u.Host)
	require.Equal(t, "/messaging/whatsapp/onboard/", u.Path)
	require.Equal(t, appID, u.Query().Get("app_id"))
	require.Equal(t, "900000000000001", u.Query().Get("config_id"))
}

func TestTheHostedPageRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		mode signup.Mode
		opts signup.LaunchOptions
		want string
	}{
		"another version": {
			signup.ModeStandard, signup.LaunchOptions{Version: signup.Version4Preview}, "runs v4 alone",
		},
		"a setup": {
			signup.ModeStandard, signup.LaunchOptions{Setup: signup.Setup{SolutionID: "1"}}, "takes no Setup",
		},
		"a feature":   {signup.ModeStandard, signup.LaunchOptions{MarketingMessages: true}, "or feature"},
		"coexistence": {signup.ModeCoexistence, signup.LaunchOptions{}, "no WhatsApp Business app users"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := flow(t, tt.mode).HostedURL(tt.opts)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestAPageAsksForTheStatus(t *testing.T) {
	t.Parallel()
	p := newPage(t, happy())
	state := quoted(p.state())
	got := p.post("/status", body("state", state))
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, got.body, `"phase":"open"`)
	require.Equal(t, http.StatusOK, p.post("/finish", body("state", state, "code", quoted(code))).status)
	got = p.post("/status", body("state", state))
	require.Contains(t, got.body, `"phase":"ended"`)
	require.Equal(t, signup.OutcomeReady, got.Outcome)
	require.Equal(t, "+1 555 010 0199", got.Phone)
	require.Equal(t, signup.OutcomeStateUnknown, p.post("/status", body("state", `"x"`)).Outcome)
	require.Equal(t, http.StatusBadRequest, p.post("/status", "[]").status)
}

func TestAPageChecksTheNumberFirst(t *testing.T) {
	t.Parallel()
	var asked signup.CheckParams
	var fail error
	p := newPage(t, happy(), func(c *signup.Config) {
		c.Page.Check = func(_ context.Context, tenant string, c signup.CheckParams) (signup.CheckResult, error) {
			asked = c
			reason := signup.CheckReason{Text: "Too old.", Remedy: "Update " + tenant + "."}
			return signup.CheckResult{Reasons: []signup.CheckReason{reason}}, fail
		}
	})
	require.Contains(t, p.post("/begin", "").body, `"check":true`)
	got := p.post("/check", `{"number":" +1 555 010 0199 ","app_version":"2.24.17","app_state":"works"}`)
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, got.body, `{"eligible":false,"reasons":[{"text":"Too old.","remedy":"Update tenant-1."}]}`)
	require.Equal(t, signup.CheckParams{"+1 555 010 0199", "2.24.17", signup.AppWorks}, asked)
	fail = errors.New("database is down")
	got = p.post("/check", `{}`)
	require.Equal(t, http.StatusInternalServerError, got.status)
	require.NotContains(t, got.body, "database")
}

func TestAPageWithoutACheckAsksForNone(t *testing.T) {
	t.Parallel()
	p := newPage(t, happy())
	require.Contains(t, p.post("/begin", "").body, `"check":false`)
	require.Contains(t, p.post("/check", `{}`).body, `"eligible":true`)
}

func TestABrowserComesBackFromTheDialog(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query string
		owner string
		want  signup.Outcome // of the attempt afterwards
	}{
		"with a code": {"code=" + code + "&state=STATE", owner, signup.OutcomeReady},
		"refused": {
			"error=access_denied&error_description=%3Cscript%3E&state=STATE", owner, signup.OutcomeCanceled,
		},
		"failed":               {"error=server_error&error_code=1349246&state=STATE", owner, signup.OutcomeFailed},
		"another's code":       {"code=" + code + "&state=made-up", owner, ""},
		"another is signed in": {"code=" + code + "&state=STATE", "tenant-2", ""},
		"nothing":              {"", owner, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPage(t, happy(), func(c *signup.Config) {
				c.Page.RedirectURI = "https://app.example.com/signup/back"
				c.Page.PageURL = "/settings/whatsapp"
			})
			begun := p.post("/begin", "")
			require.Contains(t, begun.body, "https://www.facebook.com/v25.0/dialog/oauth?")
			r := request(http.MethodGet, "/back?"+replaceState(tt.query, begun.State), "")
			r.Header.Set("Test-Owner", tt.owner)
			w := record(p.handler, r)
			require.Equal(t, http.StatusSeeOther, w.Code)
			require.Equal(t, "/settings/whatsapp", w.Header().Get("Location"))
			require.Equal(t, "no-referrer", w.Header().Get("Referrer-Policy"))
			require.NotContains(t, w.Body.String(), "script")
			s, err := p.Status(t.Context(), graph.Secret(begun.State), owner)
			require.NoError(t, err)
			require.Equal(t, tt.want, s.Outcome)
			if tt.want == signup.OutcomeReady {
				require.Contains(t, p.meta.queries[0], "redirect_uri=https%3A%2F%2Fapp.example.com%2Fsignup%2Fback")
			}
		})
	}
}

func TestThePageIsServedWithItsHeaders(t *testing.T) {
	t.Parallel()
	p := newPage(t, happy())
	for path, want := range map[string]string{
		"/": "text/html", "/connect.js": "text/javascript", "/connect.css": "text/css", "/page.css": "text/css",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			w := record(p.handler, request(http.MethodGet, path, ""))
			require.Equal(t, http.StatusOK, w.Code, path)
			require.Contains(t, w.Header().Get("Content-Type"), want)
			require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
			r := request(http.MethodGet, path, "")
			r.Header.Set("If-None-Match", w.Header().Get("ETag"))
			require.Equal(t, http.StatusNotModified, record(p.handler, r).Code)
		})
	}
}

func TestThePageLetsThePopupTalkAndNothingElseLoad(t *testing.T) {
	t.Parallel()
	p := newPage(t, happy())
	h := record(p.handler, request(http.MethodGet, "/", "")).Header()
	require.Equal(t, "same-origin-allow-popups", h.Get("Cross-Origin-Opener-Policy"), "same-origin cuts the popup off")
	require.NotContains(t, h.Get("Content-Security-Policy"), "unsafe")
	require.Contains(t, h.Get("Content-Security-Policy"),
		"script-src 'self' https://*.facebook.com https://connect.facebook.net;")
}

func TestAPageBelievesASimulatorIfItIsGivenOne(t *testing.T) {
	t.Parallel()
	p := newPage(t, happy())
	require.Contains(t, p.post("/begin", "").body, `"origin":""`, "Meta alone is believed")
	sim := newPage(t, happy(), func(c *signup.Config) { c.Page.SDKURL = "http://127.0.0.1:9/en_US/sdk.js" })
	require.Contains(t, sim.post("/begin", "").body, `"origin":"http://127.0.0.1:9"`)
	require.Contains(t, sim.PageHeaders().Get("Content-Security-Policy"), "http://127.0.0.1:9")
}
