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
	known  int // customers whom the phone had from the beginning

	mu    sync.Mutex
	popup *coexistencetest.Popup // open, or nil
	token graph.Secret
	note  string // what came of the last action
	bad   bool
}

// A Config says what the board is for.
type Config struct {
	// Hook is where the world's webhooks go, to be shown.
	Hook string

	// Bare leaves to the host what the board does for it otherwise when its popup is through: the
	// exchange of the code and the subscription.
	Bare bool

	// Beside is for a board that stands beside the page of a host: the popup and the syncs are the
	// host's.
	Beside bool
}

// New puts a phone on a board.
func New(world *coexistencetest.World, phone *coexistencetest.Phone, cfg Config) (*Board, error) {
	client, err := cloudapi.NewClient(world.ClientConfig())
	if err != nil {
		return nil, err
	}
	return &Board{world: world, phone: phone, client: client, cfg: cfg, known: len(phone.Customers())}, nil
}

// An order is what a button of the page asks for.
type order struct {
	Do   string `json:"do"`
	Chat string `json:"chat"` // the number of a customer among the phone's
	Text string `json:"text"`
	Kind string `json:"kind"`
	ID   string `json:"id"`
	As   string `json:"as"` // "customer" or "business"
}

// obey does what is asked for, and notes what came of it.
func (b *Board) obey(ctx context.Context, o order) {
	note, err := b.do(ctx, o)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note, b.bad = note, err != nil
	if err != nil {
		b.note = err.Error()
	}
}

var errUnknown = errors.New("there is no such button")

func (b *Board) do(ctx context.Context, o order) (note string, err error) {
	switch o.Do {
	case "write", "edit", "delete", "react", "resolve", "customer", "save", "forget":
		return b.talk(o)
	case "open", "number", "share", "decline", "refuse", "code", "scan", "finish", "cancel":
		return b.sign(ctx, o)
	case "contacts", "history":
		return b.sync(ctx, o)
	case "device":
		b.phone.ChangeDevice()
		return "The app moves to another phone: ACCOUNT_OFFBOARDED", nil
	case "reconnect":
		b.phone.Reconnect()
		return "The new phone is ready: ACCOUNT_RECONNECTED", nil
	case "disconnect":
		b.phone.Disconnect()
		return "Disconnected in the app's settings: PARTNER_REMOVED. It can be connected again after 15 minutes.", nil
	case "downgrade":
		b.phone.UseApp(coexistencetest.AppConsumer)
		b.phone.UseApp(coexistencetest.AppBusiness)
		return "The number went to consumer WhatsApp and back: PARTNER_REMOVED, BUSINESS_DOWNGRADE", nil
	case "renumber":
		if len(phonenumber.Digits(o.Text)) < 7 {
			return "", errors.New("enter a phone number, with the country code")
		}
		b.phone.ChangeNumber(o.Text)
		return "The business has another number: PARTNER_REMOVED, CHANGE_NUMBER. Connect the new one.", nil
	case "app":
		b.phone.RemoveApp()
		return "The app was removed in the business settings: its tokens work no more", nil
	case "wait":
		d, err := time.ParseDuration(o.Text)
		if err != nil {
			return "", errUnknown
		}
		b.world.Advance(d)
		return "The clock moved on by " + o.Text, nil
	}
	return "", errUnknown
}

// customer finds whom an order is about.
func (b *Board) customer(o order) (*coexistencetest.Customer, error) {
	all := b.phone.Customers()
	i, err := strconv.Atoi(o.Chat)
	if err != nil || i < 0 || i >= len(all) {
		return nil, errors.New("choose a chat first")
	}
	return all[i], nil
}

// talk does what people do in chats.
func (b *Board) talk(o order) (string, error) {
	if o.Do == "customer" {
		if len(phonenumber.Digits(o.Text)) < 7 {
			return "", errors.New("enter a phone number, with the country code")
		}
		return b.phone.Customer(o.Text).PhoneNumber() + " is a customer now", nil
	}
	c, err := b.customer(o)
	if err != nil {
		return "", err
	}
	id := graph.MessageID(o.ID)
	switch o.Do {
	case "write":
		return "", b.write(c, o)
	case "edit":
		if o.As == "customer" {
			_, err = c.Edit(id, o.Text)
		} else {
			_, err = b.phone.Edit(id, o.Text)
		}
	case "delete":
		if o.As == "customer" {
			_, err = c.Revoke(id)
		} else {
			_, err = b.phone.Revoke(id)
		}
	case "react":
		if o.As == "customer" {
			c.SendContent(coexistencetest.Reaction(id, o.Text))
		} else {
			b.phone.SendContent(c, coexistencetest.Reaction(id, o.Text))
		}
	case "resolve":
		err = c.ResolveUnavailable(id)
	case "save":
		b.phone.SaveContact(coexistencetest.Contact{FullName: o.Text, PhoneNumber: c.WAID(), UserID: c.Identity().UserID})
	case "forget":
		b.phone.RemoveContact(coexistencetest.Contact{PhoneNumber: c.WAID(), UserID: c.Identity().UserID})
	}
	return "", err
}

func (b *Board) write(c *coexistencetest.Customer, o order) error {
	contents := map[string]coexistencetest.Content{
		"": coexistencetest.Text(o.Text), "image": coexistencetest.Image(o.Text), "video": coexistencetest.Video(o.Text),
		"voice": coexistencetest.Voice(), "document": coexistencetest.Document("made-up.pdf", o.Text), "sticker": coexistencetest.Sticker(),
		"place": coexistencetest.Location("Ovenbird Bakery", "1 Made-up Street", 37.48, -122.15),
		"card":  coexistencetest.ContactCard("Made-up supplier", "+1 555-010-0188"),
	}
	content, ok := contents[o.Kind]
	switch {
	case o.Kind == "unavailable" && o.As == "customer":
		c.SendUnavailable(o.Text)
		return nil
	case !ok:
		return errors.New("only customers send what Cloud API cannot show")
	case o.Kind == "" && o.Text == "":
		return errors.New("write something first")
	case o.As == "customer":
		c.SendContent(content)
	default:
		b.phone.SendContent(c, content)
	}
	return nil
}

// sync asks for contacts or history, as the host would.
func (b *Board) sync(ctx context.Context, o order) (string, error) {
	b.mu.Lock()
	token := b.token
	b.mu.Unlock()
	if token.IsZero() {
		return "", errors.New("connect the number first; with -bare your host holds the token and asks")
	}
	kind := cloudapi.SyncContacts
	if o.Do == "history" {
		kind = cloudapi.SyncHistory
	}
	id, err := b.client.WithToken(token).Phones.SyncAppData(ctx, b.phone.ID(), kind)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("Meta accepted the request for %s, request id %s", kind, id), nil
}

// launch is what the page of a host gives to FB.login.
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
		return nil // strings have JSON
	}
	return launch
}
