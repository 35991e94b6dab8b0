package cloudapitest_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// templated is a message with a template.
func templated(name, language, components string) string {
	return `"to":"+15550100142","type":"template","template":{"name":"` + name + `","language":{"code":"` + language +
		`"},"components":[` + components + `]}`
}

// No Strict is needed for any of it: what Meta refuses at once is refused.
func TestATemplateMessageIsJudgedByTheTemplate(t *testing.T) {
	t.Parallel()
	const (
		picture = `{"type":"header","parameters":[{"type":"image","image":{"link":"https://example.com/a.png"}}]}`
		words   = `{"type":"body","parameters":[{"type":"text","text":"Ada"},{"type":"text","text":"12"}]}`
		link    = `{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"a"}]}`
		payload = `{"type":"button","sub_type":"quick_reply","index":0,"parameters":[{"type":"payload","payload":"p"}]}`
	)
	long := `{"type":"body","parameters":[{"type":"text","text":"` + strings.Repeat("x", 1020) +
		`"},{"type":"text","text":"12"}]}`
	tests := map[string]struct {
		members string
		code    graph.Code
		details string
	}{
		"as it is made":  {templated("order", "en_US", picture+","+words+","+link), 0, ""},
		"with a payload": {templated("order", "en_US", picture+","+words+","+link+","+payload), 0, ""},
		"another name": {templated("orders", "en_US", words), 132001,
			"template name (orders) does not exist in en_US"},
		"another language": {templated("order", "en", words), 132001, "does not exist in en"},
		"not approved":     {templated("waiting", "en_US", ""), 132001, "not approved"},
		"rejected":         {templated("rejected", "en_US", ""), 132001, "not approved"},
		"paused":           {templated("paused", "en_US", ""), 132015, ""},
		"disabled":         {templated("disabled", "en_US", ""), 132016, ""},
		"a value too few": {templated("order", "en_US",
			picture+`,{"type":"body","parameters":[{"type":"text","text":"a"}]},`+link), 132000,
			"body: number of localizable_params (1) does not match the expected number of params (2)"},
		"no values":              {templated("order", "en_US", picture+","+link), 132000, "params (0)"},
		"values that it has not": {templated("plain", "en_US", words), 132000, "params (2)"},
		"no picture": {templated("order", "en_US", words+","+link), 132012,
			"header: Format mismatch, expected IMAGE, received UNKNOWN"},
		"words for a picture": {templated("order", "en_US",
			`{"type":"header","parameters":[{"type":"text","text":"a"}]},`+words+","+link), 132012,
			"expected IMAGE, received TEXT"},
		"a picture for nothing": {templated("plain", "en_US", picture), 132000, "header"},
		"no end of the link": {templated("order", "en_US", picture+","+words), 131008,
			"buttons: Button at index 1 of type url requires a parameter"},
		"a button of another type": {
			templated("order", "en_US", picture+","+words+","+strings.Replace(link, `"1"`, `"0"`, 1)), 132018,
			"index 0",
		},
		"a button that is not there": {
			templated("order", "en_US", picture+","+words+","+strings.Replace(link, `"1"`, `"5"`, 1)), 132018,
			"index 5",
		},
		"a button where there are none": {templated("plain", "en_US", payload), 132018, "index 0"},
		"an empty list for no values":   {templated("plain", "en_US", `{"type":"body","parameters":[]}`), 0, ""},
		"an empty list for two values": {
			templated("order", "en_US", picture+`,{"type":"body","parameters":[]},`+link), 132000, "params (0)",
		},
		"too long with its values": {templated("order", "en_US", picture+","+long+","+link), 132005, ""},
		"named": {
			templated("named", "en_US",
				`{"type":"body","parameters":[{"type":"text","parameter_name":"first","text":"a"}]}`),
			0, "",
		},
		"named otherwise": {
			templated("named", "en_US",
				`{"type":"body","parameters":[{"type":"text","parameter_name":"last","text":"a"}]}`),
			132012, "Parameter name",
		},
		"not named": {
			templated("named", "en_US", `{"type":"body","parameters":[{"type":"text","text":"a"}]}`), 132012,
			"Parameter name",
		},
		"an unknown file": {
			templated("order", "en_US", strings.Replace(picture, `"link":"https://example.com/a.png"`, `"id":"1"`,
				1)+","+
				words+","+link), 100, "",
		},
	}
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	templates(srv, phone)
	for name, tt := range tests {
		a := post(t, srv, phone, tt.members)
		require.Equal(t, tt.code, a.Error.Code, "%s: %s", name, a.body)
		require.Contains(t, a.Error.Data.Details, tt.details, name)
		if tt.code == graph.CodeTemplateNotFound {
			require.Equal(t, http.StatusNotFound, a.status, "as Meta's page has it")
		}
	}
	a := post(t, srv, phone, tests["an unknown file"].members)
	require.Equal(t, "(#100) Param template['components'][0]['parameters'][0]['image']['id'] "+
		"is not a valid whatsapp business account media attachment ID", a.Error.Message)
}

