package cloudapitest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// get reads a path with the system token.
func get(t *testing.T, srv *cloudapitest.Server, path string) answer {
	t.Helper()
	return ask(t, srv, srv.SystemToken(), "GET", path, "")
}

func TestReadingANumber(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	tests := map[string]struct {
		phone cloudapitest.Phone
		want  string
	}{
		"coexists": {
			cloudapitest.Phone{},
			`"is_on_biz_app":true,"platform_type":"CLOUD_API","status":"CONNECTED",` +
				`"code_verification_status":"VERIFIED"`,
		},
		"ordinary": {
			cloudapitest.Phone{CloudAPIOnly: true},
			`"is_on_biz_app":false,"platform_type":"CLOUD_API","status":"CONNECTED",` +
				`"code_verification_status":"VERIFIED"`,
		},
		"waiting": {
			cloudapitest.Phone{CloudAPIOnly: true, Unregistered: true, Unverified: true},
			`"is_on_biz_app":false,"platform_type":"NOT_APPLICABLE","status":"PENDING",` +
				`"code_verification_status":"NOT_VERIFIED"`,
		},
		"suspended": {
			cloudapitest.Phone{Suspended: true},
			`"is_on_biz_app":true,"platform_type":"NOT_APPLICABLE","status":"DISCONNECTED",` +
				`"code_verification_status":"VERIFIED"`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			phone := srv.AddPhone(tt.phone)
			a := get(t, srv, "/"+string(phone.ID)+"?fields=is_on_biz_app,platform_type,status,code_verification_status")
			require.JSONEq(t, `{"id":"`+string(phone.ID)+`",`+tt.want+`}`, a.body)
			require.NotContains(t, get(t, srv, "/"+string(phone.ID)).body, "is_on_biz_app", "it has to be asked for")
		})
	}
}

func TestOneUnknownFieldFailsTheCall(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	for _, path := range []string{
		"/" + string(phone.ID), "/" + string(phone.WABAs[0]), "/" + string(phone.WABAs[0]) + "/phone_numbers", "/me",
	} {
		require.Equal(t, graph.CodeInvalidParameter, get(t, srv, path+"?fields=id,nonsense").Error.Code, path)
	}
	require.Equal(t, http.StatusOK,
		get(t, srv, "/"+string(phone.ID)+"?fields=id,throughput{level},health_status").status)
}

func TestPagesOfNumbers(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	waba := srv.AddWABA(cloudapitest.WABA{})
	for range 30 {
		srv.AddPhone(cloudapitest.Phone{WABAs: []graph.WABAID{waba.ID}})
	}
	require.Len(t, srv.Phones(waba.ID), 30)
	type page struct {
		Data   []struct{ ID string } `json:"data"`
		Paging struct {
			Cursors struct{ After string } `json:"cursors"`
			Next    string                 `json:"next"`
		} `json:"paging"`
	}
	read := func(query string) (p page) {
		require.NoError(t, json.Unmarshal([]byte(get(t, srv, "/"+string(waba.ID)+"/phone_numbers?"+query).body), &p))
		return p
	}
	first := read("")
	require.Len(t, first.Data, 25)
	require.Contains(t, first.Paging.Next, "access_token=", "like Meta's, it must not be followed or logged")
	second := read("after=" + first.Paging.Cursors.After)
	require.Len(t, second.Data, 5)
	require.Empty(t, second.Paging.Next)
	require.Len(t, read("limit=3").Data, 3)
	require.Len(t, read("limit=1000").Data, 30)
	require.Empty(t, read("after="+second.Paging.Cursors.After).Data)
	require.Equal(t, graph.CodeInvalidCursor,
		get(t, srv, "/"+string(waba.ID)+"/phone_numbers?after=nonsense").Error.Code)
	require.Equal(t, graph.CodeInvalidParameter, get(t, srv, "/"+string(waba.ID)+"/phone_numbers?limit=0").Error.Code)
}

