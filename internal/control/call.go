package control

import (
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// A CallView is a call between a customer and the number, as JSON.
type CallView struct {
	ID    graph.CallID           `json:"id"`
	From  string                 `json:"from"` // customer, or api: the business through Cloud API
	State cloudapitest.CallState `json:"state"`
	At    time.Time              `json:"at"`
}

// Calls returns the calls of a customer, oldest first.
func Calls(w *coexistencetest.World, p *coexistencetest.Phone, c *coexistencetest.Customer) []CallView {
	list := []CallView{}
	for _, v := range w.Graph().Calls(p.ID()) {
		if !isCustomer(c, v.Person) {
			continue
		}
		from := fromCustomer
		if v.Outgoing {
			from = "api"
		}
		list = append(list, CallView{v.ID, from, v.State, v.At})
	}
	return list
}

// isCustomer compares the user id, or the number if the call has only that.
func isCustomer(c *coexistencetest.Customer, id graph.Identity) bool {
	if id.UserID != "" {
		return id.UserID == c.UserID()
	}
	return id.WAID != "" && id.WAID == phonenumber.Digits(c.PhoneNumber())
}

func (a *API) listCalls(r *http.Request) (int, any, error) {
	p, c, err := a.customer(r)
	if err != nil {
		return 0, nil, err
	}
	return 0, struct {
		Data []CallView `json:"data"`
	}{Calls(a.World(), p, c)}, nil
}

// postCall lets a customer call the number.
func (a *API) postCall(r *http.Request) (int, any, error) {
	p, c, err := a.customer(r)
	if err != nil {
		return 0, nil, err
	}
	id, err := c.Call()
	if err != nil {
		return 0, nil, err
	}
	return a.call(http.StatusCreated, p, c, id)
}

// hangUp lets the customer end a call.
func (a *API) hangUp(r *http.Request) (int, any, error) {
	p, c, err := a.customer(r)
	if err != nil {
		return 0, nil, err
	}
	id := graph.CallID(r.PathValue("call"))
	if err := c.HangUp(id); err != nil {
		return 0, nil, err
	}
	return a.call(0, p, c, id)
}

// call returns one call.
func (a *API) call(
	status int, p *coexistencetest.Phone, c *coexistencetest.Customer, id graph.CallID,
) (int, any, error) {
	for _, v := range Calls(a.World(), p, c) {
		if v.ID == id {
			return status, v, nil
		}
	}
	return 0, nil, missing("the customer has no call %q", id)
}
