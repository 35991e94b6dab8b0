package cloudapitest

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// authenticationTexts are texts of Meta's, as this server makes them up.
const (
	authenticationBody   = "*{{1}}* is your made-up verification code."
	authenticationAdvice = " For your security, do not share this code."
)

// upsertTemplates makes or changes an authentication template in several languages.
func (s *Server) upsertTemplates(c *call) reply {
	var req struct {
		Name      string                         `json:"name"`
		Languages []string                       `json:"languages"`
		Category  graph.TemplateCategory         `json:"category"`
		Parts     []cloudapi.ComponentDefinition `json:"components"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	switch {
	case req.Name == "":
		return refuse(missing("name"))
	case len(req.Languages) == 0:
		return refuse(missing("languages"))
	case !strings.EqualFold(string(req.Category), string(graph.TemplateAuthentication)):
		return refuse(invalid("category must be AUTHENTICATION"))
	}
	type made struct {
		ID       graph.TemplateID        `json:"id"`
		Status   cloudapi.TemplateStatus `json:"status"`
		Language string                  `json:"language"`
	}
	var list []made
	for _, language := range req.Languages {
		known := s.templates(c.waba.ID)
		i := slices.IndexFunc(known, func(t *Template) bool { return t.Name == req.Name && t.Language == language })
		if i < 0 {
			params := cloudapi.TemplateCreateParams{Name: req.Name, Language: language}
			t := s.addTemplate(Template{WABAID: c.waba.ID, TemplateCreateParams: params})
			known, i = []*Template{s.object(string(t.ID)).value.(*Template)}, 0
		}
		t := known[i]
		t.Category, t.Components, t.Status = graph.TemplateAuthentication, req.Parts, cloudapi.TemplateApproved
		list = append(list, made{t.ID, t.Status, t.Language})
	}
	return ok(struct {
		Data []made `json:"data"`
	}{list})
}

// previewTemplates shows the texts of authentication templates.
func (s *Server) previewTemplates(c *call) reply {
	wanted := cmp.Or(c.get("languages"), "en_US,es_ES")
	languages := strings.FieldsFunc(wanted, func(r rune) bool { return r == ',' })
	type button struct {
		Type     string `json:"type"`
		Text     string `json:"text"`
		Autofill string `json:"autofill_text"`
	}
	var nodes []node
	for _, language := range languages {
		n := node{
			"body": raw(authenticationBody), "language": raw(language), "category": raw(graph.TemplateAuthentication),
			"buttons": raw([]button{{"OTP", "Copy code", "Autofill"}}),
		}
		if c.yes("add_security_recommendation") {
			n["body"] = raw(authenticationBody + authenticationAdvice)
		}
		if minutes := c.get("code_expiration_minutes"); minutes != "" {
			n["footer"] = raw("This code expires in " + minutes + " minutes.")
		}
		nodes = append(nodes, n)
	}
	return s.page(c, nodes)
}

// templateLibrary is what this server has of Meta's library.
var templateLibrary = []cloudapi.LibraryTemplate{
	{
		ID: "7147013345418927", Name: "delivery_update_1", Language: "en_US", Category: graph.TemplateUtility,
		Topic: "ORDER_MANAGEMENT", UseCase: "DELIVERY_UPDATE", Industry: []string{"E_COMMERCE"},
		Body: "Made-up text: order {{1}} is on its way.", BodyParams: []string{"12345"},
	},
	{
		ID: "7147013345418928", Name: "appointment_reminder_1", Language: "en_US", Category: graph.TemplateUtility,
		Topic: "EVENT_REMINDER", UseCase: "APPOINTMENT_REMINDER", Industry: []string{"FINANCIAL_SERVICES"},
		Body: "Made-up text: see you on {{1}}.", BodyParams: []string{"Monday"},
	},
}

// listLibrary answers with the templates of the library that fit the filters.
func (s *Server) listLibrary(c *call) reply {
	var nodes []node
	for _, e := range templateLibrary {
		fits := strings.Contains(e.Name+" "+e.Body, c.get("search"))
		for name, value := range map[string]string{
			"topic": e.Topic, "usecase": e.UseCase, "industry": strings.Join(e.Industry, ","), "language": e.Language,
		} {
			want := c.get(name)
			fits = fits && (want == "" || strings.EqualFold(want, value))
		}
		if fits {
			var n node
			_ = json.Unmarshal(raw(e), &n)
			nodes = append(nodes, n)
		}
	}
	return s.page(c, nodes)
}

// migrateTemplates copies templates from another account. Those whose name is taken are named with
// a reason.
func (s *Server) migrateTemplates(c *call) reply {
	var req struct {
		Source    graph.WABAID       `json:"source_waba_id"`
		Templates []graph.TemplateID `json:"template_ids"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	if s.waba(req.Source) == nil || !c.token.reaches(req.Source) {
		return refuse(invalid("source_waba_id names no account that the token reaches"))
	}
	migrated, failed := []graph.TemplateID{}, map[graph.TemplateID]string{}
	for _, t := range s.templates(req.Source) {
		if len(req.Templates) > 0 && !slices.Contains(req.Templates, t.ID) {
			continue
		}
		same := func(o *Template) bool { return o.Name == t.Name && o.Language == t.Language }
		if slices.ContainsFunc(s.templates(c.waba.ID), same) {
			failed[t.ID] = "A template of this name and language exists"
			continue
		}
		copied := *t
		copied.ID, copied.WABAID = "", c.waba.ID
		s.addTemplate(copied)
		migrated = append(migrated, t.ID)
	}
	return ok(struct {
		Migrated []graph.TemplateID          `json:"migrated_templates"`
		Failed   map[graph.TemplateID]string `json:"failed_templates"`
	}{migrated, failed})
}

// compareTemplates compares how often two templates were sent. No block is ever counted.
func (s *Server) compareTemplates(c *call) reply {
	var req struct {
		Templates []graph.TemplateID `json:"template_ids"`
	}
	if err := decode(c.params, &req); err != nil || len(req.Templates) != 1 {
		return refuse(invalid("template_ids must be a list with one id"))
	}
	a := analysis{start: unixTime(c.get("start")), end: unixTime(c.get("end")), granularity: "daily"}
	if err := a.check(); err != nil {
		return refuse(err)
	}
	type number struct {
		Template graph.TemplateID `json:"key"`
		Value    int              `json:"value"`
	}
	var order []graph.TemplateID
	var numbers []number
	for _, id := range []string{c.id, string(req.Templates[0])} {
		o := s.object(id)
		if o == nil || o.kind != kindTemplate || o.waba != c.waba {
			return refuse(invalid("template_ids names no template of this account"))
		}
		n := 0
		for _, m := range s.sentBy(c.waba, a) {
			if t := s.templateOf(m); t != nil && string(t.ID) == id && !m.At.Before(a.start) && m.At.Before(a.end) {
				n++
			}
		}
		order, numbers = append(order, graph.TemplateID(id)), append(numbers, number{graph.TemplateID(id), n})
	}
	return s.page(c, []node{
		{"metric": raw("BLOCK_RATE"), "type": raw("RELATIVE"), "order_by_relative_metric": raw(order)},
		{"metric": raw("MESSAGE_SENDS"), "type": raw("NUMBER_VALUES"), "number_values": raw(numbers)},
	})
}

// unpauseTemplate lets a paused template be sent again.
func (s *Server) unpauseTemplate(c *call) reply {
	t := valueOf[Template](c)
	if t.Status != cloudapi.TemplatePaused {
		return refuse(invalid("The template is not paused"))
	}
	t.Status = cloudapi.TemplateApproved
	return success
}

// migrateFlows copies Flows by name, as drafts.
func (s *Server) migrateFlows(c *call) reply {
	var req struct {
		Source graph.WABAID `json:"source_waba_id"`
		Names  []string     `json:"source_flow_names"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	source := s.waba(req.Source)
	if len(req.Names) == 0 || source == nil || !c.token.reaches(source.ID) {
		return refuse(invalid(
			"source_waba_id and source_flow_names must name Flows of an account that the token reaches"))
	}
	type migrated struct {
		Name string `json:"source_name"`
		From string `json:"source_id"`
		To   string `json:"migrated_id"`
	}
	type failure struct {
		Name    string     `json:"source_name"`
		Code    graph.Code `json:"error_code"`
		Message string     `json:"error_message"`
	}
	done, failed := []migrated{}, []failure{}
	for _, name := range req.Names {
		known := all[flow](s, kindFlow, func(o *object) bool { return o.waba == source })
		i := slices.IndexFunc(known, func(f *flow) bool { return f.name == name })
		if i < 0 {
			failed = append(failed, failure{name, 4233041, "Flow with the given name could not be found"})
			continue
		}
		copied := *known[i]
		copied.id, copied.status = s.newID(), graph.FlowDraft
		s.put(&object{id: copied.id, kind: kindFlow, waba: c.waba, value: &copied})
		done = append(done, migrated{name, known[i].id, copied.id})
	}
	return ok(struct {
		Migrated []migrated `json:"migrated_flows"`
		Failed   []failure  `json:"failed_flows"`
	}{done, failed})
}
