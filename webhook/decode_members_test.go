package webhook_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readByHand lists the files whose readers have no struct to be compared with.
var readByHand = []string{
	"decode_status.go", "decode_message.go", "decode_history.go", "decode_thread.go", "decode_error.go",
	"decode_interactive.go", "decode_content.go",
}

// A memberTable holds members that one reader has cases for.
type memberTable struct {
	reader        string // the function, or the struct for readers that are made from one
	field         string
	before, after string // the JSON around the member in the value
	at            string // the path of the rows, from the first event
	rows          []memberRow
}

// A memberRow is a member that a reader has a case for, with JSON that only this case understands.
type memberRow struct {
	name, json string
	at, want   string // the typed member that shows it
}

// memberTables covers statuses, messages, contacts and errors.
var memberTables = []memberTable{
	{"readStatus", "messages", `"statuses":[{`, `}]`, "MessageStatus", []memberRow{
		{"id", `"id":"wamid.1"`, "ID", "wamid.1"},
		{"status", `"status":"played"`, "Status", "played"},
		{"timestamp", `"timestamp":"1767225600"`, "EventInfo.At", "1767225600"},
		{"recipient_id", `"recipient_id":"15550100123"`, "Recipient.WAID", "15550100123"},
		{"recipient_user_id", `"recipient_user_id":"US.1"`, "Recipient.UserID", "US.1"},
		{"recipient_parent_user_id", `"recipient_parent_user_id":"US.ENT.1"`, "Recipient.ParentUserID", "US.ENT.1"},
		{"parent_recipient_user_id", `"parent_recipient_user_id":"US.ENT.1"`, "Recipient.ParentUserID", "US.ENT.1"},
		{"parent_user_id", `"parent_user_id":"US.ENT.1"`, "Recipient.ParentUserID", "US.ENT.1"},
		{"recipient_type", `"recipient_type":"group"`, "RecipientType", "group"},
		{"recipient_participant_id", `"recipient_participant_id":"15550100123"`, "Participant.WAID", "15550100123"},
		{"participant_recipient_id", `"participant_recipient_id":"15550100123"`, "Participant.WAID", "15550100123"},
		{"recipient_participant_user_id", `"recipient_participant_user_id":"US.1"`, "Participant.UserID", "US.1"},
		{"recipient_participant_parent_user_id", `"recipient_participant_parent_user_id":"US.ENT.1"`,
			"Participant.ParentUserID", "US.ENT.1"},
		{"recipient_identity_key_hash", `"recipient_identity_key_hash":"aGFzaA=="`, "IdentityHash", "aGFzaA=="},
		{"group_id", `"group_id":"g1"`, "GroupID", "g1"},
		{"biz_opaque_callback_data", `"biz_opaque_callback_data":"order 7"`, "CallbackData", "order 7"},
		{"template_id", `"template_id":"400000000000001"`, "TemplateID", "400000000000001"},
		{"conversation", `"conversation":{"id":"c1","origin":{"type":"service"}}`, "Conversation.ID", "c1"},
		{"pricing", `"pricing":{"billable":true,"pricing_model":"PMP"}`, "Pricing.Model", "PMP"},
		{"errors", `"errors":[{"code":131026}]`, "Errors[0].Code", "131026"},
		{"type", `"type":"payment"`, "Type", "payment"},
		{"payment", `"payment":{"reference_id":"r1"}`, "Payment.ReferenceID", "r1"},
		{"message", `"message":{"recipient_id":"15550100123"}`, "Recipient.WAID", "15550100123"},
	}},
	{"legacyRecipient", "messages", `"statuses":[{`, `}]`, "MessageStatus", []memberRow{
		{"recipient_id", `"message":{"recipient_id":"15550100123"}`, "Recipient.WAID", "15550100123"},
	}},
	{"readConversation", "messages", `"statuses":[{"conversation":{`, `}}]`, "MessageStatus", []memberRow{
		{"id", `"id":"c1"`, "Conversation.ID", "c1"},
		{"origin", `"origin":{"type":"utility"}`, "Conversation.Origin.Type", "utility"},
		{"expiration_timestamp", `"expiration_timestamp":"1767225600"`, "Conversation.ExpiresAt.Time", "1767225600"},
		{"pricing", `"pricing":{"pricing_model":"CBP"}`, "Pricing.Model", "CBP"},
	}},
	{"userActionBody", "messages", `"user_actions":[{`, `}]`, "UserAction", []memberRow{
		{"action_type", `"action_type":"marketing_messages_link_click"`, "Type", "marketing_messages_link_click"},
		{"timestamp", `"timestamp":"1767225600"`, "EventInfo.At", "1767225600"},
		{"marketing_messages_link_click_data", `"marketing_messages_link_click_data":{"click_id":"k1"}`,
			"Click.ClickID", "k1"},
	}},
	{"message.members", "messages", `"messages":[{`, `}]`, "IncomingMessage", []memberRow{
		{"id", `"id":"wamid.1"`, "ID", "wamid.1"},
		{"from", `"from":"15550100123"`, "From.WAID", "15550100123"},
		{"from_user_id", `"from_user_id":"US.1"`, "From.UserID", "US.1"},
		{"from_parent_user_id", `"from_parent_user_id":"US.ENT.1"`, "From.ParentUserID", "US.ENT.1"},
		{"timestamp", `"timestamp":"1767225600"`, "EventInfo.At", "1767225600"},
		{"type", `"type":"order"`, "Type", "order"},
		{"context", `"context":{"id":"wamid.0"}`, "Context.ID", "wamid.0"},
		{"errors", `"errors":[{"code":131051}]`, "Errors[0].Code", "131051"},
		{"referral", `"referral":{"source_id":"a1"}`, "Referral.SourceID", "a1"},
		{"identity", `"identity":{"hash":"aGFzaA=="}`, "Identity.Hash", "aGFzaA=="},
		{"identity", `"identity":{"acknowledged":true}`, "Identity.Acknowledged", "true"},
		{"identity", `"identity":{"created_timestamp":1767225600}`, "Identity.CreatedAt.Time", "1767225600"},
		{"group_id", `"group_id":"g1"`, "GroupID", "g1"},
		{"from_logical_id", `"from_logical_id":"l1"`, "LogicalID", "l1"},
	}},
	{"message.members", "smb_message_echoes", `"message_echoes":[{`, `}]`, "BusinessAppEcho", []memberRow{
		{"from", `"from":"15550100100"`, "From", "15550100100"},
		{"to", `"to":"15550100123"`, "To.WAID", "15550100123"},
		{"to_user_id", `"to_user_id":"US.1"`, "To.UserID", "US.1"},
		{"to_parent_user_id", `"to_parent_user_id":"US.ENT.1"`, "To.ParentUserID", "US.ENT.1"},
	}},
	{"contactBody", "messages", `"contacts":[{`, `}],"messages":[{"id":"wamid.1"}]`, "IncomingMessage", []memberRow{
		{"wa_id", `"wa_id":"15550100123"`, "From.WAID", "15550100123"},
		{"user_id", `"user_id":"US.1"`, "From.UserID", "US.1"},
		{"parent_user_id", `"parent_user_id":"US.ENT.1"`, "From.ParentUserID", "US.ENT.1"},
		{"identity_key_hash", `"identity_key_hash":"aGFzaA=="`, "IdentityHash", "aGFzaA=="},
		{"profile", `"profile":{"name":"Ada"}`, "ProfileName", "Ada"},
	}},
	{"contactBody", "messages", `"contacts":[{`, `}],"statuses":[{"id":"wamid.1"}]`, "MessageStatus", []memberRow{
		{"identity_key_hash", `"identity_key_hash":"aGFzaA=="`, "IdentityHash", "aGFzaA=="},
		{"profile", `"profile":{"name":"Ada"}`, "ProfileName", "Ada"},
	}},
	{"contactBody.Profile", "messages", `"contacts":[{"profile":{`, `}}],"messages":[{"id":"wamid.1"}]`,
		"IncomingMessage", []memberRow{
			{"name", `"name":"Ada"`, "ProfileName", "Ada"},
			{"country_code", `"country_code":"US"`, "ProfileCountry", "US"},
			{"username", `"username":"@ada"`, "From.Username", "ada"},
		}},
	{"readError", "messages", `"errors":[{`, `}]`, "PhoneNumberError.Err", []memberRow{
		{"code", `"code":131051`, "Code", "131051"},
		{"title", `"title":"t"`, "Title", "t"},
		{"message", `"message":"m"`, "Message", "m"},
		{"href", `"href":"h"`, "Href", "h"},
		{"details", `"details":"d"`, "Details", "d"},
		{"error_data", `"error_data":{"details":"d"}`, "Details", "d"},
	}},
	{"readErrorData", "messages", `"errors":[{"error_data":{`, `}}]`, "PhoneNumberError.Err", []memberRow{
		{"details", `"details":"d"`, "Details", "d"},
	}},
	{"readInteractive", "messages", `"messages":[{"type":"interactive","interactive":{`, `}}]`,
		"IncomingMessage.Content", []memberRow{
			{"type", `"type":"new_reply"`, "Kind", "new_reply"},
			{"timestamp", `"timestamp":"1767225600"`, "At.Time", "1767225600"},
		}},
	{"readFlowReply", "messages", `"messages":[{"type":"interactive","interactive":{"nfm_reply":{`, `}}}]`,
		"IncomingMessage.Content.Reply", []memberRow{
			{"name", `"name":"flow"`, "Name", "flow"},
			{"body", `"body":"Sent"`, "Body", "Sent"},
			{"response_json", `"response_json":"{}"`, "Response", "{}"},
		}},
	{"readEdit", "messages", `"messages":[{"type":"edit","edit":{`, `}}]`, "IncomingMessage.Content", []memberRow{
		{"original_message_id", `"original_message_id":"wamid.0"`, "OriginalMessageID", "wamid.0"},
		{"message", `"message":{"type":"text"}`, "Type", "text"},
	}},
	{"Edit.readMessage", "messages", `"messages":[{"type":"edit","edit":{"message":{`, `}}}]`,
		"IncomingMessage.Content", []memberRow{
			{"type", `"type":"order"`, "Type", "order"},
			{"context", `"context":{"id":"wamid.0"}`, "Context.ID", "wamid.0"},
		}},
}

