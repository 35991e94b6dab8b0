package cloudapitest

import (
	"regexp"
	"strings"
)

// goPathRe finds the Go names in the texts of package cloudapi: one, or a path of them.
var goPathRe = regexp.MustCompile(`\b[A-Z][A-Za-z]*(?:\[\d+\])?(?:\.[A-Z][A-Za-z]*(?:\[\d+\])?)*`)

// wireRoots are the places on the wire of the types with which a path begins.
var wireRoots = map[string]string{
	"AddressRequest": "interactive.action.parameters", "CallButton": "interactive.action.parameters",
	"Carousel": "interactive.action", "CatalogButton": "interactive.action.parameters",
	"FlowButton": "interactive.action.parameters", "Interactive": "interactive",
	"LinkButton": "interactive.action.parameters", "List": "interactive.action",
	"OrderDetails": "interactive.action.parameters", "OrderStatus": "interactive.action.parameters",
	"Product": "interactive.action", "ProductList": "interactive.action", "ReplyButtons": "interactive.action",
	"DirectSend": "direct_send_config", "RawAction": "interactive.action", "RawContent": "content",
	"CallbackData": "biz_opaque_callback_data", "ReplyTo": "context.message_id", "TemplateCreateParams": "template",
	"Audio": "audio", "Contacts": "contacts", "Document": "document", "Image": "image", "Location": "location",
	"Pin": "pin", "Reaction": "reaction", "Sticker": "sticker", "Template": "template", "Text": "text",
	"Video": "video",
}

// wireNames are the names on the wire that are not their Go name in small letters: of a member
// everywhere, or behind a root.
var wireNames = map[string]string{
	"BodyNamed": "body_text_named_params", "Buttons": "buttons", "CodeExpirationMinutes": "code_expiration_minutes",
	"Days": "expiration_days", "Fallback": "fallback_value", "Formatted": "formatted_name", "Goods": "type",
	"HeaderNamed": "header_text_named_params", "Offer": "limited_time_offer", "Parameter": "parameters[0]",
	"Products": "product_items", "RetailerID": "product_retailer_id", "Apps": "supported_apps",
	"Thumbnail": "thumbnail_product_retailer_id",

	"Interactive.Body": "body.text", "Interactive.Footer": "footer.text", "Template.Language": "language.code",
	"ReplyButtons.ID": "reply.id", "ReplyButtons.Title": "reply.title", "LinkButton.Text": "display_text",
	"CallButton.Text": "display_text", "FlowButton.Text": "flow_cta", "FlowButton.Screen": "flow_action_payload.screen",
	"FlowButton.Data": "flow_action_payload.data",
}

// wireWords are Go names that stand alone in a text and look like words of a sentence.
var wireWords = map[string]bool{
	"Caption": true, "Data": true, "Header": true, "Link": true, "ID": true, "Name": true, "Payload": true,
	"Product": true, "Unpin": true, "Type": true, "Content": true,
}

// wireText returns a text of package cloudapi with the names that a request has on the wire,
// instead of those of its Go types: a client in another language does not know them.
func wireText(text string) string {
	text, _, _ = strings.Cut(text, "; upload a sample") // advice for Go
	return goPathRe.ReplaceAllStringFunc(text, wirePath)
}

// wirePath translates one path. A word that is no name of Go's stays.
func wirePath(path string) string {
	root, rest, dotted := strings.Cut(path, ".")
	head, index, _ := strings.Cut(root, "[")
	place, known := wireRoots[head]
	if index != "" {
		index = "[" + index
	}
	switch {
	case known:
		place += index
	case dotted || wireWords[root] || index != "" || root != "WhatsApp" && humpRe.MatchString(root):
		place = wireMember("", root)
	default:
		return path
	}
	for dotted {
		var member string
		member, rest, dotted = strings.Cut(rest, ".")
		if name, at, _ := strings.Cut(member, "["); head == "Contacts" && name == "Cards" {
			place += "[" + at // the member contacts is the list of cards itself
			continue
		}
		place += "." + wireMember(head, member)
	}
	return strings.TrimSuffix(place, "[")
}

// humpRe finds the border of two words in a Go name.
var humpRe = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// wireMember translates one member of a path, with its index.
func wireMember(root, member string) string {
	name, index, listed := strings.Cut(member, "[")
	wire := wireNames[root+"."+name]
	if wire == "" {
		wire = wireNames[name]
	}
	if wire == "" {
		wire = strings.ToLower(humpRe.ReplaceAllString(strings.Replace(name, "OTPType", "otp_type", 1), "${1}_${2}"))
	}
	if listed {
		wire += "[" + index
	}
	return wire
}
