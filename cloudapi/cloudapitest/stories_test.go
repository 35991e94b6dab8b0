package cloudapitest_test

import (
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

var (
	jane = graph.Identity{UserID: "US.1001", WAID: "15550100177"}
	joe  = graph.Identity{WAID: "15550100178"}
)

// strict starts a server that names every member that no documentation has, with a client.
func strict(t *testing.T) (*cloudapitest.Server, *cloudapi.Client) {
	t.Helper()
	srv := cloudapitest.NewServer(cloudapitest.Config{Strict: true, RequireProof: true})
	t.Cleanup(srv.Close)
	client, err := cloudapi.NewClient(srv.ClientConfig())
	require.NoError(t, err)
	return srv, client
}

func collect[T any](t *testing.T, list iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range list {
		require.NoError(t, err)
		all = append(all, v)
	}
	return all
}

func TestTheLifeOfAGroup(t *testing.T) {
	t.Parallel()
	srv, client := strict(t)
	ctx := t.Context()
	phone := srv.AddPhone(cloudapitest.Phone{CloudAPIOnly: true})

	_, err := client.Groups.Create(ctx, srv.AddPhone(cloudapitest.Phone{}).ID, cloudapi.GroupCreateParams{
		Subject: "Bakers",
	})
	require.ErrorIs(t, err, graph.CodeGroupsNotEligible, "a coexistence number has no groups")

	request, err := client.Groups.Create(ctx, phone.ID, cloudapi.GroupCreateParams{
		Subject: "Bakers", JoinApproval: graph.JoinWithApproval,
	})
	require.NoError(t, err)
	made := srv.Groups(phone.ID)
	require.Len(t, made, 1)
	require.Equal(t, request, made[0].RequestID)
	id := made[0].ID
	hello := cloudapi.Message{To: cloudapi.ToGroup(id), Content: &cloudapi.Text{Body: "Fresh bread"}}
	_, err = client.Messages.Send(ctx, phone.ID, hello)
	require.ErrorIs(t, err, graph.CodeBadGroup, "nobody is in it")
	_, err = client.Messages.Send(ctx, phone.ID, cloudapi.Message{
		To: cloudapi.ToGroup("Y2FwaQ"), Content: hello.Content,
	})
	require.ErrorIs(t, err, graph.CodeGroupUnknown)

	first, second := srv.JoinGroup(id, jane), srv.JoinGroup(id, joe)
	require.NotEmpty(t, first)
	waiting := collect(t, client.Groups.JoinRequests(ctx, id))
	require.Len(t, waiting, 2)
	require.Equal(t, jane.UserID, waiting[0].UserID)
	result, err := client.Groups.Approve(ctx, id, first, "gone")
	require.ErrorIs(t, err, graph.CodeGroupJoinRequestNotFound)
	require.Equal(t, []string{first}, result.Done)
	require.Equal(t, "gone", result.Failed[0].ID)
	_, err = client.Groups.Reject(ctx, id, second)
	require.NoError(t, err)
	require.Empty(t, collect(t, client.Groups.JoinRequests(ctx, id)))

	sent, err := client.Messages.Send(ctx, phone.ID, hello)
	require.NoError(t, err)
	require.Equal(t, id, sent.GroupID)
	require.NoError(t, client.Groups.Update(ctx, id, cloudapi.GroupUpdateParams{Subject: new("Early bakers")}))
	picture := cloudapi.MediaUpload{MIMEType: "image/jpeg", Body: strings.NewReader("not really a picture")}
	require.NoError(t, client.Groups.SetPicture(ctx, id, picture))
	require.Equal(t, "not really a picture", string(srv.Groups(phone.ID)[0].Picture))
	picture.MIMEType = "image/png"
	require.ErrorIs(t, client.Groups.SetPicture(ctx, id, picture), cloudapi.ErrValidation)
	group, err := client.Groups.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, "Early bakers", group.Subject)
	require.Equal(t, 1, group.ParticipantCount)
	require.Equal(t, jane.WAID, group.Participants[0].WAID)
	require.Equal(t, "Early bakers", collect(t, client.Groups.List(ctx, phone.ID))[0].Subject)

	link, err := client.Groups.InviteLink(ctx, id)
	require.NoError(t, err)
	again, err := client.Groups.ResetInviteLink(ctx, id)
	require.NoError(t, err)
	require.NotEqual(t, link, again)
	require.NoError(t, client.Groups.DeleteInviteLink(ctx, id))
	require.Empty(t, srv.JoinGroup(id, joe), "there is no link to follow")
	require.ErrorIs(t, client.Groups.Remove(ctx, id, cloudapi.ToPhone(joe.WAID)), graph.CodeGroupParticipantNotFound)
	require.NoError(t, client.Groups.Remove(ctx, id, cloudapi.ToPhone(jane.WAID)))
	require.Empty(t, srv.Groups(phone.ID)[0].Participants)

	now := srv.Now()
	points := collect(t, client.Analytics.Groups(ctx, phone.WABAs[0], cloudapi.GroupAnalyticsQuery{
		Start: now.Add(-time.Hour), End: now.Add(time.Hour), Groups: []graph.GroupID{id},
	}))[0].Points
	require.EqualValues(t, 1, points[0].Sent)
	require.EqualValues(t, 1, points[0].Joined)
	require.EqualValues(t, 1, points[0].Left)

	require.NoError(t, client.Groups.Delete(ctx, id))
	_, err = client.Groups.Get(ctx, id)
	require.ErrorIs(t, err, graph.ErrAccessLost)
}

