package cloudapitest

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Template is a template in one language. A message with a template that the account does not
// have, that is not approved, or that is filled in with other values than it has variables for, is
// refused as Meta refuses it.
type Template struct {
	// ID is made up if empty.
	ID graph.TemplateID

	// WABAID is the account that has it.
	WABAID graph.WABAID

	// Status is APPROVED if empty.
	Status cloudapi.TemplateStatus

	// Quality is UNKNOWN if empty, RejectedReason NONE. PreviousCategory is empty for a template
	// that Meta has not moved into another category.
	Quality          graph.QualityRating
	RejectedReason   string
	PreviousCategory graph.TemplateCategory

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
	t.ParameterFormat = cmp.Or(cloudapi.ParameterFormat(strings.ToUpper(string(t.ParameterFormat))),
		cloudapi.ParametersPositional)
	if t.ID == "" {
		t.ID = graph.TemplateID(s.newID())
	}
	s.put(&object{id: string(t.ID), kind: kindTemplate, waba: s.waba(t.WABAID), value: &t})
	return t
}

// SetTemplateStatus is Meta's verdict about a template.
func (s *Server) SetTemplateStatus(id graph.TemplateID, status cloudapi.TemplateStatus) {
	s.UpdateTemplate(id, func(t *Template) { t.Status = status })
}

// UpdateTemplate has fn change a template, and returns it as it is then, and whether it is known. A
// template whose Status is DELETED is removed.
func (s *Server) UpdateTemplate(id graph.TemplateID, fn func(*Template)) (Template, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.object(string(id))
	if o == nil || o.kind != kindTemplate {
		return Template{}, false
	}
	t := o.value.(*Template)
	fn(t)
	if t.Status == cloudapi.TemplateDeleted {
		s.drop(string(id))
	}
	return *t, true
}

// Templates returns the templates of an account, in the order in which they were made.
func (s *Server) Templates(id graph.WABAID) []Template {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Template
	for _, t := range s.templates(id) {
		list = append(list, *t)
	}
	return list
}

// A TemplateChange is the change that a call made to a template.
type TemplateChange string

const (
	TemplateCreated TemplateChange = "created"
	TemplateEdited  TemplateChange = "edited"
	TemplateDeleted TemplateChange = "deleted" // it is not there any more
)

// OnTemplate calls fn after a template was made, edited or deleted by a call, like
// [Server.OnMessage].
func (s *Server) OnTemplate(fn func(t Template, change TemplateChange)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onTemplate = append(s.onTemplate, fn)
}

// templateHooks are called once the lock is free.
func (s *Server) templateHooks(t Template, change TemplateChange) []func() {
	var after []func()
	for _, hook := range s.onTemplate {
		after = append(after, func() { hook(t, change) })
	}
	return after
}

// templates returns the templates of an account in the order in which they were made.
func (s *Server) templates(id graph.WABAID) []*Template {
	return all[Template](s, kindTemplate, func(o *object) bool { return o.waba != nil && o.waba.ID == id })
}

// templateType is the node's type as Meta's errors name it, templateDefaults the fields of a read
// that names none.
const (
	templateType     = "WhatsAppMessageTemplate"
	templateDefaults = "name,parameter_format,components,language,status,category,id"
)

// node is what a read shows of a template.
func (t *Template) node() node {
	return node{
		"id": raw(t.ID), "name": raw(t.Name), "language": raw(t.Language), "status": raw(t.Status),
		"category": raw(t.Category), "components": raw(t.Components), "parameter_format": raw(t.ParameterFormat),
		"rejected_reason":          raw(cmp.Or(t.RejectedReason, "NONE")),
		"quality_score":            raw(map[string]string{"score": cmp.Or(string(t.Quality), "UNKNOWN")}),
		"message_send_ttl_seconds": raw(int(t.TTL / time.Second)),
		"health_status":            health("MESSAGE_TEMPLATE", string(t.ID)),
		"optimization_spec":        raw(t.Optimization),
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
			want := c.get(name)
			fits = fits && (want == "" || strings.EqualFold(want, value))
		}
		if !fits || !strings.Contains(t.Name, c.get("name")) {
			continue
		}
		nodes = append(nodes, t.node())
	}
	return s.showAll(c, nodes, templateDefaults, templateType)
}

