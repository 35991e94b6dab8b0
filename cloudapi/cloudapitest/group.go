package cloudapitest

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Group is a group of an ordinary number. Coexistence numbers have none.
type Group struct {
	// ID is made up if empty. Meta tells it by webhook, [Server.Groups] tells it here.
	ID graph.GroupID

	// PhoneNumberID is the number that has the group.
	PhoneNumberID graph.PhoneNumberID

	// RequestID is the request id that the call that made the group returned; its webhook names it.
	// Empty for [Server.AddGroup].
	RequestID string

	// Subject and Description are what people see.
	Subject     string
	Description string

	// JoinApproval is [graph.JoinAtOnce] if empty.
	JoinApproval graph.JoinApproval

	// Participants are the people in it, without the business.
	Participants []graph.Identity

	// InviteLink is made up if empty, and empty again once it was deleted.
	InviteLink string

	// Picture is the file that was uploaded last. Its size in pixels is not looked at.
	Picture []byte

	// CreatedAt is now if zero.
	CreatedAt time.Time
}

// maxParticipants is how many people a group holds, without the business.
const (
	maxParticipants = 8
	inviteLinks     = "https://chat.whatsapp.com/"
)

// A group is a Group and what goes on around it.
type group struct {
	Group
	requests     []joinRequest
	joined, left []time.Time
}

// A joinRequest is a person at the door.
type joinRequest struct {
	id  string
	who graph.Identity
	at  time.Time
}

// AddGroup adds a group and returns it with everything filled in.
func (s *Server) AddGroup(g Group) Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	g.Participants = slices.Clone(g.Participants)
	return s.addGroup(g)
}

// addGroup is AddGroup. The caller must hold s.mu.
func (s *Server) addGroup(g Group) Group {
	if g.ID == "" {
		g.ID = graph.GroupID(s.newSecret("Y2FwaV9ncm91cDox", 24).Reveal())
	}
	if g.JoinApproval == "" {
		g.JoinApproval = graph.JoinAtOnce
	}
	if g.InviteLink == "" {
		g.InviteLink = s.newInviteLink()
	}
	if g.CreatedAt.IsZero() {
		g.CreatedAt = s.now()
	}
	s.put(&object{id: string(g.ID), kind: kindGroup, phone: s.phone(g.PhoneNumberID), value: &group{Group: g}})
	return g
}

// newInviteLink makes up a link that no group has had.
func (s *Server) newInviteLink() string { return inviteLinks + s.newSecret("", 22).Reveal() }

// Groups returns the groups of a number as they are now.
func (s *Server) Groups(id graph.PhoneNumberID) []Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Group
	for _, g := range s.groups(id) {
		copied := g.Group
		copied.Participants = slices.Clone(g.Participants)
		list = append(list, copied)
	}
	return list
}

// groups returns the groups of a number in the order in which they were made.
func (s *Server) groups(id graph.PhoneNumberID) []*group {
	return all[group](s, kindGroup, func(o *object) bool { return o.phone != nil && o.phone.ID == id })
}

// JoinGroup has a person follow the invite link of a group. Where the business decides who is let
// in, it returns the id of the request, which the business approves or rejects; else the person is
// in, and it returns nothing. A group that is full, or whose link was deleted, admits no one.
func (s *Server) JoinGroup(id graph.GroupID, who graph.Identity) (joinRequestID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.object(string(id))
	if o == nil || o.kind != kindGroup {
		return ""
	}
	g := o.value.(*group)
	switch {
	case g.InviteLink == "" || g.find(who) >= 0:
		return ""
	case g.JoinApproval == graph.JoinWithApproval:
		r := joinRequest{s.newID(), who, s.now()}
		g.requests = append(g.requests, r)
		return r.id
	}
	g.let(who, s.now())
	return ""
}

// let takes a person in, and reports whether there was room.
func (g *group) let(who graph.Identity, now time.Time) bool {
	if len(g.Participants) >= maxParticipants {
		return false
	}
	g.Participants, g.joined = append(g.Participants, who), append(g.joined, now)
	return true
}

// find returns where a person is among the participants, or -1.
func (g *group) find(who graph.Identity) int {
	keys := identityKeys(who)
	return slices.IndexFunc(g.Participants, func(p graph.Identity) bool {
		return slices.ContainsFunc(identityKeys(p), func(key string) bool { return slices.Contains(keys, key) })
	})
}