// historyTables covers history. Members behind the messages count for them, too, and a second list
// replaces the first.
var historyTables = []memberTable{
	{"historyItem.read", "history", `"history":[{`, `}]`, "HistoryChunk", []memberRow{
		{"metadata", `"metadata":{"phase":2}`, "Phase", "2"},
	}},
	{"historyItem.read", "history", `"history":[{`, `}]`, "HistoryChunk.Threads[0]", []memberRow{
		{"threads", `"threads":[{"id":"15550100123"}]`, "ID", "15550100123"},
	}},
	{"historyItem.read", "history", `"history":[{`, `}]`, "HistoryFailure", []memberRow{
		{"errors", `"errors":[{"code":2593109}]`, "Err.Code", "2593109"},
	}},
	{"historyItem.readMetadata", "history", `"history":[{"metadata":{`, `}}]`, "HistoryChunk", []memberRow{
		{"phase", `"phase":2`, "Phase", "2"},
		{"chunk_order", `"chunk_order":3`, "Order", "3"},
		{"progress", `"progress":55`, "Progress", "55"},
	}},
	{"historyItem.checkThreads", "history", `"history":[{"threads":[{`, `}]}]`,
		"HistoryChunk.Threads[0].Messages[0]", []memberRow{
			{"id", `"messages":[{"id":"wamid.1","from":"15550100123"}],"id":"15550100123"`, "Outbound", "false"},
			{"context", `"messages":[{"id":"wamid.1","from":"15550100123"}],"context":{"wa_id":"15550100123"}`,
				"Outbound", "false"},
			{"messages", `"messages":[{"id":"wamid.1"}],"messages":[{"id":"wamid.2"}]`, "ID", "wamid.2"},
		}},
	{"historyWalker.chunk", "history", `"history":[{`, `}]`, "HistoryChunk.Threads[0]", []memberRow{
		{"threads", `"threads":[{"id":"15550100123"}]`, "ID", "15550100123"},
	}},
	{"historyWalker.thread", "history", `"history":[{"threads":[{`, `}]}]`, "HistoryChunk.Threads[0]", []memberRow{
		{"id", `"id":"15550100123"`, "ID", "15550100123"},
		{"context", `"context":{"username":"ada"}`, "Customer.Username", "ada"},
	}},
	{"historyWalker.thread", "history", `"history":[{"threads":[{`, `}]}]`,
		"HistoryChunk.Threads[0].Messages[0]", []memberRow{
			{"messages", `"messages":[{"id":"wamid.1"}]`, "ID", "wamid.1"},
		}},
	{"threadContext", "history", `"history":[{"threads":[{"context":{`, `}}]}]`, "HistoryChunk.Threads[0]", []memberRow{
		{"wa_id", `"wa_id":"15550100123"`, "Customer.WAID", "15550100123"},
		{"user_id", `"user_id":"US.1"`, "Customer.UserID", "US.1"},
		{"parent_user_id", `"parent_user_id":"US.ENT.1"`, "Customer.ParentUserID", "US.ENT.1"},
		{"username", `"username":"@ada"`, "Customer.Username", "ada"},
	}},
	{"historyWalker.message", "history", `"history":[{"threads":[{"messages":[{`, `}]}]}]`,
		"HistoryChunk.Threads[0].Messages[0]", []memberRow{
			{"id", `"id":"wamid.1"`, "ID", "wamid.1"},
			{"from", `"from":"15550100123"`, "From.WAID", "15550100123"},
			{"from_user_id", `"from_user_id":"US.1"`, "From.UserID", "US.1"},
			{"from_parent_user_id", `"from_parent_user_id":"US.ENT.1"`, "From.ParentUserID", "US.ENT.1"},
			{"to", `"to":"15550100123"`, "To.WAID", "15550100123"},
			{"to_user_id", `"to_user_id":"US.1"`, "To.UserID", "US.1"},
			{"to_parent_user_id", `"to_parent_user_id":"US.ENT.1"`, "To.ParentUserID", "US.ENT.1"},
			{"timestamp", `"timestamp":"1767225600"`, "At", "1767225600"},
			{"type", `"type":"order"`, "Type", "order"},
			{"context", `"context":{"id":"wamid.0"}`, "Context.ID", "wamid.0"},
			{"errors", `"errors":[{"code":131051}]`, "Errors[0].Code", "131051"},
			{"history_context", `"history_context":{"status":"READ"}`, "Status", "READ"},
		}},
	{"readHistoryContext", "history", `"history":[{"threads":[{"messages":[{"history_context":{`, `}}]}]}]`,
		"HistoryChunk.Threads[0].Messages[0]", []memberRow{
			{"status", `"status":"PLAYED"`, "Status", "PLAYED"},
		}},
}

