package cloudapitest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A templateMessage is the template of a message as it is on the wire.
type templateMessage struct {
	Name     string `json:"name"`
	Language struct {
		Code string `json:"code"`
	} `json:"language"`
	Components []filledComponent `json:"components"`
}

// A filledComponent is a component with the values of its variables.
type filledComponent struct {
	Type       string        `json:"type"`
	SubType    string        `json:"sub_type"`
	Index      string        `json:"index"`
	Parameters []filledValue `json:"parameters"`
	Cards      []struct {
		Components []filledComponent `json:"components"`
	} `json:"cards"`
}

// A filledValue is the value of one variable.
type filledValue struct {
	Type string `json:"type"`
	Name string `json:"parameter_name"`
	Text string `json:"text"`
}

// checkTemplate checks a message with a template by the templates of the number's accounts: it has
// to be there in that language and approved, and filled in with the values that it has variables
// for. The codes are those of Meta's page; the details are those that hosts report.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes
func (s *Server) checkTemplate(p *phone, object json.RawMessage) *graphError {
	var sent templateMessage
	if json.Unmarshal(coerce(object, reflect.TypeFor[templateMessage]()), &sent) != nil {
		return &graphError{Code: graph.CodeTemplateParamsInvalid}
	}
	t := s.findTemplate(p, sent.Name, sent.Language.Code)
	switch {
	case t == nil:
		return templateError(graph.CodeTemplateNotFound, "Template name does not exist in the translation",
			"template name (%s) does not exist in %s", sent.Name, sent.Language.Code)
	case t.Status == cloudapi.TemplatePaused:
		return &graphError{Code: graph.CodeTemplatePaused}
	case t.Status == cloudapi.TemplateDisabled:
		return &graphError{Code: graph.CodeTemplateDisabled}
	case t.Status == cloudapi.TemplateRejected && cmp.Or(t.RejectedReason, "NONE") != "NONE":
		// Meta's page says of this code that the reason of the rejection tells more. That it comes
		// for whatever was rejected with a reason is assumed.
		return &graphError{
			Code: graph.CodeTemplateCharacterPolicy, Details: "Template content violates a policy: " + t.RejectedReason,
		}
	case t.Status != cloudapi.TemplateApproved:
		// Meta's page has one code for a template that is not there and one that is not approved.
		return templateError(graph.CodeTemplateNotFound, "Template name does not exist in the translation",
			"template name (%s) is not approved in %s", sent.Name, sent.Language.Code)
	}
	named := t.ParameterFormat == cloudapi.ParametersNamed
	return fill{named: named}.components(t.Components, sent.Components)
}

// checkMaxPrice checks where a template with a max price may go: through Marketing Messages API
// only, and to phone numbers only. Which countries offer it is not played.
func (s *Server) checkMaxPrice(c *call, req *messageRequest, object json.RawMessage, m *SentMessage) *graphError {
	var sent templateMessage
	if req.Type != "template" || json.Unmarshal(coerce(object, reflect.TypeFor[templateMessage]()), &sent) != nil {
		return nil
	}
	t := s.findTemplate(c.phone, sent.Name, sent.Language.Code)
	switch {
	case t == nil || t.Optimization == nil:
	case !strings.HasSuffix(c.path, "/marketing_messages"):
		return &graphError{Code: graph.CodeMaxPriceOnCloudAPI}
	case m.To.WAID == "":
		return &graphError{Code: graph.CodeUserIDNotSupported}
	}
	return nil
}

// findTemplate finds a template of the accounts of a number, or returns nil.
func (s *Server) findTemplate(p *phone, name, language string) *Template {
	for _, id := range p.WABAs {
		known := s.templates(id)
		i := slices.IndexFunc(known, func(t *Template) bool { return t.Name == name && t.Language == language })
		if i >= 0 {
			return known[i]
		}
	}
	return nil
}

// templateError refuses a template with a code and Meta's words for it.
func templateError(code graph.Code, message, format string, args ...any) *graphError {
	return &graphError{
		Code: code, Message: fmt.Sprintf("(#%d) %s", int(code), message), Details: fmt.Sprintf(format, args...),
	}
}

