package webhook

import (
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A FlowUpdate arrives when a Flow changes its state, or when it or its endpoint gets worse or
// better than a threshold. Members that an event does not have are zero.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/flows/reference/flowswebhooks
type FlowUpdate struct {
	EventInfo `json:"-"`

	Event  FlowEvent    `json:"event"`
	FlowID graph.FlowID `json:"flow_id"`

	// Message and Warning say for people what happened.
	Message string `json:"message"`
	Warning string `json:"warning"`

	// OldStatus and NewStatus come with [FlowStatusChange]. A new Flow has no old status.
	OldStatus graph.FlowStatus `json:"old_status"`
	NewStatus graph.FlowStatus `json:"new_status"`

	// AlertState says whether an alert begins or ends, Threshold what was crossed: percent, or
	// milliseconds for latency.
	AlertState FlowAlertState `json:"alert_state"`
	Threshold  float64        `json:"threshold"`

	// ErrorRate is in percent, Errors says of what it consists.
	ErrorRate float64     `json:"error_rate"`
	Errors    []FlowError `json:"errors"`

	// P50 and P90 are latencies in milliseconds, Requests is how many requests they were measured
	// with.
	P50      float64 `json:"p50_latency"`
	P90      float64 `json:"p90_latency"`
	Requests int     `json:"requests_count"`

	// Availability of the endpoint, in percent.
	Availability float64 `json:"availability"`
}

// A FlowEvent is an event in the life of a Flow. Meta adds values: expect unknown ones.
type FlowEvent string

// The documented events: a change of state, and alerts about errors and the Flow's endpoint.
const (
	FlowStatusChange         FlowEvent = "FLOW_STATUS_CHANGE"
	FlowClientErrorRate      FlowEvent = "CLIENT_ERROR_RATE"
	FlowEndpointErrorRate    FlowEvent = "ENDPOINT_ERROR_RATE"
	FlowEndpointLatency      FlowEvent = "ENDPOINT_LATENCY"
	FlowEndpointAvailability FlowEvent = "ENDPOINT_AVAILABILITY"
	FlowVersionExpiryWarning FlowEvent = "FLOW_VERSION_EXPIRY_WARNING"
)

// A FlowAlertState says whether an alert begins or ends.
type FlowAlertState string

// The two states of an alert.
const (
	FlowAlertActivated   FlowAlertState = "ACTIVATED"
	FlowAlertDeactivated FlowAlertState = "DEACTIVATED"
)

// A FlowError is one kind of error in a Flow, and its share of all errors in percent.
type FlowError struct {
	Type  string  `json:"error_type"`
	Rate  float64 `json:"error_rate"`
	Count int     `json:"error_count"`
}
