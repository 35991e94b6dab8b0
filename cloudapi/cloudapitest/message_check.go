package cloudapitest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// messageTypes are the documented types.
var messageTypes = []string{
	"audio", "contacts", "document", "image", "interactive", "location", "pin", "reaction", "sticker", "template",
	"text", "video",
}

// envelopeMembers are the documented members of a message request, besides the object named after
// the type.
var envelopeMembers = []string{
	"messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data",
	"recipient_identity_key_hash", "messaging_account_id", "paid_messaging_account_id", "category", "ttl_seconds",
	"direct_send_config",
	"product_policy", "message_activity_sharing", "bid_spec", // of marketing messages
}

// userIDRe is the documented form of business-scoped user ids.
var userIDRe = regexp.MustCompile(`^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$`)

// checkMessage checks a message request and fills in whom m is for: the recipient first, then the
// type, the content, and last of all the window. Without [Config].Strict the window is not looked
// at, since Meta reports a closed one by webhook.
func (s *Server) checkMessage(
	c *call, req *messageRequest, members map[string]json.RawMessage, m *SentMessage,
) *graphError {
	if err := s.checkRecipient(c, req, m); err != nil {
		return err
	}
	if !slices.Contains(messageTypes, req.Type) {
		types := strings.Join(messageTypes, ", ")
		return notOneOf("type", types)
	}
	if _, ok := members[req.Type]; !ok {
		return missing(req.Type)
	}
	if err := s.checkContent(req, members[req.Type], m); err != nil {
		return err
	}
	if err := s.checkMaxPrice(c, req, members[req.Type], m); err != nil {
		return err
	}
	if err := s.checkUse(c, members[req.Type], m); err != nil {
		return err
	}
	if s.strict {
		for name := range members {
			if name != req.Type && !slices.Contains(envelopeMembers, name) {
				return unexpectedKey(name)
			}
		}
	}
	if err := s.checkOwner(c, m); err != nil {
		return err
	}
	open := req.Type == "template" || req.Category != "" || m.GroupID != "" || s.windowOpen(c.phone, m.To)
	if s.strict && !open {
		return &graphError{
			Code: graph.CodeReengagementMessage,
			Details: "Message failed to send because more than 24 hours have passed " +
				"since the customer last replied to this number.",
		}
	}
	return nil
}

// checkRecipient finds out whom a message is for and fills that in. Of to and recipient, Meta
// silently takes to. A business-scoped user id in to is accepted and fails later, as seen in the
// field; a number without a plus sign gets the business's own country code, so [Config].Strict
// refuses it. A number cannot write to itself, whatever extra digit the two spellings differ by.
func (s *Server) checkRecipient(c *call, req *messageRequest, m *SentMessage) *graphError {
	if req.To == "" && req.Recipient == "" {
		return required("to")
	}
	if s.strict && req.To != "" && req.Recipient != "" {
		return invalid("to and recipient are both set; Meta would silently take to")
	}
	switch req.RecipientType {
	case "", "individual":
	case "group":
		m.Input, m.GroupID = req.To, graph.GroupID(req.To)
		return s.checkGroup(c.phone, m.GroupID)
	default:
		return notOneOf("recipient_type", "individual, group")
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
	case graph.EquivalenceKey(number) == graph.EquivalenceKey(c.phone.PhoneNumber):
		return &graphError{Code: graph.CodeRecipientIsSender}
	}
	m.To = graph.Identity{WAID: number}
	if u, ok := s.user("", number); ok {
		m.To = u
	}
	return nil
}

// checkContent checks the object named after the type by the rules that package cloudapi checks
// before it sends.
func (s *Server) checkContent(req *messageRequest, object json.RawMessage, m *SentMessage) *graphError {
	if req.Type == "template" {
		object = withoutEmpty(object)
	}
	var msg cloudapi.Message
	if err := msg.UnmarshalJSON(fmt.Appendf(nil, `{"type":%q,%[1]q:%s}`, req.Type, object)); err != nil {
		path := req.Type
		if m := wrongMemberRe.FindStringSubmatch(err.Error()); m != nil {
			path += "." + m[1]
		}
		return &graphError{
			Code:    graph.CodeInvalidParameter,
			Message: fmt.Sprintf("(#100) Param %s is not of the documented type.", phpPath(path)),
		}
	}
	msg.To, msg.ReplyTo, msg.CallbackData = cloudapi.ToPhone("+15550100100"), req.Context.MessageID, req.CallbackData
	if m.GroupID != "" {
		msg.To = cloudapi.ToGroup(m.GroupID)
	}
	if req.Category != "" || req.TTL != 0 || req.Direct.Template != "" {
		msg.Direct = &cloudapi.DirectSend{
			Category: req.Category, TTL: time.Duration(req.TTL) * time.Second, TemplateName: req.Direct.Template,
		}
	}
	if problems := cloudapi.ValidationErrors(msg.Check()); len(problems) > 0 {
		return problemError(req.Type, problems)
	}
	if err := s.checkFiles(m.From, req.Type, object); err != nil {
		return err
	}
	if req.Type == "template" {
		if err := s.checkTemplate(s.phone(m.From), object); err != nil {
			return err
		}
	}
	if !s.strict {
		return nil
	}
	known, err := msg.Content.MarshalJSON()
	if err != nil {
		return invalid("%s does not encode", req.Type)
	}
	if name := surplus(object, known); name != "" {
		return unexpectedKey(req.Type + "." + name)
	}
	return nil
}