func TestAGroupTakesEightPeople(t *testing.T) {
	t.Parallel()
	srv, _ := strict(t)
	phone := srv.AddPhone(cloudapitest.Phone{CloudAPIOnly: true})
	id := srv.AddGroup(cloudapitest.Group{PhoneNumberID: phone.ID, Subject: "Bakers"}).ID
	for i := range 10 {
		srv.JoinGroup(id, graph.Identity{WAID: "1555010010" + string(rune('0'+i))})
	}
	require.Len(t, srv.Groups(phone.ID)[0].Participants, 8)
}

func TestCallsInBothDirections(t *testing.T) {
	t.Parallel()
	srv, client := strict(t)
	ctx := t.Context()
	phone := srv.AddPhone(cloudapitest.Phone{CloudAPIOnly: true})
	srv.AddUser(jane)
	out := cloudapi.CallConnectParams{
		To: cloudapi.ToUser(jane.UserID), Session: graph.CallSession{Type: graph.SDPOffer, SDP: "v=0"},
		CallbackData: "order-1",
	}

	_, err := client.Calls.Connect(ctx, phone.ID, out)
	require.ErrorIs(t, err, graph.CodeCallingNotEnabled)
	require.NotErrorIs(t, err, graph.ErrAuth, "401 is not always about the token")
	require.NoError(t,
		client.Settings.SetCalling(ctx, phone.ID, cloudapi.CallingSettings{Status: graph.FeatureEnabled}))
	_, err = client.Calls.Connect(ctx, phone.ID, out)
	require.ErrorIs(t, err, graph.CodeNoCallPermission)

	srv.PermitCalls(phone.ID, jane, cloudapi.PermissionTemporary)
	permission, err := client.Calls.Permission(ctx, phone.ID, cloudapi.ToPhone(jane.WAID))
	require.NoError(t, err)
	require.Equal(t, cloudapi.PermissionTemporary, permission.Permission.Status)
	require.False(t, permission.Permission.Expires.IsZero())
	id, err := client.Calls.Connect(ctx, phone.ID, out)
	require.NoError(t, err)
	_, err = client.Calls.Connect(ctx, phone.ID, out)
	require.ErrorIs(t, err, graph.CodeDuplicateCall)
	srv.SetCallState(id, cloudapitest.CallAccepted)
	srv.Advance(90 * time.Second)
	require.NoError(t, client.Calls.Terminate(ctx, phone.ID, id))
	require.ErrorIs(t, client.Calls.Terminate(ctx, phone.ID, id), graph.CodeInvalidParameter, "it is over")

	answer := graph.CallSession{Type: graph.SDPAnswer, SDP: "v=0"}
	taken := srv.AddCall(cloudapitest.Call{PhoneNumberID: phone.ID, Person: joe}).ID
	require.NoError(t, client.Calls.PreAccept(ctx, phone.ID, taken, answer))
	require.NoError(t,
		client.Calls.Accept(ctx, phone.ID, taken, cloudapi.CallAcceptParams{Session: answer, CallbackData: "order-2"}))
	require.Error(t, client.Calls.Reject(ctx, phone.ID, taken), "it was accepted")
	declined := srv.AddCall(cloudapitest.Call{PhoneNumberID: phone.ID, Person: joe}).ID
	require.NoError(t, client.Calls.Reject(ctx, phone.ID, declined))
	require.Error(t, client.Calls.Reject(ctx, phone.ID, "wacid.other"))

	var states []cloudapitest.CallState
	for _, c := range srv.Calls(phone.ID) {
		states = append(states, c.State)
	}
	require.Equal(t,
		[]cloudapitest.CallState{cloudapitest.CallEnded, cloudapitest.CallAccepted, cloudapitest.CallRejected},
		states)
	now := srv.Now()
	points, err := client.Analytics.Calls(ctx, phone.WABAs[0], cloudapi.AnalyticsQuery{
		Start: now.Add(-24 * time.Hour), End: now.Add(time.Hour), Granularity: cloudapi.GranularityMonthly,
		Dimensions: []string{"DIRECTION"},
	})
	require.NoError(t, err)
	require.EqualValues(t, 1, points[0].Count)
	require.Equal(t, "BUSINESS_INITIATED", points[0].CallDirection)
	require.InDelta(t, 90, points[0].Duration, 1)

	srv.Advance(8 * 24 * time.Hour)
	permission, err = client.Calls.Permission(ctx, phone.ID, cloudapi.ToUser(jane.UserID))
	require.NoError(t, err)
	require.Equal(t, cloudapi.PermissionNone, permission.Permission.Status, "it has expired")
}