// templates gives an account one of each kind.
func templates(srv *cloudapitest.Server, phone cloudapitest.Phone) {
	add := func(name string, status cloudapi.TemplateStatus, parts ...cloudapi.ComponentDefinition) {
		t := cloudapitest.Template{WABAID: phone.WABAs[0], Status: status}
		t.Name, t.Language, t.Components = name, "en_US", parts
		if name == "named" {
			t.ParameterFormat = cloudapi.ParametersNamed
		}
		srv.AddTemplate(t)
	}
	add("order", cloudapi.TemplateApproved,
		cloudapi.ComponentDefinition{Type: cloudapi.ComponentHeader, Format: cloudapi.HeaderImage},
		cloudapi.ComponentDefinition{Type: "body", Text: "Dear {{1}}, order {{2}} is here."},
		cloudapi.ComponentDefinition{Type: cloudapi.ComponentButtons, Buttons: []cloudapi.ButtonDefinition{
			{Type: cloudapi.ButtonDefinitionQuickReply, Text: "Thanks"},
			{Type: cloudapi.ButtonDefinitionURL, Text: "See", URL: "https://example.com/{{1}}"},
		}})
	add("named", cloudapi.TemplateApproved,
		cloudapi.ComponentDefinition{Type: cloudapi.ComponentBody, Text: "Dear {{first}}, hello."})
	for name, status := range map[string]cloudapi.TemplateStatus{
		"plain": cloudapi.TemplateApproved, "waiting": cloudapi.TemplatePending, "paused": cloudapi.TemplatePaused,
		"disabled": cloudapi.TemplateDisabled, "rejected": cloudapi.TemplateRejected,
	} {
		add(name, status, cloudapi.ComponentDefinition{Type: cloudapi.ComponentBody, Text: "Fresh bread."})
	}
}

// goName finds a name of Go's: two words grown together, or a path with capitals.
var goName = regexp.MustCompile(`[a-z][A-Z]|\.[A-Z]|[A-Z]\w*\[|\b(Text|Title|Body|Buttons|Rows|Sections|Footer|ID)\b`)

func TestProblemsAreToldInWireNames(t *testing.T) {
	t.Parallel()
	interactive := func(kind, rest string) string {
		return `"to":"+15550100142","type":"interactive","interactive":{"type":"` + kind + `","body":{"text":"b"},` +
			rest + `}`
	}
	long := strings.Repeat("x", 5000)
	tests := map[string]struct {
		members string
		code    graph.Code
		text    string
	}{
		"a long title": {
			interactive("button",
				`"action":{"buttons":[{"type":"reply","reply":{"id":"1","title":"`+long[:33]+`"}}]}`), 131009,
			"Button title length invalid. Min length: 1, Max length: 20",
		},
		"a button without id": {
			interactive("button", `"action":{"buttons":[{"type":"reply","reply":{"title":"a"}}]}`), 131008,
			"interactive.action.buttons[0].reply.id is empty",
		},
		"a long footer": {
			interactive("button", `"footer":{"text":"`+long[:61]+
				`"},"action":{"buttons":[{"type":"reply","reply":{"id":"1","title":"a"}}]}`), 131009,
			"interactive.footer.text has 61",
		},
		"a long row": {
			interactive("list", `"action":{"button":"b","sections":[{"rows":[{"id":"1","title":"`+long[:25]+`"}]}]}`),
			131009,
			"interactive.action.sections[0].rows[0].title has 25 characters",
		},
		"a long link": {
			interactive("cta_url", `"action":{"name":"cta_url","parameters":{"display_text":"`+long[:21]+
				`","url":"https://example.com"}}`), 131009, "interactive.action.parameters.display_text has 21",
		},
		"a long text": {
			`"to":"+15550100142","type":"text","text":{"body":"` + long + `"}`, 100,
			"(#100) Param text['body'] must be at most 4096 characters long.",
		},
		"long callback data": {
			`"to":"+15550100142","biz_opaque_callback_data":"` + long + `",` + hello, 100,
			"(#100) Param biz_opaque_callback_data must be at most 512 characters long.",
		},
		"a card without a name": {
			`"to":"+15550100142","type":"contacts","contacts":[{"name":{"first_name":"a"}}]`, 131008,
			"contacts[0].name.formatted_name",
		},
		"a line break": {
			templated("order", "en_US", `{"type":"body","parameters":[{"type":"text","text":"a\nb"}]}`), 132018,
			"Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
		},
		"a number for words": {`"to":"+15550100142","type":"text","text":{"body":[]}`, 100,
			"Param text['body'] is not"},
		"words for an object": {`"to":"+15550100142","type":"interactive","interactive":"a"`, 100,
			"Param interactive is not"},
		"an unknown file": {
			`"to":"+15550100142","type":"image","image":{"id":"7"}`, 100,
			"(#100) Param image['id'] is not a valid whatsapp business account media attachment ID",
		},
	}
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	for name, tt := range tests {
		a := post(t, srv, phone, tt.members)
		require.Equal(t, tt.code, a.Error.Code, "%s: %s", name, a.body)
		told := a.Error.Message + " " + a.Error.Data.Details
		require.Contains(t, told, tt.text, name)
		require.NotRegexp(t, goName, strings.ReplaceAll(told, "attachment ID", ""), name)
	}
	const utility = `{"name":"a","language":"en_US","category":"UTILITY","components":`
	for name, body := range map[string]string{
		"name":    `{"name":"A","language":"en_US","category":"UTILITY","components":[{"type":"BODY","text":"a"}]}`,
		"example": utility + `[{"type":"BODY","text":"a {{1}} b"}]}`,
		"picture": utility + `[{"type":"HEADER","format":"IMAGE"}]}`,
		"button": `{"name":"a","language":"en_US","category":"UTILITY","components":[{"type":"BUTTONS",` +
			`"buttons":[{"type":"QUICK_REPLY"},{"type":"OTP"}]}]}`,
	} {
		a := ask(t, srv, srv.SystemToken(), "POST", "/"+string(phone.WABAs[0])+"/message_templates", body)
		require.NotZero(t, a.Error.Code, name)
		require.NotRegexp(t, goName, a.Error.Data.Details, name)
	}
}

