package control

import (
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// life is a call that does something to a phone and answers with what it is then.
func (a *API) life(do func(*coexistencetest.Phone) error) handler {
	return func(r *http.Request) (int, any, error) {
		p, err := a.phone(r)
		if err != nil {
			return 0, nil, err
		}
		if p.CloudAPIOnly() {
			return 0, nil, conflict("the number is on Cloud API alone: no app is behind it that could do this")
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
		return conflict("the number does not coexist, so a move of the app is told to no one")
	}
	p.ChangeDevice()
	return nil
}

func reconnect(p *coexistencetest.Phone) error {
	if !p.Suspended() {
		return conflict("the number is not suspended; call device first")
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

// scan points the phone at the QR code of the popup that waits for it.
func scan(p *coexistencetest.Phone) error {
	q, _ := p.Prompt()
	return p.ScanQR(q.QR)
}

// A numberParams is a phone number.
type numberParams struct {
	PhoneNumber string `json:"phone_number"`
}

// number reads a phone number.
func number(r *http.Request) (string, error) {
	in, err := read[numberParams](r)
	if err == nil && !isNumber(in.PhoneNumber) {
		err = invalid("phone_number is a number with the country code, such as +1 555-010-0177")
	}
	return in.PhoneNumber, err
}

// renumber gives the business another number, by which the phone is named from then on.
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

// sharing reads what the business answers about its past chats: it shares them unless the call says
// otherwise.
func sharing(r *http.Request) (coexistencetest.HistorySharing, error) {
	in, err := read[struct {
		Share *bool `json:"share_history"`
	}](r)
	if in.Share != nil && !*in.Share {
		return coexistencetest.HistoryDeclined, err
	}
	return coexistencetest.HistoryShared, err
}
