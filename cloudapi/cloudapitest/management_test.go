package cloudapitest_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// fake returns a strict server with one number, and a client of it.
func fake(t *testing.T) (*cloudapitest.Server, *cloudapi.Client, cloudapitest.Phone) {
	t.Helper()
	srv := newServer(t, cloudapitest.Config{Strict: true, RequireProof: true})
	client, err := cloudapi.NewClient(srv.ClientConfig())
	require.NoError(t, err)
	return srv, client, srv.AddPhone(cloudapitest.Phone{})
}

func TestAFileGoesUpOutAndDown(t *testing.T) {
	t.Parallel()
	srv, client, phone := fake(t)
	ctx := t.Context()
	id, err := client.Media.Upload(ctx, phone.ID, cloudapi.MediaUpload{
		MIMEType: "image/png", Filename: "a.png", Body: strings.NewReader("picture"),
	})
	require.NoError(t, err)
	stored, ok := srv.Media(id)
	require.True(t, ok)
	require.Equal(t, "a.png", stored.Filename)
	require.Equal(t, "image/png", stored.MIMEType)
	require.Equal(t, "picture", string(stored.Body))

	customer := graph.Identity{WAID: "15550100142"}
	srv.RecordInbound(phone.ID, customer, "wamid.in")
	image := cloudapi.Message{
		To:      cloudapi.ToIdentity(customer),
		Content: &cloudapi.Image{MediaSource: cloudapi.MediaSource{ID: id}, Caption: "c"},
	}
	_, err = client.Messages.Send(ctx, phone.ID, image)
	require.NoError(t, err)
	other := srv.AddPhone(cloudapitest.Phone{})
	srv.RecordInbound(other.ID, customer, "wamid.in2")
	_, err = client.Messages.Send(ctx, other.ID, image)
	require.ErrorIs(t, err, graph.CodeInvalidParameter, "a file belongs to one number")

	var w bytes.Buffer
	got, err := client.Media.Download(ctx, cloudapi.MediaDownload{ID: id, PhoneNumberID: phone.ID}, &w)
	require.NoError(t, err)
	require.Equal(t, "picture", w.String())
	require.Equal(t, stored.SHA256(), got.SHA256)

	url := srv.MediaURL(id)
	srv.Advance(6 * time.Minute)
	w.Reset()
	_, err = client.Media.Download(ctx, cloudapi.MediaDownload{ID: id, URL: url}, &w)
	require.NoError(t, err, "an expired URL is asked for again")
	require.Equal(t, "picture", w.String())
	_, err = client.Media.Download(ctx, cloudapi.MediaDownload{URL: url}, io.Discard)
	require.Error(t, err)
	stranger := srv.AddToken(cloudapitest.Token{WABAs: other.WABAs, Scopes: []string{cloudapitest.ScopeMessaging}})
	_, err = client.WithToken(stranger).Media.Download(ctx, cloudapi.MediaDownload{URL: srv.MediaURL(id)}, io.Discard)
	require.Error(t, err)

	_, err = client.Media.Get(ctx, id, cloudapi.MediaOptions{PhoneNumberID: other.ID})
	require.ErrorIs(t, err, graph.ErrAccessLost)
	require.NoError(t, client.Media.Delete(ctx, id, cloudapi.MediaOptions{PhoneNumberID: phone.ID}))
	_, err = client.Media.Get(ctx, id, cloudapi.MediaOptions{PhoneNumberID: phone.ID})
	require.ErrorIs(t, err, graph.ErrAccessLost)
	_, err = client.Media.Upload(ctx, phone.ID, cloudapi.MediaUpload{
		MIMEType: "image/gif", Body: strings.NewReader("x"),
	})
	require.ErrorIs(t, err, graph.CodeInvalidParameter)
}

