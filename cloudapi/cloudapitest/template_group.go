package cloudapitest

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A templateGroup is a group of templates of an account.
type templateGroup struct {
	id                   string
	name, description    string
	templates            []graph.TemplateID
	createdAt, updatedAt time.Time
}

// templateGroupDefaults are the fields of a read that names none.
const templateGroupDefaults = "id,name,description,creation_time,update_time," +
	"whatsapp_business_account,whatsapp_business_templates"

// templateGroups returns the groups of an account.
func (s *Server) templateGroups(w *waba) []*templateGroup {
	return all[templateGroup](s, kindTemplateGroup, func(o *object) bool { return o.waba == w })
}

// templateGroupNode is what a read shows of a group. All templates are on its first page.
func (s *Server) templateGroupNode(c *call, w *waba, g *templateGroup) node {
	var templates list
	templates.Data = []node{}
	for _, t := range s.templates(w.ID) {
		if slices.Contains(g.templates, t.ID) {
			n, _ := s.pick(c, t.node(), "name,language,status,category", "")
			templates.Data = append(templates.Data, n)
		}
	}
	account, _ := s.pick(c, s.wabaNode(w), wabaDefaults, "")
	return node{
		"id": raw(g.id), "name": raw(g.name), "description": raw(g.description),
		"creation_time": raw(g.createdAt.Unix()), "update_time": raw(g.updatedAt.Unix()),
		"whatsapp_business_account": raw(account), "whatsapp_business_templates": raw(templates),
	}
}

// listTemplateGroups answers with the groups of an account.
func (s *Server) listTemplateGroups(c *call) reply {
	var nodes []node
	for _, g := range s.templateGroups(c.waba) {
		nodes = append(nodes, s.templateGroupNode(c, c.waba, g))
	}
	return s.showAll(c, nodes, "id,name", "WhatsAppBusinessTemplateGroup")
}

// getTemplateGroup reads one group with its templates.
func (s *Server) getTemplateGroup(c *call) reply {
	n := s.templateGroupNode(c, c.waba, valueOf[templateGroup](c))
	return s.show(c, n, templateGroupDefaults, "WhatsAppBusinessTemplateGroup")
}

// A templateGroupRequest is what Meta takes to make or to change a group.
type templateGroupRequest struct {
	Name        *string            `json:"name"`
	Description *string            `json:"description"`
	Templates   []graph.TemplateID `json:"whatsapp_business_templates"`
	Add         []graph.TemplateID `json:"add_templates"`
	Remove      []graph.TemplateID `json:"remove_templates"`
}

// checkTemplateGroup checks what is to become of a group: its name is its own, and a template is in
// one group at a time.
func (s *Server) checkTemplateGroup(w *waba, g *templateGroup, req templateGroupRequest) *graphError {
	if req.Name != nil {
		if n := utf8.RuneCountInString(*req.Name); n == 0 || n > 256 {
			return invalid("name must be 1 to 256 characters long")
		}
		for _, other := range s.templateGroups(w) {
			if other != g && other.name == *req.Name {
				return invalid("name is that of another group")
			}
		}
	}
	if req.Description != nil && utf8.RuneCountInString(*req.Description) > 512 {
		return invalid("description must be at most 512 characters long")
	}
	known := s.templates(w.ID)
	for _, id := range slices.Concat(req.Templates, req.Add) {
		if !slices.ContainsFunc(known, func(t *Template) bool { return t.ID == id }) {
			return invalid("%s is not a template of this account", id)
		}
		for _, other := range s.templateGroups(w) {
			if other != g && slices.Contains(other.templates, id) {
				return invalid("Template %s is in another group", id)
			}
		}
	}
	return nil
}

// postTemplateGroup makes a group of at least one template.
func (s *Server) postTemplateGroup(c *call) reply {
	var req templateGroupRequest
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	switch {
	case req.Name == nil:
		return refuse(missing("name"))
	case len(req.Templates) == 0:
		return refuse(missing("whatsapp_business_templates"))
	}
	if err := s.checkTemplateGroup(c.waba, nil, req); err != nil {
		return refuse(err)
	}
	g := &templateGroup{
		id: s.newID(), name: *req.Name, templates: req.Templates, createdAt: s.now(), updatedAt: s.now(),
	}
	if req.Description != nil {
		g.description = *req.Description
	}
	s.put(&object{id: g.id, kind: kindTemplateGroup, waba: c.waba, value: g})
	return ok200("id", g.id)
}

// editTemplateGroup changes texts and templates of a group, or nothing if a rule is broken. A
// template that is added and removed at once is out.
func (s *Server) editTemplateGroup(c *call) reply {
	var req templateGroupRequest
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	g := valueOf[templateGroup](c)
	if err := s.checkTemplateGroup(c.waba, g, req); err != nil {
		return refuse(err)
	}
	if req.Name != nil {
		g.name = *req.Name
	}
	if req.Description != nil {
		g.description = *req.Description
	}
	for _, id := range req.Add {
		if !slices.Contains(g.templates, id) {
			g.templates = append(g.templates, id)
		}
	}
	removed := func(id graph.TemplateID) bool { return slices.Contains(req.Remove, id) }
	g.templates = slices.DeleteFunc(g.templates, removed)
	g.updatedAt = s.now()
	return success
}

// deleteTemplateGroup removes a group. Its templates stay.
func (s *Server) deleteTemplateGroup(c *call) reply {
	s.drop(c.id)
	return success
}
