package coexistencetest

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// An AppKind is the app that a phone number lives in.
type AppKind string

const (
	AppBusiness AppKind = "WhatsApp Business" // what coexistence needs
	AppConsumer AppKind = "WhatsApp"          // refused by the popup
)

// A PhoneConfig describes a phone of a business. The zero PhoneConfig stands for one that can be
// connected at once, with an empty address book and no past.
type PhoneConfig struct {
	// PhoneNumber is the phone number. If empty, one of +1 555 01xx.
	PhoneNumber string

	// App is what the phone runs. If empty, [AppBusiness].
	App AppKind

	// AppVersion is its version. If empty, "2.26.40.75". Coexistence needs 2.24.17.
	AppVersion string

	// Business is the name of the business, and of the accounts that its signup makes. If empty,
	// "Made-up business".
	Business string

	// BusinessID is the portfolio. If empty, a new one.
	BusinessID graph.BusinessID

	// Refuse is a code with which the popup refuses the number, whatever else is true, such as
	// [graph.CodeSignupNumberNotEligible]. Zero for none.
	Refuse graph.Code

	// Contacts are in the address book, besides those that History brings along.
	Contacts []Contact

	// Conversations are past ones, for tests that need certain messages at certain ages.
	Conversations []PastConversation

	// History makes up further ones, with customers of its own and contacts for most of them. The
	// zero History makes up none.
	History History

	// StallContacts and StallHistory make a sync be accepted and never answered, as reported from
	// the field.
	StallContacts, StallHistory bool

	// SecondAccount makes the number appear in two accounts, both of which the token reaches, and
	// webhooks come from the other one than the popup named: a case from the field of September
	// 2026.
	SecondAccount bool
}

// A Contact is an entry of the phone's address book.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/smb_app_state_sync
type Contact struct {
	// FullName and FirstName are what the business calls the person.
	FullName, FirstName string

	// PhoneNumber is the phone number. A customer who hides theirs has a UserID and perhaps a
	// Username instead.
	PhoneNumber string
	UserID      graph.UserID
	Username    string
}

// A PastConversation is a conversation from before the signup.
type PastConversation struct {
	// With is the customer, who is added to the phone. Messages may be in any order.
	With     CustomerConfig
	Messages []PastMessage
}

// A PastMessage is a message of a past conversation.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/history
type PastMessage struct {
	// Outbound means that the business wrote it.
	Outbound bool

	// Age is how long ago it was, counted from the creation of the phone. WhatsApp shares the last
	// 180 days.
	Age time.Duration

	// Content is what it said.
	Content Content

	// Status is how far an outbound message came: "pending", "sent", "delivered", "read", "played",
	// "error". If empty, "read". Inbound ones are read.
	Status string
}

// A stage is where a phone's number stands. It is the truth that a host has to find out; what the
// host makes of it is [coexistence.Stage].
type stage int

const (
	stageAlone     stage = iota // in the app alone
	stageConnected              // coexists
	stageSuspended              // moves to another phone
)

// A Phone is the phone of a business, with the WhatsApp Business app on it.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users
type Phone struct {
	world *World

	// cfg is what the phone was made with; what can change of it is in the state. owner is the
	// portfolio, addedAt when the phone came into the world, with its past.
	cfg     PhoneConfig
	owner   graph.BusinessID
	addedAt time.Time

	// cloudOnly means that no app is behind the number, whose token is token: see NewCloudNumber.
	cloudOnly bool
	token     graph.Secret

	// idle disconnects the phone when it was not used for [idleLimit]; nil until it is used first.
	// It is guarded by the world's mu, like the state.
	idle *time.Timer
	phoneState
}

