package cloudapi

import (
	"encoding/json"
	"regexp"
	"strconv"
)

// A Template is a template message, the only kind that may start a conversation. The template must
// be approved.
//
//	&cloudapi.Template{
//		Name:     "order_confirmation",
//		Language: "en_US",
//		Components: []cloudapi.TemplateComponent{
//			&cloudapi.TemplateBody{Parameters: []cloudapi.TemplateParameter{
//				&cloudapi.TextParameter{Name: "first_name", Text: "Jessica"},
//			}},
//		},
//	}
//
// An authentication template has its code twice: as text in the body and as text of the button,
// which is a [ButtonURL] even where it copies the code. It cannot go to a user id.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview
type Template struct {
	// Name is the template's name: lower-case letters, digits and underscores.
	Name string

	// Language is the language of the translation to send, such as "en_US", exactly as the template
	// has it.
	Language string

	// Components fill in those of the template that have variables. The others are left out.
	Components []TemplateComponent
}

// MarshalJSON writes the member "template" of a message.
func (t *Template) MarshalJSON() ([]byte, error) {
	type language struct {
		Code string `json:"code"`
	}
	return json.Marshal(struct {
		Name       string              `json:"name"`
		Language   language            `json:"language"`
		Components []TemplateComponent `json:"components,omitempty"`
	}{t.Name, language{t.Language}, t.Components})
}

// MessageType is "template".
func (*Template) MessageType() string { return "template" }

// Summary is the template's name.
func (t *Template) Summary() string { return t.Name }

var (
	templateNameRe = regexp.MustCompile(`^[a-z0-9_]+$`)
	languageRe     = regexp.MustCompile(`^[a-z]{2,3}(_[A-Za-z]{2,4})?$`)
)

func (t *Template) check(p *problems) {
	if t == nil {
		p.missing("the Template is nil")
		return
	}
	if !templateNameRe.MatchString(t.Name) {
		p.put(true, t.Name == "", "Template.Name must be lower-case letters, digits and underscores", nil)
	}
	p.atMost("Template.Name", t.Name, 512)
	if t.Language == "" {
		p.missing(`Template.Language is empty; it is the code of a translation, such as "en_US"`)
	} else if !languageRe.MatchString(t.Language) {
		p.limit(`Template.Language does not look like "en_US"`)
	}
	t.checkComponents(p)
	t.checkNaming(p)
}

// checkComponents checks each component, and what may stand once only: one header, one body, and
// each button by its index. That the template has those components is for Meta to know.
func (t *Template) checkComponents(p *problems) {
	var headers, bodies int
	buttons := map[int]bool{}
	for i, c := range t.Components {
		where := "Template.Components[" + strconv.Itoa(i) + "]"
		if c == nil {
			p.add("%s is nil", where)
			continue
		}
		c.check(p, where)
		switch c := c.(type) {
		case *TemplateHeader:
			headers++
		case *TemplateBody:
			bodies++
		case *TemplateButton:
			if c != nil && buttons[c.Index] {
				p.limit("%s fills in button %d a second time", where, c.Index)
			}
			if c != nil {
				buttons[c.Index] = true
			}
		default:
		}
	}
	if headers > 1 {
		p.limit("a template has one header, not %d", headers)
	}
	if bodies > 1 {
		p.limit("a template has one body, not %d", bodies)
	}
}

// checkNaming finds a mix of named and positional texts: a template is one or the other as a whole.
func (t *Template) checkNaming(p *problems) {
	var named, positional bool
	for _, c := range t.Components {
		var params []TemplateParameter
		switch c := c.(type) {
		case *TemplateHeader:
			if c != nil {
				params = []TemplateParameter{c.Parameter}
			}
		case *TemplateBody:
			if c != nil {
				params = c.Parameters
			}
		default:
		}
		for _, param := range params {
			if text, ok := param.(*TextParameter); ok && text != nil {
				named = named || text.Name != ""
				positional = positional || text.Name == ""
			}
		}
	}
	if named && positional {
		p.limit("the template's texts are named in part; either all have a Name or none")
	}
}

func (t *Template) sensitive() []string {
	var list []string
	for _, c := range t.Components {
		list = append(list, c.sensitive()...)
	}
	return list
}