func TestFindingAccounts(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	srv := newServer(t, cloudapitest.Config{Clock: func() time.Time { return start }})
	partner := srv.AddBusiness(cloudapitest.Business{Name: "Partner"})
	older := srv.AddWABA(cloudapitest.WABA{Name: "Older", CreatedAt: start.Add(-time.Hour)})
	newer := srv.AddWABA(cloudapitest.WABA{Name: "Newer", OwnerBusinessID: older.OwnerBusinessID})
	token := srv.AddToken(cloudapitest.Token{
		BusinessID: older.OwnerBusinessID,
		Scopes:     []string{cloudapitest.ScopeManagement, cloudapitest.ScopeBusiness},
	})

	require.JSONEq(t, fmt.Sprintf(`{"client_business_id":%q,"id":%q}`, older.OwnerBusinessID,
		ask(t, srv, token, "GET", "/me", "").ID),
		ask(t, srv, token, "GET", "/me?fields=client_business_id", "").body)
	require.Equal(t, graph.CodeAccessTokenExpired, get(t, srv, "/me?fields=client_business_id").Error.Code,
		"only a business token has one")

	names := func(token graph.Secret, path string) (names []string) {
		var list struct{ Data []struct{ Name string } }
		require.NoError(t, json.Unmarshal([]byte(ask(t, srv, token, "GET", path, "").body), &list))
		for _, w := range list.Data {
			names = append(names, w.Name)
		}
		return names
	}
	require.Equal(t, []string{"Older", "Newer"},
		names(token, "/"+string(older.OwnerBusinessID)+"/owned_whatsapp_business_accounts"))
	client := "/" + string(partner.ID) + "/client_whatsapp_business_accounts"
	require.Equal(t, []string{"Newer", "Older"}, names(srv.SystemToken(), client+"?sort=creation_time_descending"))
	filter := url.QueryEscape(fmt.Sprintf(
		`[{"field":"creation_time","operator":"GREATER_THAN","value":"%d"}]`, start.Add(-time.Minute).Unix(),
	))
	require.Equal(t, []string{"Newer"}, names(srv.SystemToken(), client+"?filtering="+filter))
	srv.DetachWABA(newer.ID)
	require.Equal(t, []string{"Older"}, names(srv.SystemToken(), client))
	require.Equal(t, 33, get(t, srv, "/"+string(newer.ID)).Error.Subcode)
	srv.AttachWABA(newer.ID)
	require.Equal(t, http.StatusOK, get(t, srv, "/"+string(newer.ID)+"?fields=owner_business_info").status)
	require.Equal(t, graph.CodePermissionMissing,
		ask(t, srv, srv.AddToken(cloudapitest.Token{}), "GET", client, "").Error.Code, "without business_management")
	require.Equal(t, http.StatusOK, get(t, srv, "/"+string(partner.ID)).status)
}