// body returns a body with the row's member.
func (t memberTable) body(row memberRow) string { return inValue(t.field, t.before+row.json+t.after) }

func TestEachMemberThatIsReadByHandIsRead(t *testing.T) {
	t.Parallel()
	for _, table := range slices.Concat(memberTables, historyTables) {
		for _, row := range table.rows {
			t.Run(table.reader+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				body := table.body(row)
				events := mustDecode(t, body)
				require.Len(t, events, 1, body)
				at := table.at + "." + row.at
				require.Equal(t, row.want, typedMembers(events)["0 *webhook."+at], "%s: %s", at, body)
				require.Empty(t, events[0].Info().Unknown, body)
			})
		}
	}
}

func TestEachMemberThatIsReadByHandHasARow(t *testing.T) {
	t.Parallel()
	rows := map[memberCase]bool{}
	for _, table := range slices.Concat(memberTables, historyTables) {
		for _, row := range table.rows {
			rows[memberCase{table.reader, row.name}] = true
		}
	}
	cases := 0
	for _, file := range readByHand {
		for _, c := range memberCases(t, file) {
			cases++
			assert.True(t, rows[c], "%s reads %q in %s, and no row says what of it shows", c.reader, c.member, file)
		}
	}
	require.Greater(t, cases, 70, "the readers ask for names in another way")
}