func TestTemplatesInGroupsAreCounted(t *testing.T) {
	t.Parallel()
	srv, client := strict(t)
	ctx := t.Context()
	phone := srv.AddPhone(cloudapitest.Phone{})
	waba := phone.WABAs[0]
	template := func(name string) graph.TemplateID {
		return srv.AddTemplate(cloudapitest.Template{WABAID: waba, TemplateCreateParams: cloudapi.TemplateCreateParams{
			Name: name, Language: "en_US", Category: graph.TemplateMarketing,
			Components: []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "We bake."}},
		}}).ID
	}
	winter, summer := template("winter"), template("summer")
	id, err := client.TemplateGroups.Create(ctx, waba, cloudapi.TemplateGroupCreateParams{
		Name: "seasons", Templates: []graph.TemplateID{winter},
	})
	require.NoError(t, err)
	_, err = client.TemplateGroups.Create(ctx, waba, cloudapi.TemplateGroupCreateParams{
		Name: "cold", Templates: []graph.TemplateID{winter},
	})
	require.ErrorIs(t, err, graph.CodeInvalidParameter, "a template is in one group")
	require.NoError(t,
		client.TemplateGroups.Update(ctx, id, cloudapi.TemplateGroupUpdateParams{
			Description: new("all year"), Add: []graph.TemplateID{summer},
		}))
	group, err := client.TemplateGroups.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, "all year", group.Description)
	require.Len(t, group.Templates, 2)
	require.Equal(t, waba, group.Account.ID)
	require.Equal(t, "seasons", collect(t, client.TemplateGroups.List(ctx, waba))[0].Name)

	for i, name := range []string{"winter", "summer", "summer"} {
		_, err := client.Messages.Send(ctx, phone.ID, cloudapi.Message{
			To:      cloudapi.ToPhone("+1555010012" + string(rune('0'+i))),
			Content: &cloudapi.Template{Name: name, Language: "en_US"},
		})
		require.NoError(t, err)
	}
	start, end := srv.Now().Add(-time.Hour), srv.Now().Add(time.Hour)
	q := cloudapi.TemplateGroupAnalyticsQuery{Start: start, End: end, Groups: []cloudapi.TemplateGroupID{id}}
	for _, err := range client.Analytics.TemplateGroups(ctx, waba, q) {
		require.ErrorIs(t, err, graph.CodeTemplateInsightsNotEnabled)
	}
	require.NoError(t, client.WABAs.Update(ctx, waba, cloudapi.WABAUpdateParams{Insights: new(true)}))
	require.ErrorIs(t, client.WABAs.Update(ctx, waba, cloudapi.WABAUpdateParams{Insights: new(false)}),
		graph.CodeTemplateInsightsPermanent)
	require.EqualValues(t, 3, collect(t, client.Analytics.TemplateGroups(ctx, waba, q))[0].Points[0].Sent)
	points := collect(t, client.Analytics.Templates(ctx, waba, cloudapi.TemplateAnalyticsQuery{
		Start: start, End: end, Templates: []graph.TemplateID{winter, summer},
	}))[0].Points
	require.Len(t, points, 2)
	counted, err := client.Templates.Compare(ctx, winter, summer, cloudapi.CompareOptions{Start: start, End: end})
	require.NoError(t, err)
	require.Equal(t, []cloudapi.ComparisonNumber{{TemplateID: winter, Value: 1}, {TemplateID: summer, Value: 2}},
		counted[1].Numbers)

	day := cloudapi.AnalyticsQuery{Start: start, End: end, Granularity: cloudapi.GranularityHalfHour}
	messages, err := client.Analytics.Messages(ctx, waba, day)
	require.NoError(t, err)
	var sent int64
	for _, p := range messages {
		sent += p.Sent
	}
	require.EqualValues(t, 3, sent)
	day.Granularity, day.Dimensions = "", []string{"PRICING_CATEGORY", "PHONE"}
	prices, err := client.Analytics.Pricing(ctx, waba, day)
	require.NoError(t, err)
	require.Equal(t, "MARKETING", prices[0].PricingCategory)
	require.NotEmpty(t, prices[0].PhoneNumber)
	conversations, err := client.Analytics.Conversations(ctx, waba, day)
	require.NoError(t, err)
	require.EqualValues(t, 3, conversations[0].Conversations)
	day.Phones = []string{"15550100999"}
	messages, err = client.Analytics.Messages(ctx, waba, cloudapi.AnalyticsQuery{
		Start: start, End: end, Phones: day.Phones,
	})
	require.NoError(t, err)
	require.Empty(t, messages)
	require.NoError(t, client.TemplateGroups.Delete(ctx, id))
	require.Empty(t, collect(t, client.TemplateGroups.List(ctx, waba)))
}