func TestSubscribing(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	path := "/" + string(phone.WABAs[0]) + "/subscribed_apps"
	hooked := make(chan bool, 10)
	srv.OnSubscribe(func(_ graph.WABAID, subscribed bool) { hooked <- subscribed })
	require.JSONEq(t, `{"data":[]}`, get(t, srv, path).body)
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("hub.verify_token") == "right" && r.URL.Query().Get("hub.mode") == "subscribe" {
			_, _ = w.Write([]byte(r.URL.Query().Get("hub.challenge")))
		}
	}))
	t.Cleanup(callback.Close)
	override := func(token string) answer {
		return ask(t, srv, srv.SystemToken(), "POST", path,
			`{"override_callback_uri":"`+callback.URL+`","verify_token":"`+token+`"}`)
	}
	require.Equal(t, graph.CodeInvalidParameter, override("right").Error.Code, "subscribe first")
	require.True(t, ask(t, srv, srv.SystemToken(), "POST", path, "").Success)
	require.True(t, srv.Subscribed(phone.WABAs[0]))
	require.Contains(t, get(t, srv, path).body, string(srv.App().ID))
	require.Equal(t, graph.CodeCallbackVerificationFailed, override("wrong").Error.Code)
	require.True(t, override("right").Success)
	require.Contains(t, get(t, srv, path).body, callback.URL)
	require.True(t, ask(t, srv, srv.SystemToken(), "POST", path, "").Success)
	require.NotContains(t, get(t, srv, path).body, callback.URL, "a POST without body removes the override")
	require.True(t, ask(t, srv, srv.SystemToken(), "DELETE", path, "").Success)
	require.False(t, srv.Subscribed(phone.WABAs[0]))
	require.Len(t, hooked, 4)
	for _, subscribed := range []bool{true, true, true, false} {
		require.Equal(t, subscribed, <-hooked)
	}

	app := "/" + string(srv.App().ID) + "/subscriptions"
	require.EqualValues(t, 15, get(t, srv, app).Error.Code, "it takes the app's own token")
	body := `{"object":"whatsapp_business_account","callback_url":"` + callback.URL +
		`","verify_token":"right","fields":["messages","history"]}`
	require.True(t, ask(t, srv, srv.AppToken(), "POST", app, body).Success)
	want := `{"data":[{"object":"whatsapp_business_account","callback_url":"` + callback.URL + `","active":true,
		"fields":[{"name":"messages","version":"v25.0"},{"name":"history","version":"v25.0"}]}]}`
	require.JSONEq(t, want, ask(t, srv, srv.AppToken(), "GET", app, "").body)
	require.Zero(t, srv.Callback("smb_message_echoes", phone.WABAs[0], phone.ID))
	require.Equal(t, cloudapitest.Callback{URL: callback.URL, Level: cloudapitest.LevelApp},
		srv.Callback("history", phone.WABAs[0], phone.ID))
	require.Equal(t, graph.CodeMissingParameter, ask(t, srv, srv.AppToken(), "POST", app, `{}`).Error.Code)
}

func TestSyncsWorkOncePerKindAndForADay(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	hooked := make(chan cloudapitest.SyncRequest, 10)
	srv.OnSyncAppData(func(r cloudapitest.SyncRequest) { hooked <- r })
	request := func(id graph.PhoneNumberID, kind string) answer {
		return ask(t, srv, srv.SystemToken(), "POST", "/"+string(id)+"/smb_app_data",
			`{"messaging_product":"whatsapp","sync_type":"`+kind+`"}`)
	}
	a := request(phone.ID, "smb_app_state_sync")
	require.Equal(t, http.StatusOK, a.status)
	require.Regexp(t, `"request_id":"[0-9A-F]{18}"`, a.body)
	a = request(phone.ID, "smb_app_state_sync")
	require.Equal(t, http.StatusBadRequest, a.status)
	require.Equal(t, graph.CodeAppRateLimit, a.Error.Code)
	require.EqualValues(t, graph.CodeSyncLimitExceeded, a.Error.Subcode)
	require.Equal(t, graph.CodeInvalidParameter, request(phone.ID, "everything").Error.Code)
	require.False(t, srv.Synced(phone.ID, cloudapi.SyncContacts).IsZero())
	require.True(t, srv.Synced(phone.ID, cloudapi.SyncHistory).IsZero())
	srv.Advance(24 * time.Hour)
	require.Equal(t, graph.CodeSyncWindowClosed, request(phone.ID, "history").Error.Code)
	require.Equal(t, graph.CodeAppRateLimit, request(phone.ID, "smb_app_state_sync").Error.Code, "used is used")
	srv.Onboard(phone.ID)
	require.Equal(t, http.StatusOK, request(phone.ID, "history").status)
	require.Equal(t, http.StatusOK, request(phone.ID, "smb_app_state_sync").status)
	require.Len(t, hooked, 3)
	require.Equal(t, graph.CodeInvalidParameter,
		request(srv.AddPhone(cloudapitest.Phone{CloudAPIOnly: true}).ID, "history").Error.Code)
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	coexists := srv.AddPhone(cloudapitest.Phone{})
	waiting := srv.AddPhone(cloudapitest.Phone{CloudAPIOnly: true, Unregistered: true})
	unverified := srv.AddPhone(cloudapitest.Phone{CloudAPIOnly: true, Unregistered: true, Unverified: true})
	register := func(id graph.PhoneNumberID, pin string) answer {
		return ask(t, srv, srv.SystemToken(), "POST", "/"+string(id)+"/register",
			`{"messaging_product":"whatsapp","pin":"`+pin+`"}`)
	}
	deregister := func(id graph.PhoneNumberID) answer {
		return ask(t, srv, srv.SystemToken(), "POST", "/"+string(id)+"/deregister", "")
	}
	require.Equal(t, graph.CodeInvalidParameter, register(coexists.ID, "123456").Error.Code)
	require.Equal(t, "Deregister endpoint is not available for API solution for SMB businesses.",
		deregister(coexists.ID).Error.Message)
	require.Equal(t, graph.CodeVerificationNeeded, register(unverified.ID, "123456").Error.Code)
	require.Equal(t, graph.CodeInvalidParameter, register(waiting.ID, "12").Error.Code)
	require.True(t, register(waiting.ID, "123456").Success)
	require.True(t, deregister(waiting.ID).Success)
	require.Equal(t, graph.CodePhoneNotRegistered, deregister(waiting.ID).Error.Code)
	for range 6 {
		require.Equal(t, graph.CodePINMismatch, register(waiting.ID, "654321").Error.Code)
	}
	require.Equal(t, graph.CodeRegisterRateLimit, register(waiting.ID, "123456").Error.Code)
	srv.Advance(72 * time.Hour)
	require.True(t, register(waiting.ID, "123456").Success)
}

