package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
)

// A campaign is a template for many people.
type campaign struct {
	ID, Template string
	Paused       bool
	createdAt    int64
	Total        int
	Counts       map[string]int // of letters by state
}

// At is when it was launched.
func (c *campaign) At() time.Time { return moment(c.createdAt) }

// Done reports whether nothing is left to send.
func (c *campaign) Done() bool { return c.Counts["sent"]+c.Counts["failed"] == c.Total }

func (a *app) campaigns(ctx context.Context, n *number) (list []*campaign, err error) {
	byID := map[string]*campaign{}
	err = a.db.each(ctx, `SELECT c.id, c.template, c.paused, c.created_at, o.state, COUNT(*) FROM saas_campaigns c JOIN saas_outbox o ON o.campaign = c.id
		WHERE c.phone = $1 GROUP BY c.id, c.template, c.paused, c.created_at, o.state ORDER BY c.created_at DESC`, []any{string(n.Phone)}, func(rows *sql.Rows) error {
		var c campaign
		var state string
		var paused, count int
		err := rows.Scan(&c.ID, &c.Template, &paused, &c.createdAt, &state, &count)
		if byID[c.ID] == nil {
			c.Paused, c.Counts = paused != 0, map[string]int{}
			byID[c.ID] = &c
			list = append(list, &c)
		}
		byID[c.ID].Counts[state] = count
		byID[c.ID].Total += count
		return err
	})
	return list, err
}

// fits reports whether a template takes nothing, or one value, for which we take the name.
func fits(t *cloudapi.MessageTemplate) bool {
	for _, p := range t.Parts {
		if p.Type != cloudapi.PartBody && p.Type != cloudapi.PartFooter || strings.Count(p.Text, "{{") > 1 ||
			strings.Contains(p.Text, "{{") && !strings.Contains(p.Text, "{{1}}") {
			return false
		}
	}
	return true
}

// fill makes a letter's content of a template, for a person.
func (a *app) fill(ctx context.Context, n *number, name string, who coexistence.Contact) (content, error) {
	list, err := a.templates(ctx, n)
	i := slices.IndexFunc(list, func(t *cloudapi.MessageTemplate) bool { return t.Name == name })
	if err != nil || i < 0 {
		return content{}, cmpErr(err, errNotFound)
	}
	c := content{Template: name, Language: list[i].Language}
	for _, p := range list[i].Parts {
		if strings.Contains(p.Text, "{{1}}") {
			c.Values = []string{who.DisplayName()}
		}
	}
	return c, nil
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func (a *app) serveCampaigns(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	ctx := r.Context()
	list, err := a.campaigns(ctx, n)
	if err != nil {
		return err
	}
	templates, err := a.templates(ctx, n)
	if err != nil {
		a.log.WarnContext(ctx, "templates could not be listed", "waba", n.WABA, "err", err)
	}
	var people []coexistence.Contact
	for c, err := range a.tracker.Store().Contacts(ctx, n.Phone) {
		if err != nil {
			return err
		}
		people = append(people, c)
	}
	slices.SortFunc(people, func(a, b coexistence.Contact) int { return strings.Compare(a.DisplayName(), b.DisplayName()) })
	a.render(w, r, view{Page: "campaigns", Title: "Campaigns", Tenant: t, Number: n, Data: struct {
		Campaigns []*campaign
		Templates []*cloudapi.MessageTemplate
		People    []coexistence.Contact
		Nonce     string
		Rate      int
	}{list, templates, people, newID(), cloudapi.CoexistenceRate}})
	return nil
}

// launch stores a campaign and its letters, all or none. The form names it, so that a second click launches nothing.
func (a *app) launch(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil || len(r.PostForm["to"]) == 0 {
		http.Error(w, "Choose somebody to write to.", http.StatusUnprocessableEntity)
		return nil
	}
	id := letterID("c", string(n.Phone), r.PostFormValue("nonce"))
	chosen := map[string]bool{}
	for _, key := range r.PostForm["to"] {
		chosen[key] = true
	}
	var letters []letter
	for c, err := range a.tracker.Store().Contacts(ctx, n.Phone) {
		if err != nil {
			return err
		}
		if !chosen[c.Key] {
			continue
		}
		text, err := a.fill(ctx, n, r.PostFormValue("template"), c)
		if err != nil {
			return err
		}
		letters = append(letters, letter{
			ID: letterID("campaign", id, c.Key), Phone: n.Phone, Campaign: id, Author: "campaign", Person: c.Key, To: c.Identity, Content: text,
		})
	}
	tx, err := a.db.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	_, err = tx.ExecContext(ctx, a.db.sql("INSERT INTO saas_campaigns (id, phone, template, created_at) VALUES ($1, $2, $3, {now}) ON CONFLICT (id) DO NOTHING"),
		id, string(n.Phone), r.PostFormValue("template"))
	for _, l := range letters {
		if err == nil {
			err = a.queue(ctx, tx, l)
		}
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return err
	}
	a.news.tell()
	http.Redirect(w, r, fmt.Sprintf("/numbers/%s/campaigns/%s", n.Phone, id), http.StatusSeeOther)
	return nil
}

func (a *app) campaign(ctx context.Context, n *number, id string) (*campaign, error) {
	list, err := a.campaigns(ctx, n)
	i := slices.IndexFunc(list, func(c *campaign) bool { return c.ID == id })
	if err != nil || i < 0 {
		return nil, cmpErr(err, errNotFound)
	}
	return list[i], nil
}

func (a *app) serveCampaign(w http.ResponseWriter, r *http.Request, t *tenant, n *number) error {
	return a.show(w, r, func(ctx context.Context) (view, error) {
		c, err := a.campaign(ctx, n, r.PathValue("campaign"))
		if err != nil {
			return view{}, err
		}
		drawn, err := a.chart(ctx, c)
		if err != nil {
			return view{}, err
		}
		failed, err := a.letters(ctx, "WHERE campaign = $1 AND state IN ('failed', 'unknown') ORDER BY created_at, id LIMIT 20", c.ID)
		return view{Page: "campaign", Title: "Campaign", Tenant: t, Number: n, Data: struct {
			*campaign
			Chart  chart
			Failed []*letter
		}{c, drawn, failed}}, err
	})
}

// pause stops a campaign, or lets it go on. What was given to Meta is not called back.
func (a *app) pause(w http.ResponseWriter, r *http.Request, _ *tenant, n *number) error {
	paused, ok := map[string]int{"pause": 1, "resume": 0}[r.PathValue("change")]
	changed, err := a.db.exec(r.Context(), "UPDATE saas_campaigns SET paused = $1 WHERE id = $2 AND phone = $3", paused, r.PathValue("campaign"), string(n.Phone))
	if err != nil || changed == 0 || !ok {
		return cmpErr(err, errNotFound)
	}
	a.news.tell()
	http.Redirect(w, r, fmt.Sprintf("/numbers/%s/campaigns/%s", n.Phone, r.PathValue("campaign")), http.StatusSeeOther)
	return nil
}
