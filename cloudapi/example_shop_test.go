package cloudapi_test

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// ada is a customer of the examples.
var ada = graph.Identity{UserID: "US.1555010", WAID: "15550100142"}

// shop returns a simulated Graph API with one coexistence number, and a client of its business. The
// caller closes the server.
func shop() (*cloudapitest.Server, *cloudapi.Client, cloudapitest.Phone) {
	return shopWith(cloudapitest.Phone{PhoneNumber: "+1 555 010 0199"})
}

// cloudShop is a shop whose number is on Cloud API only.
func cloudShop() (*cloudapitest.Server, *cloudapi.Client, cloudapitest.Phone) {
	return shopWith(cloudapitest.Phone{PhoneNumber: "+1 555 010 0199", CloudAPIOnly: true})
}

func shopWith(p cloudapitest.Phone) (*cloudapitest.Server, *cloudapi.Client, cloudapitest.Phone) {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	phone := srv.AddPhone(p)
	srv.AddUser(ada)
	client, err := cloudapi.NewClient(srv.ClientConfig())
	if err != nil {
		panic(err)
	}
	return srv, client, phone
}

// addTemplate adds an approved template with a fixed text to the account of a number.
func addTemplate(srv *cloudapitest.Server, phone cloudapitest.Phone, name, text string) cloudapitest.Template {
	return srv.AddTemplate(cloudapitest.Template{
		WABAID: phone.WABAs[0],
		TemplateCreateParams: cloudapi.TemplateCreateParams{
			Name: name, Language: "en_US", Category: graph.TemplateMarketing,
			Components: []cloudapi.ComponentDefinition{{Type: cloudapi.ComponentBody, Text: text}},
		},
	})
}
