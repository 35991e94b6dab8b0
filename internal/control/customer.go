package control

import (
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// A customerView is a customer as JSON.
type customerView struct {
	ID          string    `json:"id"` // the digits of the number, or the user id
	Name        string    `json:"name,omitzero"`
	PhoneNumber string    `json:"phone_number,omitzero"`
	WAID        string    `json:"wa_id,omitzero"` // as webhooks show it
	UserID      string    `json:"user_id"`
	Username    string    `json:"username,omitzero"`
	Messages    int       `json:"messages"`
	LastAt      time.Time `json:"last_at,omitzero"`
}

// CustomerID returns the id of a customer in calls: the digits of the number or, without one, the
// user id.
func CustomerID(c *coexistencetest.Customer) string {
	if digits := phonenumber.Digits(c.PhoneNumber()); digits != "" {
		return digits
	}
	return string(c.UserID())
}

// viewCustomer returns a customer as JSON.
func viewCustomer(s coexistencetest.ChatSummary) customerView {
	c := s.Customer
	return customerView{
		ID: CustomerID(c), Name: c.Name(), PhoneNumber: c.PhoneNumber(), WAID: c.WAID(), UserID: string(c.UserID()),
		Username: c.Identity().Username, Messages: s.Count, LastAt: s.Last.At,
	}
}

// customer returns the phone and the customer of a path.
func (a *API) customer(r *http.Request) (*coexistencetest.Phone, *coexistencetest.Customer, error) {
	p, err := a.phone(r)
	if err != nil {
		return nil, nil, err
	}
	if c := p.FindCustomer(r.PathValue("customer")); c != nil {
		return p, c, nil
	}
	return nil, nil, missing("there is no customer %q of this phone; a customer is named by the digits of the number "+
		"or by the user id", r.PathValue("customer"))
}

func (a *API) listCustomers(r *http.Request) (int, any, error) {
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	list := struct {
		Data []customerView `json:"data"`
	}{[]customerView{}}
	for _, s := range p.Chats() {
		list.Data = append(list.Data, viewCustomer(s))
	}
	return 0, list, nil
}

func (a *API) getCustomer(r *http.Request) (int, any, error) {
	p, c, err := a.customer(r)
	if err != nil {
		return 0, nil, err
	}
	return 0, summaryOf(p, c), nil
}

// summaryOf returns one customer as JSON.
func summaryOf(p *coexistencetest.Phone, c *coexistencetest.Customer) customerView {
	s := coexistencetest.ChatSummary{Customer: c}
	if chat := p.Chat(c); len(chat) > 0 {
		s.Count, s.Last = len(chat), chat[len(chat)-1]
	}
	return viewCustomer(s)
}

// A customerParams describes a customer to be added.
type customerParams struct {
	PhoneNumber string `json:"phone_number"`
	Name        string `json:"name"`
	Username    string `json:"username"`
	UserID      string `json:"user_id"`
	HideNumber  bool   `json:"hide_number"`
	Unreachable bool   `json:"unreachable"`
	NoReceipts  bool   `json:"no_receipts"`
}

func (a *API) addCustomer(r *http.Request) (int, any, error) {
	in, err := read[customerParams](r)
	if err != nil {
		return 0, nil, err
	}
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	c, err := newCustomer(p, in)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, summaryOf(p, c), nil
}

// newCustomer adds a customer.
func newCustomer(p *coexistencetest.Phone, in customerParams) (*coexistencetest.Customer, error) {
	switch {
	case in.PhoneNumber == "" && in.Username == "":
		return nil, invalid("a customer has a phone_number, a username, or both")
	case in.PhoneNumber != "" && !isNumber(in.PhoneNumber):
		return nil, invalid("phone_number is a number with the country code, such as +1 555-010-0142")
	case in.PhoneNumber != "" && p.FindCustomer(in.PhoneNumber) != nil:
		return nil, conflict("the phone has a customer with this number already")
	case in.UserID != "" && !graph.IsUserID(in.UserID):
		return nil, invalid("user_id is a business-scoped user id, such as US.1234567890")
	case in.UserID != "" && p.FindCustomer(in.UserID) != nil:
		return nil, conflict("the phone has a customer with this user id already")
	}
	if in.Name == "" {
		in.Name = "Made-up customer"
	}
	return p.AddCustomer(coexistencetest.CustomerConfig{
		PhoneNumber: in.PhoneNumber, Name: in.Name, Username: in.Username, UserID: graph.UserID(in.UserID),
		HideNumber: in.HideNumber, Unreachable: in.Unreachable, NoReceipts: in.NoReceipts,
	}), nil
}

// renumberCustomer gives a customer another number, and with it another user id.
func (a *API) renumberCustomer(r *http.Request) (int, any, error) {
	text, err := number(r)
	if err != nil {
		return 0, nil, err
	}
	p, c, err := a.customer(r)
	if err != nil {
		return 0, nil, err
	}
	if other := p.FindCustomer(text); other != nil && other != c {
		return 0, nil, conflict("another customer has this number")
	}
	c.ChangeNumber(text)
	return 0, summaryOf(p, c), nil
}

// A contactView is an entry of a phone's address book.
type contactView struct {
	FullName    string `json:"full_name"`
	FirstName   string `json:"first_name,omitzero"`
	PhoneNumber string `json:"phone_number,omitzero"`
	UserID      string `json:"user_id,omitzero"`
	Username    string `json:"username,omitzero"`
}

func (a *API) listContacts(r *http.Request) (int, any, error) {
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	list := struct {
		Data []contactView `json:"data"`
	}{[]contactView{}}
	for _, c := range p.Contacts() {
		list.Data = append(list.Data, contactView{c.FullName, c.FirstName, c.PhoneNumber, string(c.UserID), c.Username})
	}
	return 0, list, nil
}

// saveContact adds or changes an entry of the address book.
func (a *API) saveContact(r *http.Request) (int, any, error) {
	in, err := read[contactView](r)
	if err != nil {
		return 0, nil, err
	}
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	if in.FullName == "" || in.PhoneNumber == "" && in.UserID == "" {
		return 0, nil, invalid("a contact has a full_name, and a phone_number or a user_id")
	}
	p.SaveContact(coexistencetest.Contact{
		FullName: in.FullName, FirstName: in.FirstName, PhoneNumber: in.PhoneNumber, UserID: graph.UserID(in.UserID),
		Username: in.Username,
	})
	return http.StatusCreated, in, nil
}

// removeContact removes an entry, named by the digits of the number or by the user id.
func (a *API) removeContact(r *http.Request) (int, any, error) {
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	who := r.PathValue("who")
	for _, c := range p.Contacts() {
		if string(c.UserID) == who || c.PhoneNumber != "" && phonenumber.Digits(c.PhoneNumber) == who {
			p.RemoveContact(c)
			return 0, nil, nil
		}
	}
	return 0, nil, missing("the address book has no %q", who)
}
