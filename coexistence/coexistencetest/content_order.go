package coexistencetest

import "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"

// An OrderItem is a product in a cart.
type OrderItem struct {
	// RetailerID names the product in the catalog.
	RetailerID string

	// Quantity is 1 or more, Price that of one, in Currency, such as "USD".
	Quantity int
	Price    float64
	Currency string
}

// Order is a cart of products of a catalog, with a text, which may be empty.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/order
func Order(catalogID, text string, items ...OrderItem) Content {
	var products [][]byte
	for _, item := range items {
		products = append(products, object(
			str("product_retailer_id", item.RetailerID), num("quantity", item.Quantity), float("item_price",
				item.Price),
			str("currency", item.Currency)))
	}
	raw := object(str("catalog_id", catalogID), str("text", text), sub("product_items", list(products...)))
	return Content{Type: "order", Text: text, raw: string(raw)}
}

// A Referral is the ad or the post that a customer came from. Members that are empty are left out.
type Referral struct {
	// SourceType is "ad" or "post", SourceID its id and SourceURL its address.
	SourceType, SourceID, SourceURL string

	// Headline and Body are its words.
	Headline, Body string

	// ClickID is the ctwa_clid, which the Conversions API wants as it is. Ads on WhatsApp Status
	// have none.
	ClickID string

	// MediaType is "image" or "video", and MediaURL its address.
	MediaType, MediaURL string
}

// Referred returns the content as the first message of a customer who tapped an ad or a post.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/text
func (c Content) Referred(r Referral) Content {
	media := "image_url"
	if r.MediaType == "video" {
		media = "video_url"
	}
	c.referral = string(object(
		str("source_url", r.SourceURL), str("source_id", r.SourceID), str("source_type", r.SourceType),
		str("body", r.Body), str("headline", r.Headline), str("media_type", r.MediaType), str(media, r.MediaURL),
		str("ctwa_clid", r.ClickID)))
	return c
}

// QuotingProduct returns the content as a question about a product of the business's catalog.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/text
func (c Content) QuotingProduct(id graph.MessageID, catalogID, retailerID string) Content {
	c.ReplyTo = id
	c.product = string(object(str("catalog_id", catalogID), str("product_retailer_id", retailerID)))
	return c
}
