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
)

// A campaign is a template for many people, paused and counted by the outbox.
type campaign struct {
	ID, Template string
	At           time.Time
	outbox.Counts
}

// campaigns lists the campaigns of a number, the newest first. Our table says what they are; how
// far they are only the outbox knows.
func (a *app) campaigns(ctx context.Context, n *number) (list []*campaign, err error) {
	rows, err := a.db.SQL().QueryContext(ctx, `SELECT id, template, launched_at FROM saas_campaigns
		WHERE phone = $1 ORDER BY launched_at DESC, id`, string(n.PhoneNumberID))
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

// campaign returns one of them, if it is of this number.
func (a *app) campaign(ctx context.Context, n *number, id string) (*campaign, error) {
	list, err := a.campaigns(ctx, n)
	return pick(list, err, func(c *campaign) bool { return c.ID == id })
}

// templates lists the approved templates of a number that take nothing, or one value, for which we
// take the name.
func (a *app) templates(ctx context.Context, n *number) (fit []*cloudapi.MessageTemplate, err error) {
	client, err := a.tracker.Client(ctx, n.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	approved := cloudapi.TemplateListOptions{Status: cloudapi.TemplateApproved, Limit: 100}
	for t, err := range client.Templates.List(ctx, n.WABAID, approved) {
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(t.Components, takesMore) {
			fit = append(fit, t)
		}
	}
	return fit, nil
}

// takesMore reports whether a part of a template needs what fill does not give: a picture, a
// button's value, a second value.
func takesMore(p cloudapi.ComponentDefinition) bool {
	if p.Type != cloudapi.ComponentBody && p.Type != cloudapi.ComponentFooter {
		return true
	}
	return strings.Count(p.Text, "{{") != strings.Count(p.Text, "{{1}}")
}

// fill makes a message of a template, for a person.
func fill(t *cloudapi.MessageTemplate, who coexistence.Contact) cloudapi.Message {
	content := &cloudapi.Template{Name: t.Name, Language: t.Language}
	for _, p := range t.Components {
		if strings.Contains(p.Text, "{{1}}") {
			content.Components = append(content.Components, &cloudapi.TemplateBody{
				Parameters: []cloudapi.TemplateParameter{&cloudapi.TextParameter{Text: who.DisplayName()}},
			})
		}
	}
	return cloudapi.Message{To: cloudapi.ToIdentity(who.Identity), Content: content}
}

// template returns one of those that templates lists: Meta knows a number of names in several
// languages, of which this takes the first.
func (a *app) template(ctx context.Context, n *number, name string) (*cloudapi.MessageTemplate, error) {
	list, err := a.templates(ctx, n)
	return pick(list, err, func(t *cloudapi.MessageTemplate) bool { return t.Name == name })
}

// serveCampaigns shows the campaigns of a number, and the form for another one. Without templates,
// because Meta does not answer, the page is shown all the same.
func (a *app) serveCampaigns(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	list, err := a.campaigns(r.Context(), n)
	if err != nil {
		return err
	}
	templates, err := a.templates(r.Context(), n)
	if err != nil {
		a.log.WarnContext(r.Context(), "templates could not be listed", "waba", n.WABAID, "err", err)
	}
	people, err := graph.Collect(a.tracker.Store().Contacts(r.Context(), n.PhoneNumberID))
	slices.SortFunc(people, func(a, b coexistence.Contact) int {
		return strings.Compare(a.DisplayName(), b.DisplayName())
	})
	if err == nil {
		a.render(w, r, view{Page: "campaigns", Title: "Campaigns", Tenant: t, Number: n, Data: struct {
			Campaigns []*campaign
			Templates []*cloudapi.MessageTemplate
			People    []coexistence.Contact
			Nonce     string
			Rate      int
		}{list, templates, people, rand.Text(), cloudapi.CoexistenceRate}})
	}
	return err
}

// launch stores a campaign and its messages, all or none: the outbox puts its entries into the
// host's own transaction. The form names the campaign, so that a second click launches nothing.
// Nothing is sent before the commit; from then on the messages are sent, whatever becomes of this
// process.
func (a *app) launch(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	ctx := r.Context()
	people, err1 := graph.Collect(a.tracker.Store().Contacts(ctx, n.PhoneNumberID))
	template, err2 := a.template(ctx, n, r.PostFormValue("template"))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	id := hashed(string(n.PhoneNumberID) + " " + r.PostFormValue("nonce"))
	var messages []outbox.Message
	for _, who := range people {
		if slices.Contains(r.PostForm["to"], who.Key) {
			messages = append(messages, outbox.Message{
				ID: "campaign-" + hashed(id+who.Key), PhoneNumberID: n.PhoneNumberID, Campaign: id,
				ConversationID: who.Key, Payload: fill(template, who),
			})
		}
	}
	if len(messages) == 0 {
		http.Error(w, "Choose somebody to write to.", http.StatusUnprocessableEntity)
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
	a.outbox.Notify() // or it would look by itself a little later
	return see(w, r, r.URL.Path+"/"+id, err)
}

// serveCampaign shows the course of a campaign, and what could not be sent or is in doubt. In doubt
// is what Meta may have got without answering: it is not sent again, since a customer would get it
// twice.
func (a *app) serveCampaign(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	return a.show(w, r, func(ctx context.Context) (view, error) {
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

// change stops a campaign or lets it go on. What Meta has is not called back.
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
	return see(w, r, fmt.Sprintf("/numbers/%s/campaigns/%s", n.PhoneNumberID, c.ID), err)
}
