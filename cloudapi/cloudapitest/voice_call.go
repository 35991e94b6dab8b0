package cloudapitest

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Call is a call between a number and a person.
type Call struct {
	// ID is made up if empty.
	ID graph.CallID

	// PhoneNumberID is the business's number and Person the other side.
	PhoneNumberID graph.PhoneNumberID
	Person        graph.Identity

	// Outgoing calls were made by the business.
	Outgoing bool

	// State is [CallRinging] if empty.
	State CallState

	// SDP is the latest session description of the business: the offer of an outgoing call, the
	// answer to an incoming one.
	SDP string

	// CallbackData is the reference that the business gave.
	CallbackData string

	// At is when it began; now if zero. AcceptedAt and EndedAt are zero until it was accepted and
	// ended.
	At, AcceptedAt, EndedAt time.Time
}

// A CallState is the state of a call.
type CallState string

const (
	CallRinging     CallState = "ringing"
	CallPreAccepted CallState = "pre_accepted" // the business prepares the sound
	CallAccepted    CallState = "accepted"     // both sides talk
	CallRejected    CallState = "rejected"     // by either side, before it was accepted
	CallEnded       CallState = "ended"        // one side hung up, or gave up
)

// over reports whether the call has ended, in whatever way.
func (v *Call) over() bool { return v.State == CallRejected || v.State == CallEnded }

// AddCall has a person call a number and returns the call with everything filled in.
func (s *Server) AddCall(v Call) Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addCall(v)
}

// addCall is AddCall. The caller must hold s.mu.
func (s *Server) addCall(v Call) Call {
	if v.ID == "" {
		v.ID = graph.CallID("wacid." + s.newSecret("", 32).Reveal())
	}
	if v.State == "" {
		v.State = CallRinging
	}
	if v.At.IsZero() {
		v.At = s.now()
	}
	s.put(&object{id: string(v.ID), kind: kindCall, phone: s.phone(v.PhoneNumberID), value: &v})
	return v
}

// Calls returns the calls of a number as they are now, in the order in which they began.
func (s *Server) Calls(id graph.PhoneNumberID) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Call
	for _, v := range s.voiceCalls(id) {
		list = append(list, *v)
	}
	return list
}

// voiceCalls returns the calls of a number in the order in which they began.
func (s *Server) voiceCalls(id graph.PhoneNumberID) []*Call {
	return all[Call](s, kindCall, func(o *object) bool { return o.phone != nil && o.phone.ID == id })
}

// SetCallState acts for the person: accepts an outgoing call, declines it, hangs up.
func (s *Server) SetCallState(id graph.CallID, state CallState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.object(string(id)); o != nil && o.kind == kindCall {
		s.moveCall(o.value.(*Call), state)
	}
}

// moveCall puts a call into a state and notes when that was.
func (s *Server) moveCall(v *Call, state CallState) {
	v.State = state
	switch {
	case state == CallAccepted:
		v.AcceptedAt = s.now()
	case v.over():
		v.EndedAt = s.now()
	}
}

// A callPermission is a person's leave to be called.
type callPermission struct {
	status  cloudapi.PermissionStatus
	expires time.Time
}

// PermitCalls is a person's answer to the request to be called: [cloudapi.PermissionTemporary] is
// good for seven days, [cloudapi.PermissionPermanent] until it is taken back with
// [cloudapi.PermissionNone].
func (s *Server) PermitCalls(id graph.PhoneNumberID, person graph.Identity, status cloudapi.PermissionStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phone(id)
	if p == nil {
		return
	}
	permission := callPermission{status: status}
	if status == cloudapi.PermissionTemporary {
		permission.expires = s.now().Add(7 * 24 * time.Hour)
	}
	for _, key := range identityKeys(person) {
		p.more().callable[key] = permission
	}
}

// callPermission is what a person allows at the moment.
func (s *Server) callPermission(p *phone, person graph.Identity) callPermission {
	for _, key := range identityKeys(person) {
		if c, ok := p.more().callable[key]; ok && (c.expires.IsZero() || s.now().Before(c.expires)) {
			return c
		}
	}
	return callPermission{status: cloudapi.PermissionNone}
}

// getCallPermissions says whether a person may be called, or asked for leave. The limits of either,
// which Meta adds, are not counted here.
func (s *Server) getCallPermissions(c *call) reply {
	who := graph.Identity{WAID: digits(c.get("user_wa_id")), UserID: graph.UserID(c.get("recipient"))}
	if who == (graph.Identity{}) {
		return refuse(missing("user_wa_id"))
	}
	if known, ok := s.user(who.UserID, who.WAID); ok {
		who = known
	}
	granted := s.callPermission(c.phone, who)
	type permission struct {
		Status  cloudapi.PermissionStatus `json:"status"`
		Expires int64                     `json:"expiration_time,omitzero"`
	}
	type action struct {
		Name    string `json:"action_name"`
		Allowed bool   `json:"can_perform_action"`
	}
	body := struct {
		Product    string     `json:"messaging_product"`
		Permission permission `json:"permission"`
		Actions    []action   `json:"actions"`
	}{
		"whatsapp", permission{Status: granted.status},
		[]action{
			{"send_call_permission_request", granted.status == cloudapi.PermissionNone},
			{"start_call", granted.status != cloudapi.PermissionNone},
		},
	}
	if !granted.expires.IsZero() {
		body.Permission.Expires = granted.expires.Unix()
	}
	return ok(body)
}

