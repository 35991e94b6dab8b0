package cloudapi

import (
	"encoding/json"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A ComponentDefinition is a component of a template's definition: its Type says which other
// members it has. A [TemplateComponent] is another thing: it fills in a component when a message is
// sent.
type ComponentDefinition struct {
	// Type is in capitals. Meta's pages have small letters at times, and both are taken.
	Type ComponentType `json:"type"`

	// Format is the format of a header; empty for all other components.
	Format HeaderFormat `json:"format,omitzero"`

	// Text is that of a header (at most 60 characters), body (1024) or footer (60). Authentication
	// templates have none.
	Text string `json:"text,omitzero"`

	// Example has a sample for each variable and file, for the review.
	Example *TemplateExample `json:"example,omitzero"`

	// Buttons are those of ComponentButtons, at most 10.
	Buttons []ButtonDefinition `json:"buttons,omitempty"`

	// Cards are those of ComponentCarousel, 2 to 10, all made alike.
	Cards []CardDefinition `json:"cards,omitempty"`

	// Offer is that of ComponentOffer.
	Offer *OfferDefinition `json:"limited_time_offer,omitzero"`

	// SecurityRecommendation, of an authentication body, advises not to share the code.
	SecurityRecommendation *bool `json:"add_security_recommendation,omitzero"`

	// CodeExpirationMinutes, of an authentication footer, says how long the code works; 1 to 90.
	CodeExpirationMinutes int `json:"code_expiration_minutes,omitzero"`
}

// A ComponentType is the kind of a component in a definition. Meta may add values.
type ComponentType string

const (
	ComponentHeader         ComponentType = "HEADER"
	ComponentBody           ComponentType = "BODY"
	ComponentFooter         ComponentType = "FOOTER"
	ComponentButtons        ComponentType = "BUTTONS"
	ComponentCarousel       ComponentType = "CAROUSEL"
	ComponentOffer          ComponentType = "LIMITED_TIME_OFFER"
	ComponentCallPermission ComponentType = "CALL_PERMISSION_REQUEST"
)

// A HeaderFormat is the format of a header. Meta may add values.
type HeaderFormat string

const (
	HeaderText     HeaderFormat = "TEXT"
	HeaderImage    HeaderFormat = "IMAGE"
	HeaderVideo    HeaderFormat = "VIDEO"
	HeaderDocument HeaderFormat = "DOCUMENT"
	HeaderGIF      HeaderFormat = "GIF"
	HeaderLocation HeaderFormat = "LOCATION"
	HeaderProduct  HeaderFormat = "PRODUCT"
)

// A TemplateExample has samples for the review.
type TemplateExample struct {
	// HeaderText has the sample of a positional variable, HeaderNamed that of a named one.
	HeaderText  []string       `json:"header_text,omitempty"`
	HeaderNamed []NamedExample `json:"header_text_named_params,omitempty"`

	// HeaderHandle has the sample file of a header, see [UploadsService.Upload]. Of a template that
	// was read it has the file's URL instead.
	HeaderHandle []graph.UploadHandle `json:"header_handle,omitempty"`

	// BodyText has one row with a sample for each positional variable, BodyNamed one for each named
	// variable.
	BodyText  ExampleRows    `json:"body_text,omitempty"`
	BodyNamed []NamedExample `json:"body_text_named_params,omitempty"`
}

// A NamedExample is the sample of a named variable.
type NamedExample struct {
	Name    string `json:"param_name"`
	Example string `json:"example"`
}

// ExampleRows are rows of samples. Meta writes them as a list of lists, a list or a text, and takes
// the first.
type ExampleRows [][]string

// UnmarshalJSON reads rows, one row or one sample.
func (e *ExampleRows) UnmarshalJSON(b []byte) error {
	var rows [][]string
	if json.Unmarshal(b, &rows) == nil {
		*e = rows
		return nil
	}
	var row []string
	if json.Unmarshal(b, &row) == nil {
		*e = ExampleRows{row}
		return nil
	}
	var one string
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*e = ExampleRows{{one}}
	return nil
}

// A CardDefinition is a card of a carousel.
type CardDefinition struct {
	// Components are a header, a body and buttons, the same ones for all cards.
	Components []ComponentDefinition `json:"components"`
}

// An OfferDefinition is the line of a limited-time offer.
type OfferDefinition struct {
	Text          string `json:"text"`           // at most 16 characters
	HasExpiration bool   `json:"has_expiration"` // with a countdown
}

// A ButtonDefinition is a button of a template's definition: its Type says which other members it
// has.
type ButtonDefinition struct {
	Type ButtonDefinitionType `json:"type"`

	// Text is the label of the button, at most 25 characters.
	Text string `json:"text,omitzero"`

	// URL may end with a variable, of which Example has a sample.
	URL string `json:"url,omitzero"`

	// PhoneNumber is what a button of its type calls, with country code; at most 20 characters.
	PhoneNumber string        `json:"phone_number,omitzero"`
	Example     ButtonExample `json:"example,omitempty"`

	// One of FlowID, FlowName and FlowJSON names a Flow.
	FlowID   string `json:"flow_id,omitzero"`
	FlowName string `json:"flow_name,omitzero"`
	FlowJSON string `json:"flow_json,omitzero"`

	// FlowAction is how the first screen is found, NavigateScreen its name, for FlowNavigate only.
	FlowAction     FlowAction `json:"flow_action,omitzero"`
	NavigateScreen string     `json:"navigate_screen,omitzero"`

	// TTLMinutes is how long a call button works. If zero, Meta's own time.
	TTLMinutes int `json:"ttl_minutes,omitzero"`

	// OTPType and what follows are for authentication. AutofillText is what the button of one-tap
	// says, ZeroTapTerms that you accept Meta's terms for zero-tap, and Apps are at most 5 that may
	// take the code.
	OTPType       OTPType  `json:"otp_type,omitzero"`
	AutofillText  string   `json:"autofill_text,omitzero"`
	ZeroTapTerms  *bool    `json:"zero_tap_terms_accepted,omitzero"`
	Apps          []OTPApp `json:"supported_apps,omitempty"`
	PackageName   string   `json:"package_name,omitzero"`   // as read; write Apps
	SignatureHash string   `json:"signature_hash,omitzero"` // as read; write Apps
}

// A ButtonDefinitionType is the kind of a button in a definition. Meta may add values.
type ButtonDefinitionType string

const (
	ButtonDefinitionQuickReply     ButtonDefinitionType = "QUICK_REPLY"
	ButtonDefinitionURL            ButtonDefinitionType = "URL"
	ButtonDefinitionPhone          ButtonDefinitionType = "PHONE_NUMBER"
	ButtonDefinitionCopyCode       ButtonDefinitionType = "COPY_CODE"
	ButtonDefinitionFlow           ButtonDefinitionType = "FLOW"
	ButtonDefinitionCatalog        ButtonDefinitionType = "CATALOG"
	ButtonDefinitionProducts       ButtonDefinitionType = "MPM" // multi-product message
	ButtonDefinitionProduct        ButtonDefinitionType = "SPM" // single-product message
	ButtonDefinitionOrderDetails   ButtonDefinitionType = "ORDER_DETAILS"
	ButtonDefinitionVoiceCall      ButtonDefinitionType = "VOICE_CALL"
	ButtonDefinitionContactRequest ButtonDefinitionType = "REQUEST_CONTACT_INFO"
	ButtonDefinitionOTP            ButtonDefinitionType = "OTP"
)

// An OTPType is the way in which a one-time code gets into the app. Meta may add values.
type OTPType string

const (
	OTPCopyCode OTPType = "COPY_CODE" // the person copies it
	OTPOneTap   OTPType = "ONE_TAP"   // a tap on the button hands it to the app
	OTPZeroTap  OTPType = "ZERO_TAP"  // the app gets it without a tap
)

// An OTPApp is an Android app that may take the code.
type OTPApp struct {
	PackageName   string `json:"package_name"`   // such as "com.example.shop"
	SignatureHash string `json:"signature_hash"` // of the key that signs the app
}

// A ButtonExample is the sample of a button's variable or code.
type ButtonExample []string

// UnmarshalJSON reads a list or one sample.
func (e *ButtonExample) UnmarshalJSON(b []byte) error {
	var list []string
	if json.Unmarshal(b, &list) == nil {
		*e = list
		return nil
	}
	var one flexString
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*e = ButtonExample{string(one)}
	return nil
}
