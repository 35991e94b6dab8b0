package control

import (
	"net/http"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// Kinds of phones.
const (
	kindCoexistence = "coexistence" // a phone with the WhatsApp Business app
	kindCloudAPI    = "cloud_api"   // a number on Cloud API alone
)

// A phoneView is a phone as JSON. Ids and the token are empty until the number has them.
type phoneView struct {
	ID            string      `json:"id"`
	PhoneNumber   string      `json:"phone_number"`
	Kind          string      `json:"kind"`
	Stage         string      `json:"stage"` // alone, connected, suspended
	PhoneNumberID string      `json:"phone_number_id,omitzero"`
	WABAID        string      `json:"waba_id,omitzero"`
	BusinessID    string      `json:"business_id"`
	AccessToken   string      `json:"access_token,omitzero"`
	Contacts      int         `json:"contacts"`
	Customers     int         `json:"customers"`
	Prompt        *promptView `json:"prompt,omitzero"`
}

// A promptView is the question on the phone during a signup.
type promptView struct {
	Code      string `json:"code"`
	Verified  bool   `json:"verified"`
	Confirmed bool   `json:"confirmed"`
}

// phoneView returns a phone as JSON. It has the token if the signup was finished by this API.
func (a *API) phoneView(p *coexistencetest.Phone) phoneView {
	v := phoneView{
		ID: PhoneID(p), PhoneNumber: p.PhoneNumber(), Kind: kindCoexistence, Stage: StageOf(p),
		PhoneNumberID: string(p.ID()), WABAID: string(p.WABA()), BusinessID: string(p.Business()),
		AccessToken: a.Token(p), Contacts: len(p.Contacts()), Customers: len(p.Customers()),
	}
	if p.CloudAPIOnly() {
		v.Kind = kindCloudAPI
	}
	if q, ok := p.Prompt(); ok {
		v.Prompt = &promptView{q.Code, q.Verified, q.Confirmed}
	}
	return v
}

// PhoneID returns the id of a phone in calls: the digits of its number.
func PhoneID(p *coexistencetest.Phone) string { return phonenumber.Digits(p.PhoneNumber()) }

// StageOf returns the stage of a number: "alone" for one that is only in the app, "connected" or
// "suspended".
func StageOf(p *coexistencetest.Phone) string {
	switch {
	case p.Coexists(), p.CloudAPIOnly():
		return "connected"
	case p.Suspended():
		return "suspended"
	}
	return "alone"
}

// Token returns the access token of a number, as far as the API knows it.
func (a *API) Token(p *coexistencetest.Phone) string {
	if !p.AccessToken().IsZero() {
		return p.AccessToken().Reveal()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.signups[p]; s != nil {
		return s.token.Reveal()
	}
	return ""
}

// Phone finds a phone by the digits of its number or by its phone number id, or returns nil.
func (a *API) Phone(id string) *coexistencetest.Phone {
	for _, p := range a.Phones() {
		if id != "" && (PhoneID(p) == id || string(p.ID()) == id) {
			return p
		}
	}
	return nil
}

// Phones returns the phones that the API controls, in the order in which they were added.
func (a *API) Phones() []*coexistencetest.Phone {
	if a.only != nil {
		return []*coexistencetest.Phone{a.only}
	}
	return a.World().Phones()
}

// phone returns the phone of a path.
func (a *API) phone(r *http.Request) (*coexistencetest.Phone, error) {
	if p := a.Phone(r.PathValue("phone")); p != nil {
		return p, nil
	}
	return nil, missing("there is no phone %q; a phone is named by the digits of its number, and GET "+
		"/control/v1/phones lists all", r.PathValue("phone"))
}

func (a *API) listPhones(*http.Request) (int, any, error) {
	list := struct {
		Data []phoneView `json:"data"`
	}{[]phoneView{}}
	for _, p := range a.Phones() {
		list.Data = append(list.Data, a.phoneView(p))
	}
	return 0, list, nil
}

func (a *API) getPhone(r *http.Request) (int, any, error) {
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	return 0, a.phoneView(p), nil
}

// A phoneParams describes a phone to be added.
type phoneParams struct {
	PhoneNumber string `json:"phone_number"`
	Kind        string `json:"kind"`
	Business    string `json:"business"`
	AppVersion  string `json:"app_version"`
	App         string `json:"app"`
	History     int    `json:"history_messages"`
}

// addPhone adds a phone, or a number on Cloud API alone.
func (a *API) addPhone(r *http.Request) (int, any, error) {
	in, err := read[phoneParams](r)
	if err != nil {
		return 0, nil, err
	}
	p, err := a.newPhone(a.World(), in)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, a.phoneView(p), nil
}

// newPhone adds a phone.
func (a *API) newPhone(w *coexistencetest.World, in phoneParams) (*coexistencetest.Phone, error) {
	if in.PhoneNumber != "" && !isNumber(in.PhoneNumber) {
		return nil, invalid("phone_number is a number with the country code, such as +1 555-010-0199")
	}
	for _, p := range w.Phones() {
		if in.PhoneNumber != "" && PhoneID(p) == phonenumber.Digits(in.PhoneNumber) {
			return nil, conflict("there is a phone with this number already")
		}
	}
	cfg := coexistencetest.PhoneConfig{
		PhoneNumber: in.PhoneNumber, Business: in.Business, AppVersion: in.AppVersion,
		App: coexistencetest.AppKind(in.App), History: coexistencetest.History{Messages: in.History},
	}
	switch in.Kind {
	case "", kindCoexistence:
		return w.NewPhone(cfg), nil
	case kindCloudAPI:
		if in.AppVersion != "" || in.App != "" || in.History != 0 {
			return nil, invalid("a number on Cloud API only has no app and no history")
		}
		return w.NewCloudNumber(cfg), nil
	}
	return nil, invalid("kind is %q or %q", kindCoexistence, kindCloudAPI)
}

// isNumber reports whether s can be a phone number with the country code.
func isNumber(text string) bool {
	digits := phonenumber.Digits(text)
	return len(digits) >= 7 && len(digits) <= 15 && !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune("0123456789+-(). ", r)
	})
}