// CallingEnabled reports whether the settings of a number switch calls on.
func (s *Server) CallingEnabled(id graph.PhoneNumberID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phone(id)
	return p != nil && p.callingEnabled()
}

// callingEnabled reports whether the settings of a number switch calls on.
func (p *phone) callingEnabled() bool {
	var calling struct {
		Status graph.FeatureState `json:"status"`
	}
	_ = json.Unmarshal(p.more().settings["calling"], &calling)
	return calling.Status == graph.FeatureEnabled
}

// A callBody is the request of the edge calls, whose action says which members it has.
type callBody struct {
	To           string             `json:"to"`
	Recipient    graph.UserID       `json:"recipient"`
	CallID       graph.CallID       `json:"call_id"`
	Action       string             `json:"action"`
	Session      *graph.CallSession `json:"session"`
	CallbackData string             `json:"biz_opaque_callback_data"`
}

// postCall makes a call or answers one. Numbers have calling switched off until the settings switch
// it on.
func (s *Server) postCall(c *call) reply {
	var req callBody
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	if !c.phone.callingEnabled() {
		return refuse(&graphError{Code: graph.CodeCallingNotEnabled})
	}
	if len([]rune(req.CallbackData)) > 512 {
		return refuse(invalid("biz_opaque_callback_data must be at most 512 characters long"))
	}
	if req.Action == "connect" {
		return s.connectCall(c, req)
	}
	calls := s.voiceCalls(c.phone.ID)
	i := slices.IndexFunc(calls, func(v *Call) bool { return v.ID == req.CallID })
	if i < 0 {
		return refuse(invalid("call_id names no call of this number"))
	}
	v := calls[i]
	states := map[string]CallState{
		"pre_accept": CallPreAccepted, "accept": CallAccepted, "reject": CallRejected, "terminate": CallEnded,
	}
	state, known := states[req.Action]
	answers := state == CallPreAccepted || state == CallAccepted
	switch {
	case !known:
		return refuse(invalid("action must be one of connect, pre_accept, accept, reject, terminate"))
	case v.over():
		return refuse(invalid("The call is over"))
	case req.Action != "terminate" && (v.Outgoing || v.State == CallAccepted):
		return refuse(invalid("The call does not wait for an answer of the business"))
	case answers && (req.Session == nil || req.Session.Type != graph.SDPAnswer || req.Session.SDP == ""):
		return refuse(missing("session"))
	}
	s.moveCall(v, state)
	if answers {
		v.SDP = req.Session.SDP
	}
	if req.CallbackData != "" {
		v.CallbackData = req.CallbackData
	}
	return ok(struct {
		Product string `json:"messaging_product"`
		Success bool   `json:"success"`
	}{"whatsapp", true})
}

// connectCall calls a person who allowed it. The phone rings until [Server.SetCallState]; a second
// call to the same person meanwhile is refused as a duplicate.
func (s *Server) connectCall(c *call, req callBody) reply {
	who := graph.Identity{WAID: digits(req.To), UserID: req.Recipient}
	if known, ok := s.user(req.Recipient, who.WAID); ok {
		who = known
	}
	ringing := slices.ContainsFunc(s.voiceCalls(c.phone.ID), func(v *Call) bool {
		return !v.over() && v.Person.Key() == who.Key()
	})
	switch {
	case who == (graph.Identity{}):
		return refuse(missing("to"))
	case req.Session == nil || req.Session.Type != graph.SDPOffer || req.Session.SDP == "":
		return refuse(missing("session"))
	case s.callPermission(c.phone, who).status == cloudapi.PermissionNone:
		return refuse(&graphError{Code: graph.CodeNoCallPermission})
	case ringing:
		return refuse(&graphError{Code: graph.CodeDuplicateCall})
	}
	v := s.addCall(Call{
		PhoneNumberID: c.phone.ID, Person: who, Outgoing: true, SDP: req.Session.SDP, CallbackData: req.CallbackData,
	})
	type id struct {
		ID graph.CallID `json:"id"`
	}
	return ok(struct {
		Product string `json:"messaging_product"`
		Calls   []id   `json:"calls"`
	}{"whatsapp", []id{{v.ID}}})
}