func TestVerification(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	coexists := srv.AddPhone(cloudapitest.Phone{})
	waiting := srv.AddPhone(cloudapitest.Phone{CloudAPIOnly: true, Unregistered: true, Unverified: true})
	post := func(id graph.PhoneNumberID, edge, body string) answer {
		return ask(t, srv, srv.SystemToken(), "POST", "/"+string(id)+"/"+edge, body)
	}
	const sms = `{"code_method":"SMS","language":"en_US"}`
	require.Equal(t, graph.CodeInvalidParameter, post(coexists.ID, "request_code", sms).Error.Code)
	require.Equal(t, graph.CodeInvalidParameter,
		post(waiting.ID, "request_code", `{"code_method":"PIGEON","language":"en_US"}`).Error.Code)
	require.Equal(t, graph.CodeMissingParameter, post(waiting.ID, "request_code", `{"code_method":"SMS"}`).Error.Code)
	require.Equal(t, graph.CodeCodeCheckFailed, post(waiting.ID, "verify_code", `{"code":""}`).Error.Code)
	require.Empty(t, srv.VerificationCode(waiting.ID))
	require.True(t, post(waiting.ID, "request_code", sms).Success)
	require.Equal(t, graph.CodeCodeRequestFailed, post(waiting.ID, "request_code", sms).Error.Code, "too soon")
	first := srv.VerificationCode(waiting.ID)
	srv.Advance(time.Minute)
	require.True(t, post(waiting.ID, "request_code", `{"code_method":"VOICE","language":"pt_BR"}`).Success)
	code := srv.VerificationCode(waiting.ID)
	require.Len(t, code, 6)
	if first != code {
		require.Equal(t, graph.CodeCodeCheckFailed, post(waiting.ID, "verify_code", `{"code":"`+first+`"}`).Error.Code,
			"the last one counts")
	}
	require.True(t, post(waiting.ID, "verify_code", `{"code":"`+code+`"}`).Success)
	got, _ := srv.Phone(waiting.ID)
	require.False(t, got.Unverified)
	srv.Advance(time.Hour)
	require.Equal(t, graph.CodeCodeRequestFailed, post(waiting.ID, "request_code", sms).Error.Code, "it is verified")
}

