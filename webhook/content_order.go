package webhook

// An Order is a cart that a customer sent.
type Order struct {
	CatalogID string      `json:"catalog_id"`
	Text      string      `json:"text"`
	Items     []OrderItem `json:"product_items"`
}

// An OrderItem is one line of an [Order].
type OrderItem struct {
	RetailerID string `json:"product_retailer_id"`
	Quantity   int    `json:"quantity"`

	// Price is the price of one piece, digit for digit as Meta wrote it, such as "7.99". It is a
	// string so that no money is rounded on the way.
	Price    string `json:"item_price"`
	Currency string `json:"currency"`
}