// wrongCount refuses another number of values than there are variables.
func wrongCount(where string, have, want int) *graphError {
	return templateError(graph.CodeTemplateParamCountMismatch,
		"Number of parameters does not match the expected number of params",
		"%s: number of localizable_params (%d) does not match the expected number of params (%d)", where, have, want)
}

// wrongFormat refuses a value of a different kind than the template has.
func wrongFormat(format string, args ...any) *graphError {
	return templateError(graph.CodeTemplateParamFormatMismatch,
		"Parameter format does not match format in the created template", format, args...)
}

// A fill checks the values of a template, whose variables have names or numbers.
type fill struct{ named bool }

// components checks the values of a template, or of one card of a carousel.
func (f fill) components(definition []cloudapi.ComponentDefinition, sent []filledComponent) *graphError {
	for _, part := range definition {
		var err *graphError
		switch kind := strings.ToUpper(string(part.Type)); cloudapi.ComponentType(kind) {
		case cloudapi.ComponentHeader:
			err = f.header(part, valuesOf(sent, "header"))
		case cloudapi.ComponentBody:
			err = f.body(part, valuesOf(sent, "body"))
		case cloudapi.ComponentButtons:
			err = f.buttons(part.Buttons, sent)
		case cloudapi.ComponentCarousel:
			err = f.cards(part.Cards, sent)
		default:
		}
		if err != nil {
			return err
		}
	}
	has := func(kind cloudapi.ComponentType) bool {
		return slices.ContainsFunc(definition, func(part cloudapi.ComponentDefinition) bool {
			return strings.EqualFold(string(part.Type), string(kind))
		})
	}
	if have := len(valuesOf(sent, "header")); have > 0 && !has(cloudapi.ComponentHeader) {
		return wrongCount("header", have, 0)
	}
	if !has(cloudapi.ComponentButtons) {
		return f.buttons(nil, sent)
	}
	return nil
}

// withoutEmpty returns a template without the components whose list of parameters is empty: many
// clients send those. That Meta takes them for none is assumed; our own client refuses them.
func withoutEmpty(object json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	var components []json.RawMessage
	if json.Unmarshal(object, &members) != nil || json.Unmarshal(members["components"], &components) != nil {
		return object
	}
	kept := slices.DeleteFunc(slices.Clone(components), func(c json.RawMessage) bool {
		var v struct {
			Parameters []json.RawMessage `json:"parameters"`
		}
		return json.Unmarshal(c, &v) == nil && v.Parameters != nil && len(v.Parameters) == 0
	})
	if len(kept) == len(components) {
		return object
	}
	delete(members, "components")
	if len(kept) > 0 {
		members["components"] = raw(kept)
	}
	return raw(members)
}

// valuesOf returns the values of a component.
func valuesOf(sent []filledComponent, kind string) []filledValue {
	for _, c := range sent {
		if strings.EqualFold(c.Type, kind) {
			return c.Parameters
		}
	}
	return nil
}

// header checks a header: the file that its format requires, or the values of its text.
func (f fill) header(part cloudapi.ComponentDefinition, values []filledValue) *graphError {
	format := strings.ToUpper(string(part.Format))
	received := "UNKNOWN"
	if len(values) > 0 {
		received = strings.ToUpper(values[0].Type)
	}
	switch {
	case format == string(cloudapi.HeaderText) && (received == "TEXT" || received == "UNKNOWN"):
		return f.texts("header", part.Text, values)
	case format != received:
		return wrongFormat("header: Format mismatch, expected %s, received %s", format, received)
	}
	return nil
}

// maxHydrated is how many characters a body may have with its values. Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
const maxHydrated = 1024

// body checks the values of a body, and how long it is with them. The body of an authentication
// template is Meta's, with one variable.
func (f fill) body(part cloudapi.ComponentDefinition, values []filledValue) *graphError {
	text := part.Text
	if text == "" && part.SecurityRecommendation != nil {
		text = authenticationBody
	}
	if err := f.texts("body", text, values); err != nil {
		return err
	}
	length := utf8.RuneCountInString(templateVariableRe.ReplaceAllString(text, ""))
	for _, v := range values {
		length += utf8.RuneCountInString(v.Text)
	}
	if length > maxHydrated {
		return templateError(graph.CodeTemplateTextTooLong, "Translated text too long",
			"body: the text has %d characters with its parameters, of %d", length, maxHydrated)
	}
	return nil
}