func TestATemplateLivesItsLife(t *testing.T) {
	t.Parallel()
	srv, client, phone := fake(t)
	ctx, waba := t.Context(), phone.WABAs[0]
	handle, err := client.Uploads.Upload(ctx, cloudapi.FileUpload{
		Filename: "a.png", MIMEType: "image/png", Size: 7, Body: strings.NewReader("picture"),
	})
	require.NoError(t, err)
	tpl := cloudapi.TemplateCreateParams{
		Name: "order", Language: "en_US", Category: graph.TemplateUtility, TTL: time.Hour,
		Components: []cloudapi.ComponentDefinition{
			{
				Type: cloudapi.ComponentHeader, Format: cloudapi.HeaderImage,
				Example: &cloudapi.TemplateExample{HeaderHandle: []graph.UploadHandle{handle}},
			},
			{
				Type: cloudapi.ComponentBody, Text: "Hi {{1}}, order {{2}} is on its way.",
				Example: &cloudapi.TemplateExample{BodyText: cloudapi.ExampleRows{{"Jessica", "SK-1"}}},
			},
		},
	}
	made, err := client.Templates.Create(ctx, waba, tpl)
	require.NoError(t, err)
	require.Equal(t, cloudapi.TemplatePending, made.Status)
	_, err = client.Templates.Create(ctx, waba, tpl)
	require.ErrorIs(t, err, graph.CodeTemplateAlreadyExists)
	foreign := tpl
	foreign.Name, foreign.Components[0].Example = "other", &cloudapi.TemplateExample{
		HeaderHandle: []graph.UploadHandle{"4::never"},
	}
	_, err = client.Templates.Create(ctx, waba, foreign)
	require.ErrorIs(t, err, graph.CodeInvalidParameter)

	send := func(values ...string) error {
		var params []cloudapi.TemplateParameter
		for _, v := range values {
			params = append(params, &cloudapi.TextParameter{Text: v})
		}
		picture := cloudapi.MediaSource{Link: "https://example.com/a.png"}
		_, err := client.Messages.Send(ctx, phone.ID, cloudapi.Message{To: cloudapi.ToPhone(
			"+15550100142",
		), Content: &cloudapi.Template{
			Name: "order", Language: "en_US",
			Components: []cloudapi.TemplateComponent{
				&cloudapi.TemplateHeader{Parameter: &cloudapi.ImageParameter{MediaSource: picture}},
				&cloudapi.TemplateBody{Parameters: params},
			},
		}})
		return err
	}
	require.ErrorIs(t, send("a", "b"), graph.CodeTemplateNotFound, "not approved yet")
	srv.SetTemplateStatus(made.ID, cloudapi.TemplateApproved)
	require.NoError(t, send("a", "b"))
	require.ErrorIs(t, send("a"), graph.CodeTemplateParamCountMismatch)
	srv.SetTemplateStatus(made.ID, cloudapi.TemplatePaused)
	require.ErrorIs(t, send("a", "b"), graph.CodeTemplatePaused)

	got, err := client.Templates.Get(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, cloudapi.ExampleRows{{"Jessica", "SK-1"}}, got.Components[1].Example.BodyText)
	require.NoError(t,
		client.Templates.Update(ctx, made.ID, cloudapi.TemplateUpdateParams{
			Components: []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "Plain."}},
		}))
	var names []string
	for tpl, err := range client.Templates.List(ctx, waba, cloudapi.TemplateListOptions{
		Status: cloudapi.TemplatePending,
	}) {
		require.NoError(t, err)
		names = append(names, tpl.Name)
	}
	require.Equal(t, []string{"order"}, names)
	require.NoError(t, client.Templates.Delete(ctx, waba, "order", made.ID))
	_, err = client.Templates.Get(ctx, made.ID)
	require.ErrorIs(t, err, graph.ErrAccessLost)
}

func TestSettingsOfANumberStay(t *testing.T) {
	t.Parallel()
	_, client, phone := fake(t)
	ctx, id := t.Context(), phone.ID
	require.NoError(t,
		client.Profiles.Update(ctx, id, cloudapi.ProfileUpdateParams{
			About: new("Bread"), Websites: []string{"https://example.com"},
		}))
	profile, err := client.Profiles.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, "Bread", profile.About)
	require.Equal(t, []string{"https://example.com"}, profile.Websites)

	require.NoError(t, client.Settings.SetCalling(ctx, id, cloudapi.CallingSettings{Status: graph.FeatureEnabled}))
	require.NoError(t, client.Settings.SetIdentityCheck(ctx, id, graph.FeatureEnabled))
	settings, err := client.Settings.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, graph.FeatureEnabled, settings.Calling.Status)
	require.True(t, settings.IdentityCheck.Enabled)

	automation := cloudapi.Automation{
		Welcome: true, Prompts: []string{"Book"},
		Commands: []cloudapi.AutomationCommand{{Name: "n", Description: "d"}},
	}
	require.NoError(t, client.Automation.Set(ctx, id, automation))
	have, err := client.Automation.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, &automation, have)

	status, err := client.Usernames.Set(ctx, id, "bakery", cloudapi.UsernameSetOptions{})
	require.NoError(t, err)
	require.Equal(t, graph.UsernameApproved, status)
	name, err := client.Usernames.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, "bakery", name.Name)
	require.NoError(t, client.Usernames.Delete(ctx, id))
	suggestions, err := client.Usernames.Suggestions(ctx, id)
	require.NoError(t, err)
	require.Len(t, suggestions, 2)

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	require.NoError(t, client.Flows.SetKey(ctx, id, text))
	flowKey, err := client.Flows.Key(ctx, id)
	require.NoError(t, err)
	require.Equal(t, text, flowKey.PublicKey)
	require.Equal(t, cloudapi.FlowKeyValid, flowKey.Status)

	code, err := client.QR.Create(ctx, id, cloudapi.QRCreateParams{PrefilledMessage: "Hello", Image: cloudapi.QRPNG})
	require.NoError(t, err)
	require.NotEmpty(t, code.ImageURL)
	_, err = client.QR.Update(ctx, id, code.Code, cloudapi.QRUpdateParams{PrefilledMessage: "Goodbye"})
	require.NoError(t, err)
	again, err := client.QR.Get(ctx, id, code.Code, cloudapi.QROptions{})
	require.NoError(t, err)
	require.Equal(t, "Goodbye", again.Prefilled)
	require.NoError(t, client.QR.Delete(ctx, id, code.Code))
	for range client.QR.List(ctx, id, cloudapi.QROptions{}) {
		t.Error("the code is still there")
	}
}

