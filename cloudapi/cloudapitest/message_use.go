package cloudapitest

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// checkUse checks a message by what it uses of the account: whether its template may go this way
// and to this person, and whether its Flow is there.
func (s *Server) checkUse(c *call, content json.RawMessage, m *SentMessage) *graphError {
	switch m.Type {
	case "template":
		name, language := m.Template()
		return s.checkWay(c, s.findTemplate(c.phone, name, language), m)
	case "interactive":
		return s.checkFlow(c.phone, content)
	}
	return nil
}

// checkWay checks where a template goes. Marketing templates are refused on messages once the
// account has switched that off, and are all that marketing_messages takes. One-time codes do not
// go to user ids. A template without a category is of any.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/marketing-messages/route-template-messages
func (s *Server) checkWay(c *call, t *Template, m *SentMessage) *graphError {
	marketing := strings.HasSuffix(c.path, "/marketing_messages")
	off := slices.ContainsFunc(c.phone.WABAs, func(id graph.WABAID) bool {
		w := s.waba(id)
		return w != nil && w.noMarketing
	})
	switch {
	case marketing && t.Category != "" && t.Category != graph.TemplateMarketing:
		return &graphError{Code: graph.CodeOnlyMarketingSupported}
	case !marketing && off && t.Category == graph.TemplateMarketing:
		return &graphError{Code: graph.CodeMarketingDisabledOnCloudAPI}
	case graph.IsUserID(m.Input) && hasOneTimeCode(t):
		return &graphError{Code: graph.CodeUserIDNotSupported}
	}
	return nil
}

// hasOneTimeCode reports whether a template has a button that hands over a one-time code.
func hasOneTimeCode(t *Template) bool {
	return slices.ContainsFunc(t.Components, func(part cloudapi.ComponentDefinition) bool {
		return slices.ContainsFunc(part.Buttons, func(b cloudapi.ButtonDefinition) bool {
			return b.Type == cloudapi.ButtonDefinitionOTP
		})
	})
}

// A flowMessage is an interactive message with a Flow as it is on the wire.
type flowMessage struct {
	Action struct {
		Parameters struct {
			ID   string `json:"flow_id"`
			Name string `json:"flow_name"`
			Mode string `json:"mode"`
		} `json:"parameters"`
	} `json:"action"`
}

// checkFlow checks the Flow of an interactive message: one of the number's accounts has to have it,
// published, or as a draft if the message says so. That 131009 is the code, and its words, are
// assumed; Meta's page has the codes of a Flow that is blocked.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/reference/error-codes
func (s *Server) checkFlow(p *phone, content json.RawMessage) *graphError {
	var v flowMessage
	_ = json.Unmarshal(coerce(content, reflect.TypeFor[flowMessage]()), &v)
	want := v.Action.Parameters
	if want.ID == "" && want.Name == "" {
		return nil
	}
	status := graph.FlowStatus("")
	for _, f := range all[flow](s, kindFlow, func(o *object) bool {
		return o.waba != nil && slices.Contains(p.WABAs, o.waba.ID)
	}) {
		if want.ID != "" && f.id == want.ID || want.ID == "" && f.name == want.Name {
			status = f.status
		}
	}
	wrong := func(details string) *graphError {
		return &graphError{
			Code: graph.CodeInvalidParameterValue, Message: "(#131009) Parameter value is not valid", Details: details,
		}
	}
	switch {
	case status == "":
		return wrong("interactive.action.parameters.flow_id names no Flow of the account")
	case status == graph.FlowBlocked:
		return &graphError{Code: graph.CodeFlowBlocked}
	case status == graph.FlowDraft && want.Mode != "draft":
		return wrong("the Flow is not published; mode must be draft")
	case status == graph.FlowDeprecated:
		return wrong("the Flow is deprecated")
	}
	return nil
}