func TestTemplatesOfMetaAndOfOtherAccounts(t *testing.T) {
	t.Parallel()
	srv, client := strict(t)
	ctx := t.Context()
	from, to := srv.AddWABA(cloudapitest.WABA{}).ID, srv.AddWABA(cloudapitest.WABA{}).ID
	made, err := client.Templates.UpsertAuthentication(ctx, from, cloudapi.AuthenticationUpsertParams{
		Name: "code", Languages: []string{"en_US", "de"},
		Components: []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody}},
	})
	require.NoError(t, err)
	require.Len(t, made, 2)
	moved, err := client.Templates.Migrate(ctx, to, cloudapi.TemplateMigrateParams{SourceWABAID: from})
	require.NoError(t, err)
	require.Len(t, moved.Migrated, 2)
	moved, err = client.Templates.Migrate(ctx, to, cloudapi.TemplateMigrateParams{
		SourceWABAID: from, Templates: []graph.TemplateID{made[0].ID},
	})
	require.NoError(t, err)
	require.Len(t, moved.Failed, 1, "its name is taken")
	require.Len(t, collect(t, client.Templates.Library(ctx, cloudapi.LibraryOptions{Search: "delivery"})), 1)
	require.Contains(t,
		collect(t,
			client.Templates.Previews(ctx, from, cloudapi.PreviewOptions{
				Languages: []string{"en_US"}, SecurityRecommendation: true,
			}))[0].Body,
		"do not share")

	id := made[0].ID
	srv.SetTemplateStatus(id, cloudapi.TemplatePaused)
	require.NoError(t, client.Templates.Unpause(ctx, id))
	template, err := client.Templates.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, cloudapi.TemplateApproved, template.Status)

	_, err = client.Flows.Create(ctx, from, cloudapi.FlowCreateParams{Name: "booking", Categories: []string{"OTHER"}})
	require.NoError(t, err)
	flows, err := client.Flows.Migrate(ctx, to, cloudapi.FlowMigrateParams{
		From: from, Names: []string{"booking", "nothing"},
	})
	require.NoError(t, err)
	require.Len(t, flows.Migrated, 1)
	require.Len(t, flows.Failed, 1)
	flow, err := client.Flows.Get(ctx, flows.Migrated[0].ID)
	require.NoError(t, err)
	require.Equal(t, graph.FlowDraft, flow.Status)
}

