package cloudapi

import (
	"encoding/json"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Pin keeps a message at the top of a group for some days, or takes it from there. A group has at
// most three. Only groups have pins, see [ToGroup].
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/groups/groups-messaging
type Pin struct {
	// MessageID is the message in the group.
	MessageID graph.MessageID

	// Days is how long the message stays pinned, 1 to 30.
	Days int

	// Unpin takes the message from the top; Days is zero then.
	Unpin bool
}

type pinJSON struct {
	Type      string          `json:"type"`
	MessageID graph.MessageID `json:"message_id"`
	Days      flexString      `json:"expiration_days,omitzero"` // a string in Meta's sample
}

// MarshalJSON writes the member "pin" of a message.
func (n *Pin) MarshalJSON() ([]byte, error) {
	if n.Unpin {
		return json.Marshal(pinJSON{Type: "unpin", MessageID: n.MessageID})
	}
	return json.Marshal(pinJSON{"pin", n.MessageID, flexString(strconv.Itoa(n.Days))})
}

// UnmarshalJSON reads what MarshalJSON writes, and days that are a number.
func (n *Pin) UnmarshalJSON(b []byte) error {
	var v pinJSON
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	days, _ := strconv.Atoi(string(v.Days))
	*n = Pin{v.MessageID, days, v.Type == "unpin"}
	return nil
}

// MessageType is "pin".
func (*Pin) MessageType() string { return "pin" }

// Summary is empty.
func (*Pin) Summary() string { return "" }

func (n *Pin) check(p *problems) {
	if n == nil {
		p.missing("the Pin is nil")
		return
	}
	p.needs("Pin.MessageID", string(n.MessageID))
	if n.Unpin && n.Days != 0 {
		p.limit("Pin.Days is set although Unpin is")
	}
	if !n.Unpin && (n.Days < 1 || n.Days > 30) {
		p.limit("Pin.Days is %d; Meta accepts 1 to 30", n.Days)
	}
}

func (*Pin) sensitive() []string { return nil }
