package cloudapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// client answers a method with Meta's documented answer.
func answering(t *testing.T, method string) *cloudapi.Client {
	t.Helper()
	require.Contains(t, documented, method)
	return serve(t, reply(200, documented[method], "Facebook-Api-Version", "v25.0")).client(t)
}

func TestNodesAreReadWhole(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	at := graph.NewTimestamp(time.Unix(1795000000, 0))

	media, err := answering(t, "Media.Get").Media.Get(ctx, mediaID, cloudapi.MediaOptions{})
	require.NoError(t, err)
	require.Equal(t, int64(303833), media.FileSize, "a string or a number")
	require.Equal(t, "v25.0", media.Response.Version)
	require.Contains(t, string(media.Raw), "messaging_product")

	health, err := answering(t, "Health.Get").Health.Get(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, cloudapi.HealthLimited, health.Status.CanSend)
	require.Equal(t,
		cloudapi.HealthError{
			Code: 141006, Description: "There is an error with your payment method.", Solution: "Add one.",
		},
		health.Status.Entities[1].Errors[0])

	group, err := answering(t, "Groups.Get").Groups.Get(ctx, groupID)
	require.NoError(t, err)
	require.Equal(t, []cloudapi.GroupParticipant{{WAID: "15550100123"}}, group.Participants)
	require.Equal(t, at.Unix(), group.CreatedAt.Unix())
	require.Equal(t, 1, group.ParticipantCount)
	require.False(t, group.Suspended)

	var groups []graph.GroupID
	for g, err := range answering(t, "Groups.List").Groups.List(ctx, phoneID) {
		require.NoError(t, err)
		groups = append(groups, g.ID)
	}
	require.Equal(t, []graph.GroupID{"Y2FwaQ=="}, groups)

	permission, err := answering(t, "Calls.Permission").Calls.Permission(ctx, phoneID, cloudapi.ToUser("US.1349"))
	require.NoError(t, err)
	require.Equal(t, cloudapi.PermissionTemporary, permission.Permission.Status)
	require.Equal(t, at.Unix(), permission.Permission.Expires.Unix())
	require.Equal(t, 5, permission.Actions[1].Limits[0].Used)

	settings, err := answering(t, "Settings.Get").Settings.Get(ctx, phoneID)
	require.NoError(t, err)
	require.Equal(t, 5061, settings.Calling.SIP.Servers[0].Port)
	require.Equal(t, "0400", settings.Calling.Hours.Weekly[0].Open)
	require.True(t, settings.IdentityCheck.Enabled)

	var blocked []string
	for u, err := range answering(t, "Block.List").Block.List(ctx, phoneID) {
		require.NoError(t, err)
		blocked = append(blocked, u.WAID)
	}
	require.Equal(t, []string{"15550100123", "15550100124"}, blocked, "nested and flat")

	flow, err := answering(t, "Flows.Get").Flows.Get(ctx, flowID)
	require.NoError(t, err)
	require.Equal(t, 10, flow.ValidationErrors[0].LineEnd)
	require.Equal(t, 2027, flow.Preview.ExpiresAt.Year())

	migrated, err := answering(t, "Templates.Migrate").Templates.Migrate(ctx, wabaID, cloudapi.TemplateMigrateParams{
		SourceWABAID: "1",
	})
	require.NoError(t, err)
	require.Equal(t, []graph.TemplateID{"1", "2"}, migrated.Migrated)
	require.Len(t, migrated.Failed, 1)

	made, err := answering(t, "Templates.UpsertAuthentication").Templates.UpsertAuthentication(ctx, wabaID,
		cloudapi.AuthenticationUpsertParams{Name: "code", Languages: []string{"en_US", "es_ES"}})
	require.NoError(t, err)
	require.Equal(t, "es_ES", made[1].Language)
	require.Equal(t, graph.TemplateID("2"), made[1].ID)
}

func TestTemplatesAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	read := 0
	for tpl, err := range answering(t, "Templates.List").Templates.List(t.Context(), wabaID,
		cloudapi.TemplateListOptions{}) {
		read++
		require.NoError(t, err)
		require.Equal(t, templateID, tpl.ID, "a number on the wire")
		require.Equal(t, cloudapi.TemplateApproved, tpl.Status, "lower case on the wire")
		require.Equal(t, graph.QualityGreen, tpl.Quality)
		require.Equal(t, cloudapi.ParametersNamed, tpl.ParameterFormat)
		require.Equal(t, cloudapi.ExampleRows{{"a", "b"}}, tpl.Components[0].Example.BodyText,
			"a flat list on the wire")
		require.Equal(t, cloudapi.ButtonExample{"SAVE"}, tpl.Components[1].Buttons[1].Example, "a text on the wire")
		require.NotEmpty(t, tpl.Raw)
	}
	require.Equal(t, 1, read)
	tpl, err := answering(t, "Templates.Get").Templates.Get(t.Context(), templateID)
	require.NoError(t, err)
	require.Equal(t, 10*time.Minute, tpl.TTL)
	require.Equal(t, cloudapi.HeaderImage, tpl.Components[0].Cards[0].Components[0].Format)
}