// A memberCase is a name that a function compares with those of members.
type memberCase struct{ reader, member string }

// memberCases returns the names that the functions of a file compare with those of members.
func memberCases(t *testing.T, file string) (all []memberCase) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			for _, e := range comparedWithName(n) {
				if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					name, err := strconv.Unquote(lit.Value)
					require.NoError(t, err)
					all = append(all, memberCase{funcName(f), name})
				}
			}
			return true
		})
	}
	return all
}

// comparedWithName returns what a switch or a comparison compares with the name of a member.
func comparedWithName(n ast.Node) (list []ast.Expr) {
	switch n := n.(type) {
	case *ast.SwitchStmt:
		if !asksForName(n.Tag) && !asksForName(n.Init) {
			return nil
		}
		for _, clause := range n.Body.List {
			list = append(list, clause.(*ast.CaseClause).List...)
		}
	case *ast.BinaryExpr:
		if asksForName(n.X) {
			list = append(list, n.Y)
		}
	}
	return list
}

// asksForName reports whether a part of a statement calls Name.
func asksForName(n ast.Node) (asks bool) {
	switch part := n.(type) {
	case ast.Expr, ast.Stmt:
		ast.Inspect(part, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if ok {
				sel, isMethod := call.Fun.(*ast.SelectorExpr)
				asks = asks || isMethod && sel.Sel.Name == "Name" && len(call.Args) == 0
			}
			return true
		})
	}
	return asks
}

func funcName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	return typ.(*ast.Ident).Name + "." + f.Name.Name
}