// getTemplate reads one template.
func (s *Server) getTemplate(c *call) reply {
	return s.show(c, valueOf[Template](c).node(), templateDefaults, templateType)
}

// Limits of the templates of an account: how many there may be, and how long the name of a deleted
// one is blocked in its language.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview
const (
	maxTemplates = 250
	nameBlocked  = 30 * 24 * time.Hour
)

// templateProblem refuses a template with the subcode that Meta has for what is wrong, where it has
// one: a text that is too long, a missing sample, a variable at an edge, and otherwise by the
// component.
func templateProblem(t Template, problems []*cloudapi.ValidationError) *graphError {
	err := problemError("", problems)
	text := wireText(problems[0].Text)
	subcode := graph.CodeTemplateComponentInvalid
	switch m := componentRe.FindStringSubmatch(text); {
	case problems[0].Missing:
		subcode = graph.CodeTemplateExampleMissing
	case tooLongRe.MatchString(text):
		subcode = graph.CodeTemplateCharacterLimit
	case strings.Contains(text, "begins or ends with a variable"):
		subcode = graph.CodeTemplateParamsAtEdge
	case m == nil:
		subcode = 0 // about the template as a whole
	default:
		if i, _ := strconv.Atoi(m[1]); i < len(t.Components) {
			kind := cloudapi.ComponentType(strings.ToUpper(string(t.Components[i].Type)))
			subcode = cmp.Or(componentFormats[kind], subcode)
		}
	}
	err.Code, err.Subcode = graph.CodeInvalidParameter, int(subcode)
	if info, ok := graph.Lookup(err.Code, err.Subcode); ok && subcode != 0 {
		err.UserTitle = info.Title
	}
	return err
}

// componentRe finds which component a problem is about.
var componentRe = regexp.MustCompile(`^(?:template\.)?components\[(\d+)\]`)

// componentFormats are the subcodes of components that are wrong in themselves.
var componentFormats = map[cloudapi.ComponentType]graph.Code{
	cloudapi.ComponentHeader: graph.CodeTemplateHeaderFormat, cloudapi.ComponentBody: graph.CodeTemplateBodyFormat,
	cloudapi.ComponentFooter: graph.CodeTemplateFooterFormat,
}