func TestAnalyticsAreOnePoint(t *testing.T) {
	t.Parallel()
	q := cloudapi.AnalyticsQuery{
		Start: time.Unix(1, 0), End: time.Unix(2, 0), Dimensions: []string{"COUNTRY"},
		Filters: map[string][]string{"pricing_categories": {"MARKETING"}},
	}
	srv := serve(t, reply(200, documented["Analytics.Pricing"]))
	points, err := srv.client(t).Analytics.Pricing(t.Context(), wabaID, q)
	require.NoError(t, err)
	require.Equal(t, int64(3), points[0].Volume)
	require.Equal(t, "US 0:750000 REGULAR UTILITY",
		strings.Join(
			[]string{points[0].Country, points[0].Tier, points[0].PricingType, points[0].PricingCategory}, " ",
		))
	require.Equal(t,
		`pricing_analytics.start(1).end(2).granularity(DAILY)`+
			`.dimensions(["COUNTRY"]).pricing_categories(["MARKETING"])`,
		query(t, srv.seen()[0]).Get("fields"))

	points, err = serve(t, reply(200, `{"id":"2"}`)).client(t).Analytics.Messages(t.Context(), wabaID, q)
	require.NoError(t, err)
	require.Empty(t, points, "nothing was counted")
	for want, bad := range map[string]cloudapi.AnalyticsQuery{
		"Start is not before End": {},
		"value for phone_numbers": {Start: time.Unix(1, 0), End: time.Unix(2, 0), Phones: []string{`"],id`}},
		"no argument of Meta's": {
			Start: time.Unix(1, 0), End: time.Unix(2, 0), Filters: map[string][]string{"x).y(": {"1"}},
		},
		"value for metric_types": {Start: time.Unix(1, 0), End: time.Unix(2, 0), Metrics: []string{"a)b"}},
	} {
		_, err = srv.client(t).Analytics.Messages(t.Context(), wabaID, bad)
		require.ErrorIs(t, err, cloudapi.ErrValidation)
		require.ErrorContains(t, err, want)
	}
}

func TestCoexistenceNumbersAreNotRegistered(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"success":true}`))
	client := srv.client(t)
	for want, phone := range map[string]*cloudapi.Phone{
		"in use in the WhatsApp Business app": {ID: phoneID, IsOnBizApp: true, Raw: []byte(`{"is_on_biz_app":true}`)},
		"without the field is_on_biz_app":     {ID: phoneID, Raw: []byte(`{"id":"1"}`)},
		"the phone is empty":                  nil,
	} {
		err := client.Registration.Register(t.Context(), phone, cloudapi.RegisterParams{PIN: "123456"})
		require.ErrorIs(t, err, cloudapi.ErrValidation)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, client.Registration.Deregister(t.Context(), phone), want)
	}
	require.Empty(t, srv.seen())
}

func TestJoinRequestsThatFailInPart(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"messaging_product":"whatsapp","approved_join_requests":["join-1"],`+
		`"failed_join_requests":[{"join_request_id":"join-2",`+
		`"errors":[{"code":131203,"message":"no join-2","title":"t","error_data":{"details":"d"}}]}],`+
		`"errors":[{"code":131203,"message":"no join-2"}]}`))
	result, err := srv.client(t).Groups.Approve(t.Context(), groupID, "join-1", "join-2")
	require.ErrorIs(t, err, graph.Code(131203))
	require.Equal(t, cloudapi.OutcomeRefused, asError(t, err).Outcome)
	require.NotContains(t, asError(t, err).Message, "join-2")
	require.Equal(t, []string{"join-1"}, result.Done)
	require.Equal(t, "join-2", result.Failed[0].ID)
}

