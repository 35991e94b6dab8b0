package cloudapi

import (
	"encoding/json"
)

// A LocationRequest is a button by which a person sends a place. The answer is a location message.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/location-request-messages
type LocationRequest struct{}

// MarshalJSON writes the member "action".
func (*LocationRequest) MarshalJSON() ([]byte, error) { return bare("send_location") }

// InteractiveType is "location_request_message".
func (*LocationRequest) InteractiveType() string { return "location_request_message" }

func (*LocationRequest) frame() frame { return frame{noFooter: true} }

func (*LocationRequest) check(*problems) {}

// A ContactInfoRequest is a button by which a person shares a phone number, for people who wrote
// without showing one. The answer is a contacts message.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
type ContactInfoRequest struct{}

// MarshalJSON writes the member "action".
func (*ContactInfoRequest) MarshalJSON() ([]byte, error) { return bare("request_contact_info") }

// InteractiveType is "request_contact_info".
func (*ContactInfoRequest) InteractiveType() string { return "request_contact_info" }

func (*ContactInfoRequest) frame() frame { return frame{noFooter: true} }

func (*ContactInfoRequest) check(*problems) {}

// A CallPermissionRequest asks a person for permission to call. One may be asked once a day and
// twice a week.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/user-call-permissions
type CallPermissionRequest struct{}

// MarshalJSON writes the member "action".
func (*CallPermissionRequest) MarshalJSON() ([]byte, error) { return bare("call_permission_request") }

// InteractiveType is "call_permission_request".
func (*CallPermissionRequest) InteractiveType() string { return "call_permission_request" }

func (*CallPermissionRequest) frame() frame { return frame{bodyOptional: true, noFooter: true} }

func (*CallPermissionRequest) check(*problems) {}

// A CallButton is a button by which a person calls the business. Not every country has it.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/call-button-messages-deep-links
type CallButton struct {
	// Text is the label of the button, at most 20 characters. If empty, Meta's words.
	Text string `json:"display_text,omitzero"`

	// TTLMinutes is how long the button works, 1 to 43200. If zero, Meta's 10080, a week.
	TTLMinutes int `json:"ttl_minutes,omitzero"`

	// Payload comes back in the call webhooks, at most 512 characters.
	Payload string `json:"payload,omitzero"`
}

// MarshalJSON writes the member "action".
func (a *CallButton) MarshalJSON() ([]byte, error) {
	if *a == (CallButton{}) {
		return bare("voice_call")
	}
	type plain CallButton
	return encodeNamed("voice_call", (*plain)(a))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *CallButton) UnmarshalJSON(b []byte) error {
	type plain CallButton
	return decodeNamed(b, (*plain)(a))
}

// InteractiveType is "voice_call".
func (*CallButton) InteractiveType() string { return "voice_call" }

func (*CallButton) frame() frame { return frame{noFooter: true} }

func (a *CallButton) check(p *problems) {
	p.atMost("CallButton.Text", a.Text, 20)
	p.atMost("CallButton.Payload", a.Payload, 512)
	if a.TTLMinutes != 0 {
		p.within("CallButton.TTLMinutes", a.TTLMinutes, 1, 43200)
	}
}

// An AddressRequest asks for a postal address with a form. Meta offers it in India.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/address-messages
type AddressRequest struct {
	// Country is "IN".
	Country string `json:"country"`

	// Values fill in the form: name, phone_number, in_pin_code, house_number, floor_number,
	// tower_number, building_name, address, landmark_area, city, state.
	Values map[string]string `json:"values,omitempty"`

	// Saved are addresses to choose from.
	Saved []SavedAddress `json:"saved_addresses,omitempty"`

	// Errors say, by member of Values, what was wrong with an address that came before.
	Errors map[string]string `json:"validation_errors,omitempty"`
}

// A SavedAddress is an address to choose.
type SavedAddress struct {
	// ID comes back in the answer if this address was chosen.
	ID string `json:"id"`

	// Value has the members of [AddressRequest].Values.
	Value map[string]string `json:"value"`
}

// MarshalJSON writes the member "action".
func (a *AddressRequest) MarshalJSON() ([]byte, error) {
	type plain AddressRequest
	return encodeNamed("address_message", (*plain)(a))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *AddressRequest) UnmarshalJSON(b []byte) error {
	type plain AddressRequest
	return decodeNamed(b, (*plain)(a))
}

