package cloudapi

import "time"

// A DirectSend makes a message that starts a conversation without a template of yours. Meta makes a
// template of what it says, read only, which [TemplatesService.List] shows with the source
// AUTO_GENERATED; code 139200 and the subcodes 2388318 and 2388330 say why it could not.
//
// [DirectUtility] is open since 2026-07-31 to portfolios whose messaging limit is 100,000 or
// unlimited (as of 2026-10-08); [DirectAuthentication] is a beta that Meta grants on request. All
// others get code 100, whose details name the category. In a conversation that another responder
// owns, [DirectService] is refused like any service message, and the other two are not.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
type DirectSend struct {
	// Category is the category by which the message is billed and reviewed. Required.
	Category DirectCategory

	// TTL is how long Meta tries to deliver, in whole seconds: 30 s to 12 h, or 15 minutes for
	// authentication. If zero, Meta's own.
	TTL time.Duration

	// TemplateName names the template that Meta makes. If empty, Meta does.
	TemplateName string
}

// A DirectCategory is the category of a message that is sent directly. Meta may add values.
type DirectCategory string

const (
	DirectUtility        DirectCategory = "utility"
	DirectAuthentication DirectCategory = "authentication" // TTL is 15 minutes at most
	DirectService        DirectCategory = "service"
)

type directConfig struct {
	TemplateName string `json:"template_name,omitzero"`
}

func (d *DirectSend) check(p *problems, content Content) {
	p.required("DirectSend.Category", string(d.Category))
	longest := 12 * time.Hour
	if d.Category == DirectAuthentication {
		longest = 15 * time.Minute
	}
	if d.TTL != 0 && (d.TTL < 30*time.Second || d.TTL > longest || d.TTL%time.Second != 0) {
		p.limit("DirectSend.TTL must be whole seconds from 30 s to %v", longest)
	}
	if d.TemplateName != "" && !templateNameRe.MatchString(d.TemplateName) {
		p.limit("DirectSend.TemplateName must be lower-case letters, digits and underscores")
	}
	switch c := content.(type) {
	case *Text:
		if c != nil {
			p.atMost("Text.Body of a message that is sent directly", c.Body, 1024)
		}
	case *Template:
		p.limit("a Template needs no DirectSend")
	default:
	}
}
