package graph

// A CallSession is one side's description of the sound of a call.
type CallSession struct {
	// Type is SDPOffer or SDPAnswer.
	Type SDPType `json:"sdp_type"`

	// SDP is the description after RFC 8866.
	SDP string `json:"sdp"`
}

// An SDPType tells an offer from an answer.
type SDPType string

const (
	SDPOffer  SDPType = "offer"
	SDPAnswer SDPType = "answer"
)

// A SIPServer is where calls go. Webhooks name Hostname and Port alone.
type SIPServer struct {
	Hostname string            `json:"hostname"`
	Port     int               `json:"port,omitzero"`
	Params   map[string]string `json:"request_uri_user_params,omitempty"`
	AppID    AppID             `json:"app_id,omitzero"`

	// Password is made by Meta, and for the owner's eyes.
	Password Secret `json:"sip_user_password,omitzero"`
}