// A phoneState is what changes on a phone, and what a snapshot holds of it.
type phoneState struct {
	// app is what the phone runs, in which version.
	app        AppKind
	appVersion string

	// number is as people write it. id and wabas belong to it once it was onboarded, and go when
	// the business takes another number; wabas has the account first that the popup named.
	number string
	id     graph.PhoneNumberID
	wabas  []graph.WABAID
	stage  stage

	// shares is what the business answered on its phone: whether a request for the history brings
	// its chats or a refusal.
	shares bool

	// onboardedAt is when the sync window began, and the end of the past that a history may hold.
	// disconnectedAt is when coexistence ended last, offboardedAt when it was suspended last,
	// usedAt when the phone was used last. Zero if it never was.
	onboardedAt    time.Time
	disconnectedAt time.Time
	offboardedAt   time.Time
	usedAt         time.Time

	// request is the popup that waits for a confirmation, nil if none does. lastCode is the code
	// that the phone shows for it.
	request  *dialog
	lastCode string

	// customers are in the order of their first appearance. byID finds a message in any chat.
	// contacts is the address book; it is replaced and never changed in place, so that a caller may
	// keep what it got.
	customers []*Customer
	byID      map[graph.MessageID]*message
	contacts  []Contact

	// routing and responders say who answers besides the host: see AddResponder.
	routing    Routing
	responders []*Responder

	// freeUsed is how many service messages were free in freeMonth.
	freeMonth string
	freeUsed  int
}

// NewPhone adds a phone, with the past that its config describes. The number is in the app alone
// until it goes through the popup; see [World.OpenSignup] and [SignUp]. Portfolio and customers are
// known to the Graph API at once.
func (w *World) NewPhone(cfg PhoneConfig) *Phone {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.newPhone(cfg)
}

// newPhone is NewPhone. The caller must hold w.mu.
func (w *World) newPhone(cfg PhoneConfig) *Phone {
	if cfg.App == "" {
		cfg.App = AppBusiness
	}
	if cfg.AppVersion == "" {
		cfg.AppVersion = "2.26.40.75"
	}
	if cfg.Business == "" {
		cfg.Business = "Made-up business"
	}
	if cfg.PhoneNumber == "" {
		cfg.PhoneNumber = fmt.Sprintf("+1 555-010-01%02d", len(w.phones)%100)
	}
	if cfg.BusinessID == "" {
		cfg.BusinessID = w.graph.AddBusiness(cloudapitest.Business{
			ID: graph.BusinessID(w.seededID("business", phonenumber.Digits(cfg.PhoneNumber))), Name: cfg.Business,
		}).ID
	}
	now := w.Now()
	p := &Phone{world: w, cfg: cfg, owner: cfg.BusinessID, addedAt: now, phoneState: phoneState{
		app: cfg.App, appVersion: cfg.AppVersion, number: cfg.PhoneNumber, byID: map[graph.MessageID]*message{},
		contacts: cfg.Contacts,
	}}
	w.phones = append(w.phones, p)
	for _, conv := range cfg.Conversations {
		c := p.addCustomer(conv.With)
		for _, past := range conv.Messages {
			p.remember(c, past, now)
		}
	}
	p.makeUpHistory(cfg.History, now)
	return p
}

// remember adds a past message to a chat, as one that was never told live. The caller must hold the
// world's mu.
func (p *Phone) remember(c *Customer, past PastMessage, now time.Time) *message {
	author := AuthorCustomer
	if past.Outbound {
		author = AuthorPhone
	}
	m := p.newMessage(c.chat, author, past.Content, "", now.Add(-past.Age))
	if past.Outbound {
		m.status = strings.ToLower(cmp.Or(past.Status, "read"))
	}
	return m
}

// PhoneNumber returns the phone number as people write it.
func (p *Phone) PhoneNumber() string {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.number
}

// digits is the number as webhooks have it.
func (p *Phone) digits() string { return phonenumber.Digits(p.number) }

// Business returns the portfolio that owns the number.
func (p *Phone) Business() graph.BusinessID { return p.owner }

// ID returns the phone number id, which the number has once it was onboarded. It stays the same
// through disconnections and new signups; empty before the first.
func (p *Phone) ID() graph.PhoneNumberID {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.id
}

// WABA returns the account that the popup named, empty until the number was onboarded.
func (p *Phone) WABA() graph.WABAID {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if len(p.wabas) == 0 {
		return ""
	}
	return p.wabas[0]
}

