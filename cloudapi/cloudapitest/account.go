package cloudapitest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// health says that nothing stands in the way. But for [Server.SetPaymentMethod], that is all that
// this server knows; to play other trouble, let [Server.Inject] answer.
func health(entity, id string) json.RawMessage { return healthOf(entity, id, cloudapi.HealthAvailable) }

// healthOf is the health of one thing.
func healthOf(entity, id string, state cloudapi.HealthState, errs ...cloudapi.HealthError) json.RawMessage {
	type part struct {
		Type    string                 `json:"entity_type"`
		ID      string                 `json:"id"`
		CanSend cloudapi.HealthState   `json:"can_send_message"`
		Errors  []cloudapi.HealthError `json:"errors,omitempty"`
	}
	return raw(struct {
		CanSend  cloudapi.HealthState `json:"can_send_message"`
		Entities []part               `json:"entities"`
	}{state, []part{{entity, id, state, errs}}})
}

// wabaHealth is the health of an account. The texts are Meta's.
func wabaHealth(w *waba) json.RawMessage {
	if !w.unpaid {
		return health("WABA", string(w.ID))
	}
	return healthOf("WABA", string(w.ID), cloudapi.HealthBlocked, cloudapi.HealthError{
		Code:        int(graph.CodePaymentMethodFails),
		Description: "There is an error with the payment method. This will block business initiated conversations.",
		Solution:    "There was an error with your payment method. Please add a new payment method to the account.",
	})
}

// getApp reads the app itself.
func (s *Server) getApp(c *call) reply {
	n := node{"id": raw(s.app.ID), "name": raw(s.app.Name), "health_status": health("APP", string(s.app.ID))}
	return s.show(c, n, "id,name", "Application")
}

// An activity is a line in the audit log of an account.
type activity struct {
	id, kind string
	at       time.Time
}

// note writes a line into the audit log. The log holds changes of users; Meta's holds much more.
func (s *Server) note(w *waba, kind string) {
	w.activities = append(w.activities, activity{s.newID(), kind, s.now()})
}

// listActivities answers with the audit log, newest first, narrowed by time and by kind. Meta's
// page names the parameters; the texts of the lines are made up.
func (s *Server) listActivities(c *call) reply {
	since, _ := time.Parse(time.RFC3339, c.get("since"))
	until, _ := time.Parse(time.RFC3339, c.get("until"))
	kinds := strings.FieldsFunc(c.get("activity_type"), func(r rune) bool { return r == ',' })
	var nodes []node
	for _, a := range slices.Backward(c.waba.activities) {
		if a.at.Before(since) || !until.IsZero() && !a.at.Before(until) {
			continue
		}
		if len(kinds) > 0 && !slices.Contains(kinds, a.kind) {
			continue
		}
		nodes = append(nodes, node{
			"id": raw(a.id), "activity_type": raw(a.kind), "timestamp": raw(a.at.Unix()), "actor_type": raw("SYSTEM"),
			"actor_id": raw(s.app.ID), "actor_name": raw(s.app.Name), "description": raw("Made up"),
		})
	}
	return s.page(c, nodes)
}

// An assignedUser is a person or system user with tasks on an account.
type assignedUser struct {
	id    string
	tasks []string
}

// listAssignedUsers answers with the users of an account. Meta wants to know of which portfolio;
// here all users belong to the one that is asked about.
func (s *Server) listAssignedUsers(c *call) reply {
	if c.get("business") == "" {
		return refuse(missing("business"))
	}
	var nodes []node
	for _, u := range c.waba.users {
		nodes = append(nodes, node{
			"id": raw(u.id), "name": raw("Made-up user"), "user_type": raw("SYSTEM_USER"), "tasks": raw(u.tasks),
			"business": raw(named{ID: c.get("business"), Name: "Made-up business"}),
		})
	}
	return s.page(c, nodes)
}

// changeAssignedUsers adds a user with tasks, or removes one. To add a user a second time replaces
// the tasks.
func (s *Server) changeAssignedUsers(c *call) reply {
	id := c.get("user")
	if id == "" {
		return refuse(missing("user"))
	}
	c.waba.users = slices.DeleteFunc(c.waba.users, func(u assignedUser) bool { return u.id == id })
	if c.method == http.MethodDelete {
		s.note(c.waba, "USER_REMOVED")
		return success
	}
	var req struct {
		Tasks []string `json:"tasks"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	if len(req.Tasks) == 0 {
		return refuse(missing("tasks"))
	}
	c.waba.users = append(c.waba.users, assignedUser{id, req.Tasks})
	s.note(c.waba, "USER_ADDED")
	return success
}

// connectedBusinesses are the owners of accounts that the app is subscribed to: a server without a
// signup has no better sign of a connection.
func (s *Server) connectedBusinesses(c *call) reply {
	var nodes []node
	for _, b := range s.businesses {
		connected := func(w *waba) bool { return w.OwnerBusinessID == b.ID && w.subscribed && !w.lost }
		if slices.ContainsFunc(s.wabas, connected) {
			nodes = append(nodes, node{
				"id": raw(b.ID), "name": raw(b.Name),
				"verification_status": raw("not_verified"), "business_status": raw("active"),
			})
		}
	}
	return s.page(c, nodes)
}

// systemUsers lists the partner's own system user, whose token the server has.
func (s *Server) systemUsers(c *call) reply {
	id := s.tokens[s.systemToken].userID
	return s.page(c, []node{{"id": raw(id), "name": raw("Made-up system user"), "role": raw("ADMIN")}})
}

// businessToken fetches the token that a business granted in Embedded Signup, or makes another one.
// A proof is required, whatever the app's settings say. Of several tokens, any one is fetched.
func (s *Server) businessToken(c *call) reply {
	if c.get("appsecret_proof") == "" {
		return refuse(required("appsecret_proof"))
	}
	business := graph.BusinessID(c.id)
	if c.yes("fetch_only") {
		for value, t := range s.tokens {
			if t.BusinessID == business && !t.revoked {
				return ok200("access_token", value.Reveal())
			}
		}
		return refuse(&graphError{
			Code: graph.CodePermissionMissing, Message: "(#200) The business has not granted a token to this app",
		})
	}
	t := Token{BusinessID: business}
	for _, w := range s.wabas {
		if w.OwnerBusinessID == business {
			t.WABAs = append(t.WABAs, w.ID)
		}
	}
	if c.yes("set_token_expires_in_60_days") {
		t.Lifetime = 60 * 24 * time.Hour
	}
	return ok200("access_token", s.addToken(t).Reveal())
}

// deleteContact forgets a person whom [Server.AddUser] made known.
func (s *Server) deleteContact(c *call) reply {
	id := graph.UserID(c.get("bsuid"))
	if c.get("messaging_product") != "whatsapp" {
		return refuse(missing("messaging_product"))
	}
	if !userIDRe.MatchString(string(id)) {
		return refuse(invalid("bsuid is not a business-scoped user id"))
	}
	before := len(s.users)
	s.users = slices.DeleteFunc(s.users, func(u graph.Identity) bool { return u.UserID == id })
	return ok(struct {
		Product string `json:"messaging_product"`
		Success bool   `json:"success"`
		Deleted bool   `json:"deleted"`
	}{"whatsapp", true, len(s.users) < before})
}
