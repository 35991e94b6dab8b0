package cloudapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestTemplateGroupsAreReadWhole(t *testing.T) {
	t.Parallel()
	group, err := answering(t, "TemplateGroups.Get").TemplateGroups.Get(t.Context(), templateGroupID)
	require.NoError(t, err)
	require.Equal(t, templateGroupID, group.ID)
	require.Equal(t, "Sale", group.Name)
	require.Equal(t, "d", group.Description)
	require.Equal(t, time.Date(2025, 1, 6, 23, 5, 12, 0, time.UTC), group.CreatedAt.Time)
	require.Equal(t, time.Date(2025, 1, 7, 23, 5, 12, 0, time.UTC), group.UpdatedAt.Time)
	require.Equal(t, wabaID, group.Account.ID)
	require.Equal(t, "Bakery", group.Account.Name)
	require.Equal(t, "USD", group.Account.Currency)
	require.Equal(t, "1", group.Account.TimezoneID)
	require.Equal(t, "ba30", group.Account.MessageTemplateNamespace)
	require.Len(t, group.Templates, 1)
	require.Equal(t, templateID, group.Templates[0].ID)
	require.Equal(t, cloudapi.TemplateApproved, group.Templates[0].Status)
	require.Equal(t, "Hi {{1}}!", group.Templates[0].Components[0].Text)
	require.Contains(t, string(group.Templates[0].Raw), "POSITIONAL")
	require.True(t, group.More)
	require.Equal(t, "v25.0", group.Response.Version)
	require.Contains(t, string(group.Raw), "whatsapp_business_templates")

	for _, none := range []string{`[]`, `null`, `{}`, `{"data":[]}`, `{"data":[null]}`} {
		group, err = serve(
			t, reply(200, `{"id":"1","whatsapp_business_templates":`+none+`}`),
		).client(t).TemplateGroups.Get(t.Context(), "1")
		require.NoError(t, err, none)
		require.Empty(t, group.Templates, none)
	}

	listed := 0
	for g, err := range answering(t, "TemplateGroups.List").TemplateGroups.List(t.Context(), wabaID) {
		require.NoError(t, err)
		require.Empty(t, g.Templates)
		require.False(t, g.More)
		require.Equal(t, cloudapi.TemplateGroupID("620000000000014"), g.ID, "a number on the wire")
		require.Equal(t, "Sale", g.Name)
		listed++
	}
	require.Equal(t, 1, listed)

	id, err := answering(t, "TemplateGroups.Create").TemplateGroups.Create(t.Context(), wabaID,
		cloudapi.TemplateGroupCreateParams{Name: "sale", Templates: []graph.TemplateID{templateID}})
	require.NoError(t, err)
	require.Equal(t, templateGroupID, id)

	for _, bad := range []string{`{}`, `{"id":""}`, `{"success":true}`} {
		_, err = serve(t, reply(200, bad)).client(t).TemplateGroups.Create(t.Context(), wabaID,
			cloudapi.TemplateGroupCreateParams{Name: "sale", Templates: []graph.TemplateID{templateID}})
		require.ErrorContains(t, err, "the answer has no id", bad)
	}
	for _, call := range []func(*cloudapi.Client) error{
		func(c *cloudapi.Client) error { return c.TemplateGroups.Delete(t.Context(), templateGroupID) },
		func(c *cloudapi.Client) error {
			return c.TemplateGroups.Update(t.Context(), templateGroupID, cloudapi.TemplateGroupUpdateParams{
				Name: new("sale"),
			})
		},
	} {
		require.Error(t, call(serve(t, reply(200, `{"success":false}`)).client(t)))
	}
}

func TestTemplateGroupsAndGroupsAreCounted(t *testing.T) {
	t.Parallel()
	q := cloudapi.TemplateGroupAnalyticsQuery{
		Start:  time.Date(2025, 2, 13, 1, 0, 0, 0, time.FixedZone("", 2*3600)),
		End:    time.Date(2025, 2, 14, 0, 0, 0, 0, time.UTC),
		Groups: []cloudapi.TemplateGroupID{templateGroupID}, InTimezone: true,
	}
	srv := serve(t, reply(200, documented["Analytics.TemplateGroups"]))
	sets := 0
	for a, err := range srv.client(t).Analytics.TemplateGroups(t.Context(), wabaID, q) {
		sets++
		require.NoError(t, err)
		require.Equal(t, "America/Los_Angeles", a.Timezone)
		require.Equal(t, "DAILY", a.Granularity)
		require.Equal(t, "cloud_api", a.ProductType)
		require.Equal(t, []cloudapi.TemplateGroupAnalyticsPoint{{
			TemplateGroupID: templateGroupID, Start: graph.NewTimestamp(time.Unix(1739491200, 0)),
			End: graph.NewTimestamp(time.Unix(1739577600, 0)), Sent: 1460, Delivered: 1450, Read: 1399,
			Clicked: []cloudapi.AnalyticsClicks{{Type: "unique_url_button", Content: "Go", Count: 16}},
			Cost:    []cloudapi.AnalyticsCost{{Type: "cost_per_delivered", Value: 0.03}},
		}}, a.Points)
	}
	require.Equal(t, 1, sets)
	asked := query(t, srv.seen()[0])
	require.Equal(t, "2025-02-13", asked.Get("start"), "the date as it is written")
	require.Equal(t, "2025-02-14", asked.Get("end"))
	require.Equal(t, "true", asked.Get("use_waba_timezone"))
	require.False(t, asked.Has("metric_types"))

	srv = serve(t, reply(200, documented["Analytics.Templates"]))
	require.NoError(t, drain(srv.client(t).Analytics.Templates(t.Context(), wabaID,
		cloudapi.TemplateAnalyticsQuery{
			Start: q.End, End: q.End, Templates: []graph.TemplateID{templateID}, InTimezone: true,
		})))
	asked = query(t, srv.seen()[0])
	require.Equal(t, "2025-02-14", asked.Get("start"))
	require.Equal(t, "2025-02-14", asked.Get("end"), "one day")
	require.Equal(t, "true", asked.Get("use_waba_timezone"))

	sets = 0
	for a, err := range answering(t, "Analytics.Groups").Analytics.Groups(t.Context(), wabaID,
		cloudapi.GroupAnalyticsQuery{Start: q.Start, End: q.End, Groups: []graph.GroupID{groupID}}) {
		sets++
		require.NoError(t, err)
		require.Equal(t, []cloudapi.GroupAnalyticsPoint{{
			GroupID: groupID, Start: graph.NewTimestamp(time.Unix(1685548801, 0)),
			End: graph.NewTimestamp(time.Unix(1685635200, 0)), Sent: 100, Delivered: 250, Read: 200, Joined: 3,
			Left: 1,
		}}, a.Points)
	}
	require.Equal(t, 1, sets)
}

