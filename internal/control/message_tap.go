package control

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// taps maps the actions on an existing message, such as tapping a button, to their functions. Each
// is a value of the type member, like the types of messages.
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

// tap taps a button of a message of the host.
func tap(_ *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	if err := onlyCustomers(in); err != nil {
		return "", err
	}
	return c.Tap(in.MessageID, in.Choice)
}

// choose chooses a row of a list message of the host.
func choose(_ *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	if err := onlyCustomers(in); err != nil {
		return "", err
	}
	return c.Choose(in.MessageID, in.Choice)
}

// completeFlow completes the Flow of a message of the host.
func completeFlow(_ *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	if err := onlyCustomers(in); err != nil {
		return "", err
	}
	return c.CompleteFlow(in.MessageID, in.Answer)
}

// onlyCustomers refuses what the person at the phone cannot do.
func onlyCustomers(in messageParams) error {
	if in.From != fromCustomer {
		return invalid("only the customer can tap a message of the host: from is %q", fromCustomer)
	}
	if in.MessageID == "" {
		return invalid("message_id is missing: the message that is tapped")
	}
	return nil
}

// react adds a reaction to a message, or removes it if the emoji is empty.
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
		return "", invalid("only customers send messages that Cloud API cannot show")
	}
	return c.SendUnavailable(in.Text), nil
}

// resolve delivers the message behind a placeholder, under the same id.
func resolve(_ *coexistencetest.Phone, c *coexistencetest.Customer, in messageParams) (graph.MessageID, error) {
	return in.MessageID, c.ResolveUnavailable(in.MessageID)
}
