package cloudapitest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestATemplateGoesWhereMetaLetsIt(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	add := func(name string, category graph.TemplateCategory, parts ...cloudapi.ComponentDefinition) {
		v := cloudapitest.Template{WABAID: phone.WABAs[0]}
		v.Name, v.Language, v.Category, v.Components = name, "en_US", category, parts
		srv.AddTemplate(v)
	}
	body := cloudapi.ComponentDefinition{Type: cloudapi.ComponentBody, Text: "Fresh bread."}
	add("offer", graph.TemplateMarketing, body)
	add("bill", graph.TemplateUtility, body)
	add("code", graph.TemplateAuthentication,
		cloudapi.ComponentDefinition{Type: cloudapi.ComponentBody, SecurityRecommendation: new(true)},
		cloudapi.ComponentDefinition{Type: cloudapi.ComponentButtons, Buttons: []cloudapi.ButtonDefinition{
			{Type: cloudapi.ButtonDefinitionOTP, OTPType: cloudapi.OTPCopyCode},
		}})
	send := func(edge, to, name, components string) graph.Code {
		return ask(t, srv, srv.SystemToken(), "POST", "/"+string(phone.ID)+"/"+edge,
			`{"messaging_product":"whatsapp",`+to+`,"type":"template","template":{"name":"`+name+
				`","language":{"code":"en_US"},"components":[`+components+`]}}`).Error.Code
	}
	const (
		number = `"to":"+15550100142"`
		user   = `"recipient":"US.1234567890"`
		digits = `{"type":"body","parameters":[{"type":"text","text":"123456"}]},` +
			`{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"123456"}]}`
	)
	require.Zero(t, send("messages", number, "code", digits))
	require.Equal(t, graph.CodeUserIDNotSupported, send("messages", user, "code", digits))
	require.Zero(t, send("messages", user, "bill", ""))
	require.Zero(t, send("marketing_messages", number, "offer", ""))
	require.Equal(t, graph.CodeOnlyMarketingSupported, send("marketing_messages", number, "bill", ""))
	require.Zero(t, send("messages", number, "offer", ""))
	for _, off := range []string{"true", "false"} {
		a := ask(t, srv, srv.SystemToken(), "POST", "/"+string(phone.WABAs[0]),
			`{"disable_marketing_messages_on_cloud_api":`+off+`}`)
		require.Equal(t, http.StatusOK, a.status, a.body)
		want := graph.Code(0)
		if off == "true" {
			want = graph.CodeMarketingDisabledOnCloudAPI
		}
		require.Equal(t, want, send("messages", number, "offer", ""))
		require.Zero(t, send("messages", number, "bill", ""))
		require.Zero(t, send("marketing_messages", number, "offer", ""))
	}
}

func TestAFlowIsThereBeforeItIsSent(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	phone := srv.AddPhone(cloudapitest.Phone{})
	account := "/" + string(phone.WABAs[0])
	a := ask(t, srv, srv.SystemToken(), "POST", account+"/flows",
		`{"name":"visit","categories":["OTHER"],"flow_json":"{\"version\":\"7.2\",\"screens\":[{}]}"}`)
	var made struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(a.body), &made))
	send := func(parameters string) graph.Code {
		return post(t, srv, phone, `"to":"+15550100142","type":"interactive","interactive":{"type":"flow",
			"body":{"text":"When?"},"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_cta":"Open",`+
			parameters+`}}}`).Error.Code
	}
	byID, byName := `"flow_id":"`+made.ID+`"`, `"flow_name":"visit"`
	require.Equal(t, graph.CodeInvalidParameterValue, send(`"flow_id":"1"`))
	require.Equal(t, graph.CodeInvalidParameterValue, send(`"flow_name":"visits"`))
	require.Equal(t, graph.CodeInvalidParameterValue, send(byID), "it is a draft")
	require.Zero(t, send(byID+`,"mode":"draft"`))
	ask(t, srv, srv.SystemToken(), "POST", "/"+made.ID+"/publish", "")
	require.Zero(t, send(byID))
	require.Zero(t, send(byName))
	ask(t, srv, srv.SystemToken(), "POST", "/"+made.ID+"/deprecate", "")
	require.Equal(t, graph.CodeInvalidParameterValue, send(byID))
}