func TestRequestsThatBreakARule(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	srv := serve(t, reply(200, `{"success":true}`))
	c := srv.client(t)
	long := func(n int) string { return strings.Repeat("ä", n) }
	tpl := func(parts ...cloudapi.ComponentDefinition) error {
		return cloudapi.TemplateCreateParams{
			Name: "t", Language: "en", Category: graph.TemplateUtility, Components: parts,
		}.Check()
	}
	buttons := func(b ...cloudapi.ButtonDefinition) error {
		return tpl(cloudapi.ComponentDefinition{Type: cloudapi.ComponentButtons, Buttons: b})
	}
	reply := cloudapi.ButtonDefinition{Type: cloudapi.ButtonDefinitionQuickReply, Text: "Yes"}
	link := cloudapi.ButtonDefinition{Type: cloudapi.ButtonDefinitionURL, Text: "Go", URL: "https://example.com"}
	for want, err := range map[string]error{
		"TemplateCreateParams.Name must be": cloudapi.TemplateCreateParams{Name: "A"}.Check(),
		"Components is empty":               tpl(),
		"[0].Type is empty":                 tpl(cloudapi.ComponentDefinition{}),
		"[1].Type is that of an earlier": tpl(
			cloudapi.ComponentDefinition{Type: cloudapi.ComponentBody, Text: "a"},
			cloudapi.ComponentDefinition{Type: cloudapi.ComponentBody, Text: "b"},
		),
		"[0].Format is empty": tpl(cloudapi.ComponentDefinition{Type: cloudapi.ComponentHeader}),
		"Text has 61 characters": tpl(cloudapi.ComponentDefinition{
			Type: cloudapi.ComponentHeader, Format: cloudapi.HeaderText, Text: long(61),
		}),
		"a header has one": tpl(cloudapi.ComponentDefinition{
			Type: cloudapi.ComponentHeader, Format: cloudapi.HeaderText, Text: "{{1}} {{2}}",
		}),
		"HeaderText or HeaderNamed": tpl(cloudapi.ComponentDefinition{
			Type: cloudapi.ComponentHeader, Format: cloudapi.HeaderText, Text: "Hi {{1}}",
		}),
		"no HeaderHandle": tpl(cloudapi.ComponentDefinition{
			Type: cloudapi.ComponentHeader, Format: cloudapi.HeaderImage,
		}),
		"Text has 1025 characters": tpl(cloudapi.ComponentDefinition{
			Type: cloudapi.ComponentBody, Text: long(1025),
		}),
		"begins or ends with a variable": tpl(cloudapi.ComponentDefinition{
			Type: cloudapi.ComponentBody, Text: "Hi {{1}}",
		}),
		"BodyText or BodyNamed": tpl(cloudapi.ComponentDefinition{
			Type: cloudapi.ComponentBody, Text: "Hi {{1}}!",
		}),
		"a footer has none": tpl(cloudapi.ComponentDefinition{
			Type: cloudapi.ComponentFooter, Text: "{{1}}",
		}),
		"CodeExpirationMinutes is 91": tpl(cloudapi.ComponentDefinition{
			Type: cloudapi.ComponentFooter, CodeExpirationMinutes: 91,
		}),
		"Cards has 1 elements": tpl(cloudapi.ComponentDefinition{
			Type: cloudapi.ComponentCarousel, Cards: make([]cloudapi.CardDefinition, 1),
		}),
		"Offer is nil":              tpl(cloudapi.ComponentDefinition{Type: cloudapi.ComponentOffer}),
		"Buttons has 11 elements":   buttons(make([]cloudapi.ButtonDefinition, 11)...),
		"3 buttons of type URL":     buttons(link, link, link),
		"quick replies in 2 places": buttons(reply, link, reply),
		"variable not at the end": buttons(cloudapi.ButtonDefinition{
			Type: cloudapi.ButtonDefinitionURL, Text: "Go", URL: "https://example.com/{{1}}/x",
		}),
		"Example is empty although": buttons(cloudapi.ButtonDefinition{
			Type: cloudapi.ButtonDefinitionURL, Text: "Go", URL: "https://example.com/{{1}}",
		}),
		"one of FlowID, FlowName": buttons(cloudapi.ButtonDefinition{
			Type: cloudapi.ButtonDefinitionFlow, Text: "Go",
		}),
		"OTPType is empty":                 buttons(cloudapi.ButtonDefinition{Type: cloudapi.ButtonDefinitionOTP}),
		"DeleteAllLanguages removes":       c.Templates.Delete(ctx, wabaID, "order", ""),
		"the TemplateUpdateParams changes": c.Templates.Update(ctx, templateID, cloudapi.TemplateUpdateParams{}),
		"ProfileUpdateParams.About has 140": c.Profiles.Update(ctx, phoneID, cloudapi.ProfileUpdateParams{
			About: new(long(140)),
		}),
		"Websites has 3 elements": c.Profiles.Update(ctx, phoneID, cloudapi.ProfileUpdateParams{
			Websites: make([]string, 3),
		}),
		"a PIN has six digits": c.Phones.SetPIN(ctx, phoneID, "12345"),
		"not an https URL": c.Phones.SetWebhook(ctx, phoneID, cloudapi.WebhookOverride{
			CallbackURL: "http://example.com", VerifyToken: "t",
		}),
		"has six digits": c.Registration.VerifyCode(ctx, phoneID, "12-34"),
		`not a time such as "0930"`: c.Settings.SetCalling(ctx, phoneID, cloudapi.CallingSettings{
			Hours: &graph.CallHours{
				Timezone: "UTC", Weekly: []graph.OperatingHour{{Day: "MONDAY", Open: "9:30", Close: "1800"}},
			},
		}),
		"PrefilledMessage has 141": only(c.QR.Create(ctx, phoneID, cloudapi.QRCreateParams{
			PrefilledMessage: long(141),
		})),
		"Prompts has 5 elements": c.Automation.Set(ctx, phoneID, cloudapi.Automation{
			Prompts: make([]string, 5),
		}),
		"Commands[0].Name is empty": c.Automation.Set(ctx, phoneID, cloudapi.Automation{
			Commands: make([]cloudapi.AutomationCommand, 1),
		}),
		"nobody to block":                 only(c.Block.Add(ctx, phoneID)),
		"only phone numbers and user ids": only(c.Block.Add(ctx, phoneID, cloudapi.ToGroup(groupID))),
		"a group cannot be called":        only(c.Calls.Permission(ctx, phoneID, cloudapi.ToGroup(groupID))),
		`CallSession.Type must be "answer`: c.Calls.Accept(ctx, phoneID, callID, cloudapi.CallAcceptParams{
			Session: graph.CallSession{Type: graph.SDPOffer, SDP: "x"},
		}),
		"the call id is empty": c.Calls.Reject(ctx, phoneID, ""),
		"GroupCreateParams.Subject has 129": only(c.Groups.Create(ctx, phoneID, cloudapi.GroupCreateParams{
			Subject: long(129),
		})),
		"the GroupUpdateParams changes": c.Groups.Update(ctx, groupID, cloudapi.GroupUpdateParams{}),
		"nobody to remove":              c.Groups.Remove(ctx, groupID),
		"never send a private key": c.Flows.SetKey(ctx, phoneID,
			"-----BEGIN "+"PRIVATE KEY-----\nAAAA\n-----END "+"PRIVATE KEY-----\n"),
		"the key is not PEM":                   c.Flows.SetKey(ctx, phoneID, "key"),
		"FlowCreateParams.Categories is empty": only(c.Flows.Create(ctx, wabaID, cloudapi.FlowCreateParams{Name: "f"})),
		"the Flow is not valid JSON":           only(c.Flows.UploadJSON(ctx, flowID, []byte("{"))),
		`not a code such as "USD"`:             only(c.Credit.Attach(ctx, creditID, wabaID, "dollar")),
		"the WABAUpdateParams changes nothing": c.WABAs.Update(ctx, wabaID, cloudapi.WABAUpdateParams{}),
		"there is no task":                     c.WABAs.AssignUser(ctx, wabaID, "1"),
		"only a Template can be sent": only(c.Messages.SendMarketing(ctx, phoneID, text(),
			cloudapi.MarketingOptions{})),
		"the user id does not look": only(c.ContactBook.Delete(ctx, phoneID, "15550100123")),
	} {
		require.ErrorIs(t, err, cloudapi.ErrValidation, want)
		require.ErrorContains(t, err, want)
	}
	require.Empty(t, srv.seen())
}

