package cloudapitest

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// syncWindow is how long after onboarding a sync can be asked for.
const syncWindow = 24 * time.Hour

// A SyncRequest is an accepted request for the app's contacts or history.
type SyncRequest struct {
	PhoneNumberID graph.PhoneNumberID
	Kind          cloudapi.SyncKind

	// RequestID is the request id of the answer: 18 hexadecimal digits, as Meta's.
	RequestID string

	// At is the server's time.
	At time.Time
}

// Synced reports when a kind of sync was accepted in the current onboarding, or the zero time.
func (s *Server) Synced(id graph.PhoneNumberID, kind cloudapi.SyncKind) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phone(id); p != nil {
		return p.synced[kind]
	}
	return time.Time{}
}

// postSyncAppData works once per kind and onboarding, and for a day. A repeat is refused as it was
// reported from the field, under code 4 with the real code as subcode; lateness as Meta documents
// it.
func (s *Server) postSyncAppData(c *call) reply {
	var req struct {
		Product string            `json:"messaging_product"`
		Kind    cloudapi.SyncKind `json:"sync_type"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	switch {
	case req.Product != "whatsapp":
		return refuse(required("messaging_product"))
	case req.Kind != cloudapi.SyncContacts && req.Kind != cloudapi.SyncHistory:
		return refuse(notOneOf("sync_type", "smb_app_state_sync, history"))
	case c.phone.CloudAPIOnly:
		// What an ordinary number answers is not documented; this is assumed.
		return refuse(invalid("The phone number is not in use in the WhatsApp Business app"))
	case !c.phone.synced[req.Kind].IsZero():
		return refuse(&graphError{
			Code: graph.CodeAppRateLimit, Subcode: int(graph.CodeSyncLimitExceeded), Status: 400,
			Message: "(#4) Synchronization request limit exceeded",
		})
	case s.now().Sub(c.phone.OnboardedAt) >= syncWindow:
		return refuse(&graphError{
			Code:    graph.CodeSyncWindowClosed,
			Message: "Synchronization request made outside of allowed time window",
			Details: "Synchronization request can only be made within 24 hours of onboarding",
		})
	}
	req2 := SyncRequest{PhoneNumberID: c.phone.ID, Kind: req.Kind, RequestID: s.newRequestID(), At: s.now()}
	c.phone.synced[req.Kind] = req2.At
	rep := ok(struct {
		Product   string `json:"messaging_product"`
		RequestID string `json:"request_id"`
	}{"whatsapp", req2.RequestID})
	for _, hook := range s.onSync {
		rep.after = append(rep.after, func() { hook(req2) })
	}
	return rep
}
