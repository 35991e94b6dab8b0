package coexistence

import (
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// notOwn guards the customer's side: where Meta (or a decoder) puts the business's own number,
// nobody is known.
func notOwn(id graph.Identity, own string) graph.Identity {
	if own != "" && id.WAID != "" && graph.EquivalenceKey(id.WAID) == graph.EquivalenceKey(own) {
		id.WAID = ""
	}
	return id
}

func groupPerson(g graph.GroupID) string {
	if g == "" {
		return ""
	}
	return "group:" + string(g)
}

// at builds the place of something that was said.
func placeOf(src source, origin Origin, outbound bool, info webhook.EventInfo, customer graph.Identity) place {
	customer = notOwn(customer, info.DisplayPhoneNumber)
	return place{
		source: src, origin: origin, outbound: outbound, at: info.At.UTC(), customer: customer, person: alias(customer),
	}
}

// in puts what was said into a group, if there is one.
func (p place) in(g graph.GroupID) place {
	if g != "" {
		p.group, p.person = g, groupPerson(g)
	}
	return p
}

func incomingSaying(ev *webhook.IncomingMessage) saying {
	p := placeOf(sourceLive, OriginCustomer, false, ev.EventInfo, ev.From).in(ev.GroupID)
	if sys, ok := ev.Content.(*webhook.SystemMessage); ok && p.person == "" {
		p.customer = movedTo(sys)
		p.person = alias(p.customer)
	}
	return saying{
		id: ev.ID, place: p, content: ev.Content, context: ev.Context, referral: ev.Referral, raw: ev.Raw,
	}
}

func unavailableSaying(ev *webhook.UnavailableMessage) saying {
	return saying{
		id: ev.ID, place: placeOf(sourceUnavailable, OriginCustomer, false, ev.EventInfo, ev.From).in(ev.GroupID),
		content: &ev.Unsupported, context: ev.Context, referral: ev.Referral, raw: ev.Raw,
	}
}

func echoSaying(ev *webhook.BusinessAppEcho) saying {
	return saying{
		id: ev.ID, place: placeOf(sourceLive, OriginApp, true, ev.EventInfo, ev.To),
		content: ev.Content, context: ev.Context, raw: ev.Raw,
	}
}

func historyMediaSaying(ev *webhook.HistoryMedia) saying {
	return saying{
		id: ev.ID, place: placeOf(sourceHistoryMedia, OriginHistory, ev.Outbound, ev.EventInfo, ev.Customer()),
		content: ev.Content, context: ev.Context, raw: ev.Raw,
	}
}

func historySaying(info webhook.EventInfo, th *webhook.HistoryThread, m *webhook.HistoryMessage) saying {
	info.At = m.At
	return saying{
		id: m.ID, place: placeOf(sourceHistory, OriginHistory, m.Outbound, info, threadCustomer(th)),
		content: m.Content, context: m.Context, status: historyStatus(m.Status), raw: m.Raw,
	}
}

// threadCustomer returns who a thread is with. The thread's own id may be a number that the context
// leaves out.
func threadCustomer(th *webhook.HistoryThread) graph.Identity {
	id := th.Customer
	if id.WAID == "" && !graph.IsUserID(th.ID) {
		id.WAID = th.ID
	}
	return id
}

// historyStatus translates history's words. PENDING is none: the message had not left the phone.
func historyStatus(s webhook.HistoryStatus) webhook.DeliveryStatus {
	switch s := webhook.HistoryStatus(strings.ToUpper(string(s))); s {
	case "", webhook.HistoryPending:
		return ""
	case webhook.HistoryError:
		return webhook.StatusFailed
	default:
		return webhook.DeliveryStatus(strings.ToLower(string(s)))
	}
}

// movedTo is the customer after a change of number or id.
func movedTo(s *webhook.SystemMessage) graph.Identity {
	id := graph.Identity{UserID: s.UserID, ParentUserID: s.ParentUserID, WAID: s.WAID}
	if id.WAID == "" {
		id.WAID = s.NewWAID
	}
	return id
}

// movedFrom is the customer before it.
func movedFrom(ev *webhook.IncomingMessage, s *webhook.SystemMessage) graph.Identity {
	id := notOwn(ev.From, ev.DisplayPhoneNumber)
	if s.PreviousUserID != "" {
		id.UserID = s.PreviousUserID
	}
	if s.PreviousParentUserID != "" {
		id.ParentUserID = s.PreviousParentUserID
	}
	if id.WAID == "" {
		id.WAID = s.Customer
	}
	return id
}