func TestBlockingWorksInPart(t *testing.T) {
	t.Parallel()
	srv, client, phone := fake(t)
	ctx := t.Context()
	near := graph.Identity{WAID: "15550100142"}
	srv.RecordInbound(phone.ID, near, "wamid.in")
	result, err := client.Block.Add(ctx, phone.ID, cloudapi.ToPhone("+15550100142"), cloudapi.ToPhone("+15550100143"))
	require.ErrorIs(t, err, graph.Code(139100))
	require.Equal(t, "15550100142", result.Done[0].WAID)
	require.Equal(t, "15550100143", result.Failed[0].WAID)
	require.Equal(t, graph.CodeReengagementMessage, result.Failed[0].Errors[0].Code)
	require.Equal(t, 400, result.Response.Status)
	require.Equal(t, []graph.Identity{near}, srv.Blocked(phone.ID))
	var list []string
	for user, err := range client.Block.List(ctx, phone.ID) {
		require.NoError(t, err)
		list = append(list, user.WAID)
	}
	require.Equal(t, []string{"15550100142"}, list)
	_, err = client.Block.Remove(ctx, phone.ID, cloudapi.ToPhone("+15550100142"))
	require.NoError(t, err)
	require.Empty(t, srv.Blocked(phone.ID))
}

func TestAFlowIsPublishedOnce(t *testing.T) {
	t.Parallel()
	_, client, phone := fake(t)
	ctx, waba := t.Context(), phone.WABAs[0]
	made, err := client.Flows.Create(ctx, waba, cloudapi.FlowCreateParams{
		Name: "booking", Categories: []string{"OTHER"},
	})
	require.NoError(t, err)
	require.ErrorIs(t, client.Flows.Publish(ctx, made.ID), graph.CodeFlowCannotBePublished)
	result, err := client.Flows.UploadJSON(ctx, made.ID, []byte(`{"version":"6.0"}`))
	require.NoError(t, err)
	require.Len(t, result.ValidationErrors, 1)
	result, err = client.Flows.UploadJSON(ctx, made.ID, []byte(`{"version":"6.0","screens":[{}]}`))
	require.NoError(t, err)
	require.Empty(t, result.ValidationErrors)
	require.NoError(t,
		client.Flows.Update(ctx, made.ID, cloudapi.FlowUpdateParams{EndpointURI: "https://example.com/flow"}))
	require.NoError(t, client.Flows.Publish(ctx, made.ID))
	_, err = client.Flows.UploadJSON(ctx, made.ID, []byte(`{"version":"6.0","screens":[{}]}`))
	require.ErrorIs(t, err, graph.CodeFlowCannotBeUpdated)
	require.ErrorIs(t, client.Flows.Delete(ctx, made.ID), graph.CodeFlowCannotBeDeleted)
	flow, err := client.Flows.Get(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, graph.FlowPublished, flow.Status)
	require.Equal(t, "https://example.com/flow", flow.EndpointURI)
	assets := 0
	for asset, err := range client.Flows.Assets(ctx, made.ID) {
		require.NoError(t, err)
		require.Equal(t, "FLOW_JSON", asset.Type)
		assets++
	}
	require.Equal(t, 1, assets)
	require.NoError(t, client.Flows.Deprecate(ctx, made.ID))
	flows := 0
	for f, err := range client.Flows.List(ctx, waba) {
		require.NoError(t, err)
		require.Equal(t, graph.FlowDeprecated, f.Status)
		flows++
	}
	require.Equal(t, 1, flows)
}

