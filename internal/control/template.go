package control

import (
	"maps"
	"net/http"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A TemplateView is a template as JSON.
type TemplateView struct {
	ID       string `json:"id"`
	WABAID   string `json:"waba_id"`
	Name     string `json:"name"`
	Language string `json:"language"`
	Category string `json:"category"`
	Status   string `json:"status"`
	Quality  string `json:"quality,omitzero"`
	Reason   string `json:"reason,omitzero"` // why it was rejected
}

func viewTemplate(t cloudapitest.Template) TemplateView {
	v := TemplateView{
		ID: string(t.ID), WABAID: string(t.WABAID), Name: t.Name, Language: t.Language, Category: string(t.Category),
		Status: string(t.Status), Quality: string(t.Quality),
	}
	if t.RejectedReason != string(webhook.TemplateReasonNone) {
		v.Reason = t.RejectedReason
	}
	return v
}

// Templates returns the templates of a number's accounts.
func Templates(w *coexistencetest.World, p *coexistencetest.Phone) []TemplateView {
	list := []TemplateView{}
	for _, id := range p.WABAs() {
		for _, t := range w.Graph().Templates(id) {
			list = append(list, viewTemplate(t))
		}
	}
	return list
}

// templates returns the templates of all accounts of all phones.
func templates(w *coexistencetest.World) []cloudapitest.Template {
	var accounts []graph.WABAID
	for _, p := range w.Phones() {
		accounts = append(accounts, p.WABAs()...)
	}
	slices.Sort(accounts)
	var all []cloudapitest.Template
	for _, id := range slices.Compact(accounts) {
		all = append(all, w.Graph().Templates(id)...)
	}
	return all
}

func (a *API) listTemplates(r *http.Request) (int, any, error) {
	list := struct {
		Data []TemplateView `json:"data"`
	}{[]TemplateView{}}
	for _, t := range templates(a.World()) {
		if account := r.URL.Query().Get("waba_id"); account == "" || account == string(t.WABAID) {
			list.Data = append(list.Data, viewTemplate(t))
		}
	}
	return 0, list, nil
}

// templateEvents maps the statuses that a call can set to the events of Meta's webhook.
var templateEvents = map[cloudapi.TemplateStatus]webhook.TemplateEvent{
	cloudapi.TemplateApproved: webhook.TemplateApproved, cloudapi.TemplatePending: webhook.TemplatePending,
	cloudapi.TemplateRejected: webhook.TemplateRejected, cloudapi.TemplatePaused: webhook.TemplatePaused,
	cloudapi.TemplateDisabled: webhook.TemplateDisabled,
}

// patchTemplate sets the status, category and quality of a template, as Meta's review does. Each
// change sends Meta's webhook.
func (a *API) patchTemplate(r *http.Request) (int, any, error) {
	in, err := read[struct {
		Status   cloudapi.TemplateStatus `json:"status"`
		Reason   webhook.TemplateReason  `json:"reason"`
		Category graph.TemplateCategory  `json:"category"`
		Quality  graph.QualityRating     `json:"quality"`
	}](r)
	if err != nil {
		return 0, nil, err
	}
	event, known := templateEvents[in.Status]
	if in.Status != "" && !known {
		return 0, nil, invalid("status is one of %q", slices.Sorted(maps.Keys(templateEvents)))
	}
	w := a.World()
	id := graph.TemplateID(r.PathValue("template"))
	if _, ok := findTemplate(w, id); !ok {
		return 0, nil, missing("there is no template %q; GET /control/v1/templates lists them", id)
	}
	if known {
		err = w.ReviewTemplate(id, coexistencetest.TemplateReview{Event: event, Reason: in.Reason})
	}
	if err == nil && in.Category != "" {
		err = w.SetTemplateCategory(id, in.Category)
	}
	if err == nil && in.Quality != "" {
		err = w.SetTemplateQuality(id, in.Quality)
	}
	if err != nil {
		return 0, nil, err
	}
	t, _ := findTemplate(w, id)
	return 0, viewTemplate(t), nil
}

// findTemplate returns a template of any account.
func findTemplate(w *coexistencetest.World, id graph.TemplateID) (cloudapitest.Template, bool) {
	for _, t := range templates(w) {
		if t.ID == id {
			return t, true
		}
	}
	return cloudapitest.Template{}, false
}
