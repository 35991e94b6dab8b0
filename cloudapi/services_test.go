package cloudapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// query returns the query of a request, without the proof.
func query(t *testing.T, r seen) url.Values {
	t.Helper()
	_, raw, _ := strings.Cut(r.target, "?")
	values, err := url.ParseQuery(raw)
	require.NoError(t, err)
	values.Del("appsecret_proof")
	return values
}

func TestPhoneIsReadWhole(t *testing.T) {
	t.Parallel()
	const body = `{"id":100000000000001,"display_phone_number":"+1 555-010-0123","verified_name":"Shop",` +
		`"status":"CONNECTED",` +
		`"platform_type":"CLOUD_API","is_on_biz_app":true,"code_verification_status":"VERIFIED",` +
		`"name_status":"APPROVED",` +
		`"new_name_status":"NONE","quality_rating":"GREEN","account_mode":"LIVE","throughput":{"level":"STANDARD"},` +
		`"webhook_configuration":{"phone_number":"https://a.example",` +
		`"whatsapp_business_account":"https://b.example","application":"https://c.example"},` +
		`"last_onboarded_time":"2026-08-22T19:05:53+0000","is_official_business_account":"true","is_pin_enabled":1,` +
		`"is_preverified_number":false,"invented_tomorrow":{"a":1}}`
	srv := serve(t, reply(200, body, "Facebook-Api-Version", "v25.0"))
	p, err := srv.client(t).Phones.Get(t.Context(), phoneID, cloudapi.PhoneGetOptions{})
	require.NoError(t, err)
	require.JSONEq(t, body, string(p.Raw))
	require.Equal(t, "v25.0", p.Response.Version)
	require.True(t, p.Coexists())
	p.Raw, p.Response = nil, cloudapi.Response{}
	require.Equal(t, &cloudapi.Phone{
		ID: phoneID, DisplayPhoneNumber: "+1 555-010-0123", VerifiedName: "Shop", Status: cloudapi.PhoneConnected,
		PlatformType: cloudapi.PlatformCloudAPI, IsOnBizApp: true, CodeVerificationStatus: cloudapi.CodeVerified,
		NameStatus: cloudapi.NameApproved, NewNameStatus: cloudapi.NameNone, QualityRating: graph.QualityGreen,
		AccountMode: cloudapi.AccountLive, Throughput: cloudapi.Throughput{Level: cloudapi.ThroughputStandard},
		WebhookConfiguration: cloudapi.WebhookConfiguration{
			PhoneNumber: "https://a.example", WABA: "https://b.example", Application: "https://c.example",
		},
		LastOnboardedAt:           graph.NewTimestamp(time.Date(2026, 8, 22, 19, 5, 53, 0, time.UTC)),
		IsOfficialBusinessAccount: true, IsPINEnabled: true,
	}, p)
}

func TestCoexistsNeedsBothSides(t *testing.T) {
	t.Parallel()
	require.True(t, (&cloudapi.Phone{IsOnBizApp: true, PlatformType: cloudapi.PlatformCloudAPI}).Coexists())
	require.False(t, (&cloudapi.Phone{PlatformType: cloudapi.PlatformCloudAPI}).Coexists(), "API only")
	require.False(t, (&cloudapi.Phone{IsOnBizApp: true, PlatformType: cloudapi.PlatformNotApplicable}).Coexists(),
		"app only")
	require.False(t, (&cloudapi.Phone{IsOnBizApp: true}).Coexists(), "not asked for")
}