func TestMarketingMessagesAreMessages(t *testing.T) {
	t.Parallel()
	srv, client, phone := fake(t)
	addTemplate(srv, phone, "sale")
	_, err := client.Messages.SendMarketing(t.Context(), phone.ID, cloudapi.Message{
		To: cloudapi.ToPhone("+15550100142"), Content: &cloudapi.Template{Name: "sale", Language: "en_US"},
	}, cloudapi.MarketingOptions{ShareActivity: new(false)})
	require.NoError(t, err)
	require.Len(t, srv.Sent(), 1)
}

// The text of a QR code is changed by the path of the code, too, as clients do it.
func TestAQRCodeIsChangedByItsPath(t *testing.T) {
	t.Parallel()
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(srv.Close)
	path := "/v25.0/" + string(srv.AddPhone(cloudapitest.Phone{}).ID) + "/message_qrdls"
	made := posting{path: path + "?prefilled_message=Hello"}.do(t, srv)
	var code struct {
		Code string `json:"code"`
	}
	require.NoError(t, json.Unmarshal([]byte(made.body), &code))
	changed := posting{path: path + "/" + code.Code + "?prefilled_message=Hi"}.do(t, srv)
	require.Equal(t, http.StatusOK, changed.status)
	require.Contains(t, changed.body, `"prefilled_message":"Hi"`)
	require.Contains(t, posting{method: http.MethodGet, path: path + "/" + code.Code}.do(t, srv).body, `"Hi"`)
	require.Equal(t, http.StatusBadRequest, posting{path: path + "/" + code.Code}.do(t, srv).status)
	none := posting{path: path + "/AAAAAAAAAAAAAA?prefilled_message=Hi"}
	require.Equal(t, http.StatusBadRequest, none.do(t, srv).status)
}

func TestATemplateWithAMaxPriceGoesThroughMarketingMessagesToPhoneNumbersAlone(t *testing.T) {
	t.Parallel()
	srv, client, phone := fake(t)
	price := &cloudapi.OptimizationSpec{BidStrategy: cloudapi.BidLowestCostWithCap, BidAmount: 25000}
	made, err := client.Templates.Create(t.Context(), phone.WABAs[0], cloudapi.TemplateCreateParams{
		Name: "sale", Language: "en_US", Category: graph.TemplateMarketing, Optimization: price,
		Components: []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "Our sale starts today."}},
	})
	require.NoError(t, err)
	price.BidAmount = 40000
	srv.SetTemplateStatus(made.ID, cloudapi.TemplateApproved)
	err = client.Templates.Update(t.Context(), made.ID, cloudapi.TemplateUpdateParams{Optimization: price})
	require.NoError(t, err)
	srv.SetTemplateStatus(made.ID, cloudapi.TemplateApproved)
	for tpl, err := range client.Templates.List(t.Context(), phone.WABAs[0], cloudapi.TemplateListOptions{
		Fields: []string{"id", "name", "optimization_spec"},
	}) {
		require.NoError(t, err)
		require.Equal(t, price, tpl.Optimization)
	}

	sale := cloudapi.Message{
		To: cloudapi.ToPhone("+15550100142"), Content: &cloudapi.Template{Name: "sale", Language: "en_US"},
	}
	_, err = client.Messages.Send(t.Context(), phone.ID, sale)
	require.ErrorIs(t, err, graph.CodeMaxPriceOnCloudAPI)
	bid := cloudapi.MarketingOptions{Bid: &cloudapi.BidSpec{PerMessageBidMultiplier: 0.5}}
	_, err = client.Messages.SendMarketing(t.Context(), phone.ID, sale, bid)
	require.NoError(t, err)
	require.Contains(t, string(srv.Sent()[0].Body), `"per_message_bid_multiplier":0.5`)
	sale.To = cloudapi.ToUser("US.13491208655302740142")
	_, err = client.Messages.SendMarketing(t.Context(), phone.ID, sale, bid)
	require.ErrorIs(t, err, graph.CodeUserIDNotSupported)
	bid.Bid.PerMessageBidMultiplier = 0
	_, err = client.Messages.SendMarketing(t.Context(), phone.ID, sale, bid)
	require.ErrorIs(t, err, cloudapi.ErrValidation)
}
