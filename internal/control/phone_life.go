package control

import (
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// life returns the handler of an action on a phone, which responds with the phone after the action.
func (a *API) life(do func(*coexistencetest.Phone) error) handler {
	return func(r *http.Request) (int, any, error) {
		p, err := a.phone(r)
		if err != nil {
			return 0, nil, err
		}
		if p.CloudAPIOnly() {
			return 0, nil, conflict("the number is on Cloud API only: it has no app that could do this")
		}
		if err := do(p); err != nil {
			return 0, nil, err
		}
		return 0, a.phoneView(p), nil
	}
}

func openApp(p *coexistencetest.Phone) error {
	p.Open()
	return nil
}

// changeDevice suspends the number until reconnect.
func changeDevice(p *coexistencetest.Phone) error {
	if !p.Coexists() {
		return conflict("the number does not coexist, so moving the app sends no webhook")
	}
	p.ChangeDevice()
	return nil
}

func reconnect(p *coexistencetest.Phone) error {
	if !p.Suspended() {
		return conflict("the number is not suspended; call POST …/device first")
	}
	p.Reconnect()
	return nil
}

func disconnect(p *coexistencetest.Phone) error {
	if !p.Coexists() && !p.Suspended() {
		return conflict("the number does not coexist")
	}
	p.Disconnect()
	return nil
}

// downgrade moves the number to consumer WhatsApp and back, which does not connect it again.
func downgrade(p *coexistencetest.Phone) error {
	p.UseApp(coexistencetest.AppConsumer)
	p.UseApp(coexistencetest.AppBusiness)
	return nil
}

func lieIdle(p *coexistencetest.Phone) error {
	if !p.Coexists() {
		return conflict("the number does not coexist")
	}
	p.LieIdle()
	return nil
}

func removeApp(p *coexistencetest.Phone) error {
	p.RemoveApp()
	return nil
}

// scan scans the QR code of the popup with the phone.
func scan(p *coexistencetest.Phone) error {
	q, _ := p.Prompt()
	return p.ScanQR(q.QR)
}

// A numberParams is a phone number.
type numberParams struct {
	PhoneNumber string `json:"phone_number"`
}

// number parses a phone number.
func number(r *http.Request) (string, error) {
	in, err := read[numberParams](r)
	if err == nil && !isNumber(in.PhoneNumber) {
		err = invalid("phone_number is a number with the country code, such as +1 555-010-0177")
	}
	return in.PhoneNumber, err
}

// renumber gives the business another number, which is the phone's id from then on.
func (a *API) renumber(r *http.Request) (int, any, error) {
	text, err := number(r)
	if err != nil {
		return 0, nil, err
	}
	return a.life(func(p *coexistencetest.Phone) error {
		p.ChangeNumber(text)
		return nil
	})(r)
}

// confirm answers the phone's question.
func (a *API) confirm(r *http.Request) (int, any, error) {
	sharing, err := sharing(r)
	if err != nil {
		return 0, nil, err
	}
	return a.life(func(p *coexistencetest.Phone) error { return p.Confirm(sharing) })(r)
}

// sharing returns whether the business shares its past chats. The default is to share them.
func sharing(r *http.Request) (coexistencetest.HistorySharing, error) {
	in, err := read[struct {
		Share *bool `json:"share_history"`
	}](r)
	if in.Share != nil && !*in.Share {
		return coexistencetest.HistoryDeclined, err
	}
	return coexistencetest.HistoryShared, err
}