func TestAnOrdinaryNumberIsAddedVerifiedAndRegistered(t *testing.T) {
	t.Parallel()
	srv, client := strict(t)
	ctx := t.Context()
	waba := srv.AddWABA(cloudapitest.WABA{}).ID
	id, err := client.Registration.Add(ctx, waba, cloudapi.PhoneNumberAddParams{
		CountryCode: "1", PhoneNumber: "5550100188", VerifiedName: "Bakery",
	})
	require.NoError(t, err)
	require.NoError(t, client.Registration.RequestCode(ctx, id, cloudapi.CodeBySMS, "en_US"))
	require.ErrorIs(t, client.Registration.VerifyCode(ctx, id, "000000"), graph.CodeCodeCheckFailed)
	require.NoError(t, client.Registration.VerifyCode(ctx, id, graph.Secret(srv.VerificationCode(id))))
	phone, err := client.Phones.Get(ctx, id, cloudapi.PhoneGetOptions{})
	require.NoError(t, err)
	require.NoError(t, client.Registration.Register(ctx, phone, cloudapi.RegisterParams{PIN: "123456"}))
	require.NoError(t, client.Phones.SetPIN(ctx, id, "654321"))
	require.NoError(t, client.Phones.RequestName(ctx, id, "Old Bakery"))
	require.NoError(t, client.Phones.SetSearchVisibility(ctx, id, cloudapi.SearchHidden))
	got, ok := srv.Phone(id)
	require.True(t, ok)
	require.Equal(t, "654321", got.PIN)
	require.False(t, got.Unregistered)
}

func TestAccountsPartnersAndCredit(t *testing.T) {
	t.Parallel()
	srv, client := strict(t)
	ctx := t.Context()
	partner, owner := srv.AddBusiness(cloudapitest.Business{}).ID, srv.AddBusiness(cloudapitest.Business{}).ID
	waba := srv.AddWABA(cloudapitest.WABA{OwnerBusinessID: owner}).ID
	user := collect(t, client.Businesses.SystemUsers(ctx, partner))[0].ID
	require.NoError(t, client.WABAs.AssignUser(ctx, waba, user, "MANAGE"))
	require.Equal(t, []string{"MANAGE"}, collect(t, client.WABAs.AssignedUsers(ctx, waba, partner))[0].Tasks)
	require.NoError(t, client.WABAs.RemoveUser(ctx, waba, user))
	require.Empty(t, collect(t, client.WABAs.AssignedUsers(ctx, waba, partner)))
	require.Len(t,
		collect(t, client.WABAs.Activities(ctx, waba, cloudapi.ActivityOptions{Types: []string{"USER_ADDED"}})), 1)

	_, err := client.Businesses.GetToken(ctx, owner)
	require.ErrorIs(t, err, graph.ErrPermission, "nothing was granted")
	token, err := client.Businesses.CreateToken(ctx, owner, cloudapi.BusinessTokenParams{})
	require.NoError(t, err)
	require.NoError(t, client.WithToken(token).WABAs.Subscribe(ctx, waba))
	require.Equal(t, owner, collect(t, client.Apps.ConnectedBusinesses(ctx))[0].ID)

	srv.AddCreditLine(partner)
	line := collect(t, client.Credit.Lines(ctx, partner))[0].ID
	allocation, err := client.Credit.ShareAndAttach(ctx, line, waba, "EUR")
	require.NoError(t, err)
	again, err := client.Credit.Share(ctx, line, owner)
	require.NoError(t, err)
	require.Equal(t, allocation, again, "it is shared already")
	shared, err := client.Credit.Allocation(ctx, allocation)
	require.NoError(t, err)
	node, err := client.WABAs.Get(ctx, waba, cloudapi.WABAGetOptions{
		Fields: []string{"primary_funding_id", "currency"},
	})
	require.NoError(t, err)
	require.Equal(t, shared.Credential.ID, node.PrimaryFundingID)
	require.Equal(t, "EUR", node.Currency)
	require.Len(t, collect(t, client.Credit.Allocations(ctx, line, owner)), 1)
	require.NoError(t, client.Credit.Revoke(ctx, allocation))
	require.Empty(t, collect(t, client.Credit.Allocations(ctx, line, owner)))

	srv.AddUser(jane)
	phone := srv.AddPhone(cloudapitest.Phone{}).ID
	deleted, err := client.ContactBook.Delete(ctx, phone, jane.UserID)
	require.NoError(t, err)
	require.True(t, deleted)
	for _, id := range []string{string(phone), string(waba), string(owner), string(srv.App().ID)} {
		health, err := client.Health.Get(ctx, id)
		require.NoError(t, err)
		require.Equal(t, cloudapi.HealthAvailable, health.Status.CanSend)
	}
}
