package cloudapi_test

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// The strictest server there is short of Meta's: it knows every documented rule and refuses members
// that no page documents.
func TestWholeStoryAgainstTheFake(t *testing.T) {
	t.Parallel()
	srv := cloudapitest.NewServer(cloudapitest.Config{Strict: true, RequireProof: true})
	t.Cleanup(srv.Close)
	ctx := t.Context()
	owner := srv.AddBusiness(cloudapitest.Business{})
	waba := srv.AddWABA(cloudapitest.WABA{OwnerBusinessID: owner.ID}).ID
	phone := srv.AddPhone(cloudapitest.Phone{WABAs: []graph.WABAID{waba}})
	code := srv.AddCode(cloudapitest.AuthorizationCode{
		Token: cloudapitest.Token{BusinessID: owner.ID, WABAs: phone.WABAs},
	})
	app, err := cloudapi.NewClient(srv.ClientConfig())
	require.NoError(t, err)

	got, err := app.OAuth.Exchange(ctx, cloudapi.CodeExchangeParams{Code: code})
	require.NoError(t, err)
	_, err = app.OAuth.Exchange(ctx, cloudapi.CodeExchangeParams{Code: code})
	require.Equal(t, graph.SubcodeCodeUsed, asError(t, err).Subcode)
	info, err := app.OAuth.DebugToken(ctx, got.Token)
	require.NoError(t, err)
	require.True(t, info.Valid)
	require.Equal(t, srv.App().ID, info.AppID)

	client := app.WithToken(got.Token)
	node, err := client.WABAs.Get(ctx, waba, cloudapi.WABAGetOptions{})
	require.NoError(t, err)
	require.Equal(t, waba, node.ID)
	business, err := client.Businesses.Me(ctx)
	require.NoError(t, err)
	require.Equal(t, owner.ID, business)
	require.Equal(t, owner.ID, node.OwnerBusinessInfo.ID)
	require.NoError(t, client.WABAs.Subscribe(ctx, waba))
	apps, err := client.WABAs.SubscribedApps(ctx, waba)
	require.NoError(t, err)
	require.Equal(t, srv.App().ID, apps[0].ID)

	var phones []graph.PhoneNumberID
	for p, err := range client.Phones.List(ctx, waba, cloudapi.PhoneListOptions{}) {
		require.NoError(t, err)
		phones = append(phones, p.ID)
	}
	require.Equal(t, []graph.PhoneNumberID{phone.ID}, phones)
	p, err := client.Phones.Get(ctx, phone.ID, cloudapi.PhoneGetOptions{})
	require.NoError(t, err)
	require.True(t, p.Coexists())

	for _, kind := range []cloudapi.SyncKind{cloudapi.SyncContacts, cloudapi.SyncHistory} {
		_, err = client.Phones.SyncAppData(ctx, phone.ID, kind)
		require.NoError(t, err)
	}
	_, err = client.Phones.SyncAppData(ctx, phone.ID, cloudapi.SyncHistory)
	require.ErrorIs(t, err, graph.CodeSyncLimitExceeded)
	require.NotErrorIs(t, err, graph.ErrThrottled)
	require.Equal(t, 3, srv.Count("POST", "/{phone-number-id}/smb_app_data"))

	srv.AddTemplate(cloudapitest.Template{WABAID: waba, TemplateCreateParams: cloudapi.TemplateCreateParams{
		Name: "order_1", Language: "en_US", ParameterFormat: cloudapi.ParametersNamed,
		Components: []cloudapi.ComponentDefinition{
			{Type: cloudapi.ComponentHeader, Format: cloudapi.HeaderLocation},
			{Type: cloudapi.ComponentBody, Text: "Order {{a}} is here."},
			{Type: cloudapi.ComponentButtons, Buttons: []cloudapi.ButtonDefinition{
				{Type: cloudapi.ButtonDefinitionURL, Text: "See", URL: "https://example.com/{{1}}"},
			}},
		},
	}})
	template := cloudapi.Message{To: cloudapi.ToPhone(customer), CallbackData: "order-1", Content: &cloudapi.Template{
		Name: "order_1", Language: "en_US", Components: components{
			&cloudapi.TemplateHeader{
				Parameter: &cloudapi.LocationParameter{Latitude: 1, Longitude: 2, Name: "n", Address: "a"},
			},
			&cloudapi.TemplateBody{Parameters: params{&cloudapi.TextParameter{Name: "a", Text: "b"}}},
			&cloudapi.TemplateButton{Type: cloudapi.ButtonURL, Parameter: &cloudapi.TextParameter{Text: "x"}},
		},
	}}
	sent, err := client.Messages.Send(ctx, phone.ID, template)
	require.NoError(t, err)
	require.Equal(t, sent.ID, srv.Sent()[0].ID)
	require.Equal(t, "order-1", srv.Sent()[0].CallbackData)

	// The message is accepted, and the answer is lost: a second one would be delivered, and billed,
	// twice.
	srv.Inject(cloudapitest.Fault{On: "POST /{phone-number-id}/messages", Drop: true, Accept: true})
	_, err = client.Messages.Send(ctx, phone.ID, template)
	require.Equal(t, cloudapi.OutcomeUnknown, asError(t, err).Outcome)
	require.Len(t, srv.Sent(), 2)

	srv.Inject(cloudapitest.Fault{On: "POST /{phone-number-id}/messages", Code: graph.CodeRateLimitHit})
	_, err = client.Messages.Send(ctx, phone.ID, template)
	require.NoError(t, err)
	require.Len(t, srv.Sent(), 3)

	require.NoError(t, client.WABAs.Unsubscribe(ctx, waba))
	srv.DetachWABA(waba)
	_, err = client.Phones.Get(ctx, phone.ID, cloudapi.PhoneGetOptions{})
	require.ErrorIs(t, err, graph.ErrAccessLost)
}

// Meta speaks HTTP/2, where one connection carries all requests and a lost answer is a reset
// stream.
func TestNothingIsRepeatedOverHTTP2(t *testing.T) {
	t.Parallel()
	var requests, http2 atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http2.Add(int32(r.ProtoMajor / 2))
		_, _ = io.Copy(io.Discard, r.Body)
		if requests.Load()%2 == 0 {
			panic(http.ErrAbortHandler)
		}
		reply(200, `{"messages":[{"id":"wamid.1"}],"request_id":"1","access_token":"EAAx-0123456789"}`)(w, r)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	client := newClient(t, cloudapi.Config{
		AppID: appID, AppSecret: appSecret, AccessToken: token, BaseURL: srv.URL,
		Retry: cloudapi.RetryPolicy{MinWait: time.Millisecond, MaxWait: time.Millisecond},
		HTTPClient: &http.Client{
			Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots}},
		},
	})
	for _, name := range []string{"Messages.Send", "Phones.SyncAppData", "OAuth.Exchange"} {
		before := requests.Load()
		require.NoError(t, calls()[name](t.Context(), client), name)
		require.Equal(t, cloudapi.OutcomeUnknown, asError(t, calls()[name](t.Context(), client)).Outcome, name)
		require.Equal(t, before+2, requests.Load(), name)
	}
	require.Equal(t, requests.Load(), http2.Load(), "it was not HTTP/2")
}
