package coexistence

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// Facts are what one event says about a person and about messages, whichever webhook brought it.
// They are plain data and may be merged any number of times: [Contact].merge and [Message].merge
// say how they add up. What an event says about the number itself is read by [Number.Apply].
type facts struct {
	contact  contactFact
	messages []messageFact
}

// A contactFact is what one event says about one person. It says nothing if it has no aliases.
type contactFact struct {
	// at is when the event happened that says so, and message whether that is a message, of either
	// side: see [Contact.ForgottenAt].
	at      time.Time
	message bool

	// sightings are the identities under which the person was seen: one, or two for a change of
	// number or id, the old one first.
	sightings []sighting

	// profileName is what the person calls itself, as of profileAt. Empty if the event has no name.
	profileName string
	profileAt   time.Time

	// entries are those of the business's address book: one, if the event is about the book.
	entries []bookEntry
}

// A messageFact is what one event says about one message. A zero member says nothing.
type messageFact struct {
	// id is the message that the fact is about. For an edit, a revocation, a reaction and a status
	// it is not the event's own. It is empty in the bodies of Meta's test button.
	id graph.MessageID

	// attribution is where the message belongs, as far as the event tells.
	attribution

	// position is where the event places the message within its second; 0 if it does not.
	position int64

	// content is what was sent first, nil if the event is not the message itself. The next three
	// come with it.
	content   *Content
	replyTo   graph.MessageID
	forwarded bool
	referral  *webhook.Referral

	// edit, revoked and reaction change a message that is there, or will be. Revoked is as of the
	// attribution's time. appActivityAt is when that was done in the app, zero if it was not.
	edit          *edit
	revoked       bool
	reaction      *Reaction
	appActivityAt time.Time

	// byPerson says that our own call was made for a person who wrote the message.
	byPerson bool

	// status and what follows is what a status webhook tells of the delivery. History tells the
	// status only, our own call the callback data.
	status       webhook.DeliveryStatus
	receipt      *Receipt
	failure      *DeliveryFailure
	callbackData string
}

// An attribution says who put a message into which conversation, when, and how far that is to be
// believed.
type attribution struct {
	source   source
	origin   Origin
	outbound bool
	at       time.Time

	// person is the alias that the message is filed under, customer and group what it was made of.
	person   string
	customer graph.Identity
	group    graph.GroupID
}

// An edit is a later version of a message. id is the edit's own, which decides between two of the
// same time.
type edit struct {
	id      graph.MessageID
	at      time.Time
	content Content
}

// factsOf returns what an event says about people and messages. Of the history there is a fact for
// each message of a chunk: see historyFact.
func factsOf(ev webhook.Event) facts {
	f := toldBy(ev)
	for i := range f.messages {
		f.messages[i].position = positionOf(ev.Info())
	}
	return f
}

