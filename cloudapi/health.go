package cloudapi

import (
	"context"
	"encoding/json"
	"net/http"
)

// A HealthService says whether messages can be sent, and what prevents it.
type HealthService service

// A Health is whether an object and all it depends on can send messages. Meta shows it late at
// times, for coexistence numbers above all.
type Health struct {
	// ID is the object that was asked about, of whatever kind.
	ID     string       `json:"id"`
	Status HealthStatus `json:"health_status"`
	Resource
}

// A HealthStatus is the worst state among the entities, and each of them.
type HealthStatus struct {
	CanSend  HealthState    `json:"can_send_message"`
	Entities []HealthEntity `json:"entities"`
}

// A HealthEntity is one of the things that sending depends on: number, account, portfolio, app,
// template or Flow.
type HealthEntity struct {
	Type string `json:"entity_type"` // such as "PHONE_NUMBER", "WABA", "BUSINESS", "APP"
	ID   string `json:"id"`

	// CanSend is about messages. CanCall is about calls over SIP, of numbers that have it; empty
	// for all others.
	CanSend HealthState `json:"can_send_message"`
	CanCall HealthState `json:"can_receive_call_sip"`

	// Info are remarks that keep nothing from working, Errors what does.
	Info   []string      `json:"additional_info"`
	Errors []HealthError `json:"errors"`
}

// A HealthError is a reason, with Meta's advice.
type HealthError struct {
	// Code is one of Meta's codes of health, such as [graph.CodePaymentMethodFails].
	Code        int    `json:"error_code"`
	Description string `json:"error_description"`
	Solution    string `json:"possible_solution"` // for people
}

// A HealthState is a state of health. Meta may add values.
type HealthState string

const (
	HealthAvailable HealthState = "AVAILABLE"
	HealthLimited   HealthState = "LIMITED" // works, but less than it could: see Info
	HealthBlocked   HealthState = "BLOCKED" // does not work: see Errors
)

func (h *Health) incomplete() string {
	if h.Status.CanSend == "" {
		return "the answer has no health_status"
	}
	return ""
}

// Get reads the health of a number, account, portfolio, app, template or Flow, by its id.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/support/health-status
//
// graph:GET /{node-id} health_status
func (s *HealthService) Get(ctx context.Context, node string) (*Health, error) {
	return call[Health](ctx, s.c, request{
		method: http.MethodGet, path: "/{node-id}", ids: []string{node},
		options: fieldsOption{[]string{"health_status"}},
	})
}

// jsonNames returns the names of an object's members, in no order; none for what is no object.
func jsonNames(raw json.RawMessage) []string {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(raw, &m)
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}