func TestFieldsAreAskedFor(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"id":"1","data":[]}`))
	client := srv.client(t)
	ctx := t.Context()
	_, err := client.Phones.Get(ctx, phoneID, cloudapi.PhoneGetOptions{})
	require.NoError(t, err)
	_, err = client.Phones.Get(ctx, phoneID, cloudapi.PhoneGetOptions{Fields: []string{"id", "health_status"}})
	require.NoError(t, err)
	_, err = client.WABAs.Get(ctx, wabaID, cloudapi.WABAGetOptions{
		Fields: []string{"id", "owner_business_info{id,name}"},
	})
	require.NoError(t, err)
	for _, err := range client.Phones.List(ctx, wabaID, cloudapi.PhoneListOptions{
		Limit: 50, Sort: "['last_onboarded_time_descending']",
		Filter: cloudapi.Filters{{"account_mode", "EQUAL", "LIVE"}},
	}) {
		require.NoError(t, err)
	}
	for _, err := range client.Businesses.ClientWABAs(ctx, businessID, cloudapi.WABAListOptions{
		Fields: []string{"id"}, Sort: "creation_time_descending",
	}) {
		require.NoError(t, err)
	}
	got := srv.seen()
	for _, field := range []string{
		"is_on_biz_app", "platform_type", "status", "code_verification_status", "throughput",
		"webhook_configuration", "last_onboarded_time",
	} {
		require.Contains(t, strings.Split(query(t, got[0]).Get("fields"), ","), field)
	}
	require.Equal(t, url.Values{"fields": {"id,health_status"}}, query(t, got[1]))
	require.Equal(t, url.Values{"fields": {"id,owner_business_info{id,name}"}}, query(t, got[2]))
	list := query(t, got[3])
	require.Equal(t, "50", list.Get("limit"))
	require.Equal(t, "['last_onboarded_time_descending']", list.Get("sort"))
	require.JSONEq(t, `[{"field":"account_mode","operator":"EQUAL","value":"LIVE"}]`, list.Get("filtering"))
	require.NotContains(t, strings.Split(list.Get("fields"), ","), "is_on_biz_app",
		"documented for the number itself only")
	require.Equal(t, url.Values{"fields": {"id"}, "sort": {"creation_time_descending"}}, query(t, got[4]))
}

func TestSyncAsksOncePerKind(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"messaging_product":"whatsapp","request_id":"0A1B2C3D4E5F607182"}`))
	client := srv.client(t)
	for _, kind := range []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory} {
		id, err := client.Phones.SyncAppData(t.Context(), phoneID, kind)
		require.NoError(t, err)
		require.Equal(t, "0A1B2C3D4E5F607182", id)
	}
	got := srv.seen()
	require.JSONEq(t, `{"messaging_product":"whatsapp","sync_type":"smb_app_state_sync"}`, got[0].body)
	require.JSONEq(t, `{"messaging_product":"whatsapp","sync_type":"history"}`, got[1].body)
	_, err := client.Phones.SyncAppData(t.Context(), phoneID, "")
	require.ErrorIs(t, err, cloudapi.ErrValidation)
}

func TestWABAIsReadWhole(t *testing.T) {
	t.Parallel()
	const body = `{"id":"200000000000002","name":"Shop","currency":"EUR","timezone_id":71,"country":"DE",` +
		`"ownership_type":"CLIENT_OWNED",` +
		`"account_review_status":"APPROVED","business_verification_status":"verified",` +
		`"message_template_namespace":"ns","status":"ACTIVE",` +
		`"primary_funding_id":"9","owner_business_info":{"id":"300000000000003","name":"Shop Ltd"},` +
		`"on_behalf_of_business_info":{"id":"5","name":"Old"}}`
	srv := serve(t, reply(200, body))
	w, err := srv.client(t).WABAs.Get(t.Context(), wabaID, cloudapi.WABAGetOptions{})
	require.NoError(t, err)
	require.JSONEq(t, body, string(w.Raw))
	require.Equal(t, 200, w.Response.Status)
	w.Raw, w.Response = nil, cloudapi.Response{}
	require.Equal(t, &cloudapi.WABA{
		ID: wabaID, Name: "Shop", Currency: "EUR", TimezoneID: "71", Country: "DE", OwnershipType: "CLIENT_OWNED",
		AccountReviewStatus: "APPROVED", BusinessVerificationStatus: "verified", MessageTemplateNamespace: "ns",
		Status:           "ACTIVE",
		PrimaryFundingID: "9", OwnerBusinessInfo: cloudapi.BusinessInfo{ID: businessID, Name: "Shop Ltd"},
		OnBehalfOfBusinessInfo: cloudapi.BusinessInfo{ID: "5", Name: "Old"},
	}, w)
}