// toldBy is factsOf without positions.
func toldBy(ev webhook.Event) facts {
	switch ev := ev.(type) {
	case *webhook.IncomingMessage:
		by := attribute(sourceLive, OriginCustomer, false, ev.EventInfo, ev.From).inGroup(ev.GroupID)
		contact := seen(by.customer, ev.At, ev.ProfileName).with(ev.Content)
		if sys, ok := ev.Content.(*webhook.SystemMessage); ok {
			from, to := movedFrom(by.customer, sys), movedTo(sys)
			contact = moved(from, to, ev.At)
			if by.person == "" {
				by.customer, by.person = to, bestAlias(to)
			}
		}
		return facts{contact, []messageFact{said(ev.ID, by, ev.Content, ev.Raw).with(ev.Context, ev.Referral)}}
	case *webhook.UnavailableMessage:
		by := attribute(sourceUnavailable, OriginCustomer, false, ev.EventInfo, ev.From).inGroup(ev.GroupID)
		f := said(ev.ID, by, &ev.Unsupported, ev.Raw).with(ev.Context, ev.Referral)
		return facts{seen(by.customer, ev.At, ev.ProfileName).with(&ev.Unsupported), []messageFact{f}}
	case *webhook.BusinessAppEcho:
		by := attribute(sourceLive, OriginApp, true, ev.EventInfo, ev.To)
		f := said(ev.ID, by, ev.Content, ev.Raw).with(ev.Context, nil)
		return facts{seen(by.customer, ev.At, ev.ProfileName).with(ev.Content), []messageFact{f}}
	case *webhook.HistoryMedia:
		by := attribute(sourceHistoryMedia, OriginHistory, ev.Outbound, ev.EventInfo, ev.Customer())
		f := said(ev.ID, by, ev.Content, ev.Raw).with(ev.Context, nil)
		return facts{imported(by.customer, ev.At), []messageFact{f}}
	case *webhook.MessageStatus:
		return statusFacts(ev)
	case *webhook.AppStateSync:
		return facts{contact: bookFact(ev)}
	case *webhook.StandbyMessage:
		return standbyFacts(ev)
	case *webhook.StandbyEcho:
		by := attribute(sourceOther, OriginOther, true, ev.EventInfo, ev.To).inGroup(ev.GroupID)
		return facts{seen(by.customer, ev.At, ev.ProfileName), []messageFact{sentByOther(ev, by)}}
	case *webhook.StandbyStatus:
		return statusFacts(ev.Status)
	case *webhook.OtherAppEcho:
		by := attribute(sourceOther, OriginOther, true, ev.EventInfo, ev.To)
		f := said(ev.ID, by, ev.Content, ev.Raw).with(ev.Context, nil)
		return facts{seen(by.customer, ev.At, ev.ProfileName), []messageFact{f}}
	case *webhook.MessagingHandover:
		return facts{contact: seen(withoutOwn(ev.Sender, ev.DisplayPhoneNumber), time.Time{}, "")}
	default: // says nothing about a person or a message
		return facts{}
	}
}

// standbyFacts returns what a customer's message to another responder says: the same as one to us,
// and that it was not to us.
func standbyFacts(ev *webhook.StandbyMessage) facts {
	f := factsOf(ev.Message)
	for i := range f.messages {
		if m := &f.messages[i]; m.source == sourceLive {
			m.source, m.origin = sourceOther, OriginOther
		}
	}
	return f
}

// sentByOther returns what another responder's message says. It comes as the request that sent it.
func sentByOther(ev *webhook.StandbyEcho, by attribution) messageFact {
	var m cloudapi.Message
	if err := json.Unmarshal(ev.Message, &m); err != nil || m.Content == nil {
		return messageFact{
			id: ev.ID, attribution: by,
			content: &Content{Type: cmp.Or(ev.Type, typeUnknown), Raw: slices.Clone(ev.Message)},
		}
	}
	m.CallbackData = "" // of the other responder
	return sentFact(ev.ID, by, m)
}

// historyFact returns what a message of a chunk says. Its time and the customer are those of the
// message and the thread, since the chunk as a whole has neither.
func historyFact(info webhook.EventInfo, thread *webhook.HistoryThread, m *webhook.HistoryMessage) messageFact {
	info.At = m.At
	by := attribute(sourceHistory, OriginHistory, m.Outbound, info, threadCustomer(thread))
	f := said(m.ID, by, m.Content, m.Raw).with(m.Context, nil)
	if f.content != nil {
		f.status = historyStatus(m.Status)
	}
	return f
}

