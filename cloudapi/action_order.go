package cloudapi

import (
	"encoding/json"
	"strconv"
)

// OrderDetails ask a person to pay an order. Meta offers it in some countries, India and Brazil
// among them.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-in/orderdetailstemplate
type OrderDetails struct {
	// ReferenceID is your name of the order, at most 35 characters. Each order needs one of its
	// own.
	ReferenceID string `json:"reference_id"`

	// Goods says whether there is something to deliver. Required.
	Goods GoodsType `json:"type"`

	// PaymentType is "br", "upi" and others; see Meta's page for your country.
	PaymentType string `json:"payment_type,omitzero"`

	// PaymentConfiguration is the name of a configuration made in WhatsApp Manager, in India.
	PaymentConfiguration string `json:"payment_configuration,omitzero"`

	// Payments are the ways to pay that the person can choose from.
	Payments []PaymentSetting `json:"payment_settings,omitempty"`

	// Currency is the ISO 4217 code of all amounts, such as "BRL".
	Currency string `json:"currency"`

	// Total must be subtotal + tax + shipping - discount.
	Total Amount `json:"total_amount"`

	// Order lists what the total consists of.
	Order Order `json:"order"`
}

// A GoodsType is the kind of goods that an order is for. Meta may add values.
type GoodsType string

const (
	GoodsDigital  GoodsType = "digital-goods"
	GoodsPhysical GoodsType = "physical-goods"
)

// An Amount is money: Value in the smallest unit, so that 12.34 is 1234.
type Amount struct {
	Value int64 `json:"value"`

	// Offset is the divisor of Value. If zero, 100, the only one that Meta accepts.
	Offset int `json:"offset"`

	// Description is for tax, shipping and discount; at most 60 characters.
	Description string `json:"description,omitzero"`

	// DiscountProgram is the name of the program behind a discount; at most 60 characters.
	DiscountProgram string `json:"discount_program_name,omitzero"`
}

// MarshalJSON writes an amount with its offset.
func (a Amount) MarshalJSON() ([]byte, error) {
	if a.Offset == 0 {
		a.Offset = 100
	}
	type plain Amount
	return json.Marshal(plain(a))
}

// An Order is the list of items to pay for, with taxes, shipping and discount.
type Order struct {
	// Status is OrderPending in order details.
	Status OrderState `json:"status"`

	// CatalogID is the catalog that the items are of. Empty for items that are in none.
	CatalogID string `json:"catalog_id,omitzero"`

	// Expiration ends the offer. If nil, it does not end.
	Expiration *OrderExpiration `json:"expiration,omitzero"`

	// Items are 1 to 999.
	Items []OrderItem `json:"items"`

	// Subtotal is the sum of the items. Tax, Shipping and Discount are nil where there are none.
	Subtotal Amount  `json:"subtotal"`
	Tax      *Amount `json:"tax,omitzero"`
	Shipping *Amount `json:"shipping,omitzero"`
	Discount *Amount `json:"discount,omitzero"`
}

// An OrderExpiration ends an offer.
type OrderExpiration struct {
	// Timestamp is when, in Unix seconds, at least 300 from now.
	Timestamp string `json:"timestamp"`

	// Description is shown to people.
	Description string `json:"description"`
}

// An OrderItem is a line of an [Order].
type OrderItem struct {
	// RetailerID is your own id of the product.
	RetailerID string `json:"retailer_id,omitzero"`

	// Name is shown to people. Required.
	Name string `json:"name"`

	// Image is a picture of an item that is in no catalog, or nil.
	Image *OrderLink `json:"image,omitzero"`

	// Amount is the price of one, and SaleAmount the lower one that is asked for now, or nil.
	Amount     Amount  `json:"amount"`
	SaleAmount *Amount `json:"sale_amount,omitzero"`

	// Quantity counts from 1.
	Quantity int `json:"quantity"`

	// CountryOfOrigin and ImporterName are for rules of India. Others leave them empty.
	CountryOfOrigin string `json:"country_of_origin,omitzero"`
	ImporterName    string `json:"importer_name,omitzero"`
}

// An OrderLink is a picture of an item.
type OrderLink struct {
	Link string `json:"link"`
}

// A PaymentSetting is a way to pay.
type PaymentSetting struct {
	// Type is the way, such as "pix_dynamic_code", "payment_link", "boleto", "offsite_card_pay",
	// "upi_intent_link" or "payment_gateway".
	Type string

	// Details is an object with what the way needs. It differs by country; see Meta's page.
	Details json.RawMessage
}