// A template that is refused when it is made has the subcode that says why.
func TestATemplateIsRefusedWithMetasSubcode(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	edge := "/" + string(phone.WABAs[0]) + "/message_templates"
	post := func(name, components string) answer {
		return ask(t, srv, srv.SystemToken(), "POST", edge,
			`{"name":"`+name+`","language":"en_US","category":"UTILITY","components":[`+components+`]}`)
	}
	body := `{"type":"BODY","text":"a"}`
	for name, tt := range map[string]struct {
		components string
		want       graph.Code
	}{
		"long": {`{"type":"BODY","text":"` + strings.Repeat("x", 1025) + `"}`, graph.CodeTemplateCharacterLimit},
		"edge": {
			`{"type":"BODY","text":"a {{1}}","example":{"body_text":[["b"]]}}`, graph.CodeTemplateParamsAtEdge,
		},
		"example":  {`{"type":"BODY","text":"a {{1}} b"}`, graph.CodeTemplateExampleMissing},
		"footer":   {body + `,{"type":"FOOTER","text":"a {{1}} b"}`, graph.CodeTemplateFooterFormat},
		"carousel": {body + `,{"type":"CAROUSEL","cards":[]}`, graph.CodeTemplateComponentInvalid},
		"header": {
			`{"type":"HEADER","format":"TEXT","text":"a {{1}} {{2}}","example":{"header_text":["b"]}},` + body,
			graph.CodeTemplateHeaderFormat,
		},
	} {
		a := post("a", tt.components)
		require.Equal(t, graph.CodeInvalidParameter, a.Error.Code, name)
		require.Equal(t, int(tt.want), a.Error.Subcode, "%s: %s", name, a.body)
	}

	// A name stands once, and that of an approved one that was deleted is blocked for a month.
	made := post("bread", body)
	require.Zero(t, made.Error.Code, made.body)
	require.Equal(t, int(graph.CodeTemplateAlreadyExists), post("bread", body).Error.Subcode)
	srv.SetTemplateStatus(srv.Templates(phone.WABAs[0])[0].ID, cloudapi.TemplateApproved)
	require.Zero(t, ask(t, srv, srv.SystemToken(), "DELETE", edge+"?name=bread", "").Error.Code)
	require.Equal(t, int(graph.CodeTemplateNameBlocked), post("bread", body).Error.Subcode)
	srv.Advance(30 * 24 * time.Hour)
	require.Zero(t, post("bread", body).Error.Code)
	for i := range 249 {
		tpl := cloudapitest.Template{WABAID: phone.WABAs[0]}
		tpl.Name, tpl.Language = fmt.Sprintf("t%d", i), "en_US"
		srv.AddTemplate(tpl)
	}
	require.Equal(t, int(graph.CodeTemplateLimitExceeded), post("roll", body).Error.Subcode)
}

// What was rejected for its content is refused with a different code than what is not approved yet.
func TestARejectedTemplateViolatesAPolicy(t *testing.T) {
	t.Parallel()
	srv, client, phone := fake(t)
	addTemplate(srv, phone, "sale")
	id := srv.Templates(phone.WABAs[0])[0].ID
	send := func() error {
		_, err := client.Messages.Send(t.Context(), phone.ID, cloudapi.Message{
			To: cloudapi.ToPhone("+15550100142"), Content: &cloudapi.Template{Name: "sale", Language: "en_US"},
		})
		return err
	}
	srv.SetTemplateStatus(id, cloudapi.TemplateRejected)
	require.ErrorIs(t, send(), graph.CodeTemplateNotFound, "without a reason")
	srv.UpdateTemplate(id, func(t *cloudapitest.Template) { t.RejectedReason = "ABUSIVE_CONTENT" })
	require.ErrorIs(t, send(), graph.CodeTemplateCharacterPolicy)
}
