package cloudapitest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// historyPrefix begins the ids of history entries; what follows is the message's place among the
// sent ones.
const historyPrefix = "81000000000"

// historyID is the id of the entry about the i-th sent message, of all that were ever sent.
func historyID(i int) string { return historyPrefix + strconv.Itoa(i) }

// historyEntry finds the sent message that an entry of the history is about. The caller must hold
// s.mu.
func (s *Server) historyEntry(id string) (SentMessage, bool) {
	digits, ok := strings.CutPrefix(id, historyPrefix)
	i, err := strconv.Atoi(digits)
	if !ok || err != nil || i < s.sentBefore || i-s.sentBefore >= len(s.sent) || historyID(i) != id {
		return SentMessage{}, false
	}
	return s.sent[i-s.sentBefore], true
}

// A historyApp is the app that an event's webhook was for.
type historyApp struct {
	ID graph.AppID `json:"id"`
}

// A historyEvent is one step of a message.
type historyEvent struct {
	ID       string     `json:"id"`
	Status   string     `json:"delivery_status"`
	At       int64      `json:"timestamp,omitzero"`
	Occurred int64      `json:"occurrence_timestamp,omitzero"` // its name in the listing of events
	Webhook  string     `json:"webhook_update_state,omitzero"`
	App      historyApp `json:"application"`
	Error    string     `json:"error_description,omitzero"`
}

// historyEvents are what the server knows of a message: that it was sent, or that it will not
// arrive.
func (s *Server) historyEvents(id string, m SentMessage) []historyEvent {
	ev := historyEvent{ID: id + "1", Status: "SENT", At: m.At.Unix(), Webhook: "DELIVERED", App: historyApp{s.app.ID}}
	if m.Fails != 0 {
		info, _ := graph.Lookup(m.Fails, 0)
		ev.Status, ev.Error = "FAILED", info.Title
	}
	return []historyEvent{ev}
}

// getMessageHistory lists what a number sent, the latest first.
func (s *Server) getMessageHistory(c *call) reply {
	var nodes []node
	for i, m := range slices.Backward(s.sent) {
		i += s.sentBefore
		if m.From != c.phone.ID || c.has("message_id") && string(m.ID) != c.get("message_id") {
			continue
		}
		events := struct {
			Data []historyEvent `json:"data"`
		}{s.historyEvents(historyID(i), m)}
		nodes = append(nodes, node{"id": raw(historyID(i)), "message_id": raw(m.ID), "events": raw(events)})
	}
	return s.showAll(c, nodes, "id,message_id", "WhatsAppBusinessMessageHistory")
}

// getHistoryEvents lists what became of one message.
func (s *Server) getHistoryEvents(c *call) reply {
	m, ok := s.historyEntry(c.id)
	if !ok {
		return refuse(notFound(c.method, c.id))
	}
	if p := s.phone(m.From); p == nil || !c.token.reaches(p.WABAs...) || s.lost(p) {
		return refuse(notFound(c.method, c.id))
	}
	var nodes []node
	for i, ev := range s.historyEvents(c.id, m) {
		if status := c.get("status_filter"); status == "" || status == ev.Status {
			ev.Occurred, ev.At, ev.Webhook = ev.At, 0, ""
			nodes = append(nodes, node{"cursor": raw(cursor(i + 1)), "node": raw(ev)})
		}
	}
	return s.page(c, nodes)
}