// InteractiveType is "address_message".
func (*AddressRequest) InteractiveType() string { return "address_message" }

func (*AddressRequest) frame() frame { return frame{textHeader: true, mediaHeader: true} }

func (a *AddressRequest) check(p *problems) { p.required("AddressRequest.Country", a.Country) }

// A FlowButton opens a Flow.
//
// Meta: https://developers.facebook.com/docs/whatsapp/flows/guides/sendingaflow
type FlowButton struct {
	// FlowID or FlowName names the Flow; set one.
	FlowID   string `json:"flow_id,omitzero"`
	FlowName string `json:"flow_name,omitzero"`

	// Text is the label of the button, at most 30 characters.
	Text string `json:"flow_cta"`

	// FlowToken names this sending towards your data endpoint. If empty, Meta's "unused".
	FlowToken string `json:"flow_token,omitzero"`

	// Mode is FlowPublished, or FlowDraft for tests. If empty, published.
	Mode FlowMode `json:"mode,omitzero"`

	// Action is FlowNavigate with a Screen, or FlowDataExchange, with which your data endpoint
	// names the first screen. If empty, Meta's navigate.
	Action FlowAction `json:"flow_action,omitzero"`

	// Screen is the first screen, and Data its data: an object that is not empty, or nil. Only for
	// FlowNavigate.
	Screen string          `json:"-"`
	Data   json.RawMessage `json:"-"`

	// Version is the version of the message. If empty, "3".
	Version string `json:"flow_message_version"`
}

// A FlowMode is whether the published Flow opens or its draft. Meta may add values.
type FlowMode string

const (
	FlowPublished FlowMode = "published"
	FlowDraft     FlowMode = "draft"
)

// A FlowAction is the way in which a Flow gets its first screen. Meta may add values.
type FlowAction string

const (
	FlowNavigate     FlowAction = "navigate"
	FlowDataExchange FlowAction = "data_exchange"
)

type flowPayload struct {
	Screen string          `json:"screen,omitzero"`
	Data   json.RawMessage `json:"data,omitempty"`
}

type plainFlowButton FlowButton

type flowButtonJSON struct {
	plainFlowButton
	Payload *flowPayload `json:"flow_action_payload,omitzero"`
}

// MarshalJSON writes the member "action".
func (a *FlowButton) MarshalJSON() ([]byte, error) {
	v := flowButtonJSON{plainFlowButton: plainFlowButton(*a)}
	if v.Version == "" {
		v.Version = "3"
	}
	if a.Screen != "" || a.Data != nil {
		v.Payload = &flowPayload{a.Screen, a.Data}
	}
	return encodeNamed("flow", v)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *FlowButton) UnmarshalJSON(b []byte) error {
	var v flowButtonJSON
	if err := decodeNamed(b, &v); err != nil {
		return err
	}
	*a = FlowButton(v.plainFlowButton)
	if v.Payload != nil {
		a.Screen, a.Data = v.Payload.Screen, v.Payload.Data
	}
	return nil
}

// InteractiveType is "flow".
func (*FlowButton) InteractiveType() string { return "flow" }

func (*FlowButton) frame() frame { return frame{textHeader: true, mediaHeader: true} }

func (a *FlowButton) check(p *problems) {
	if (a.FlowID == "") == (a.FlowName == "") {
		p.put(false, a.FlowID == "", "FlowButton takes one of FlowID and FlowName", nil)
	}
	p.text("FlowButton.Text", a.Text, 30)
	if a.Action == FlowDataExchange && (a.Screen != "" || a.Data != nil) {
		p.limit("FlowButton.Screen and Data are for FlowNavigate; with FlowDataExchange the endpoint names them")
	}
	if a.Data == nil {
		return
	}
	var data map[string]json.RawMessage
	switch err := json.Unmarshal(a.Data, &data); {
	case !json.Valid(a.Data):
		p.add("FlowButton.Data is not valid JSON")
	case err != nil || len(data) == 0:
		p.limit("FlowButton.Data must be an object with members; leave it nil for none")
	}
}