// An id that tries to be a path, a query or another host stays an id.
func TestIDsStayIDs(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"1/messages", "1?fields=x", "1#x", "1%2f2", "..%2f", "1 2", "a\\b", "é"} {
		srv := serve(t, reply(400, graphError("100", "")))
		c := srv.client(t)
		_, _ = c.Media.Get(t.Context(), graph.MediaID(id), cloudapi.MediaOptions{})
		_, _ = c.Templates.Get(t.Context(), graph.TemplateID(id))
		_, _ = c.Flows.Get(t.Context(), graph.FlowID(id))
		_, _ = c.Groups.Get(t.Context(), graph.GroupID(id))
		_, _ = c.Health.Get(t.Context(), id)
		_ = c.QR.Delete(t.Context(), phoneID, id)
		require.Len(t, srv.seen(), 6)
		for _, r := range srv.seen() {
			path, _, _ := strings.Cut(r.target, "?")
			require.NotContains(t,
				strings.TrimPrefix(strings.TrimPrefix(path, "/v25.0/"), string(phoneID)+"/message_qrdls/"), "/", id)
			require.NotContains(t, path, "#")
		}
	}
	srv := serve(t, reply(200, `{}`))
	for _, id := range []string{"", ".", ".."} {
		_, err := srv.client(t).Health.Get(t.Context(), id)
		require.ErrorIs(t, err, cloudapi.ErrValidation)
	}
	require.Empty(t, srv.seen())
}
