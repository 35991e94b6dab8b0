package readme

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func connect(client *cloudapi.Client, configurationID string) (*signup.Flow, error) {
	return signup.NewFlow(signup.Config{
		Client:          client,                                // with AppID and AppSecret
		ConfigurationID: configurationID,                       // of Facebook Login for Business
		Page:            signup.PageConfig{Tenant: signedInAs}, // which of your customers the request is from
		Connected:       storeConnection,                       // the token, the account and the number
	}) // serve Flow.Handler below /signup/
}
