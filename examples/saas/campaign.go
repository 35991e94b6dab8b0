package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/outbox"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/templates"
)

// A campaign is a template for many people, paused and counted by the outbox.
type campaign struct {
	ID, Template string
	At           time.Time
	outbox.Counts
}

// shownCampaigns is how many campaigns a page lists.
const shownCampaigns = 20

// campaigns lists the latest campaigns of a number, newest first.
func (a *app) campaigns(ctx context.Context, n *number) ([]*campaign, error) {
	return a.findCampaigns(ctx, "phone = $1 ORDER BY launched_at DESC, id LIMIT $2", string(n.PhoneNumberID),
		shownCampaigns)
}

// campaign returns one of them, if it is of this number.
func (a *app) campaign(ctx context.Context, n *number, id string) (*campaign, error) {
	list, err := a.findCampaigns(ctx, "phone = $1 AND id = $2", string(n.PhoneNumberID), id)
	return pick(list, err, func(*campaign) bool { return true })
}

// findCampaigns reads the campaigns that match a condition. Our table describes them; the outbox
// knows their progress.
func (a *app) findCampaigns(ctx context.Context, where string, args ...any) (list []*campaign, err error) {
	rows, err := a.db.SQL().QueryContext(ctx,
		"SELECT id, template, launched_at FROM saas_campaigns WHERE "+where, args...)
	for err == nil && rows.Next() {
		var c campaign
		var at int64
		err = rows.Scan(&c.ID, &c.Template, &at)
		c.At = time.Unix(at, 0)
		list = append(list, &c)
	}
	if rows != nil {
		err = errors.Join(err, rows.Err(), rows.Close())
	}
	for _, c := range list {
		if err == nil {
			c.Counts, err = a.outbox.CampaignCounts(ctx, c.ID)
		}
	}
	return list, err
}

// A choice is a template that a page offers.
type choice struct {
	*cloudapi.MessageTemplate

	Refused string // why it cannot be sent now, in words
}

