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