// postTemplate takes a template for review, where it stays until [Server.SetTemplateStatus]; one of
// the library is approved at once. Rules that package cloudapi checks are answered as Meta does for
// templates, under code 100 with a subcode. With [Config].Strict, sample files must have been
// uploaded. It is refused if a template of the same name and language exists, or was deleted in the
// last 30 days.
func (s *Server) postTemplate(c *call) reply {
	var req struct {
		Name     string                         `json:"name"`
		Language string                         `json:"language"`
		Category graph.TemplateCategory         `json:"category"`
		Format   cloudapi.ParameterFormat       `json:"parameter_format"`
		Parts    []cloudapi.ComponentDefinition `json:"components"`
		TTL      int64                          `json:"message_send_ttl_seconds"`
		Library  string                         `json:"library_template_name"`
		Price    *cloudapi.OptimizationSpec     `json:"optimization_spec"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	t := Template{WABAID: c.waba.ID, Status: cloudapi.TemplatePending}
	t.Name, t.Language, t.Category, t.Components = req.Name, req.Language, req.Category, req.Parts
	t.ParameterFormat = req.Format
	t.TTL = time.Duration(req.TTL) * time.Second
	t.Optimization = req.Price
	if req.Library != "" {
		t.Status = cloudapi.TemplateApproved
		t.Components = []cloudapi.ComponentDefinition{
			{Type: cloudapi.ComponentBody, Text: "Made-up text of " + req.Library},
		}
	}
	if problems := cloudapi.ValidationErrors(t.Check()); len(problems) > 0 {
		return refuse(templateProblem(t, problems))
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
	if err := s.checkTemplateRoom(c.waba, t); err != nil {
		return refuse(err)
	}
	t = s.addTemplate(t)
	rep := ok(struct {
		ID       graph.TemplateID        `json:"id"`
		Status   cloudapi.TemplateStatus `json:"status"`
		Category graph.TemplateCategory  `json:"category"`
	}{t.ID, t.Status, t.Category})
	rep.after = s.templateHooks(t, TemplateCreated)
	return rep
}

// checkTemplateRoom checks whether an account can have one more template: it is not full, and
// nothing stands, or stood until lately, under the name and language.
func (s *Server) checkTemplateRoom(account *waba, t Template) *graphError {
	templates := s.templates(account.ID)
	taken := slices.ContainsFunc(templates, func(other *Template) bool {
		return other.Name == t.Name && other.Language == t.Language
	})
	deleted, was := account.deletedTemplates[t.Name+" "+t.Language]
	subcode := graph.Code(0)
	switch {
	case taken:
		subcode = graph.CodeTemplateAlreadyExists
	case was && s.now().Sub(deleted) < nameBlocked:
		subcode = graph.CodeTemplateNameBlocked
	case len(templates) >= maxTemplates:
		subcode = graph.CodeTemplateLimitExceeded
	default:
		return nil
	}
	err := &graphError{Code: graph.CodeInvalidParameter, Subcode: int(subcode)}
	if info, ok := graph.Lookup(err.Code, err.Subcode); ok {
		err.UserTitle = info.Title
	}
	return err
}

// editTemplate changes a template as a whole or not at all, and puts it under review again. How
// often a template may be edited is not counted.
func (s *Server) editTemplate(c *call) reply {
	t := valueOf[Template](c)
	var edit struct {
		Category graph.TemplateCategory         `json:"category"`
		Parts    []cloudapi.ComponentDefinition `json:"components"`
		Price    *cloudapi.OptimizationSpec     `json:"optimization_spec"`
	}
	if err := decode(c.params, &edit); err != nil {
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
	if edit.Price != nil {
		changed.Optimization = edit.Price
	}
	if problems := cloudapi.ValidationErrors(changed.Check()); len(problems) > 0 {
		return refuse(templateProblem(changed, problems))
	}
	changed.Status = cloudapi.TemplatePending
	*t = changed
	rep := success
	rep.after = s.templateHooks(changed, TemplateEdited)
	return rep
}

// deleteTemplate removes one translation, or all that have the name if no id is given. What was
// approved blocks its name in its language for thirty days.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-management
func (s *Server) deleteTemplate(c *call) reply {
	name, id := c.get("name"), c.get("hsm_id")
	if name == "" {
		return refuse(required("name"))
	}
	rep, found := success, false
	for _, t := range s.templates(c.waba.ID) {
		if t.Name == name && (id == "" || string(t.ID) == id) {
			s.drop(string(t.ID))
			found = true
			if t.Status == cloudapi.TemplateApproved {
				if c.waba.deletedTemplates == nil {
					c.waba.deletedTemplates = map[string]time.Time{}
				}
				c.waba.deletedTemplates[t.Name+" "+t.Language] = s.now()
			}
			rep.after = append(rep.after, s.templateHooks(*t, TemplateDeleted)...)
		}
	}
	if !found {
		return refuse(&graphError{Code: graph.CodeInvalidParameter, Message: "(#100) Message template was not found"})
	}
	return rep
}

// templateVariableRe finds the variables of a text.
var templateVariableRe = regexp.MustCompile(`\{\{\s*[A-Za-z0-9_]+\s*\}\}`)