// choices lists the templates of a number that have no variable, or one, which gets the person's
// name. Templates that cannot be sent now are at the end, so that the business sees why. No page
// asks Meta again: webhooks keep the list up to date.
func (a *app) choices(ctx context.Context, n *number) (fit []choice, err error) {
	list, err := a.book.List(ctx, n.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	var not []choice
	for _, t := range list {
		if slices.ContainsFunc(t.Components, takesMore) || t.Category == graph.TemplateAuthentication {
			continue
		}
		switch t.Status {
		case cloudapi.TemplateApproved:
			fit = append(fit, choice{MessageTemplate: t})
		case cloudapi.TemplateArchived, cloudapi.TemplateDeleted, cloudapi.TemplatePendingDeletion:
		default:
			why := refusal(&templates.StatusError{
				Name: t.Name, Language: t.Language, Status: t.Status, RejectedReason: t.RejectedReason,
			})
			not = append(not, choice{t, why})
		}
	}
	return append(fit, not...), nil
}

// refusal returns why Meta would refuse a template, in words, or "". If that could not be found
// out, it returns "" and Meta decides.
func refusal(err error) string {
	_, status := errors.AsType[*templates.StatusError](err)
	_, parameter := errors.AsType[*templates.ParameterError](err)
	if status || parameter || errors.Is(err, templates.ErrUnknown) {
		return strings.TrimPrefix(err.Error(), "templates: ")
	}
	return ""
}

// takesMore reports whether a component of a template needs more than fill provides: a picture, a
// button's value, a second value.
func takesMore(p cloudapi.ComponentDefinition) bool {
	if p.Type != cloudapi.ComponentBody && p.Type != cloudapi.ComponentFooter {
		return true
	}
	return strings.Count(p.Text, "{{") != strings.Count(p.Text, "{{1}}")
}

// fill fills a template in, for a person.
func fill(t *cloudapi.MessageTemplate, who coexistence.Contact) *cloudapi.Template {
	content := &cloudapi.Template{Name: t.Name, Language: t.Language}
	for _, p := range t.Components {
		if strings.Contains(p.Text, "{{1}}") {
			content.Components = append(content.Components, &cloudapi.TemplateBody{
				Parameters: []cloudapi.TemplateParameter{&cloudapi.TextParameter{Text: who.DisplayName()}},
			})
		}
	}
	return content
}

// template returns the choice with a name: of several languages, the first that can be sent. If
// none can, refused says why. Before a template is refused by an old list, the list is read again.
func (a *app) template(
	ctx context.Context, n *number, name string,
) (t *cloudapi.MessageTemplate, refused string, err error) {
	list, err := a.choices(ctx, n)
	c, err := pick(list, err, func(c choice) bool { return c.Name == name })
	if errors.Is(err, errNotFound) {
		return nil, "There is no template with this name, or it has more variables than a name.", nil
	}
	if err != nil {
		return nil, "", err
	}
	err = a.book.Check(ctx, n.PhoneNumberID, fill(c.MessageTemplate, coexistence.Contact{}))
	return c.MessageTemplate, refusal(err), nil
}

// serveCampaigns shows the campaigns of a number, and the form for another one, with the people
// that the query selects. If Meta does not answer, it shows the page without templates.
func (a *app) serveCampaigns(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	list, err := a.campaigns(r.Context(), n)
	if err != nil {
		return err
	}
	choices, err := a.choices(r.Context(), n)
	if err != nil {
		a.log.WarnContext(r.Context(), "templates could not be listed", "waba", n.WABAID, "err", err)
	}
	people, err := a.people(r.Context(), n.PhoneNumberID, newPeopleQuery(r.Form), time.Now())
	if err == nil {
		a.render(w, r, view{Page: "campaigns", Title: "Campaigns", Tenant: t, Number: n, Data: struct {
			peoplePage

			Campaigns []*campaign
			Templates []choice
			Nonce     string
			Rate      int
		}{people, list, choices, rand.Text(), cloudapi.CoexistenceRate}})
	}
	return err
}

// launch stores a campaign and its messages, all or none: the outbox puts its entries into the
// host's own transaction. Nothing is stored of a campaign with a template that Meta would refuse.
// The form names the campaign, so that a second click launches nothing. Nothing is sent before the
// commit; from then on the messages are sent, whatever becomes of this process.
func (a *app) launch(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	ctx := r.Context()
	template, refused, err := a.template(ctx, n, r.PostForm.Get("template"))
	if err != nil {
		return err
	}
	if refused != "" {
		http.Error(w, "The campaign was not started: "+refused, http.StatusUnprocessableEntity)
		return nil
	}
	id := hashed(string(n.PhoneNumberID) + " " + r.PostForm.Get("nonce"))
	var messages []outbox.Message
	for _, to := range r.PostForm["to"] {
		c, err := a.tracker.Store().Conversation(ctx, n.PhoneNumberID, to)
		if errors.Is(err, coexistence.ErrNotFound) {
			continue // the person was forgotten meanwhile
		}
		if err != nil {
			return err
		}
		messages = append(messages, outbox.Message{
			ID: "campaign-" + hashed(id+c.ID), PhoneNumberID: n.PhoneNumberID, Campaign: id,
			ConversationID: c.ID, Payload: cloudapi.Message{
				To: cloudapi.ToIdentity(c.Contact.Identity), Content: fill(template, c.Contact),
			},
		})
	}
	if len(messages) == 0 {
		http.Error(w, "Choose people to write to.", http.StatusUnprocessableEntity)
		return nil
	}
	tx, err := a.db.SQL().BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	_, err = tx.ExecContext(ctx, `INSERT INTO saas_campaigns (id, phone, template, launched_at)
		VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
		id, string(n.PhoneNumberID), template.Name, time.Now().Unix())
	if err == nil {
		_, err = a.outbox.EnqueueTx(ctx, tx, messages...)
	}
	if err == nil {
		err = tx.Commit()
	}
	a.outbox.Notify() // otherwise it would notice a little later
	return see(w, r, r.URL.EscapedPath()+"/"+id, err)
}

// serveCampaign shows the progress of a campaign, and messages that failed or are in doubt. A
// message is in doubt if Meta may have accepted it without answering: it is not sent again, because
// the customer could get it twice.
func (a *app) serveCampaign(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	return a.show(w, r, t, n, func(ctx context.Context) (view, error) {
		c, err := a.campaign(ctx, n, r.PathValue("campaign"))
		if err != nil {
			return view{}, err
		}
		series, err1 := a.outbox.CampaignSeries(ctx, c.ID, 60)
		lost, err2 := graph.Collect(a.outbox.List(ctx, outbox.Filter{
			Campaign: c.ID, States: []outbox.State{outbox.StateFailed, outbox.StateUnknown}, Limit: 20,
		}))
		data := struct {
			*campaign
			Series outbox.Series
			Last   time.Time
			Lost   []outbox.Entry
		}{c, series, series.Start.Add(60 * series.Step), lost}
		return view{Page: "campaign", Title: "Campaign", Tenant: t, Number: n, Data: data}, errors.Join(err1, err2)
	})
}

// points draws a line of a chart into 600 by 200.
func points(counts []int, total int) template.HTMLAttr {
	var b strings.Builder
	for i, n := range counts {
		x, y := float64(i)*600/float64(len(counts)-1), 196-192*float64(n)/float64(max(total, 1))
		fmt.Fprintf(&b, "%.0f,%.1f ", x, y)
	}
	return template.HTMLAttr(`points="` + b.String() + `"`) //nolint:gosec // numbers
}

// change pauses or resumes a campaign. Messages that Meta has accepted are not called back.
func (a *app) change(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	c, err := a.campaign(r.Context(), n, r.PathValue("campaign"))
	if err != nil {
		return err
	}
	if r.PathValue("change") == "pause" {
		err = a.outbox.PauseCampaign(r.Context(), c.ID)
	} else {
		err = a.outbox.ResumeCampaign(r.Context(), c.ID)
	}
	a.changes.add(n.PhoneNumberID)
	return see(w, r, fmt.Sprintf("/numbers/%s/campaigns/%s", n.PhoneNumberID, c.ID), err)
}