func TestSubscribing(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"data":[]}`), reply(200, `{"success":true}`))
	client := srv.client(t)
	ctx := t.Context()
	require.NoError(t, client.WABAs.Subscribe(ctx, wabaID))
	require.NoError(t,
		client.WABAs.SetWebhook(ctx, wabaID, cloudapi.WebhookOverride{
			CallbackURL: "https://example.com/w", VerifyToken: "v-1",
		}))
	require.NoError(t, client.WABAs.SetWebhook(ctx, wabaID, cloudapi.WebhookOverride{}))
	require.NoError(t, client.WABAs.Unsubscribe(ctx, wabaID))
	got := srv.seen()
	require.Len(t, got, 5)
	require.Equal(t, http.MethodGet, got[0].method)
	require.Empty(t, got[1].body, "a body would set an override")
	require.JSONEq(t, `{"override_callback_uri":"https://example.com/w","verify_token":"v-1"}`, got[2].body)
	require.Empty(t, got[3].body, "an empty body removes the override")
	require.Empty(t, got[4].body)

	for name, opts := range map[string]cloudapi.WebhookOverride{
		"https":           {CallbackURL: "http://example.com", VerifyToken: "v"},
		"VerifyToken":     {CallbackURL: "https://example.com"},
		"200":             {CallbackURL: "https://example.com/" + strings.Repeat("a", 200), VerifyToken: "v"},
		"not an https":    {VerifyToken: "v"},
		"VerifyToken is ": {CallbackURL: "x"},
	} {
		err := client.WABAs.SetWebhook(ctx, wabaID, opts)
		require.ErrorIs(t, err, cloudapi.ErrValidation)
		require.ErrorContains(t, err, name)
	}
	require.Len(t, srv.seen(), 5)
}

// Meta removes the override of an account that is subscribed once more.
func TestSubscribingAgainKeepsTheOverride(t *testing.T) {
	t.Parallel()
	list := func(id graph.AppID, override string) step {
		return reply(200,
			`{"data":[{"whatsapp_business_api_data":{"id":"`+string(id)+`"},"override_callback_uri":"`+override+`"}]}`)
	}
	tests := map[string]struct {
		app       graph.AppID // of the client
		there     step
		subscribe bool
	}{
		"nothing":                       {appID, reply(200, `{"data":[]}`), true},
		"its own":                       {appID, list(appID, ""), false},
		"its own with an override":      {appID, list(appID, "https://example.com/w"), false},
		"another app's":                 {appID, list("1", "https://example.com/w"), true},
		"of an unknown app":             {"", list("1", ""), true},
		"an override of an unknown app": {"", list("1", "https://example.com/w"), false},
	}
	for name, tt := range tests {
		srv := serve(t, tt.there, reply(200, `{"success":true}`))
		err := srv.client(t, func(cfg *cloudapi.Config) {
			cfg.AppID, cfg.AppSecret = tt.app, graph.Secret("")
		}).WABAs.Subscribe(t.Context(), wabaID)
		if tt.app == "" && !tt.subscribe {
			require.ErrorIs(t, err, cloudapi.ErrValidation, name)
			require.ErrorContains(t, err, "Config.AppID", name)
		} else {
			require.NoError(t, err, name)
		}
		want := []string{http.MethodGet}
		if tt.subscribe {
			want = append(want, http.MethodPost)
		}
		var got []string
		for _, r := range srv.seen() {
			got = append(got, r.method)
		}
		require.Equal(t, want, got, name)
	}
}

func TestSuccessMustBeSaid(t *testing.T) {
	t.Parallel()
	for body, good := range map[string]bool{
		`{"success":true}`: true, `{"success":"true"}`: true, `true`: true, `{"success":true,"data":[]}`: true,
		`{"success":false}`: false, `{}`: false, `false`: false, `[]`: false, `null`: false,
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, reply(200, body))
			err := srv.client(t).WABAs.Unsubscribe(t.Context(), wabaID)
			if good {
				require.NoError(t, err)
				return
			}
			require.Equal(t, cloudapi.OutcomeUnknown, asError(t, err).Outcome)
		})
	}
}

func TestSubscribedApps(t *testing.T) {
	t.Parallel()
	srv := serve(t,
		reply(200,
			`{"data":[{"whatsapp_business_api_data":{"id":"400000000000004","link":"https://example.com/app",`+
				`"name":"CRM"},"override_callback_uri":"https://example.com/w"}]}`))
	apps, err := srv.client(t).WABAs.SubscribedApps(t.Context(), wabaID)
	require.NoError(t, err)
	require.Equal(t,
		[]cloudapi.SubscribedApp{
			{ID: appID, Name: "CRM", Link: "https://example.com/app", OverrideCallbackURL: "https://example.com/w"},
		},
		apps)
}

func TestAppSubscriptions(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"data":[{"object":"whatsapp_business_account",`+
		`"callback_url":"https://example.com/w","active":true,`+
		`"fields":[{"name":"messages","version":"v25.0"},{"name":"history","version":"v25.0"}]},{"object":"page",`+
		`"active":"0","fields":["feed"]}]}`))
	subs, err := srv.client(t).Apps.Subscriptions(t.Context())
	require.NoError(t, err)
	require.Equal(t, []cloudapi.AppSubscription{
		{
			Object: "whatsapp_business_account", CallbackURL: "https://example.com/w", Active: true,
			Fields: []cloudapi.AppSubscriptionField{{"messages", "v25.0"}, {"history", "v25.0"}},
		},
		{Object: "page", Fields: []cloudapi.AppSubscriptionField{{Name: "feed"}}},
	}, subs)
	require.True(t, subs[0].HasField("history"))
	require.False(t, subs[0].HasField("smb_message_echoes"))
	require.False(t, subs[1].HasField("feed"), "it is not active")
	require.Equal(t, "Bearer "+string(appID)+"|"+appSecret.Reveal(), srv.seen()[0].header.Get("Authorization"))
}

