package coexistencetest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func openPopup(t *testing.T, world *coexistencetest.World) *coexistencetest.Popup {
	t.Helper()
	popup, err := world.OpenSignup(launchCoexistence(world))
	require.NoError(t, err)
	require.True(t, popup.OffersExistingAccount())
	return popup
}

// A session is what the popup tells.
type session struct {
	Type    string            `json:"type"`
	Event   string            `json:"event"`
	Version int               `json:"version"`
	Data    map[string]string `json:"data"`
}

func read(t *testing.T, message []byte) session {
	t.Helper()
	var s session
	require.NoError(t, json.Unmarshal(message, &s))
	require.Equal(t, "WA_EMBEDDED_SIGNUP", s.Type)
	return s
}

func TestThePopupNamesTheAccountAlone(t *testing.T) {
	t.Parallel()
	world, _ := newWorld(t, coexistencetest.Config{})
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	result, err := openPopup(t, world).Complete(phone, coexistencetest.HistoryShared)
	require.NoError(t, err)
	s := read(t, result.Message)
	require.Equal(t, "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", s.Event)
	require.Equal(t, 3, s.Version)
	require.Equal(t, map[string]string{"waba_id": string(phone.WABA())}, s.Data)
	require.JSONEq(t, `{"status":"connected","authResponse":{"code":"`+result.Code.Reveal()+`","userID":null,`+
		`"expiresIn":null}}`,
		string(result.LoginResponse))
	require.True(t, phone.Coexists())
}

func TestOtherFormsOfTheFinishEvent(t *testing.T) {
	t.Parallel()
	for _, variant := range []coexistencetest.SessionVariant{
		coexistencetest.SessionWithPhone, coexistencetest.SessionLoginUser, coexistencetest.SessionLost,
	} {
		t.Run(string(variant), func(t *testing.T) {
			t.Parallel()
			world, _ := newWorld(t, coexistencetest.Config{Session: variant})
			phone := world.NewPhone(coexistencetest.PhoneConfig{})
			result, err := openPopup(t, world).Complete(phone, coexistencetest.HistoryShared)
			require.NoError(t, err)
			require.NotEmpty(t, result.Code)
			if variant == coexistencetest.SessionLost {
				require.Nil(t, result.Message)
				return
			}
			require.Contains(t, string(result.Message), `"phone_number_id":"`+string(phone.ID())+`"`)
			require.Equal(t, variant == coexistencetest.SessionLoginUser,
				strings.Contains(string(result.Message), `"is_wa_login_user":true`))
		})
	}
}

func TestTheQRCodeStandsForTheCode(t *testing.T) {
	t.Parallel()
	world, _ := newWorld(t, coexistencetest.Config{})
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	popup := openPopup(t, world)
	require.NoError(t, popup.ChooseExistingAccount())
	require.NoError(t, popup.EnterNumber(phone.PhoneNumber()))
	require.Error(t, phone.ScanQR("https://wa.me/connect/another"))
	require.NoError(t, phone.ScanQR(popup.QR()))
	require.Equal(t, coexistencetest.ScreenVerify, popup.Screen())
	_, err := popup.Finish()
	require.ErrorIs(t, err, coexistencetest.ErrNotOffered, "the phone has not confirmed")
	require.NoError(t, phone.Confirm(coexistencetest.HistoryShared))
	require.Equal(t, coexistencetest.ScreenReview, popup.Screen())
	_, err = popup.Finish()
	require.NoError(t, err)
}

func TestClosingThePopup(t *testing.T) {
	t.Parallel()
	steps := []func(*coexistencetest.Popup, *coexistencetest.Phone) error{
		func(p *coexistencetest.Popup, _ *coexistencetest.Phone) error { return p.ChooseExistingAccount() },
		func(p *coexistencetest.Popup, ph *coexistencetest.Phone) error {
			return p.EnterNumber(ph.PhoneNumber())
		},
		func(_ *coexistencetest.Popup, ph *coexistencetest.Phone) error {
			return ph.Confirm(coexistencetest.HistoryShared)
		},
		func(p *coexistencetest.Popup, ph *coexistencetest.Phone) error { return p.VerifyCode(ph.LastCode()) },
	}
	want := []string{"BUSINESS_ACCOUNT_SELECTION", "PHONE_NUMBER_SETUP", "PHONE_NUMBER_VERIFICATION",
		"PHONE_NUMBER_VERIFICATION", ""}
	for done, step := range want {
		world, h := newWorld(t, coexistencetest.Config{})
		phone := world.NewPhone(coexistencetest.PhoneConfig{})
		popup := openPopup(t, world)
		for _, do := range steps[:done] {
			require.NoError(t, do(popup, phone))
		}
		result, err := popup.Cancel()
		require.NoError(t, err)
		wait(t, world)
		s := read(t, result.Message)
		if step == "" {
			require.Equal(t, "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", s.Event, "closing the last screen is finishing")
			require.NotEmpty(t, result.Code)
			continue
		}
		require.Equal(t, "CANCEL", s.Event)
		require.Equal(t, step, s.Data["current_step"])
		require.Empty(t, result.Code)
		require.JSONEq(t, `{"status":"unknown","authResponse":null}`, string(result.LoginResponse))
		require.False(t, phone.Coexists())
		require.Empty(t, h.received())
		require.Error(t, popup.ChooseExistingAccount(), "it is closed")
	}
}

func TestWhatThePopupRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		phone  coexistencetest.PhoneConfig
		number string
		code   graph.Code
	}{
		"consumer WhatsApp":   {coexistencetest.PhoneConfig{App: coexistencetest.AppConsumer}, "", 2655095},
		"not on WhatsApp":     {coexistencetest.PhoneConfig{}, "+1 555-010-0199", 2655095},
		"not a number":        {coexistencetest.PhoneConfig{}, "12", 3441051},
		"old app":             {coexistencetest.PhoneConfig{AppVersion: "2.24.16.99"}, "", 4563015},
		"old app, short":      {coexistencetest.PhoneConfig{AppVersion: "2.9"}, "", 4563015},
		"oldest app":          {coexistencetest.PhoneConfig{AppVersion: "2.24.17"}, "", 0},
		"newer app":           {coexistencetest.PhoneConfig{AppVersion: "2.100.1"}, "", 0},
		"refused country":     {coexistencetest.PhoneConfig{PhoneNumber: "+234 555 010 0123"}, "", 3441042},
		"more activity":       {coexistencetest.PhoneConfig{Refuse: graph.CodeSignupMoreActivityNeeded}, "", 3441045},
		"whatever Meta likes": {coexistencetest.PhoneConfig{Refuse: 2655082}, "", 2655082},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world, _ := newWorld(t, coexistencetest.Config{RefusedCallingCodes: []string{"+234"}})
			phone := world.NewPhone(tt.phone)
			popup := openPopup(t, world)
			require.NoError(t, popup.ChooseExistingAccount())
			number := tt.number
			if number == "" {
				number = phone.PhoneNumber()
			}
			err := popup.EnterNumber(number)
			if tt.code == 0 {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, tt.code)

			result, err := popup.ReportError()
			require.NoError(t, err)
			s := read(t, result.Message)
			require.Equal(t, "CANCEL", s.Event)
			require.Equal(t, strconv.Itoa(int(tt.code)), s.Data["error_code"])
			require.NotEmpty(t, s.Data["session_id"])
			require.NotEmpty(t, s.Data["timestamp"])
			require.NotContains(t, s.Data, "current_step")
		})
	}
}

func TestAWrongCodeIsRefused(t *testing.T) {
	t.Parallel()
	world, _ := newWorld(t, coexistencetest.Config{})
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	popup := openPopup(t, world)
	require.NoError(t, popup.ChooseExistingAccount())
	require.NoError(t, popup.EnterNumber(phone.PhoneNumber()))
	wrong := "000000"
	if phone.LastCode() == wrong {
		wrong = "000001"
	}
	for range 4 {
		require.ErrorIs(t, popup.VerifyCode(wrong), graph.CodeSignupOTPCheckFailed)
	}
	require.ErrorIs(t, popup.VerifyCode(wrong), graph.CodeSignupTooManyOTPRequests)
}

// Since v3 the flow for new numbers ends with a verified number or with one that is not.
func TestANewNumberIsVerifiedLater(t *testing.T) {
	t.Parallel()
	for _, later := range []bool{false, true} {
		world, _ := newWorld(t, coexistencetest.Config{})
		popup := openPopup(t, world)
		require.NoError(t, popup.ChooseNewNumber())
		require.NoError(t, popup.EnterNumber("+1 555 010 0177"))
		if later {
			require.NoError(t, popup.VerifyLater())
		} else {
			require.NoError(t, popup.VerifyCode(popup.TextedCode()))
		}
		result, err := popup.Finish()
		require.NoError(t, err)
		s, err := signup.ParseSessionInfo(result.Message)
		require.NoError(t, err)
		require.Equal(t, later, world.Graph().Phones(s.WABAID)[0].Unverified)
	}
	world, _ := newWorld(t, coexistencetest.Config{})
	popup := openPopup(t, world)
	require.NoError(t, popup.ChooseExistingAccount())
	require.NoError(t, popup.EnterNumber(world.NewPhone(coexistencetest.PhoneConfig{}).PhoneNumber()))
	require.ErrorIs(t, popup.VerifyLater(), coexistencetest.ErrNotOffered, "the app is asked, now")
}

func TestRefusingOnThePhone(t *testing.T) {
	t.Parallel()
	world, _ := newWorld(t, coexistencetest.Config{})
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	require.Error(t, phone.Confirm(coexistencetest.HistoryShared), "nobody asked")
	popup := openPopup(t, world)
	require.NoError(t, popup.ChooseExistingAccount())
	require.NoError(t, popup.EnterNumber(phone.PhoneNumber()))
	code := phone.LastCode()
	require.NoError(t, phone.Refuse())
	require.Error(t, popup.VerifyCode(code))
	require.Error(t, popup.VerifyCode(""))
	require.NoError(t, popup.EnterNumber(phone.PhoneNumber()), "the business thinks again")
	require.NoError(t, phone.Confirm(coexistencetest.HistoryDeclined))
	require.NoError(t, popup.VerifyCode(phone.LastCode()))
	_, err := popup.Finish()
	require.NoError(t, err)
}

