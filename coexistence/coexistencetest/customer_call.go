package coexistencetest

import (
	"errors"
	"strconv"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// offerSDP is the customer's side of the sound. No sound ever flows.
const offerSDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=made-up\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"

// Call makes the customer call the business. The host gets a "calls" webhook with an offer, and
// answers it by a call of the edge calls; [Customer.HangUp] ends it. It is an error if the number
// does not coexist, or has calling switched off, as it is until the settings switch it on.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/user-initiated-calls
func (c *Customer) Call() (graph.CallID, error) {
	p := c.phone
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if p.stage != stageConnected || !p.world.graph.CallingEnabled(p.id) {
		return "", errors.New("coexistencetest: the number takes no calls; switch calling on with Settings.SetCalling")
	}
	v := p.world.graph.AddCall(cloudapitest.Call{PhoneNumberID: p.id, Person: c.identity()})
	session := object(str("sdp_type", "offer"), str("sdp", offerSDP))
	c.tellCall(v, "connect", sub("session", session))
	return v.ID, nil
}

// HangUp makes the customer end a call, whether it was answered or not.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/user-initiated-calls
func (c *Customer) HangUp(id graph.CallID) error {
	p := c.phone
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	for _, v := range p.world.graph.Calls(p.id) {
		if v.ID != id || !v.EndedAt.IsZero() {
			continue
		}
		p.world.graph.SetCallState(id, cloudapitest.CallEnded)
		if v.AcceptedAt.IsZero() {
			c.tellCall(v, "terminate", str("status", "FAILED"))
			return nil
		}
		start, end := v.AcceptedAt.Unix(), p.world.Now().Unix()
		c.tellCall(v, "terminate", str("status", "COMPLETED"),
			str("start_time", strconv.FormatInt(start, 10)), str("end_time", strconv.FormatInt(end, 10)),
			num("duration", end-start))
		return nil
	}
	return errors.New("coexistencetest: there is no such call, or it is over")
}

// tellCall tells the host of a call. The caller must hold the world's mu.
func (c *Customer) tellCall(v cloudapitest.Call, event string, more ...member) {
	p, id := c.phone, c.identity()
	members := append([]member{
		str("id", v.ID), str("from", id.WAID), str("from_user_id", id.UserID), str("to", p.digits()),
		str("event", event), str("timestamp", strconv.FormatInt(p.world.Now().Unix(), 10)),
		str("direction", "USER_INITIATED"),
	}, more...)
	p.tell(webhook.FieldCalls, sub("contacts", list(c.contact())), sub("calls", list(object(members...))))
}
