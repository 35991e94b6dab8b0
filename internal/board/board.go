package board

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// A Board is a simulator with one of its phones on it, and what the person in front of it is doing.
type Board struct {
	world  *coexistencetest.World
	phone  *coexistencetest.Phone
	client *cloudapi.Client
	cfg    Config
	known  int // how many customers the phone had from the beginning

	mu    sync.Mutex
	popup *coexistencetest.Popup // that the board has opened and not closed, or nil
	token graph.Secret           // of the business, once the board has connected the number
	note  string                 // what came of the last action, or its error
	bad   bool                   // the last action failed
}

// A Config says what the board is for. The zero Config is for a board without a host: what happens
// is shown on the board alone.
type Config struct {
	// Hook is the URL that the world delivers webhooks to. It is only shown.
	Hook string

	// Bare leaves to the host what the board does otherwise when its popup is through: the exchange
	// of the code and the subscription. Without it, the board has the token, and asks for the syncs
	// too.
	Bare bool

	// Beside is for a board that stands beside the page of a host: the popup and the syncs are the
	// host's.
	Beside bool
}

// New puts a phone on a board. Several boards may share a world.
func New(world *coexistencetest.World, phone *coexistencetest.Phone, cfg Config) (*Board, error) {
	client, err := cloudapi.NewClient(world.ClientConfig())
	if err != nil {
		return nil, err
	}
	return &Board{world: world, phone: phone, client: client, cfg: cfg, known: len(phone.Customers())}, nil
}

// An action is what a button of the page asks for, as page.js sends it. Which members count depends
// on Do.
type action struct {
	Do   string `json:"do"`   // the button
	Chat string `json:"chat"` // the index of a customer among the phone's
	Text string `json:"text"` // what was entered: a message, a name, a phone number, a duration
	Kind string `json:"kind"` // of a message: a key of the contents in write
	ID   string `json:"id"`   // of the message that an action is about
	As   string `json:"as"`   // who acts in a chat: "customer" or "business"
}

// perform does what is asked for, and notes what came of it. Errors are shown to the person at the
// page, and are not those of a program: they say what to do first.
func (b *Board) perform(ctx context.Context, a action) {
	note, err := b.run(ctx, a)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note, b.bad = note, err != nil
	if err != nil {
		b.note = err.Error()
	}
}

// errUnknown is for actions that page.js does not send.
var errUnknown = errors.New("there is no such button")

// run does what is asked for. The buttons of chats, of signup and of syncs have methods of their
// own; those of the phone's life are here. The note names the webhook that follows, so that it can
// be found among the deliveries.
func (b *Board) run(ctx context.Context, a action) (note string, err error) {
	switch a.Do {
	case "write", "edit", "delete", "react", "resolve", "customer", "save", "forget":
		return b.chat(a)
	case "open", "number", "share", "decline", "refuse", "code", "scan", "finish", "cancel":
		return b.signUp(ctx, a)
	case "contacts", "history":
		return b.sync(ctx, a)
	case "device": // the number is suspended until the new phone is ready
		b.phone.ChangeDevice()
		return "The app moves to another phone: ACCOUNT_OFFBOARDED", nil
	case "reconnect":
		b.phone.Reconnect()
		return "The new phone is ready: ACCOUNT_RECONNECTED", nil
	case "disconnect":
		b.phone.Disconnect()
		return "Disconnected in the app's settings: PARTNER_REMOVED. It can be connected again after 15 minutes.", nil
	case "downgrade": // going back does not connect it again
		b.phone.UseApp(coexistencetest.AppConsumer)
		b.phone.UseApp(coexistencetest.AppBusiness)
		return "The number went to consumer WhatsApp and back: PARTNER_REMOVED, BUSINESS_DOWNGRADE", nil
	case "renumber":
		if len(phonenumber.Digits(a.Text)) < 7 {
			return "", errors.New("enter a phone number, with the country code")
		}
		b.phone.ChangeNumber(a.Text)
		return "The business has another number: PARTNER_REMOVED, CHANGE_NUMBER. Connect the new one.", nil
	case "app": // its tokens fail from then on
		b.phone.RemoveApp()
		return "The app was removed in the business settings: its tokens work no more", nil
	case "wait": // moves the clock of the whole world, for all of its phones
		d, err := time.ParseDuration(a.Text)
		if err != nil {
			return "", errUnknown
		}
		b.world.Advance(d)
		return "The clock moved on by " + a.Text, nil
	}
	return "", errUnknown
}