// A groupMember is a participant, as a read shows it.
type groupMember struct {
	WAID   string       `json:"wa_id,omitzero"`
	UserID graph.UserID `json:"user_id,omitzero"`
}

// node is what a read shows of a group. No group is ever suspended.
func (g *group) node() node {
	members := []groupMember{}
	for _, p := range g.Participants {
		members = append(members, groupMember{p.WAID, p.UserID})
	}
	return node{
		"id": raw(g.ID), "messaging_product": raw("whatsapp"), "subject": raw(g.Subject),
		"description": raw(g.Description), "creation_timestamp": raw(g.CreatedAt.Unix()), "suspended": raw(false),
		"join_approval_mode":      raw(g.JoinApproval),
		"total_participant_count": raw(len(g.Participants)), "participants": raw(members),
	}
}

// notForGroups refuses coexistence numbers, which have no groups.
func notForGroups(p *phone) *graphError {
	if p.CloudAPIOnly {
		return nil
	}
	return &graphError{
		Code: graph.CodeGroupsNotEligible, Details: "The Groups API is not available to coexistence numbers.",
	}
}

// postGroup makes a group and answers with a request id: the group's own id comes by webhook, which
// [Server.Groups] stands for.
func (s *Server) postGroup(c *call) reply {
	if err := notForGroups(c.phone); err != nil {
		return refuse(err)
	}
	var req struct {
		Subject      string             `json:"subject"`
		Description  string             `json:"description"`
		JoinApproval graph.JoinApproval `json:"join_approval_mode"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	if err := checkGroupTexts(&req.Subject, &req.Description); err != nil {
		return refuse(err)
	}
	g := s.addGroup(Group{
		PhoneNumberID: c.phone.ID, RequestID: s.newRequestID(), Subject: req.Subject,
		Description: req.Description, JoinApproval: req.JoinApproval,
	})
	return ok(struct {
		Product   string `json:"messaging_product"`
		RequestID string `json:"request_id"`
	}{"whatsapp", g.RequestID})
}

// checkGroupTexts checks the texts that a request has; nil ones stay as they are.
func checkGroupTexts(subject, description *string) *graphError {
	switch {
	case subject != nil && *subject == "":
		return missing("subject")
	case subject != nil && utf8.RuneCountInString(*subject) > 128:
		return invalid("subject must be at most 128 characters long")
	case description != nil && utf8.RuneCountInString(*description) > 2048:
		return invalid("description must be at most 2048 characters long")
	}
	return nil
}

// listGroups answers with an object under data, where others have a list.
func (s *Server) listGroups(c *call) reply {
	var nodes []node
	for _, g := range s.groups(c.phone.ID) {
		nodes = append(nodes, node{"id": raw(g.ID), "subject": raw(g.Subject), "created_at": raw(g.CreatedAt.Unix())})
	}
	rep := s.page(c, nodes)
	if rep.err != nil {
		return rep
	}
	var l list
	_ = json.Unmarshal(rep.body, &l)
	type groups struct {
		Groups []node `json:"groups"`
	}
	return ok(struct {
		Data   groups  `json:"data"`
		Paging *paging `json:"paging,omitzero"`
	}{groups{l.Data}, l.Paging})
}

// getGroup reads one group.
func (s *Server) getGroup(c *call) reply {
	return s.show(c, valueOf[group](c).node(), "id,subject", "WhatsAppBusinessGroup")
}

// editGroup changes texts, or the picture, which comes in a form.
func (s *Server) editGroup(c *call) reply {
	if picture, ok := c.files["file"]; ok {
		if picture.mimeType != "image/jpeg" {
			return refuse(invalid("The picture of a group must be a JPEG"))
		}
		valueOf[group](c).Picture = picture.body
		return success
	}
	var req struct {
		Subject     *string `json:"subject"`
		Description *string `json:"description"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	if err := checkGroupTexts(req.Subject, req.Description); err != nil {
		return refuse(err)
	}
	g := valueOf[group](c)
	if req.Subject != nil {
		g.Subject = *req.Subject
	}
	if req.Description != nil {
		g.Description = *req.Description
	}
	return success
}

// deleteGroup ends a group. Messages to it are refused from then on, if the number has others.
func (s *Server) deleteGroup(c *call) reply {
	s.drop(c.id)
	return success
}

// inviteLink reads, renews or deletes the link. Without one, a read is refused.
func (s *Server) inviteLink(c *call) reply {
	g := valueOf[group](c)
	switch c.method {
	case http.MethodDelete:
		g.InviteLink = ""
		return success
	case http.MethodPost:
		g.InviteLink = s.newInviteLink()
	}
	if g.InviteLink == "" {
		return refuse(invalid("The group has no invite link"))
	}
	return ok(struct {
		Product string `json:"messaging_product"`
		Link    string `json:"invite_link"`
	}{"whatsapp", g.InviteLink})
}

// removeParticipants takes people out. The first one who is not in the group ends it with an error,
// and those before are out already. Meta's partial answer, 206 with code 131201, is not played.
func (s *Server) removeParticipants(c *call) reply {
	var req struct {
		People []struct {
			User string `json:"user"`
		} `json:"participants"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	if len(req.People) == 0 {
		return refuse(missing("participants"))
	}
	g := valueOf[group](c)
	for _, p := range req.People {
		who := graph.Identity{WAID: digits(p.User)}
		if graph.IsUserID(p.User) {
			who = graph.Identity{UserID: graph.UserID(p.User)}
		}
		i := g.find(who)
		if i < 0 {
			return refuse(&graphError{Code: graph.CodeGroupParticipantNotFound})
		}
		g.Participants, g.left = slices.Delete(g.Participants, i, i+1), append(g.left, s.now())
	}
	return success
}

// listJoinRequests answers with the people who wait to be let in.
func (s *Server) listJoinRequests(c *call) reply {
	var nodes []node
	for _, r := range valueOf[group](c).requests {
		nodes = append(nodes, node{
			"join_request_id": raw(r.id), "wa_id": raw(r.who.WAID), "user_id": raw(r.who.UserID),
			"creation_timestamp": raw(r.at.Unix()),
		})
	}
	return s.page(c, nodes)
}

// A joinFailure is a request that could not be decided, with the reasons.
type joinFailure struct {
	ID     string        `json:"join_request_id"`
	Errors []blockedNote `json:"errors"`
}

// decideJoinRequests lets people in or turns them away. Requests that are gone, and people for whom
// there is no room, are listed beside those that could be decided, in an answer of status 200.
func (s *Server) decideJoinRequests(c *call) reply {
	var req struct {
		IDs []string `json:"join_requests"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	if len(req.IDs) == 0 {
		return refuse(missing("join_requests"))
	}
	g := valueOf[group](c)
	name := "approved_join_requests"
	if c.method == http.MethodDelete {
		name = "rejected_join_requests"
	}
	done, failed := []string{}, []joinFailure{}
	fail := func(id string, code graph.Code, message string) {
		failed = append(failed, joinFailure{id, []blockedNote{{code, message}}})
	}
	for _, id := range req.IDs {
		i := slices.IndexFunc(g.requests, func(r joinRequest) bool { return r.id == id })
		switch {
		case i < 0:
			fail(id, graph.CodeGroupJoinRequestNotFound, "Join request does not exist")
			continue
		case c.method == http.MethodPost && !g.let(g.requests[i].who, s.now()):
			fail(id, graph.CodeGroupTooManyParticipants, "Too many participants")
			continue
		}
		g.requests = slices.Delete(g.requests, i, i+1)
		done = append(done, id)
	}
	body := map[string]json.RawMessage{"messaging_product": raw("whatsapp"), name: raw(done)}
	if len(failed) > 0 {
		body["failed_join_requests"] = raw(failed)
		body["errors"] = raw(failed[0].Errors)
	}
	return ok(body)
}

// checkGroup checks a message to a group, once the server knows any groups of the number.
func (s *Server) checkGroup(p *phone, id graph.GroupID) *graphError {
	if err := notForGroups(p); err != nil {
		return err
	}
	known := s.groups(p.ID)
	i := slices.IndexFunc(known, func(g *group) bool { return g.ID == id })
	switch {
	case len(known) == 0:
		return nil
	case i < 0:
		return &graphError{Code: graph.CodeGroupUnknown}
	case len(known[i].Participants) == 0:
		return &graphError{Code: graph.CodeBadGroup, Details: "Nobody but the business is in the group."}
	}
	return nil
}