func TestTemplateGroupsAreCheckedBeforeTheyAreSent(t *testing.T) {
	t.Parallel()
	srv := serve(t, reply(200, `{"success":true,"id":"1"}`))
	c, ctx := srv.client(t), t.Context()
	create := func(g cloudapi.TemplateGroupCreateParams) error { return only(c.TemplateGroups.Create(ctx, wabaID, g)) }
	change := func(u cloudapi.TemplateGroupUpdateParams) error {
		return c.TemplateGroups.Update(ctx, templateGroupID, u)
	}
	one := []graph.TemplateID{templateID}
	start := time.Unix(1739491200, 0)
	for want, err := range map[string]error{
		"TemplateGroupCreateParams.Name is empty": create(cloudapi.TemplateGroupCreateParams{
			Templates: one,
		}),
		"TemplateGroupCreateParams.Name has 257": create(cloudapi.TemplateGroupCreateParams{
			Name: strings.Repeat("é", 257), Templates: one,
		}),
		"TemplateGroupCreateParams.Description has 513": create(cloudapi.TemplateGroupCreateParams{
			Name: "sale", Description: strings.Repeat("é", 513), Templates: one,
		}),
		"TemplateGroupCreateParams.Templates is empty": create(cloudapi.TemplateGroupCreateParams{
			Name: "sale",
		}),
		"TemplateGroupCreateParams.Templates[1] is not the id": create(cloudapi.TemplateGroupCreateParams{
			Name: "sale", Templates: []graph.TemplateID{"1", "1,2"},
		}),
		"the TemplateGroupUpdateParams changes nothing": change(cloudapi.TemplateGroupUpdateParams{}),
		"TemplateGroupUpdateParams.Name is empty": change(cloudapi.TemplateGroupUpdateParams{
			Name: new(""),
		}),
		"TemplateGroupUpdateParams.Description has 513": change(cloudapi.TemplateGroupUpdateParams{
			Description: new(strings.Repeat("x", 513)),
		}),
		"TemplateGroupUpdateParams.Add[0] is not the id": change(cloudapi.TemplateGroupUpdateParams{
			Add: []graph.TemplateID{""},
		}),
		"TemplateGroupUpdateParams.Remove[0] is not the id": change(cloudapi.TemplateGroupUpdateParams{
			Remove: []graph.TemplateID{"012"},
		}),
		"TemplateGroupAnalyticsQuery.Groups is empty": drain(c.Analytics.TemplateGroups(ctx, wabaID,
			cloudapi.TemplateGroupAnalyticsQuery{Start: start, End: start})),
		"TemplateGroupAnalyticsQuery.Groups has 11": drain(c.Analytics.TemplateGroups(ctx, wabaID,
			cloudapi.TemplateGroupAnalyticsQuery{
				Start: start, End: start, Groups: make([]cloudapi.TemplateGroupID, 11),
			})),
		"TemplateGroupAnalyticsQuery.Start and End": drain(c.Analytics.TemplateGroups(ctx, wabaID,
			cloudapi.TemplateGroupAnalyticsQuery{
				Start: start, End: start.Add(-1), Groups: []cloudapi.TemplateGroupID{"1"},
			})),
		"GroupAnalyticsQuery.Groups has 2": drain(c.Analytics.Groups(ctx, wabaID,
			cloudapi.GroupAnalyticsQuery{Start: start, End: start, Groups: make([]graph.GroupID, 2)})),
		"GroupAnalyticsQuery.Start and End are no": drain(c.Analytics.Groups(ctx, wabaID,
			cloudapi.GroupAnalyticsQuery{Groups: []graph.GroupID{groupID}})),
		"TemplateAnalyticsQuery.Start and End are no": drain(c.Analytics.Templates(ctx, wabaID,
			cloudapi.TemplateAnalyticsQuery{Templates: one})),
	} {
		require.ErrorIs(t, err, cloudapi.ErrValidation, want)
		require.ErrorContains(t, err, want)
	}
	require.Empty(t, srv.seen())
	require.NoError(t,
		create(cloudapi.TemplateGroupCreateParams{
			Name: strings.Repeat("é", 256), Description: strings.Repeat("é", 512), Templates: one,
		}),
		"the limits themselves")
}