// wrongMemberRe finds the member of another JSON type in an error of package cloudapi.
var wrongMemberRe = regexp.MustCompile(`^cloudapi: ([a-z_.]+) of a message`)

// tooLongRe finds a text that is too long among the problems, oneLineRe a value that Meta does not
// put into a template.
var (
	tooLongRe = regexp.MustCompile(`^(\S+) has \d+ characters; Meta accepts (\d+)$`)
	oneLineRe = regexp.MustCompile(`has a line break, a tab or more`)
)

// problemError tells problems of a message of a type with Meta's codes and wire names: 131008 for
// what is missing, 132018 for values of a template, 131009 for what is inside an interactive
// message, 100 for the rest, with Meta's words where hosts report them. What Meta says of two
// problems at once is not known; all are named.
func problemError(messageType string, problems []*cloudapi.ValidationError) *graphError {
	var texts []string
	for _, p := range problems {
		texts = append(texts, wireText(p.Text))
	}
	details := strings.Join(texts, "; ")
	long := tooLongRe.FindStringSubmatch(texts[0])
	switch {
	case problems[0].Missing:
		return &graphError{
			Code: graph.CodeMissingParameter, Message: "(#131008) Required parameter is missing", Details: details,
		}
	case messageType == "template" && oneLineRe.MatchString(texts[0]):
		return &graphError{
			Code:    graph.CodeTemplateParamsInvalid,
			Details: "Param text cannot have new-line/tab characters or more than 4 consecutive spaces",
		}
	case messageType == "template":
		return &graphError{Code: graph.CodeTemplateParamsInvalid, Details: details}
	case messageType == "interactive":
		if long != nil && strings.HasSuffix(long[1], ".reply.title") {
			details = "Button title length invalid. Min length: 1, Max length: " + long[2]
		}
		return &graphError{
			Code: graph.CodeInvalidParameterValue, Message: "(#131009) Parameter value is not valid", Details: details,
		}
	case long != nil:
		return &graphError{
			Code:    graph.CodeInvalidParameter,
			Message: fmt.Sprintf("(#100) Param %s must be at most %s characters long.", phpPath(long[1]), long[2]),
		}
	}
	return invalid("%s", details)
}

// phpPath writes a path as the messages of the Graph API do: text.body is text['body'].
func phpPath(path string) string {
	parts := strings.Split(strings.ReplaceAll(path, "[", ".["), ".")
	for i, part := range parts[1:] {
		if !strings.HasPrefix(part, "[") {
			parts[i+1] = "['" + part + "']"
		}
	}
	return strings.Join(parts, "")
}

// notOneOf refuses a value that is none of those documented.
func notOneOf(param, values string) *graphError {
	return &graphError{
		Code: graph.CodeInvalidParameter, Message: fmt.Sprintf("(#100) Param %s must be one of {%s}", param, values),
	}
}

// unexpectedKey refuses a member that no page of Meta's names.
func unexpectedKey(name string) *graphError {
	return &graphError{Code: graph.CodeInvalidParameter, Message: fmt.Sprintf("(#100) Unexpected key %q", name)}
}

// surplus names a member of sent that known does not have, or returns nothing.
func surplus(sent, known json.RawMessage) string {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(sent, &a) == nil {
		_ = json.Unmarshal(known, &b)
		for _, name := range slices.Sorted(maps.Keys(a)) {
			inner, ok := b[name]
			if !ok {
				return name
			}
			if deeper := surplus(a[name], inner); deeper != "" {
				return name + "." + deeper
			}
		}
		return ""
	}
	var c, d []json.RawMessage
	if json.Unmarshal(sent, &c) == nil && json.Unmarshal(known, &d) == nil {
		for i := range min(len(c), len(d)) {
			if deeper := surplus(c[i], d[i]); deeper != "" {
				return fmt.Sprintf("%d.%s", i, deeper)
			}
		}
	}
	return ""
}

// fileMembers are the members of a message that name a file.
var fileMembers = []string{"audio", "document", "gif", "image", "sticker", "video"}

// checkFiles checks the ids of files in a message, wherever they are: a file of another number, or
// one that was deleted, does not exist. The path of the member is that of Meta's message.
func (s *Server) checkFiles(from graph.PhoneNumberID, path string, value json.RawMessage) *graphError {
	var members map[string]json.RawMessage
	var elements []json.RawMessage
	switch {
	case json.Unmarshal(value, &elements) == nil:
		for i, inner := range elements {
			if err := s.checkFiles(from, fmt.Sprintf("%s[%d]", path, i), inner); err != nil {
				return err
			}
		}
	case json.Unmarshal(value, &members) == nil:
		name := path[strings.LastIndexByte(path, '.')+1:]
		if id := (params{values: members}).get("id"); id != "" && slices.Contains(fileMembers, name) {
			o := s.object(id)
			if o == nil || o.kind != kindMedia || o.phone == nil || o.phone.ID != from {
				return &graphError{
					Code: graph.CodeInvalidParameter,
					Message: fmt.Sprintf("(#100) Param %s is not a valid whatsapp business account media attachment ID",
						phpPath(path+".id")),
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if err := s.checkFiles(from, path+"."+name, members[name]); err != nil {
				return err
			}
		}
	}
	return nil
}
