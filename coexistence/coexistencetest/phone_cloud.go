package coexistencetest

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// NewCloudNumber adds a number that is on Cloud API alone and ready for use: registered, in an
// account with the templates of [Config].Templates to which the app is subscribed, with a token.
// Customers write to it and are written to as with any phone; since no app is behind it, there are
// no echoes, no contacts, no history, and none of the methods of a phone's life does anything. Of
// cfg, PhoneNumber, Business and BusinessID count.
//
// Ids and token depend on the seed and the number alone.
func (w *World) NewCloudNumber(cfg PhoneConfig) *Phone {
	cfg.Contacts, cfg.Conversations, cfg.History = nil, nil, History{}
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.newPhone(cfg)
	p.cloudOnly, p.stage = true, stageConnected
	p.wabas = []graph.WABAID{w.chooseAccount(p.cfg.Business, p.owner, p.number, "")}
	p.id = w.graph.AddPhone(cloudapitest.Phone{
		ID: graph.PhoneNumberID(w.seededID("phone", p.digits())), WABAs: p.wabas,
		PhoneNumber: display(p.number), Name: p.cfg.Business, CloudAPIOnly: true,
	}).ID
	p.token = w.graph.AddToken(cloudapitest.Token{
		Value: w.seededToken(p.digits()), BusinessID: p.owner, WABAs: p.wabas,
	})
	w.graph.SubscribeWABA(p.wabas[0])
	return p
}

// CloudAPIOnly reports whether the number was made by [World.NewCloudNumber].
func (p *Phone) CloudAPIOnly() bool { return p.cloudOnly }

// AccessToken returns the token of a number that was made by [World.NewCloudNumber]. It is empty
// for a phone, whose token comes out of a signup.
func (p *Phone) AccessToken() graph.Secret { return p.token }

// HelloWorld is the template that Meta puts into every new account, for [Config].Templates.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/get-started
func HelloWorld() cloudapi.TemplateCreateParams {
	return cloudapi.TemplateCreateParams{
		Name: "hello_world", Language: "en_US", Category: graph.TemplateUtility,
		Components: []cloudapi.ComponentDefinition{
			{Type: cloudapi.ComponentBody, Text: "This is an approved template of a simulated account. Hello!"},
		},
	}
}