// MarshalJSON writes the details under the name of the type.
func (s PaymentSetting) MarshalJSON() ([]byte, error) {
	m := map[string]json.RawMessage{}
	var err error
	if m["type"], err = json.Marshal(s.Type); err != nil {
		return nil, err
	}
	if s.Details != nil {
		m[s.Type] = s.Details
	}
	return json.Marshal(m)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *PaymentSetting) UnmarshalJSON(b []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	*s = PaymentSetting{}
	if err := json.Unmarshal(m["type"], &s.Type); err != nil {
		return err
	}
	s.Details = m[s.Type]
	return nil
}

type plainOrderDetails OrderDetails

// MarshalJSON writes the member "action".
func (a *OrderDetails) MarshalJSON() ([]byte, error) {
	return encodeNamed("review_and_pay", (*plainOrderDetails)(a))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *OrderDetails) UnmarshalJSON(b []byte) error { return decodeNamed(b, (*plainOrderDetails)(a)) }

// InteractiveType is "order_details".
func (*OrderDetails) InteractiveType() string { return "order_details" }

func (*OrderDetails) frame() frame { return frame{mediaHeader: true, noVideo: true} }

func (a *OrderDetails) check(p *problems) { a.checkAt(p, "OrderDetails") }

// checkAt checks an order, in a message of its own or in a template's button. Meta requires the
// total to be the sum of its parts.
func (a *OrderDetails) checkAt(p *problems, where string) {
	p.text(where+".ReferenceID", a.ReferenceID, 35)
	p.required(where+".Goods", string(a.Goods))
	if !currencyRe.MatchString(a.Currency) {
		p.limit(`%s.Currency is not a currency code such as "BRL"`, where)
	}
	p.required(where+".Order.Status", string(a.Order.Status))
	p.count(where+".Order.Items", len(a.Order.Items), 1, 999)
	for i, item := range a.Order.Items {
		at := where + ".Order.Items[" + strconv.Itoa(i) + "]"
		p.required(at+".Name", item.Name)
		if item.Quantity < 1 {
			p.limit("%s.Quantity is %d; it counts from 1", at, item.Quantity)
		}
	}
	for i, s := range a.Payments {
		if at := where + ".Payments[" + strconv.Itoa(i) + "]"; !wireNameRe.MatchString(s.Type) || s.Type == "type" {
			p.add("%s.Type is not the name of a way to pay", at)
		} else if s.Details != nil && !json.Valid(s.Details) {
			p.add("%s.Details is not valid JSON", at)
		}
	}
	o := a.Order
	sum := o.Subtotal.Value
	for _, extra := range []*Amount{o.Tax, o.Shipping} {
		if extra != nil {
			sum += extra.Value
		}
	}
	if o.Discount != nil {
		sum -= o.Discount.Value
	}
	if sum != a.Total.Value {
		p.limit("%s.Total is not subtotal + tax + shipping - discount", where)
	}
}

// An OrderStatus tells how far an order of earlier [OrderDetails] is.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-in/orderdetailstemplate
type OrderStatus struct {
	// ReferenceID is that of the [OrderDetails].
	ReferenceID string `json:"reference_id"`

	Order OrderProgress `json:"order"`

	// Payment tells of the payment as well, or is nil.
	Payment *OrderPayment `json:"payment,omitzero"`
}

// An OrderProgress is the state of an order, with words for people.
type OrderProgress struct {
	Status      OrderState `json:"status"`
	Description string     `json:"description,omitzero"` // at most 120 characters
}

// An OrderPayment is the state of a payment.
type OrderPayment struct {
	Status    string `json:"status"`    // such as "captured" or "failed"
	Timestamp int64  `json:"timestamp"` // Unix seconds
}

// An OrderState is the state of an order. Meta may add values.
type OrderState string

const (
	OrderPending          OrderState = "pending"
	OrderProcessing       OrderState = "processing"
	OrderPartiallyShipped OrderState = "partially-shipped"
	OrderShipped          OrderState = "shipped"
	OrderCompleted        OrderState = "completed"
	OrderCanceled         OrderState = "canceled"
)

type plainOrderStatus OrderStatus

// MarshalJSON writes the member "action".
func (a *OrderStatus) MarshalJSON() ([]byte, error) {
	return encodeNamed("review_order", (*plainOrderStatus)(a))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *OrderStatus) UnmarshalJSON(b []byte) error { return decodeNamed(b, (*plainOrderStatus)(a)) }

// InteractiveType is "order_status".
func (*OrderStatus) InteractiveType() string { return "order_status" }

func (*OrderStatus) frame() frame { return frame{} }

func (a *OrderStatus) check(p *problems) { a.checkAt(p, "OrderStatus") }

func (a *OrderStatus) checkAt(p *problems, where string) {
	p.text(where+".ReferenceID", a.ReferenceID, 35)
	p.required(where+".Order.Status", string(a.Order.Status))
	p.atMost(where+".Order.Description", a.Order.Description, 120)
}