func TestMeNamesTheBusiness(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"client_business_id":"300000000000003","id":"1"}`), reply(200, `{"id":"1"}`))
	client := srv.client(t)
	id, err := client.Businesses.Me(t.Context())
	require.NoError(t, err)
	require.Equal(t, businessID, id)
	require.Equal(t, url.Values{"fields": {"client_business_id"}}, query(t, srv.seen()[0]))
	_, err = client.Businesses.Me(t.Context())
	require.ErrorContains(t, err, "not a business token")
}

func TestExchange(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		redirect *string
		want     url.Values
	}{
		"from FB.login": {nil, url.Values{}},
		"from a redirect": {
			new("https://example.com/cb"), url.Values{"redirect_uri": {"https://example.com/cb"}},
		},
		"with an empty one too": {new(""), url.Values{"redirect_uri": {""}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, reply(200, `{"access_token":"EAAnew","token_type":"bearer","expires_in":"5183944"}`))
			got, err := srv.client(t).OAuth.Exchange(t.Context(), cloudapi.CodeExchangeParams{
				Code: "AQ#+/=", RedirectURI: tt.redirect,
			})
			require.NoError(t, err)
			require.Equal(t, graph.Secret("EAAnew"), got.Token)
			require.Equal(t, "bearer", got.Type)
			require.Equal(t, 5183944*time.Second, got.ExpiresIn)
			r := srv.seen()[0]
			want := tt.want
			want.Set("client_id", string(appID))
			want.Set("client_secret", appSecret.Reveal())
			want.Set("code", "AQ#+/=")
			require.Equal(t, want, query(t, r))
			require.Empty(t, r.header.Get("Authorization"), "the client's own token has no part in it")
		})
	}
}

func TestRefusedExchangeTellsWhy(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(400, graphError("100", "36009")))
	_, err := srv.client(t).OAuth.Exchange(t.Context(), cloudapi.CodeExchangeParams{Code: "AQ-used"})
	e := asError(t, err)
	require.Equal(t, 36009, e.Subcode)
	require.Equal(t, cloudapi.OutcomeRefused, e.Outcome)
	require.ErrorIs(t, err, graph.ErrSignup)
}

func TestDebugToken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body string
		want cloudapi.TokenInfo
	}{
		"good": {
			`{"data":{"app_id":"400000000000004","type":"SYSTEM_USER","application":"CRM","expires_at":1800000000,` +
				`"data_access_expires_at":0,"issued_at":1790000000,"is_valid":true,` +
				`"scopes":["business_management"],"granular_scopes":[{"scope":"whatsapp_business_management",` +
				`"target_ids":["200000000000002",7]},{"scope":"business_management"},{"scope":"x",` +
				`"target_ids":[]}],"user_id":12}}`,
			cloudapi.TokenInfo{
				AppID: appID, Application: "CRM", Type: "SYSTEM_USER", Valid: true,
				ExpiresAt: graph.NewTimestamp(time.Unix(1800000000, 0)),
				IssuedAt:  graph.NewTimestamp(time.Unix(1790000000, 0)), Scopes: []string{"business_management"},
				UserID: "12",
				GranularScopes: []cloudapi.GranularScope{
					{Scope: "whatsapp_business_management", TargetIDs: []string{"200000000000002", "7"}},
					{Scope: "business_management"}, {Scope: "x", TargetIDs: []string{}},
				},
			},
		},
		"bad": {
			`{"data":{"app_id":"400000000000004","is_valid":false,"error":{"code":190,"subcode":"460",` +
				`"message":"token EAAinspected-123 is bad"},"scopes":[]}}`,
			cloudapi.TokenInfo{
				AppID: appID, Scopes: []string{},
				Error: &cloudapi.TokenError{Code: 190, Subcode: 460, Message: "token [redacted] is bad"},
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, reply(200, tt.body))
			got, err := srv.client(t).OAuth.DebugToken(t.Context(), "EAAinspected-123")
			require.NoError(t, err)
			got.Response = cloudapi.Response{}
			require.Equal(t, &tt.want, got)
			r := srv.seen()[0]
			require.Equal(t, url.Values{"input_token": {"EAAinspected-123"}}, query(t, r))
			require.Equal(t, "Bearer "+string(appID)+"|"+appSecret.Reveal(), r.header.Get("Authorization"))
		})
	}
}

func TestOAuthAndAppsNeedTheApp(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{}`))
	client := srv.client(t, func(cfg *cloudapi.Config) { cfg.AppID, cfg.AppSecret = "", "" })
	for _, name := range []string{"OAuth.Exchange", "OAuth.DebugToken", "Apps.Subscriptions"} {
		err := calls()[name](t.Context(), client)
		require.ErrorIs(t, err, cloudapi.ErrValidation, name)
		require.ErrorContains(t, err, "Config.AppID")
		require.ErrorContains(t, err, "Config.AppSecret")
	}
	_, err := srv.client(t).OAuth.Exchange(t.Context(), cloudapi.CodeExchangeParams{})
	require.ErrorIs(t, err, cloudapi.ErrValidation)
	_, err = srv.client(t).OAuth.DebugToken(t.Context(), "")
	require.ErrorIs(t, err, cloudapi.ErrValidation)
	require.Empty(t, srv.seen())
}