func TestCallbackOfANumber(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	srv.Subscribe(cloudapitest.AppSubscription{
		CallbackURL: "https://app.example.com/", Fields: []string{"messages", "account_update"},
	})
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.URL.Query().Get("hub.challenge")))
	}))
	t.Cleanup(callback.Close)
	set := func(url, token string) answer {
		return ask(t, srv, srv.SystemToken(), "POST", "/"+string(phone.ID),
			`{"webhook_configuration":{"override_callback_uri":"`+url+`","verify_token":"`+token+`"}}`)
	}
	require.True(t, set(callback.URL, "token").Success)
	require.Equal(t, graph.CodeMissingParameter, set(callback.URL, "").Error.Code)
	require.Equal(t, graph.CodeInvalidParameter, set(callback.URL+"/"+strings.Repeat("x", 200), "token").Error.Code)
	require.Equal(t, graph.CodeMissingParameter,
		ask(t, srv, srv.SystemToken(), "POST", "/"+string(phone.ID), `{}`).Error.Code)

	app := cloudapitest.Callback{URL: "https://app.example.com/", Level: cloudapitest.LevelApp}
	require.Equal(t, cloudapitest.Callback{URL: callback.URL, Level: cloudapitest.LevelPhone},
		srv.Callback("messages", phone.WABAs[0], phone.ID))
	require.Equal(t, app, srv.Callback("account_update", phone.WABAs[0], phone.ID), "lifecycle is never overridden")
	require.True(t, set("", "").Success, "the empty string removes it")
	require.Equal(t, app, srv.Callback("messages", phone.WABAs[0], phone.ID))
	srv.Subscribe(cloudapitest.AppSubscription{
		CallbackURL: "https://app.example.com/", Fields: []string{"messages"}, Inactive: true,
	})
	require.Zero(t, srv.Callback("messages", phone.WABAs[0], phone.ID))
}

func TestANumberComesAndGoes(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	srv.Suspend(phone.ID, true)
	require.Equal(t, graph.CodePhoneNotRegistered, post(t, srv, phone, `"to":"+15550100142",`+hello).Error.Code)
	srv.Suspend(phone.ID, false)
	require.Equal(t, http.StatusOK, post(t, srv, phone, `"to":"+15550100142",`+hello).status)
	srv.DetachPhone(phone.ID)
	require.Equal(t, 33, get(t, srv, "/"+string(phone.ID)).Error.Subcode)
	require.Empty(t, srv.Phones(phone.WABAs[0]))
	require.JSONEq(t, `{"data":[]}`, get(t, srv, "/"+string(phone.WABAs[0])+"/phone_numbers").body, "the account stays")
	srv.Onboard(phone.ID)
	require.Equal(t, http.StatusOK, get(t, srv, "/"+string(phone.ID)).status)
	now, ok := srv.Phone(phone.ID)
	require.True(t, ok)
	require.True(t, now.OnBizApp())
	_, ok = srv.Phone("1")
	require.False(t, ok)
}

func TestAnotherAppAndOtherPages(t *testing.T) {
	t.Parallel()
	srv := newServer(t, cloudapitest.Config{App: cloudapitest.App{ID: "42", Secret: "secret", Name: "Ours"}})
	require.Equal(t, cloudapitest.App{ID: "42", Secret: "secret", Name: "Ours"}, srv.App())
	require.Equal(t, "42|secret", srv.AppToken().Reveal())
	require.Equal(t, graph.AppID("42"), srv.ClientConfig().AppID)
	srv.Handle("/files/", http.NotFoundHandler())
	resp, err := http.Get(srv.URL + "/files/1")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
	require.Empty(t, srv.Requests(), "not a call of the Graph API")
}
