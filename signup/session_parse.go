package signup

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// ErrNotSessionInfo is the error of ParseSessionInfo for a window message that is not of Embedded
// Signup. There are many, and one of them carries the code: drop it, and log nothing of it.
var ErrNotSessionInfo = errors.New("signup: not a session message of Embedded Signup; ignore it and log nothing of it")

// ParseSessionInfo reads the data of a window message. It takes the message as it arrived, which is
// mostly a JSON string that holds JSON, and the object itself.
//
// The only error is [ErrNotSessionInfo]. A message of Embedded Signup is never refused for what it
// says: an event that this package does not know has [KindUnknown] or [KindFinishedUnknown], a
// value of an undocumented form is kept in [SessionInfo.Members]. An id that is a number stays
// there too: the browser may have rounded it, and [Flow.Finish] finds the accounts by itself.
func ParseSessionInfo(message []byte) (*SessionInfo, error) {
	msg, err := parseObject(message)
	if err != nil {
		return nil, ErrNotSessionInfo
	}
	if msg.string("type") != "WA_EMBEDDED_SIGNUP" {
		return nil, ErrNotSessionInfo
	}
	data := msg.object("data")
	s := &SessionInfo{
		Event:         SessionEvent(msg.string("event")),
		Version:       msg.text("version"),
		WABAID:        takeID[graph.WABAID](data, "waba_id"),
		WABAs:         takeIDs[graph.WABAID](data, "waba_ids"),
		PrimaryWAACs:  takeIDs[graph.WAACID](data, "primary_waac_ids"),
		PhoneNumberID: takeID[graph.PhoneNumberID](data, "phone_number_id"),
		BusinessID:    takeID[graph.BusinessID](data, "business_id"),
		Assets: Assets{
			AdAccounts:        takeIDs[string](data, "ad_account_ids"),
			Pages:             takeIDs[string](data, "page_ids"),
			Datasets:          takeIDs[string](data, "dataset_ids"),
			Catalogs:          takeIDs[string](data, "catalog_ids"),
			InstagramAccounts: takeIDs[string](data, "instagram_account_ids"),
		},
		BusinessAppUser: data.bool("is_wa_login_user"),
		CurrentStep:     Screen(data.string("current_step")),
		Error:           takeProblem(data),
	}
	if s.WABAID == "" && len(s.WABAs) == 1 {
		s.WABAID = s.WABAs[0]
	}
	s.Members = msg.unknownMembers(data)
	return s, nil
}

// takeProblem returns nil if nothing in data tells of an error. Meta renamed error_id to
// error_code; a message that has both, with different codes, keeps the second one raw.
func takeProblem(data object) *SessionError {
	if !slices.ContainsFunc([]string{"error_code", "error_id", "error_message", "session_id"}, data.has) {
		return nil
	}
	p := &SessionError{
		Code:      takeCode(data, "error_code"),
		Message:   data.string("error_message"),
		SessionID: data.string("session_id"),
		At:        takeTime(data, "timestamp"),
	}
	id := data.members["error_id"]
	switch code := takeCode(data, "error_id"); {
	case p.Code == 0:
		p.Code = code
	case code != 0 && code != p.Code:
		data.addUnknown("error_id", id, reasonSecond)
	}
	return p
}

// takeCode takes an error code, written as a string or a number. 0 is left raw: it means something
// else to Meta.
func takeCode(data object, name string) graph.Code {
	v, ok := data.take(name)
	if !ok {
		return 0
	}
	text := string(v)
	if !isNumber(v) {
		var s string
		if json.Unmarshal(v, &s) != nil {
			s = ""
		}
		text = s
	}
	n, err := strconv.Atoi(text)
	if err != nil || n == 0 {
		data.addUnknown(name, v, reasonForm)
		return 0
	}
	return graph.Code(n)
}

// takeTime takes a Unix time. It is zero if there is none, or something else.
func takeTime(data object, name string) graph.Timestamp {
	v, ok := data.take(name)
	var t graph.Timestamp
	if ok && (json.Unmarshal(v, &t) != nil || t.IsZero()) {
		data.addUnknown(name, v, reasonForm)
	}
	return t
}
