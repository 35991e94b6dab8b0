package main

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A campaign with a template that Meta would refuse is not launched, and the page says why before.
// It is once Meta has lifted that.
func TestATemplateThatMetaWouldRefuseLaunchesNothing(t *testing.T) {
	t.Parallel()
	a, _ := newTestApp(t)
	baker, s := a.connectPhone(t, coexistencetest.History{Messages: 100, Customers: 10})
	n, err := a.db.Tokens().Get(t.Context(), s.phone.ID())
	require.NoError(t, err)
	meta := s.world.Graph()
	two := cloudapitest.Template{WABAID: n.WABAID}
	two.Name, two.Language, two.Status = "two_values", "en_US", cloudapi.TemplateApproved
	two.Components = []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: "{{1}}, it is {{2}}."}}
	meta.AddTemplate(two)
	a.fetchAll(t, s)
	at := "/numbers/" + string(s.phone.ID()) + "/campaigns"
	status, body := baker.get(at)
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, body, "two_values")
	require.NotContains(t, body, "PAUSED")
	to := personBox.FindStringSubmatch(body)
	require.NotNil(t, to)
	launch := func(template string) (int, string) {
		return baker.post(at, url.Values{"template": {template}, "nonce": {template}, "to": {to[1]}})
	}

	list := meta.Templates(n.WABAID)
	i := slices.IndexFunc(list, func(t cloudapitest.Template) bool { return t.Name == "rye_is_back" })
	review := func(event webhook.TemplateEvent) {
		require.NoError(t, s.world.ReviewTemplate(list[i].ID, coexistencetest.TemplateReview{Event: event}))
		a.fetchAll(t, s)
	}
	for event, want := range map[webhook.TemplateEvent]string{
		webhook.TemplatePaused:   "PAUSED: its quality is low",
		webhook.TemplateRejected: "REJECTED: edit it",
		webhook.TemplateDisabled: "DISABLED: its quality was low",
	} {
		review(event)
		_, body = baker.get(at)
		require.Regexp(t, `value="rye_is_back" required disabled`, body)
		require.Contains(t, body, want)
		status, body = launch("rye_is_back")
		require.Equal(t, http.StatusUnprocessableEntity, status, event)
		require.Contains(t, body, want)
	}
	for _, unfit := range []string{"no_such_template", "two_values", ""} {
		status, _ = launch(unfit)
		require.Equal(t, http.StatusUnprocessableEntity, status, unfit)
	}
	_, body = baker.get(at)
	require.Contains(t, body, "No campaigns yet.")
	entries, err := graph.Collect(a.outbox.List(t.Context(), outbox.Filter{PhoneNumberID: n.PhoneNumberID}))
	require.NoError(t, err)
	require.Empty(t, entries)
	lists := meta.Count("GET", "/{waba-id}/message_templates")
	require.LessOrEqual(t, lists, 3, "webhooks keep it true; one that refuses is read again after a minute")

	review(webhook.TemplateReinstated)
	status, _ = launch("rye_is_back")
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, a.outbox.Start(t.Context()))
	s.eventually("the message is sent", func() bool { return len(meta.Sent()) == 1 })
	require.NoError(t, a.outbox.Shutdown(context.WithoutCancel(t.Context())))
	require.Equal(t, 1, meta.Count("POST", "/{phone-number-id}/marketing_messages"), "its category is marketing")
}
