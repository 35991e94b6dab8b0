package cloudapitest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Template is a template in one language. As soon as an account has one, a server with
// [Config].Strict refuses messages with a template that is not there, not approved, or filled in
// with another number of values.
type Template struct {
	// ID is made up if empty.
	ID graph.TemplateID

	// WABAID is the account that has it.
	WABAID graph.WABAID

	// Status is APPROVED if empty.
	Status cloudapi.TemplateStatus

	cloudapi.TemplateCreateParams
}

// AddTemplate adds a template and returns it with everything filled in.
func (s *Server) AddTemplate(t Template) Template {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.Status == "" {
		t.Status = cloudapi.TemplateApproved
	}
	return s.addTemplate(t)
}

// addTemplate is AddTemplate, without a default for the status. The caller must hold s.mu.
func (s *Server) addTemplate(t Template) Template {
	if t.ID == "" {
		t.ID = graph.TemplateID(s.newID())
	}
	s.put(&object{id: string(t.ID), kind: kindTemplate, waba: s.waba(t.WABAID), value: &t})
	return t
}

// SetTemplateStatus is Meta's verdict about a template.
func (s *Server) SetTemplateStatus(id graph.TemplateID, status cloudapi.TemplateStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.object(string(id)); o != nil && o.kind == kindTemplate {
		o.value.(*Template).Status = status
	}
}

// templates returns the templates of an account in the order in which they were made.
func (s *Server) templates(id graph.WABAID) []*Template {
	return all[Template](s, kindTemplate, func(o *object) bool { return o.waba != nil && o.waba.ID == id })
}

// templateDefaults are the fields of a read that names none.
const templateDefaults = "name,parameter_format,components,language,status,category,id"

// node is what a read shows of a template. No template is ever rejected for a reason.
func (t *Template) node() node {
	return node{
		"id": raw(t.ID), "name": raw(t.Name), "language": raw(t.Language), "status": raw(t.Status),
		"category": raw(t.Category), "components": raw(t.Components), "parameter_format": raw(t.ParameterFormat),
		"rejected_reason":          raw("NONE"),
		"quality_score":            raw(map[string]string{"score": "UNKNOWN"}),
		"message_send_ttl_seconds": raw(int(t.TTL / time.Second)),
		"health_status":            health("MESSAGE_TEMPLATE", string(t.ID)),
		"previous_category":        nil, "correct_category": nil, "source": nil, "cta_url_link_tracking_opted_out": nil,
	}
}

// listTemplates answers with the templates of an account that fit the filters. A name fits also in
// part.
func (s *Server) listTemplates(c *call) reply {
	var nodes []node
	for _, t := range s.templates(c.waba.ID) {
		fits := true
		for name, value := range map[string]string{
			"language": t.Language, "status": string(t.Status), "category": string(t.Category),
		} {
			want := c.query.Get(name)
			fits = fits && (want == "" || strings.EqualFold(want, value))
		}
		if !fits || !strings.Contains(t.Name, c.query.Get("name")) {
			continue
		}
		n, err := t.node().pick(c.query.Get("fields"), templateDefaults, "WhatsAppMessageTemplate")
		if err != nil {
			return refuse(err)
		}
		nodes = append(nodes, n)
	}
	return s.page(c, nodes)
}

// getTemplate reads one template.
func (s *Server) getTemplate(c *call) reply {
	n, err := valueOf[Template](c).node().pick(c.query.Get("fields"), templateDefaults, "WhatsAppMessageTemplate")
	if err != nil {
		return refuse(err)
	}
	return ok(n)
}

// postTemplate takes a template for review, where it stays until [Server.SetTemplateStatus]; one of
// the library is approved at once. Rules that package cloudapi checks are answered as Meta does for
// templates, under code 100. With [Config].Strict, sample files must have been uploaded. Another
// template of the same name and language is in the way.
func (s *Server) postTemplate(c *call) reply {
	var lib struct {
		Name string `json:"library_template_name"`
	}
	t := Template{WABAID: c.waba.ID, Status: cloudapi.TemplatePending}
	if json.Unmarshal(c.body, &t.TemplateCreateParams) != nil || json.Unmarshal(c.body, &lib) != nil {
		return refuse(invalid("The request body is not the JSON of a template"))
	}
	if lib.Name != "" {
		t.Status = cloudapi.TemplateApproved
		t.Components = []cloudapi.ComponentDefinition{
			{Type: cloudapi.ComponentBody, Text: "Made-up text of " + lib.Name},
		}
	}
	if problems := cloudapi.ValidationErrors(t.Check()); len(problems) > 0 {
		err := problemError(problems)
		err.Code = graph.CodeInvalidParameter
		if problems[0].Missing {
			err.Subcode = int(graph.CodeTemplateExampleMissing)
		}
		return refuse(err)
	}
	for _, part := range t.Components {
		if part.Example == nil || !s.strict {
			continue
		}
		for _, h := range part.Example.HeaderHandle {
			if !s.handles[h] {
				return refuse(invalid("header_handle is not a handle of a resumable upload"))
			}
		}
	}
	for _, other := range s.templates(c.waba.ID) {
		if other.Name == t.Name && other.Language == t.Language {
			return refuse(&graphError{
				Code: graph.CodeInvalidParameter, Subcode: int(graph.CodeTemplateAlreadyExists),
				UserTitle: "Content in this language already exists",
			})
		}
	}
	t = s.addTemplate(t)
	return ok(struct {
		ID       graph.TemplateID        `json:"id"`
		Status   cloudapi.TemplateStatus `json:"status"`
		Category graph.TemplateCategory  `json:"category"`
	}{t.ID, t.Status, t.Category})
}