// statusFacts returns what a status says about its message and its recipient. In a group, the
// recipient is the group and the participant is distinguished in the receipt only.
func statusFacts(ev *webhook.MessageStatus) facts {
	if ev.Type == "payment" {
		return facts{} // its id names a payment, not a message
	}
	by := attribute(sourceHint, OriginUnknown, true, ev.EventInfo, ev.Recipient)
	contact := seen(by.customer, ev.At, ev.ProfileName)
	receipt := Receipt{Status: ev.Status, At: ev.At}
	if ev.GroupID != "" || ev.RecipientType == "group" {
		by.group, by.person, by.customer = ev.GroupID, groupAlias(ev.GroupID), graph.Identity{}
		contact = contactFact{}
		receipt.Person = bestAlias(ev.Participant)
	}
	f := messageFact{id: ev.ID, attribution: by, status: ev.Status, receipt: &receipt, callbackData: ev.CallbackData}
	if len(ev.Errors) > 0 {
		f.failure = &DeliveryFailure{Code: ev.Errors[0].Code, Title: ev.Errors[0].Title}
	}
	return facts{contact, []messageFact{f}}
}

// bookFact returns what an entry of the address book says. Other kinds of app state say nothing
// yet.
func bookFact(ev *webhook.AppStateSync) contactFact {
	if ev.Type != webhook.AppStateContact || ev.Action != webhook.AppStateAdd && ev.Action != webhook.AppStateRemove {
		return contactFact{}
	}
	who := withoutOwn(ev.Customer(), ev.DisplayPhoneNumber)
	return contactFact{
		at:        ev.At,
		sightings: []sighting{{Identity: who, FromAddressBook: true}},
		entries: []bookEntry{{
			PhoneNumber: who.WAID, UserID: who.UserID,
			FullName: ev.Contact.FullName, FirstName: ev.Contact.FirstName,
			At: ev.At, Removed: ev.Action == webhook.AppStateRemove,
		}},
	}
}

// attribute says who was on the customer's side when something was said. Where that side is the
// business itself, the person stays unknown.
func attribute(src source, origin Origin, outbound bool, info webhook.EventInfo, customer graph.Identity) attribution {
	customer = withoutOwn(customer, info.DisplayPhoneNumber)
	return attribution{
		source: src, origin: origin, outbound: outbound, at: info.At.UTC(), customer: customer,
		person: bestAlias(customer),
	}
}

// inGroup files what was said under a group, if there is one.
func (a attribution) inGroup(g graph.GroupID) attribution {
	if g != "" {
		a.group, a.person = g, groupAlias(g)
	}
	return a
}

// groupAlias is what messages of a group are filed under. The prefix keeps it apart from the
// aliases of people. It is "" without a group.
func groupAlias(g graph.GroupID) string {
	if g == "" {
		return ""
	}
	return "group:" + string(g)
}

// said returns the fact of a message that was sent. An edit, a revocation and a reaction are sent
// as messages of their own and are facts about another one, which belongs to the same person.
// The person who edits or deletes a message has written it, about then; the one who reacts has not.
func said(id graph.MessageID, by attribution, content webhook.Content, raw []byte) messageFact {
	hint := attribution{source: sourceHint, person: by.person, customer: by.customer, group: by.group}
	author := hint
	author.outbound, author.at = by.outbound, by.at
	var appActivityAt time.Time
	if by.origin == OriginApp {
		appActivityAt = by.at
	}
	switch c := content.(type) {
	case *webhook.Edit:
		return messageFact{
			id: c.OriginalMessageID, attribution: author, appActivityAt: appActivityAt,
			edit: &edit{id: id, at: by.at, content: contentOf(c.Content, raw)},
		}
	case *webhook.Revoke:
		return messageFact{id: c.OriginalMessageID, attribution: author, appActivityAt: appActivityAt, revoked: true}
	case *webhook.Reaction:
		return messageFact{
			id: c.MessageID, attribution: hint, appActivityAt: appActivityAt,
			reaction: &Reaction{Outbound: by.outbound, Person: by.member(), Emoji: c.Emoji, At: by.at, ID: id},
		}
	default:
		return messageFact{id: id, attribution: by, content: new(contentOf(content, raw))}
	}
}