// WABAs returns every account that lists the number, the one that the popup named first. The host
// has to subscribe its app to all of them.
func (p *Phone) WABAs() []graph.WABAID {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return append([]graph.WABAID(nil), p.wabas...)
}

// hookWABA is the account that webhooks come from: the last one, which with
// [PhoneConfig].SecondAccount is not the one that the popup named.
func (p *Phone) hookWABA() graph.WABAID { return p.wabas[len(p.wabas)-1] }

// Coexists reports whether the number is in the app and on Cloud API now.
func (p *Phone) Coexists() bool {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.stage == stageConnected && !p.cloudOnly
}

// Suspended reports whether the number is moving to another phone: [Phone.ChangeDevice].
func (p *Phone) Suspended() bool {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.stage == stageSuspended
}

// AddCustomer adds a person who may write to the business, or be written to. It is on none of the
// business's lists until a message is sent.
func (p *Phone) AddCustomer(cfg CustomerConfig) *Customer {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.addCustomer(cfg)
}

// Customer returns the customer with a phone number in any spelling, and adds one if there is none.
func (p *Phone) Customer(number string) *Customer {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	for _, c := range p.customers {
		if phonenumber.Digits(c.cfg.PhoneNumber) == phonenumber.Digits(number) {
			return c
		}
	}
	return p.addCustomer(CustomerConfig{PhoneNumber: number, Name: "Made-up customer"})
}

// Customers returns everyone who has a conversation with the business, those of the made-up history
// included.
func (p *Phone) Customers() []*Customer {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return append([]*Customer(nil), p.customers...)
}

// addCustomer adds a customer, with an empty chat, and makes the Graph API know the person, so that
// messages can be sent to it. The caller must hold the world's mu.
func (p *Phone) addCustomer(cfg CustomerConfig) *Customer {
	if cfg.UserID == "" {
		cfg.UserID = p.newUserID(cmp.Or(phonenumber.Digits(cfg.PhoneNumber), cfg.Username))
	}
	cfg.Username = username(cfg.Username)
	if cfg.PhoneNumber == "" {
		cfg.HideNumber = true
	}
	c := &Customer{phone: p, cfg: cfg}
	c.chat = &chat{customer: c, position: len(p.customers)}
	p.customers = append(p.customers, c)
	p.world.graph.AddUser(graph.Identity{
		UserID: cfg.UserID, WAID: phonenumber.Digits(cfg.PhoneNumber), Username: cfg.Username,
	})
	return c
}

// newUserID returns a user id for a customer with a phone number or a username: another one at
// another business. The caller must hold the world's mu.
func (p *Phone) newUserID(customer string) graph.UserID {
	return p.world.seededUserID(p.digits() + " " + customer)
}

// find returns the customer that a message through Cloud API is for. A business can write to a
// person that never wrote to it: such a one is added. The caller must hold the world's mu.
func (p *Phone) find(id graph.Identity) *Customer {
	for _, c := range p.customers {
		if id.UserID != "" && c.cfg.UserID == id.UserID ||
			id.WAID != "" && graph.EquivalenceKey(c.cfg.PhoneNumber) == graph.EquivalenceKey(id.WAID) {
			return c
		}
	}
	cfg := CustomerConfig{UserID: id.UserID, Username: id.Username, Name: "Made-up customer"}
	if id.WAID != "" {
		cfg.PhoneNumber = "+" + id.WAID
	}
	return p.addCustomer(cfg)
}

// tell sends a change about the number. The caller must hold the world's mu.
func (p *Phone) tell(field webhook.Field, members ...member) {
	p.world.dispatcher.send(p.change(field, members...))
}

// change composes a change about the number, with the metadata in front, as the fields of messages,
// history and contacts have it. The caller must hold the world's mu.
func (p *Phone) change(field webhook.Field, members ...member) change {
	value := object(append([]member{
		str("messaging_product", "whatsapp"),
		sub("metadata", object(str("display_phone_number", p.digits()), str("phone_number_id", p.id))),
	}, members...)...)
	return change{field: field, entry: string(p.hookWABA()), value: value, waba: p.hookWABA(), phone: p.id}
}