// editTemplate changes a template as a whole or not at all, and puts it under review again. How
// often a template may be edited is not counted.
func (s *Server) editTemplate(c *call) reply {
	t := valueOf[Template](c)
	var edit struct {
		Category graph.TemplateCategory         `json:"category"`
		Parts    []cloudapi.ComponentDefinition `json:"components"`
	}
	if err := decode(c, &edit); err != nil {
		return refuse(err)
	}
	editable := []cloudapi.TemplateStatus{
		cloudapi.TemplateApproved, cloudapi.TemplateRejected, cloudapi.TemplatePaused,
	}
	if !slices.Contains(editable, t.Status) {
		return refuse(invalid("Only approved, rejected and paused templates can be edited"))
	}
	if edit.Category != "" && t.Status == cloudapi.TemplateApproved && edit.Category != t.Category {
		return refuse(invalid("The category of an approved template cannot be changed"))
	}
	changed := *t
	if edit.Category != "" {
		changed.Category = edit.Category
	}
	if edit.Parts != nil {
		changed.Components = edit.Parts
	}
	if problems := cloudapi.ValidationErrors(changed.Check()); len(problems) > 0 {
		return refuse(problemError(problems))
	}
	changed.Status = cloudapi.TemplatePending
	*t = changed
	return success
}

// deleteTemplate removes one translation, or all that have the name if no id is given. That a name
// cannot be used again for thirty days is not played.
func (s *Server) deleteTemplate(c *call) reply {
	name, id := c.query.Get("name"), c.query.Get("hsm_id")
	if name == "" {
		return refuse(required("name"))
	}
	found := false
	for _, t := range s.templates(c.waba.ID) {
		if t.Name == name && (id == "" || string(t.ID) == id) {
			s.drop(string(t.ID))
			found = true
		}
	}
	if !found {
		return refuse(&graphError{Code: graph.CodeInvalidParameter, Message: "(#100) Message template was not found"})
	}
	return success
}

// templateVariableRe finds the variables of a text.
var templateVariableRe = regexp.MustCompile(`\{\{\s*[A-Za-z0-9_]+\s*\}\}`)

// checkTemplate judges a message with a template by the templates of the account, once it has any.
func (s *Server) checkTemplate(p *phone, content *cloudapi.Template) *graphError {
	var known []*Template
	for _, id := range p.WABAs {
		known = append(known, s.templates(id)...)
	}
	if len(known) == 0 {
		return nil
	}
	i := slices.IndexFunc(known, func(t *Template) bool {
		return t.Name == content.Name && t.Language == content.Language
	})
	if i < 0 {
		return &graphError{Code: graph.CodeTemplateNotFound, Details: "template name does not exist in the translation"}
	}
	t := known[i]
	switch t.Status {
	case cloudapi.TemplateApproved:
	case cloudapi.TemplatePaused:
		return &graphError{Code: graph.CodeTemplatePaused}
	case cloudapi.TemplateDisabled:
		return &graphError{Code: graph.CodeTemplateDisabled}
	default:
		return &graphError{Code: graph.CodeTemplateNotFound, Details: "template is not approved"}
	}
	want, have := 0, 0
	for _, part := range t.Components {
		if strings.EqualFold(string(part.Type), string(cloudapi.ComponentBody)) {
			want = len(templateVariableRe.FindAllString(part.Text, -1))
		}
	}
	for _, c := range content.Components {
		if body, ok := c.(*cloudapi.TemplateBody); ok {
			have = len(body.Parameters)
		}
	}
	if want != have {
		return &graphError{
			Code: graph.CodeTemplateParamCountMismatch,
			Details: "body: number of localizable_params (" + strconv.Itoa(have) + ") " +
				"does not match the expected number of params (" + strconv.Itoa(want) + ")",
		}
	}
	return nil
}
