package cloudapitest

import (
	"net/http"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A blockedUser is an entry of the block list, or one that could not be changed, with the reasons.
type blockedUser struct {
	Input  string        `json:"input"`
	WAID   string        `json:"wa_id,omitzero"`
	UserID graph.UserID  `json:"user_id,omitzero"`
	Errors []blockedNote `json:"errors,omitempty"`
}

// A blockedNote is a reason, in Meta's short form of an error.
type blockedNote struct {
	Code    graph.Code `json:"code"`
	Message string     `json:"message"`
}

// Blocked returns the people that a number has blocked.
func (s *Server) Blocked(id graph.PhoneNumberID) []graph.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phone(id); p != nil {
		return slices.Clone(p.more().blocked)
	}
	return nil
}

// listBlocked answers with the people as Meta's OpenAPI document has them. That one who is known by
// user id alone is named by it is assumed.
func (s *Server) listBlocked(c *call) reply {
	var nodes []node
	for _, who := range c.phone.more().blocked {
		n := node{"messaging_product": raw("whatsapp"), "wa_id": raw(who.WAID)}
		if who.WAID == "" {
			n = node{"messaging_product": raw("whatsapp"), "user_id": raw(who.UserID)}
		}
		nodes = append(nodes, n)
	}
	return s.page(c, nodes)
}

// changeBlocked blocks or unblocks. Only people who wrote in the last 24 hours can be blocked; the
// others are listed beside an error, in one answer of status 400, as Meta does it.
func (s *Server) changeBlocked(c *call) reply {
	var req struct {
		Users []struct {
			Phone string       `json:"user"`
			ID    graph.UserID `json:"user_id"`
		} `json:"block_users"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	if len(req.Users) == 0 {
		return refuse(missing("block_users"))
	}
	var done, failed []blockedUser
	for _, u := range req.Users {
		who := graph.Identity{UserID: u.ID, WAID: digits(u.Phone)}
		if known, ok := s.user(u.ID, who.WAID); ok {
			who = known
		}
		entry := blockedUser{Input: u.Phone + string(u.ID), WAID: who.WAID, UserID: who.UserID}
		if c.method == http.MethodPost && !s.windowOpen(c.phone, who) {
			entry.Errors = []blockedNote{{graph.CodeReengagementMessage, "Re-engagement message"}}
			failed = append(failed, entry)
			continue
		}
		done = append(done, entry)
		list := slices.DeleteFunc(c.phone.more().blocked, func(b graph.Identity) bool { return b.Key() == who.Key() })
		if c.method == http.MethodPost {
			list = append(list, who)
		}
		c.phone.more().blocked = list
	}
	result := map[string][]blockedUser{}
	if len(done) > 0 {
		result[map[bool]string{true: "added_users", false: "removed_users"}[c.method == http.MethodPost]] = done
	}
	if len(failed) > 0 {
		result["failed_users"] = failed
	}
	body := map[string]any{"messaging_product": "whatsapp", "block_users": result}
	rep := ok(body)
	if len(failed) > 0 {
		body["error"] = map[string]any{
			"message": "(#139100) Failed to block/unblock some users", "type": "OAuthException", "code": 139100,
			"fbtrace_id": "made-up",
		}
		rep.status, rep.body = http.StatusBadRequest, raw(body)
	}
	return rep
}
