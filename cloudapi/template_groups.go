package cloudapi

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"regexp"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A TemplateGroupsService puts templates into groups, which [AnalyticsService.TemplateGroups]
// counts as one.
type TemplateGroupsService service

// A TemplateGroupID names a group of templates.
type TemplateGroupID string

// UnmarshalJSON accepts a string or a number.
func (id *TemplateGroupID) UnmarshalJSON(b []byte) error { return (*flexString)(id).UnmarshalJSON(b) }

// A TemplateGroup is a group of templates. [TemplateGroupsService.List] leaves out the account and
// the templates.
type TemplateGroup struct {
	ID          TemplateGroupID
	Name        string
	Description string // empty for none

	// CreatedAt is when it was made, UpdatedAt when it was changed last.
	CreatedAt graph.Timestamp
	UpdatedAt graph.Timestamp

	// Account is the owner: id, name, currency, time zone and template namespace.
	Account WABA

	// Templates are those of the first page that Meta puts into the answer.
	Templates []MessageTemplate

	// More means that the group has further templates.
	More bool

	Resource
}

// UnmarshalJSON reads a group as Meta writes it.
func (g *TemplateGroup) UnmarshalJSON(b []byte) error {
	var v struct {
		ID          TemplateGroupID `json:"id"`
		Name        flexString      `json:"name"`
		Description flexString      `json:"description"`
		CreatedAt   graph.Timestamp `json:"creation_time"`
		UpdatedAt   graph.Timestamp `json:"update_time"`
		Account     WABA            `json:"whatsapp_business_account"`
		Templates   json.RawMessage `json:"whatsapp_business_templates"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*g = TemplateGroup{
		ID: v.ID, Name: string(v.Name), Description: string(v.Description),
		CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt, Account: v.Account,
	}
	if len(v.Templates) == 0 || v.Templates[0] != '{' { // Meta's servers write an empty object as [] at times
		return nil
	}
	var p page
	if err := json.Unmarshal(v.Templates, &p); err != nil {
		return err
	}
	g.More = p.Paging.More
	for _, raw := range p.Data {
		if bytes.Equal(raw, []byte("null")) {
			continue
		}
		var t MessageTemplate
		if err := decodeAnswer(raw, &t); err != nil {
			return err
		}
		g.Templates = append(g.Templates, t)
	}
	return nil
}

func (g *TemplateGroup) incomplete() string { return withoutID(g.ID) }

// List walks through the template groups of an account.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-groups
//
// graph:GET /{waba-id}/template_groups
func (s *TemplateGroupsService) List(ctx context.Context, waba graph.WABAID) iter.Seq2[*TemplateGroup, error] {
	return list[TemplateGroup](ctx, s.c, request{
		method: http.MethodGet, path: "/{waba-id}/template_groups", ids: []string{string(waba)},
		options: fieldsOption{[]string{"id", "name", "description", "creation_time", "update_time"}},
	})
}

// Get reads a group with its templates.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-groups
//
// graph:GET /{template-group-id}
func (s *TemplateGroupsService) Get(ctx context.Context, id TemplateGroupID) (*TemplateGroup, error) {
	return call[TemplateGroup](ctx, s.c, request{
		method: http.MethodGet, path: "/{template-group-id}", ids: []string{string(id)},
	})
}

// TemplateGroupCreateParams are the parameters of [TemplateGroupsService.Create].
type TemplateGroupCreateParams struct {
	Name        string             // no other group of the account has it; at most 256 characters
	Description string             // at most 512
	Templates   []graph.TemplateID // at least one; a template is in one group at a time
}

// A templateGroupBody is what Meta takes. It wants the ids of templates as numbers.
type templateGroupBody struct {
	Name        *string       `json:"name,omitzero"`
	Description *string       `json:"description,omitzero"`
	Templates   []json.Number `json:"whatsapp_business_templates,omitempty"`
	Add         []json.Number `json:"add_templates,omitempty"`
	Remove      []json.Number `json:"remove_templates,omitempty"`
}

var templateIDRe = regexp.MustCompile(`^[1-9][0-9]*$`)

// numbers writes the ids of templates as numbers.
func (p *problems) numbers(what string, ids []graph.TemplateID) []json.Number {
	list := make([]json.Number, 0, len(ids))
	for i, id := range ids {
		if !templateIDRe.MatchString(string(id)) {
			p.add("%s[%d] is not the id of a template, which is a number", what, i)
		}
		list = append(list, json.Number(id))
	}
	return list
}

type templateGroupCreated struct {
	ID TemplateGroupID `json:"id"`
}

func (t *templateGroupCreated) incomplete() string { return withoutID(t.ID) }

// Create makes a group. It is not repeated blindly; after [OutcomeUnknown] look for the name in the
// list.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-groups
//
// graph:POST /{waba-id}/template_groups
func (s *TemplateGroupsService) Create(
	ctx context.Context, waba graph.WABAID, g TemplateGroupCreateParams,
) (TemplateGroupID, error) {
	var p problems
	p.text("TemplateGroupCreateParams.Name", g.Name, 256)
	p.atMost("TemplateGroupCreateParams.Description", g.Description, 512)
	if len(g.Templates) == 0 {
		p.missing("TemplateGroupCreateParams.Templates is empty")
	}
	body := templateGroupBody{Name: &g.Name, Templates: p.numbers("TemplateGroupCreateParams.Templates", g.Templates)}
	if g.Description != "" {
		body.Description = &g.Description
	}
	if err := p.err(); err != nil {
		return "", err
	}
	made, err := send[templateGroupCreated](ctx, s.c, request{
		method: http.MethodPost, path: "/{waba-id}/template_groups", ids: []string{string(waba)},
	}, body)
	if err != nil {
		return "", err
	}
	return made.ID, nil
}

// TemplateGroupUpdateParams are the parameters of [TemplateGroupsService.Update]: what is nil
// stays, Add and Remove change which templates are in the group. What a removed template has
// contributed to the numbers of the group stays there.
type TemplateGroupUpdateParams struct {
	Name        *string
	Description *string
	Add         []graph.TemplateID
	Remove      []graph.TemplateID
}

// Update changes a group.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-groups
//
// graph:POST /{template-group-id}
func (s *TemplateGroupsService) Update(ctx context.Context, id TemplateGroupID, u TemplateGroupUpdateParams) error {
	var p problems
	if u.Name == nil && u.Description == nil && len(u.Add) == 0 && len(u.Remove) == 0 {
		p.missing("the TemplateGroupUpdateParams changes nothing")
	}
	if u.Name != nil {
		p.text("TemplateGroupUpdateParams.Name", *u.Name, 256)
	}
	if u.Description != nil {
		p.atMost("TemplateGroupUpdateParams.Description", *u.Description, 512)
	}
	body := templateGroupBody{
		Name: u.Name, Description: u.Description,
		Add:    p.numbers("TemplateGroupUpdateParams.Add", u.Add),
		Remove: p.numbers("TemplateGroupUpdateParams.Remove", u.Remove),
	}
	if err := p.err(); err != nil {
		return err
	}
	return do(ctx, s.c, request{method: http.MethodPost, path: "/{template-group-id}", ids: []string{string(id)}}, body)
}

// Delete removes a group. Its templates stay.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/template-groups
//
// graph:DELETE /{template-group-id}
func (s *TemplateGroupsService) Delete(ctx context.Context, id TemplateGroupID) error {
	return do(ctx, s.c, request{
		method: http.MethodDelete, path: "/{template-group-id}", ids: []string{string(id)}, replay: RetryIdempotent,
	}, nil)
}
