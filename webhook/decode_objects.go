package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/wire"
)

// The objects that most deliveries hold, read by hand: [wire.For] needs several times as long. The
// structs remain the description of the wire; a test compares each of these readers with the one
// that is made from the struct.

func readImage(s *wire.Scanner, v *Image) {
	*v = Image{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "id":
			v.ID = graph.MediaID(s.Text())
		case "mime_type":
			v.MIMEType = mimeType(s)
		case "sha256":
			v.SHA256 = s.Text()
		case "url":
			v.URL = s.Text()
		case "caption":
			v.Caption = s.Text()
		default:
			s.Unknown()
		}
	}
}

func readVideo(s *wire.Scanner, v *Video) {
	*v = Video{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "id":
			v.ID = graph.MediaID(s.Text())
		case "mime_type":
			v.MIMEType = mimeType(s)
		case "sha256":
			v.SHA256 = s.Text()
		case "url":
			v.URL = s.Text()
		case "caption":
			v.Caption = s.Text()
		default:
			s.Unknown()
		}
	}
}

func readAudio(s *wire.Scanner, v *Audio) {
	*v = Audio{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "id":
			v.ID = graph.MediaID(s.Text())
		case "mime_type":
			v.MIMEType = mimeType(s)
		case "sha256":
			v.SHA256 = s.Text()
		case "url":
			v.URL = s.Text()
		case "voice":
			v.Voice = s.Bool()
		default:
			s.Unknown()
		}
	}
}

func readDocument(s *wire.Scanner, v *Document) {
	*v = Document{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "id":
			v.ID = graph.MediaID(s.Text())
		case "mime_type":
			v.MIMEType = mimeType(s)
		case "sha256":
			v.SHA256 = s.Text()
		case "url":
			v.URL = s.Text()
		case "filename":
			v.Filename = s.Text()
		case "caption":
			v.Caption = s.Text()
		default:
			s.Unknown()
		}
	}
}

func readSticker(s *wire.Scanner, v *Sticker) {
	*v = Sticker{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "id":
			v.ID = graph.MediaID(s.Text())
		case "mime_type":
			v.MIMEType = mimeType(s)
		case "sha256":
			v.SHA256 = s.Text()
		case "url":
			v.URL = s.Text()
		case "animated":
			v.Animated = s.Bool()
		default:
			s.Unknown()
		}
	}
}

func readLocation(s *wire.Scanner, v *Location) {
	*v = Location{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "latitude":
			v.Latitude = s.Float()
		case "longitude":
			v.Longitude = s.Float()
		case "name":
			v.Name = s.Text()
		case "address":
			v.Address = s.Text()
		case "url":
			v.URL = s.Text()
		default:
			s.Unknown()
		}
	}
}

func readReaction(s *wire.Scanner, v *Reaction) {
	*v = Reaction{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "message_id":
			v.MessageID = graph.MessageID(s.Text())
		case "emoji":
			v.Emoji = s.Text()
		default:
			s.Unknown()
		}
	}
}

func readButtonReply(s *wire.Scanner, v *ButtonReply) {
	*v = ButtonReply{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "id":
			v.ID = s.Text()
		case "title":
			v.Title = s.Text()
		default:
			s.Unknown()
		}
	}
}

func readListReply(s *wire.Scanner, v *ListReply) {
	*v = ListReply{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "id":
			v.ID = s.Text()
		case "title":
			v.Title = s.Text()
		case "description":
			v.Description = s.Text()
		default:
			s.Unknown()
		}
	}
}

func readMessageContext(s *wire.Scanner, v *MessageContext) {
	*v = MessageContext{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "id":
			v.ID = graph.MessageID(s.Text())
		case "from":
			v.From = s.Text()
		case "from_user_id":
			v.FromUserID = graph.UserID(s.Text())
		case "forwarded":
			v.Forwarded = s.Bool()
		case "frequently_forwarded":
			v.FrequentlyForwarded = s.Bool()
		case "referred_product":
			v.Product = productDecoder.New(s)
		default:
			s.Unknown()
		}
	}
}

func readAppContact(s *wire.Scanner, v *AppContact) {
	*v = AppContact{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "full_name":
			v.FullName = s.Text()
		case "first_name":
			v.FirstName = s.Text()
		case "phone_number":
			v.PhoneNumber = s.Text()
		case "user_id":
			v.UserID = graph.UserID(s.Text())
		case "parent_user_id":
			v.ParentUserID = graph.UserID(s.Text())
		case "username":
			v.Username = s.Text()
		default:
			s.Unknown()
		}
	}
}

func readPricing(s *wire.Scanner, v *Pricing) {
	*v = Pricing{}
	a := lookAhead(s)
	if known, billable := a.pricing(); a.read() != nil {
		*v = known
		v.Billable = new(billable)
		return
	}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "pricing_model":
			v.Model = s.TextLike("PMP", "CBP")
		case "type":
			v.Type = PricingType(s.TextLike("regular", "free_customer_service", "free_entry_point"))
		case "category":
			v.Category = PricingCategory(s.TextLike("service", "utility", "marketing", "authentication"))
		case "billable":
			v.Billable = readBool(s)
		default:
			s.Unknown()
		}
	}
}

func readConversationOrigin(s *wire.Scanner, v *BillingConversationOrigin) {
	*v = BillingConversationOrigin{}
	if !s.Object() {
		return
	}
	for s.NextMember() {
		switch string(s.Name()) {
		case "type":
			v.Type = s.TextLike("service", "utility", "marketing", "authentication")
		default:
			s.Unknown()
		}
	}
}

func readBool(s *wire.Scanner) *bool {
	if s.Null() {
		return nil
	}
	return new(s.Bool())
}

// mimeType reads a type, of which common ones cost no memory.
func mimeType(s *wire.Scanner) string {
	return s.TextLike("image/jpeg", "audio/ogg; codecs=opus", "video/mp4", "application/pdf", "image/webp")
}

// read reads an object into a new T.
func read[T any](s *wire.Scanner, into func(*wire.Scanner, *T)) *T {
	v := new(T)
	into(s, v)
	return v
}

// readNew is read, but nil for null.
func readNew[T any](s *wire.Scanner, into func(*wire.Scanner, *T)) *T {
	if s.Null() {
		return nil
	}
	return read(s, into)
}

var productDecoder = wire.For[ReferredProduct]()
