package control

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// taps are what people do to a message that is there, instead of writing one: they tap it and
// choose something. Each is a type of message on the wire, too, and has a row here.
var taps = map[string]func(
	p *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams,
) (graph.MessageID, error){
	"tap":         tap,
	"choose":      choose,
	"flow":        completeFlow,
	"reaction":    react,
	"edit":        edit,
	"revoke":      revoke,
	"unavailable": sendUnavailable,
	"resolve":     resolve,
}

// tap taps a button of a message that the host has sent.
func tap(_ *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	if err := onlyCustomers(in); err != nil {
		return "", err
	}
	return c.Tap(in.MessageID, in.Choice)
}

// choose chooses a row of a list that the host has sent.
func choose(_ *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	if err := onlyCustomers(in); err != nil {
		return "", err
	}
	return c.Choose(in.MessageID, in.Choice)
}

// completeFlow fills in the Flow of a message that the host has sent.
func completeFlow(_ *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	if err := onlyCustomers(in); err != nil {
		return "", err
	}
	return c.CompleteFlow(in.MessageID, in.Answer)
}

// onlyCustomers refuses what the person at the phone cannot do.
func onlyCustomers(in messageParams) error {
	if in.From != fromCustomer {
		return invalid("what the host has sent is tapped by the customer: from is %q", fromCustomer)
	}
	if in.MessageID == "" {
		return invalid("message_id is missing: the message that is tapped")
	}
	return nil
}

// react puts an emoji under a message, or takes it back with an empty one.
func react(p *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	if in.MessageID == "" {
		return "", invalid("message_id is missing: the message that the emoji is for")
	}
	return say(p, c, in.From, coexistencetest.Reaction(in.MessageID, in.Text)), nil
}

// edit replaces the text of a message.
func edit(p *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	if in.From == fromCustomer {
		return c.Edit(in.MessageID, in.Text)
	}
	return p.Edit(in.MessageID, in.Text)
}

// revoke deletes a message for everyone.
func revoke(p *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	if in.From == fromCustomer {
		return c.Revoke(in.MessageID)
	}
	return p.Revoke(in.MessageID)
}

// sendUnavailable lets a customer write what Cloud API cannot show: a placeholder with code 131060.
func sendUnavailable(_ *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	if in.From != fromCustomer {
		return "", invalid("only customers send what Cloud API cannot show")
	}
	return c.SendUnavailable(in.Text), nil
}

// resolve delivers what a placeholder stood for, under the same id.
func resolve(_ *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	return in.MessageID, c.ResolveUnavailable(in.MessageID)
}