// texts checks the values of a text: as many as there are variables, by name where the template has
// names. That a value with a wrong name is one that is missing is assumed.
func (f fill) texts(where, text string, values []filledValue) *graphError {
	variables := map[string]bool{}
	for _, m := range templateVariableRe.FindAllString(text, -1) {
		variables[strings.Trim(m, "{} \t")] = true
	}
	if len(values) != len(variables) {
		return wrongCount(where, len(values), len(variables))
	}
	for _, v := range values {
		switch {
		case f.named && !variables[v.Name]:
			return wrongFormat("%s: Parameter name is missing or empty", where)
		case !f.named && v.Name != "":
			return wrongFormat("%s: Parameter name is not expected in a template with numbered parameters", where)
		case !slices.Contains([]string{"text", "currency", "date_time", "group_id"}, strings.ToLower(v.Type)):
			return wrongFormat("%s: Format mismatch, expected TEXT, received %s", where, strings.ToUpper(v.Type))
		}
	}
	return nil
}

// buttonSubTypes are the sub_type of a button in a message by its type in the definition. A
// one-time code goes into a link, whatever the button does with it.
var buttonSubTypes = map[cloudapi.ButtonDefinitionType]string{
	cloudapi.ButtonDefinitionQuickReply: "quick_reply", cloudapi.ButtonDefinitionURL: "url",
	cloudapi.ButtonDefinitionCopyCode: "copy_code", cloudapi.ButtonDefinitionFlow: "flow",
	cloudapi.ButtonDefinitionCatalog: "catalog", cloudapi.ButtonDefinitionProducts: "mpm",
	cloudapi.ButtonDefinitionOrderDetails: "order_details", cloudapi.ButtonDefinitionVoiceCall: "voice_call",
	cloudapi.ButtonDefinitionOTP: "url",
}

// buttons checks the values of buttons: a link with a variable, a code and a list of products need
// one, and each goes to a button that is there. That a value for a button without any is refused
// with 132018 is assumed.
func (f fill) buttons(buttons []cloudapi.ButtonDefinition, sent []filledComponent) *graphError {
	filled := map[int]bool{}
	for _, c := range sent {
		if !strings.EqualFold(c.Type, "button") {
			continue
		}
		i, err := strconv.Atoi(c.Index)
		if err != nil || i < 0 || i >= len(buttons) || !strings.EqualFold(buttonSubTypes[buttons[i].Type], c.SubType) {
			return templateError(graph.CodeTemplateParamsInvalid,
				"There was an issue with the parameters in the template",
				"buttons: Button at index %s is not one of type %s", c.Index, c.SubType)
		}
		filled[i] = len(c.Parameters) > 0
	}
	for i, b := range buttons {
		needs := b.Type == cloudapi.ButtonDefinitionOTP || b.Type == cloudapi.ButtonDefinitionCopyCode ||
			b.Type == cloudapi.ButtonDefinitionProducts ||
			b.Type == cloudapi.ButtonDefinitionURL && templateVariableRe.MatchString(b.URL)
		if needs && !filled[i] {
			return templateError(graph.CodeMissingParameter, "Required parameter is missing",
				"buttons: Button at index %d of type %s requires a parameter", i, strings.ToLower(string(b.Type)))
		}
	}
	return nil
}

// cards checks a carousel: as many cards as the template has, each filled in like a template.
func (f fill) cards(cards []cloudapi.CardDefinition, sent []filledComponent) *graphError {
	for _, c := range sent {
		if !strings.EqualFold(c.Type, "carousel") {
			continue
		}
		if len(c.Cards) != len(cards) {
			return wrongCount("carousel", len(c.Cards), len(cards))
		}
		for i, card := range c.Cards {
			if err := f.components(cards[i].Components, card.Components); err != nil {
				return err
			}
		}
		return nil
	}
	return wrongCount("carousel", 0, len(cards))
}