// sentFact returns what our own call says about the message that it sent. A reaction is about the
// message that it was put on, like one that arrives.
func sentFact(id graph.MessageID, by attribution, m cloudapi.Message) messageFact {
	if r, ok := m.Content.(*cloudapi.Reaction); ok {
		return said(id, by, &webhook.Reaction{MessageID: r.MessageID, Emoji: r.Emoji}, nil)
	}
	return messageFact{
		id: id, attribution: by, content: new(sentContent(m.Content)), replyTo: m.ReplyTo, callbackData: m.CallbackData,
		byPerson: m.ByPerson,
	}
}

// member tells the members of a group apart. In a conversation of two the side is enough.
func (a attribution) member() string {
	if a.group == "" || a.outbound {
		return ""
	}
	return bestAlias(a.customer)
}

// with adds what came with the content. Beside an edit or a reaction it would be about the edit or
// the reaction, and is left out.
func (f messageFact) with(quoted *webhook.MessageContext, referral *webhook.Referral) messageFact {
	if f.content == nil {
		return f
	}
	if quoted != nil {
		f.replyTo, f.forwarded = quoted.ID, quoted.Forwarded || quoted.FrequentlyForwarded
	}
	f.referral = referral
	return f
}

// seen is the fact that a person was seen. at is zero for what says nothing about when.
func seen(who graph.Identity, at time.Time, profileName string) contactFact {
	return contactFact{at: at, sightings: []sighting{{Identity: who, At: at}}, profileName: profileName, profileAt: at}
}

// imported is the fact that a person was seen in a message of history, which is a copy that was
// made long after, and so no sighting at a time.
func imported(who graph.Identity, at time.Time) contactFact {
	f := seen(who, time.Time{}, "")
	f.at, f.message = at, true
	return f
}

// with says that the person was seen with that content. An edit, a revocation, a reaction and a
// change of number are no messages of a person: see [Contact.ForgottenAt].
func (f contactFact) with(content webhook.Content) contactFact {
	switch content.(type) {
	case *webhook.Edit, *webhook.Revoke, *webhook.Reaction, *webhook.SystemMessage:
	default:
		f.message = true
	}
	return f
}

// moved is the fact that a person took another number or id. Either side may be unknown.
func moved(from, to graph.Identity, at time.Time) contactFact {
	f := contactFact{at: at}
	if !from.IsZero() {
		f.sightings = append(f.sightings, sighting{Identity: from})
	}
	if !to.IsZero() {
		f.sightings = append(f.sightings, sighting{Identity: to, At: at, MovedAt: at})
	}
	return f
}

// aliases returns the names under which the contact of the fact is found, sorted.
func (f contactFact) aliases() []string {
	var list []string
	for _, s := range f.sightings {
		list = append(list, Aliases(s.Identity)...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// withoutOwn guards the customer's side: where Meta puts the business's own number there, as it
// does in some echoes and histories, the customer's number is unknown.
func withoutOwn(id graph.Identity, own string) graph.Identity {
	if own != "" && id.WAID != "" && graph.EquivalenceKey(id.WAID) == graph.EquivalenceKey(own) {
		id.WAID = ""
	}
	return id
}

// threadCustomer returns who a thread is with. The thread's own id may be a number that the context
// leaves out.
func threadCustomer(thread *webhook.HistoryThread) graph.Identity {
	id := thread.Customer
	if id.WAID == "" && !graph.IsUserID(thread.ID) {
		id.WAID = thread.ID
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

// movedFrom is the customer before it. from is the sender of the notice, who is named by the old id
// or by none.
func movedFrom(from graph.Identity, s *webhook.SystemMessage) graph.Identity {
	if s.PreviousUserID != "" {
		from.UserID = s.PreviousUserID
	}
	if s.PreviousParentUserID != "" {
		from.ParentUserID = s.PreviousParentUserID
	}
	if from.WAID == "" {
		from.WAID = s.Customer
	}
	return from
}