func TestAForgottenFeatureTypeAddsAnOrdinaryNumberSilently(t *testing.T) {
	t.Parallel()
	after := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		extras string
		now    time.Time
		want   bool
	}{
		"v4": {`{"featureType":"whatsapp_business_app_onboarding"}`, after, true},
		"v4 preview": {`{"featureType":"whatsapp_business_app_onboarding","version":"v4-public-preview"}`, after,
			true},
		"empty extras": {`{"setup":{}}`, after, false},
		"old name":     {`{"featureType":"coexistence"}`, after, false},
		"as a feature": {`{"features":[{"name":"whatsapp_business_app_onboarding"}]}`, after, false},
		"v3 while it lived": {`{"featureType":"whatsapp_business_app_onboarding","version":"v3"}`,
			after.AddDate(0, -2, 0), true},
		"v3 after its end": {`{"featureType":"whatsapp_business_app_onboarding","version":"v3"}`, after, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world, _ := newWorld(t, coexistencetest.Config{Start: tt.now})
			phone := world.NewPhone(coexistencetest.PhoneConfig{})
			popup, err := world.OpenSignup(json.RawMessage(fmt.Sprintf(`{"init":{"appId":%q},"login":{"config_id":%q,
				"response_type":"code","override_default_response_type":true,"extras":%s}}`,
				world.AppID(), world.ConfigurationID(), tt.extras)))
			require.NoError(t, err)
			require.Equal(t, tt.want, popup.OffersExistingAccount())
			result, err := popup.Complete(phone, coexistencetest.HistoryShared)
			require.NoError(t, err, "nobody notices")
			require.Equal(t, tt.want, phone.Coexists())
			if tt.want {
				return
			}
			s := read(t, result.Message)
			require.Equal(t, "FINISH", s.Event)
			status, v := call(t, world, exchange(t, world, result.Code), "GET",
				"/"+s.Data["phone_number_id"]+"?fields=is_on_biz_app,platform_type,status", "")
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, "false", string(v["is_on_biz_app"]))
			require.Equal(t, `"NOT_APPLICABLE"`, string(v["platform_type"]))
			require.Equal(t, `"PENDING"`, string(v["status"]))
		})
	}
}

func TestWrongLaunchOptions(t *testing.T) {
	t.Parallel()
	world, _ := newWorld(t, coexistencetest.Config{})
	phone := world.NewPhone(coexistencetest.PhoneConfig{})

	_, err := world.OpenSignup(json.RawMessage("not JSON"))
	require.Error(t, err)
	_, err = world.OpenSignup(json.RawMessage("{}"))
	require.Error(t, err)

	_, err = world.OpenSignup(json.RawMessage(`{"config_id":"1"}`))
	require.ErrorContains(t, err, "Sorry, something went wrong")

	popup, err := world.OpenSignup(json.RawMessage(`{"config_id":"` + world.ConfigurationID() + `",
		"extras":{"featureType":"whatsapp_business_app_onboarding"}}`))
	require.NoError(t, err)
	result, err := popup.Complete(phone, coexistencetest.HistoryShared)
	require.NoError(t, err)
	require.Empty(t, result.Code, "without response_type code there is an access token instead")
	require.Contains(t, string(result.LoginResponse), "accessToken")
}

func TestACodeWorksOnceAndForThirtySeconds(t *testing.T) {
	t.Parallel()
	world, _ := newWorld(t, coexistencetest.Config{})
	result, err := openPopup(t, world).Complete(world.NewPhone(coexistencetest.PhoneConfig{}),
		coexistencetest.HistoryShared)
	require.NoError(t, err)
	exchange(t, world, result.Code)
	path := "/oauth/access_token?client_id=" + string(world.AppID()) + "&client_secret=" + world.AppSecret().Reveal() +
		"&code="
	_, v := call(t, world, "", "GET", path+result.Code.Reveal(), "")
	require.Contains(t, string(v["error"]), "36009")

	late, err := openPopup(t, world).Complete(world.NewPhone(coexistencetest.PhoneConfig{}),
		coexistencetest.HistoryShared)
	require.NoError(t, err)
	world.Advance(31 * time.Second)
	_, v = call(t, world, "", "GET", path+late.Code.Reveal(), "")
	require.Contains(t, string(v["error"]), "36007")
}

func TestTheWrongPortfolioIsRefused(t *testing.T) {
	t.Parallel()
	world, _ := newWorld(t, coexistencetest.Config{})
	phone := world.NewPhone(coexistencetest.PhoneConfig{})
	other := world.NewPhone(coexistencetest.PhoneConfig{})
	popup := openPopup(t, world)
	require.NoError(t, popup.ChooseBusiness(other.Business()))
	require.NoError(t, popup.ChooseExistingAccount())
	require.ErrorIs(t, popup.EnterNumber(phone.PhoneNumber()), graph.CodeSignupNumberElsewhere)
}