// customer finds the customer that an action is about.
func (b *Board) customer(a action) (*coexistencetest.Customer, error) {
	all := b.phone.Customers()
	i, err := strconv.Atoi(a.Chat)
	if err != nil || i < 0 || i >= len(all) {
		return nil, errors.New("choose a chat first")
	}
	return all[i], nil
}

// chat does what people do in chats: a customer or the person at the phone, who share most of it.
// What the business does on its phone comes to the host as an echo.
func (b *Board) chat(a action) (string, error) {
	if a.Do == "customer" {
		if len(phonenumber.Digits(a.Text)) < 7 {
			return "", errors.New("enter a phone number, with the country code")
		}
		return b.phone.Customer(a.Text).PhoneNumber() + " is a customer now", nil
	}
	c, err := b.customer(a)
	if err != nil {
		return "", err
	}
	id := graph.MessageID(a.ID)
	switch a.Do {
	case "write":
		return "", b.write(c, a)
	case "edit":
		if a.As == "customer" {
			_, err = c.Edit(id, a.Text)
		} else {
			_, err = b.phone.Edit(id, a.Text)
		}
	case "delete":
		if a.As == "customer" {
			_, err = c.Revoke(id)
		} else {
			_, err = b.phone.Revoke(id)
		}
	case "react":
		if a.As == "customer" {
			c.SendContent(coexistencetest.Reaction(id, a.Text))
		} else {
			b.phone.SendContent(c, coexistencetest.Reaction(id, a.Text))
		}
	case "resolve":
		err = c.ResolveUnavailable(id)
	case "save":
		b.phone.SaveContact(coexistencetest.Contact{
			FullName: a.Text, PhoneNumber: c.WAID(), UserID: c.Identity().UserID,
		})
	case "forget":
		b.phone.RemoveContact(coexistencetest.Contact{PhoneNumber: c.WAID(), UserID: c.Identity().UserID})
	}
	return "", err
}

// write sends a message of a kind. Only customers have the kind that Cloud API cannot show, which
// arrives as a placeholder and can be resolved later.
func (b *Board) write(c *coexistencetest.Customer, a action) error {
	contents := map[string]coexistencetest.Content{
		"": coexistencetest.Text(a.Text), "image": coexistencetest.Image(a.Text),
		"video": coexistencetest.Video(a.Text),
		"voice": coexistencetest.Voice(), "document": coexistencetest.Document("made-up.pdf", a.Text),
		"sticker": coexistencetest.Sticker(),
		"place":   coexistencetest.Location("Ovenbird Bakery", "1 Made-up Street", 37.48, -122.15),
		"card":    coexistencetest.ContactCard("Made-up supplier", "+1 555-010-0188"),
	}
	content, ok := contents[a.Kind]
	switch {
	case a.Kind == "unavailable" && a.As == "customer":
		c.SendUnavailable(a.Text)
		return nil
	case !ok:
		return errors.New("only customers send what Cloud API cannot show")
	case a.Kind == "" && a.Text == "":
		return errors.New("write something first")
	case a.As == "customer":
		c.SendContent(content)
	default:
		b.phone.SendContent(c, content)
	}
	return nil
}

// sync asks for contacts or history with the token that the board got when it connected the number.
// Meta takes each request once.
func (b *Board) sync(ctx context.Context, a action) (string, error) {
	b.mu.Lock()
	token := b.token
	b.mu.Unlock()
	if token.IsZero() {
		return "", errors.New("connect the number first; with -bare your host holds the token and asks")
	}
	kind := cloudapi.SyncContacts
	if a.Do == "history" {
		kind = cloudapi.SyncHistory
	}
	id, err := b.client.WithToken(token).Phones.SyncAppData(ctx, b.phone.ID(), kind)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Meta accepted the request for %s, request id %s", kind, id), nil
}

// launch is the configuration that a host's page gives to FB.login: coexistence, and the version of
// Embedded Signup that hosts use.
func (b *Board) launch() json.RawMessage {
	type extras struct {
		Feature string   `json:"featureType"`
		Version string   `json:"version"`
		Setup   struct{} `json:"setup"`
	}
	launch, err := json.Marshal(struct {
		Config   string `json:"config_id"`
		Response string `json:"response_type"`
		Override bool   `json:"override_default_response_type"`
		Extras   extras `json:"extras"`
	}{b.world.ConfigurationID(), "code", true, extras{Feature: "whatsapp_business_app_onboarding", Version: "v4"}})
	if err != nil {
		return nil // cannot happen: these are strings
	}
	return launch
}
