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

	// Business is the name of the business. If empty, "Made-up business".
	Business string

	// BusinessID is the portfolio. If empty, a new one.
	BusinessID graph.BusinessID

	// Refuse is a code with which the popup refuses the number, whatever else is true, such as
	// [graph.CodeSignupNumberNotEligible]. Zero for none.
	Refuse graph.Code

	// Contacts are in the address book, besides those that History brings along.
	Contacts []Contact

	// Conversations are past ones.
	Conversations []PastConversation

	// History makes up further ones. The zero History makes up none.
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
type Contact struct {
	FullName, FirstName string

	// PhoneNumber is the phone number. A customer who hides theirs has a UserID and perhaps a
	// Username instead.
	PhoneNumber string
	UserID      graph.UserID
	Username    string
}

// A PastConversation is a conversation from before the signup.
type PastConversation struct {
	With     CustomerConfig
	Messages []PastMessage
}

// A PastMessage is a message of a past conversation.
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

// A stage is where a phone's number stands.
type stage int

const (
	stageAlone     stage = iota // in the app alone
	stageConnected              // coexists
	stageSuspended              // moves to another phone
)

// A Phone is the phone of a business, with the WhatsApp Business app on it.
type Phone struct {
	world *World
	cfg   PhoneConfig

	// Everything below is the world's lock's, and so are App and AppVersion.

	number         string
	stage          stage
	id             graph.PhoneNumberID // once it was onboarded
	wabas          []graph.WABAID      // the one that the popup named first
	owner          graph.BusinessID
	shares         bool // the business chose to share its chats
	onboardedAt    time.Time
	disconnectedAt time.Time
	offboardedAt   time.Time
	usedAt         time.Time
	idle           *time.Timer // disconnects the phone when it is idle

	request  *dialog // the popup that waits for a confirmation
	lastCode string

	customers []*Customer
	byID      map[graph.MessageID]*message
	contacts  []Contact
}

// NewPhone adds a phone.
func (w *World) NewPhone(cfg PhoneConfig) *Phone {
	w.mu.Lock()
	defer w.mu.Unlock()
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
		cfg.BusinessID = w.graph.AddBusiness(cloudapitest.Business{Name: cfg.Business}).ID
	}
	p := &Phone{
		world: w, cfg: cfg, number: cfg.PhoneNumber, owner: cfg.BusinessID, byID: map[graph.MessageID]*message{}, contacts: cfg.Contacts,
	}
	w.phones = append(w.phones, p)
	now := w.Now()
	for _, conv := range cfg.Conversations {
		c := p.addCustomer(conv.With)
		for _, past := range conv.Messages {
			p.remember(c, past, now)
		}
	}
	p.makeUpHistory(cfg.History, now)
	return p
}

// remember adds a past message.
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

// ID returns the phone number id, which the number has once it was onboarded.
func (p *Phone) ID() graph.PhoneNumberID {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.id
}

// WABA returns the account that the popup named, once the number was onboarded.
func (p *Phone) WABA() graph.WABAID {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if len(p.wabas) == 0 {
		return ""
	}
	return p.wabas[0]
}

// WABAs returns every account that lists the number.
func (p *Phone) WABAs() []graph.WABAID {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return append([]graph.WABAID(nil), p.wabas...)
}

// hookWABA is the account that webhooks come from.
func (p *Phone) hookWABA() graph.WABAID { return p.wabas[len(p.wabas)-1] }

// Coexists reports whether the number is in the app and on Cloud API now.
func (p *Phone) Coexists() bool {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.stage == stageConnected
}

// Suspended reports whether the number is moving to another phone: [Phone.ChangeDevice].
func (p *Phone) Suspended() bool {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.stage == stageSuspended
}

// AddCustomer adds someone who knows the business.
func (p *Phone) AddCustomer(cfg CustomerConfig) *Customer {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.addCustomer(cfg)
}

// Customer returns the customer with a phone number, and adds one if there is none.
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

func (p *Phone) addCustomer(cfg CustomerConfig) *Customer {
	if cfg.UserID == "" {
		cfg.UserID = p.newUserID()
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

func (p *Phone) newUserID() graph.UserID {
	return graph.UserID(fmt.Sprintf("US.%d%d", 1+p.world.rand.Int64N(9), int64(1e17)+p.world.rand.Int64N(9e17)))
}

// find returns the customer whom a message through Cloud API is for, and adds them if they are new.
// It wants the lock.
func (p *Phone) find(id graph.Identity) *Customer {
	for _, c := range p.customers {
		if id.UserID != "" && c.cfg.UserID == id.UserID ||
			id.WAID != "" && graph.EquivalenceKey(c.cfg.PhoneNumber) == graph.EquivalenceKey(id.WAID) {
			return c
		}
	}
	cfg := CustomerConfig{UserID: id.UserID, Username: id.Username}
	if id.WAID != "" {
		cfg.PhoneNumber = "+" + id.WAID
	}
	return p.addCustomer(cfg)
}

// tell sends a change about the number. It wants the lock.
func (p *Phone) tell(field webhook.Field, members ...member) {
	p.world.courier.send(p.change(field, members...))
}

// change composes a change about the number, with the metadata in front.
func (p *Phone) change(field webhook.Field, members ...member) change {
	value := object(append([]member{
		str("messaging_product", "whatsapp"),
		sub("metadata", object(str("display_phone_number", p.digits()), str("phone_number_id", p.id))),
	}, members...)...)
	return change{field: field, entry: string(p.hookWABA()), value: value, waba: p.hookWABA(), phone: p.id}
}
