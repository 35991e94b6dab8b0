package control

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A Seed is the initial content of a world: phones with their customers, messages and templates.
type Seed struct {
	Phones []SeedPhone `json:"phones"`
}

// A SeedPhone is a phone of a [Seed]: the members of the call that adds a phone, and its content.
type SeedPhone struct {
	phoneParams

	// Connected takes the number through a signup.
	Connected bool `json:"connected"`

	Customers []seedCustomer `json:"customers"`
	Templates []seedTemplate `json:"templates"`
}

// A seedCustomer is a customer with messages, which are written in order.
type seedCustomer struct {
	customerParams

	Messages []messageParams `json:"messages"`
}

// A seedTemplate is a template as the Graph API takes it, with a status: APPROVED if empty.
type seedTemplate struct {
	Status cloudapi.TemplateStatus `json:"status"`
	cloudapi.TemplateCreateParams
}

// ParseSeed reads a seed from JSON. An undocumented member is an error.
func ParseSeed(b []byte) (s Seed, err error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return Seed{}, fmt.Errorf("control: the seed cannot be read: %w", err)
	}
	return s, nil
}

// DefaultSeed returns a phone that can be connected, with as many past messages as given, and a
// number on Cloud API only, ready for use, with a customer. An empty number stands for +1
// 555-010-0199.
func DefaultSeed(number, appVersion string, messages int) Seed {
	if number == "" {
		number = "+1 555-010-0199"
	}
	phone := phoneParams{
		PhoneNumber: number, Business: "Ovenbird Bakery", AppVersion: appVersion, History: messages,
	}
	ready := phoneParams{PhoneNumber: "+1 555-010-0100", Kind: kindCloudAPI, Business: "Ovenbird Bakery, API"}
	ada := customerParams{PhoneNumber: "+1 555-010-0142", Name: "Ada Example"}
	return Seed{Phones: []SeedPhone{
		{phoneParams: phone},
		{phoneParams: ready, Customers: []seedCustomer{{customerParams: ada}}},
	}}
}

// postSeed adds to the current world.
func (a *API) postSeed(r *http.Request) (int, any, error) {
	s, err := read[Seed](r)
	if err != nil {
		return 0, nil, err
	}
	phones, err := a.sow(a.World(), s)
	if err != nil {
		return 0, nil, err
	}
	list := struct {
		Phones []phoneView `json:"phones"`
	}{[]phoneView{}}
	for _, p := range phones {
		list.Phones = append(list.Phones, a.phoneView(p))
	}
	return http.StatusCreated, list, nil
}

// sow adds a seed to a world. It stops at the first error; what it added before stays.
func (a *API) sow(w *coexistencetest.World, s Seed) ([]*coexistencetest.Phone, error) {
	var phones []*coexistencetest.Phone
	for _, sp := range s.Phones {
		p, err := a.newPhone(w, sp.phoneParams)
		if err != nil {
			return nil, err
		}
		phones = append(phones, p)
		if sp.Connected && !p.CloudAPIOnly() {
			if _, err := p.Connect(coexistencetest.HistoryShared); err != nil {
				return nil, err
			}
			for _, id := range p.WABAs() {
				w.Graph().SubscribeWABA(id)
			}
		}
		if len(sp.Templates) > 0 && p.WABA() == "" {
			return nil, invalid("%s has no account for templates yet; set connected", p.PhoneNumber())
		}
		for _, t := range sp.Templates {
			w.Graph().AddTemplate(cloudapitest.Template{
				WABAID: p.WABA(), Status: t.Status, TemplateCreateParams: t.TemplateCreateParams,
			})
		}
		for _, sc := range sp.Customers {
			if err := sowCustomer(p, sc); err != nil {
				return nil, err
			}
		}
	}
	return phones, nil
}

// sowCustomer adds a customer with messages.
func sowCustomer(p *coexistencetest.Phone, sc seedCustomer) error {
	c, err := newCustomer(p, sc.customerParams)
	if err != nil {
		return err
	}
	for _, m := range sc.Messages {
		if _, err := write(p, c, m); err != nil {
			return err
		}
	}
	return nil
}
