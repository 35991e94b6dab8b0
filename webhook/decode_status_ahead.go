package webhook

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

// A statusHead is what all statuses begin with.
type statusHead struct {
	id        graph.MessageID
	status    DeliveryStatus
	at        graph.Timestamp
	recipient string
	user      graph.UserID
}

func (a *ahead) statusHead() (h statusHead) {
	a.want(`{"id":"`)
	h.id = graph.MessageID(a.kept())
	a.want(`","status":"`)
	h.status = statusCode(a.plain())
	a.want(`","timestamp":"`)
	h.at = a.seconds()
	a.want(`","recipient_id":"`)
	h.recipient = a.phone()
	if a.word(`","recipient_user_id":"`) {
		h.user = graph.UserID(a.kept())
	}
	a.want(`"`)
	return h
}

func (a *ahead) conversation() (c BillingConversation) {
	a.want(`{"id":"`)
	c.ID = a.kept()
	if a.word(`","expiration_timestamp":"`) {
		c.ExpiresAt = a.seconds()
	}
	a.want(`","origin":{"type":"`)
	c.Origin.Type = a.like("service", "utility", "marketing", "authentication")
	a.want(`"}}`)
	return c
}

// pricing understands a pricing, of which billable is returned apart.
func (a *ahead) pricing() (p Pricing, billable bool) {
	if billable = a.word(`{"billable":true`); !billable {
		a.want(`{"billable":false`)
	}
	a.want(`,"pricing_model":"`)
	p.Model = a.like("PMP", "CBP")
	a.want(`"`)
	for !a.lost && !a.word(`}`) {
		switch {
		case p.Type == "" && a.word(`,"type":"`):
			p.Type = PricingType(a.like("regular", "free_customer_service", "free_entry_point"))
		case p.Category == "" && a.word(`,"category":"`):
			p.Category = PricingCategory(a.like("service", "utility", "marketing", "authentication"))
		default:
			a.lost = true
		}
		a.want(`"`)
	}
	return p, billable
}
