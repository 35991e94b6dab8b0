package cloudapitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// messageTypes maps each type to the members of its object of which at least one is required.
var messageTypes = map[string][]string{
	"text":        {"body"},
	"image":       {"id", "link"},
	"video":       {"id", "link"},
	"audio":       {"id", "link"},
	"document":    {"id", "link"},
	"sticker":     {"id", "link"},
	"location":    {"latitude"},
	"contacts":    nil, // a list
	"reaction":    {"message_id"},
	"interactive": {"type"},
	"template":    {"name"},
	"pin":         {"message_id"},
}

// envelopeMembers are the documented members of a message request, besides the object named after the type.
var envelopeMembers = []string{
	"messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data",
	"recipient_identity_key_hash", "messaging_account_id", "paid_messaging_account_id", "category", "ttl_seconds",
	"direct_send_config",
}

// userIDRe is the documented form of business-scoped user ids.
var userIDRe = regexp.MustCompile(`^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$`)

// checkMessage judges a message request and fills in whom m is for.
func (s *Server) checkMessage(c *call, req *messageRequest, members map[string]json.RawMessage, m *SentMessage) *graphError {
	if err := s.checkRecipient(c, req, m); err != nil {
		return err
	}
	required, known := messageTypes[req.Type]
	if !known {
		types := strings.Join(slices.Sorted(maps.Keys(messageTypes)), ", ")
		return &graphError{Code: graph.CodeInvalidParameter, Message: "(#100) Param type must be one of {" + types + "}"}
	}
	if _, ok := members[req.Type]; !ok {
		return missing(req.Type)
	}
	if err := checkContent(req.Type, required, members[req.Type]); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(req.CallbackData); n > 512 {
		return invalid("biz_opaque_callback_data must be at most 512 characters long")
	}
	if req.Type == "reaction" && req.Context.MessageID != "" {
		return invalid("a reaction takes no context")
	}
	if s.strict {
		for name := range members {
			if name != req.Type && !slices.Contains(envelopeMembers, name) {
				return &graphError{Code: graph.CodeInvalidParameter, Message: fmt.Sprintf("(#100) Unexpected key %q", name)}
			}
		}
	}
	open := req.Type == "template" || m.Group != "" || s.windowOpen(c.phone, m.To)
	if s.strict && !open {
		return &graphError{
			Code:    graph.CodeReengagementMessage,
			Details: "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
		}
	}
	return nil
}

func (s *Server) checkRecipient(c *call, req *messageRequest, m *SentMessage) *graphError {
	if req.To == "" && req.Recipient == "" {
		return &graphError{Code: graph.CodeInvalidParameter, Message: "(#100) The parameter to is required."}
	}
	if s.strict && req.To != "" && req.Recipient != "" {
		return invalid("to and recipient are both set; Meta would silently take to")
	}
	switch req.RecipientType {
	case "", "individual":
	case "group":
		if !c.phone.Ordinary {
			return &graphError{Code: graph.CodeGroupsNotEligible, Details: "The Groups API is not available to coexistence numbers."}
		}
		m.Input, m.Group = req.To, graph.GroupID(req.To)
		return nil
	default:
		return &graphError{Code: graph.CodeInvalidParameter, Message: "(#100) Param recipient_type must be one of {individual, group}"}
	}
	if req.To == "" {
		m.Input = req.Recipient
		if !userIDRe.MatchString(req.Recipient) {
			return invalid("recipient is not a business-scoped user id")
		}
		id := graph.UserID(req.Recipient)
		m.To = graph.Identity{UserID: id}
		if u, ok := s.user(id, ""); ok {
			m.To = u
		}
		return nil
	}
	m.Input = req.To
	if graph.IsUserID(req.To) {
		// Accepted, and reported as undeliverable later: seen in the field.
		m.To, m.Fails = graph.Identity{UserID: graph.UserID(req.To)}, graph.CodeMessageUndeliverable
		return nil
	}
	number := digits(req.To)
	switch {
	case len(number) < 7 || len(number) > 15:
		return &graphError{Code: graph.CodeInvalidParameterValue, Details: "to is not a valid phone number"}
	case s.strict && !strings.HasPrefix(req.To, "+"):
		return invalid("to has no plus sign; Meta would put the business's own country code in front of it")
	case graph.EquivalenceKey(number) == graph.EquivalenceKey(c.phone.Number):
		return &graphError{Code: graph.CodeRecipientIsSender}
	}
	m.To = graph.Identity{WAID: number}
	if u, ok := s.user("", number); ok {
		m.To = u
	}
	return nil
}

// checkContent judges the object named after the type.
func checkContent(kind string, required []string, object json.RawMessage) *graphError {
	if kind == "contacts" {
		var cards []json.RawMessage
		if json.Unmarshal(object, &cards) != nil || len(cards) == 0 || len(cards) > 257 {
			return invalid("contacts must be a list of 1 to 257 cards")
		}
		return nil
	}
	var v map[string]json.RawMessage
	if json.Unmarshal(object, &v) != nil {
		return invalid("%s must be an object", kind)
	}
	found := 0
	for _, name := range required {
		if _, ok := v[name]; ok {
			found++
		}
	}
	switch {
	case found == 0:
		return missing(fmt.Sprintf("%s['%s']", kind, strings.Join(required, "' or '")))
	case found > 1:
		return invalid("%s takes one of %s", kind, strings.Join(required, " and "))
	}
	return checkLengths(kind, v)
}

func checkLengths(kind string, object map[string]json.RawMessage) *graphError {
	limits := map[string]int{"caption": 1024}
	if kind == "text" {
		limits["body"] = 4096
	}
	for name, limit := range limits {
		var text string
		if v, ok := object[name]; !ok {
			continue
		} else if json.Unmarshal(v, &text) != nil {
			return invalid("%s['%s'] must be a string", kind, name)
		}
		if utf8.RuneCountInString(text) > limit {
			return invalid("Param %s['%s'] must be at most %d characters long.", kind, name, limit)
		}
		if name == "body" && strings.TrimSpace(text) == "" {
			return missing("text['body']")
		}
	}
	if kind == "template" {
		var language struct {
			Code string `json:"code"`
		}
		if v, ok := object["language"]; !ok || json.Unmarshal(v, &language) != nil || language.Code == "" {
			return missing("template['language']['code']")
		}
	}
	return nil
}
