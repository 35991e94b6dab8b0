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
var readByHand = []string{"decode_status.go", "decode_message.go", "decode_contact.go", "decode_history.go", "decode_thread.go"}

// A memberRow is a member that a reader has a case for, with a body that only this case
// understands.
type memberRow struct {
	reader, member string
	body           string
	at, want       string // the first event's typed member that shows it
}

func memberRows() []memberRow {
	var rows []memberRow
	add := func(reader string, wrap func(string) string, table ...[4]string) {
		for _, r := range table {
			rows = append(rows, memberRow{reader, r[0], wrap(r[1]), r[2], r[3]})
		}
	}
	in := func(field, before, after string) func(string) string {
		return func(members string) string { return inValue(field, before+members+after) }
	}

	status := in("messages", `"statuses":[{`, `}]`)
	add("readStatus", status, [][4]string{
		{"id", `"id":"wamid.1"`, "MessageStatus.ID", "wamid.1"},
		{"status", `"status":"played"`, "MessageStatus.Status", "played"},
		{"timestamp", `"timestamp":"1767225600"`, "MessageStatus.EventInfo.At", "1767225600"},
		{"recipient_id", `"recipient_id":"15550100123"`, "MessageStatus.Recipient.WAID", "15550100123"},
		{"recipient_user_id", `"recipient_user_id":"US.1"`, "MessageStatus.Recipient.UserID", "US.1"},
		{"recipient_parent_user_id", `"recipient_parent_user_id":"US.ENT.1"`, "MessageStatus.Recipient.ParentUserID", "US.ENT.1"},
		{"parent_recipient_user_id", `"parent_recipient_user_id":"US.ENT.1"`, "MessageStatus.Recipient.ParentUserID", "US.ENT.1"},
		{"parent_user_id", `"parent_user_id":"US.ENT.1"`, "MessageStatus.Recipient.ParentUserID", "US.ENT.1"},
		{"recipient_type", `"recipient_type":"group"`, "MessageStatus.RecipientType", "group"},
		{"recipient_participant_id", `"recipient_participant_id":"15550100123"`, "MessageStatus.Participant.WAID", "15550100123"},
		{"participant_recipient_id", `"participant_recipient_id":"15550100123"`, "MessageStatus.Participant.WAID", "15550100123"},
		{"recipient_participant_user_id", `"recipient_participant_user_id":"US.1"`, "MessageStatus.Participant.UserID", "US.1"},
		{"recipient_participant_parent_user_id", `"recipient_participant_parent_user_id":"US.ENT.1"`, "MessageStatus.Participant.ParentUserID", "US.ENT.1"},
		{"recipient_identity_key_hash", `"recipient_identity_key_hash":"aGFzaA=="`, "MessageStatus.IdentityHash", "aGFzaA=="},
		{"group_id", `"group_id":"g1"`, "MessageStatus.GroupID", "g1"},
		{"biz_opaque_callback_data", `"biz_opaque_callback_data":"order 7"`, "MessageStatus.CallbackData", "order 7"},
		{"template_id", `"template_id":"400000000000001"`, "MessageStatus.TemplateID", "400000000000001"},
		{"conversation", `"conversation":{"id":"c1","origin":{"type":"service"}}`, "MessageStatus.Conversation.ID", "c1"},
		{"pricing", `"pricing":{"billable":true,"pricing_model":"PMP"}`, "MessageStatus.Pricing.Model", "PMP"},
		{"errors", `"errors":[{"code":131026}]`, "MessageStatus.Errors[0].Code", "131026"},
		{"type", `"type":"payment"`, "MessageStatus.Type", "payment"},
		{"payment", `"payment":{"reference_id":"r1"}`, "MessageStatus.Payment.ReferenceID", "r1"},
		{"message", `"message":{"recipient_id":"15550100123"}`, "MessageStatus.Recipient.WAID", "15550100123"},
	}...)
	add("nested.read", status, [4]string{"recipient_id", `"message":{"recipient_id":"15550100123"}`, "MessageStatus.Recipient.WAID", "15550100123"})
	add("readConversation", in("messages", `"statuses":[{"conversation":{`, `}}]`), [][4]string{
		{"id", `"id":"c1"`, "MessageStatus.Conversation.ID", "c1"},
		{"origin", `"origin":{"type":"utility"}`, "MessageStatus.Conversation.Origin.Type", "utility"},
		{"expiration_timestamp", `"expiration_timestamp":"1767225600"`, "MessageStatus.Conversation.ExpiresAt.Time", "1767225600"},
		{"pricing", `"pricing":{"pricing_model":"CBP"}`, "MessageStatus.Pricing.Model", "CBP"},
	}...)
	add("readUserAction", in("messages", `"user_actions":[{`, `}]`), [][4]string{
		{"action_type", `"action_type":"marketing_messages_link_click"`, "UserAction.Type", "marketing_messages_link_click"},
		{"timestamp", `"timestamp":"1767225600"`, "UserAction.EventInfo.At", "1767225600"},
		{"marketing_messages_link_click_data", `"marketing_messages_link_click_data":{"click_id":"k1"}`, "UserAction.Click.ClickID", "k1"},
	}...)

	add("message.members", in("messages", `"messages":[{`, `}]`), [][4]string{
		{"id", `"id":"wamid.1"`, "IncomingMessage.ID", "wamid.1"},
		{"from", `"from":"15550100123"`, "IncomingMessage.From.WAID", "15550100123"},
		{"from_user_id", `"from_user_id":"US.1"`, "IncomingMessage.From.UserID", "US.1"},
		{"from_parent_user_id", `"from_parent_user_id":"US.ENT.1"`, "IncomingMessage.From.ParentUserID", "US.ENT.1"},
		{"timestamp", `"timestamp":"1767225600"`, "IncomingMessage.EventInfo.At", "1767225600"},
		{"type", `"type":"order"`, "IncomingMessage.Type", "order"},
		{"context", `"context":{"id":"wamid.0"}`, "IncomingMessage.Context.ID", "wamid.0"},
		{"errors", `"errors":[{"code":131051}]`, "IncomingMessage.Errors[0].Code", "131051"},
		{"referral", `"referral":{"source_id":"a1"}`, "IncomingMessage.Referral.SourceID", "a1"},
		{"identity", `"identity":{"hash":"aGFzaA=="}`, "IncomingMessage.Identity.Hash", "aGFzaA=="},
		{"identity", `"identity":{"acknowledged":true}`, "IncomingMessage.Identity.Acknowledged", "true"},
		{"identity", `"identity":{"created_timestamp":1767225600}`, "IncomingMessage.Identity.CreatedAt.Time", "1767225600"},
		{"group_id", `"group_id":"g1"`, "IncomingMessage.GroupID", "g1"},
		{"from_logical_id", `"from_logical_id":"l1"`, "IncomingMessage.LogicalID", "l1"},
	}...)
	add("message.members", in("smb_message_echoes", `"message_echoes":[{`, `}]`), [][4]string{
		{"from", `"from":"15550100100"`, "BusinessAppEcho.From", "15550100100"},
		{"to", `"to":"15550100123"`, "BusinessAppEcho.To.WAID", "15550100123"},
		{"to_user_id", `"to_user_id":"US.1"`, "BusinessAppEcho.To.UserID", "US.1"},
		{"to_parent_user_id", `"to_parent_user_id":"US.ENT.1"`, "BusinessAppEcho.To.ParentUserID", "US.ENT.1"},
	}...)

	add("contact.read", in("messages", `"contacts":[{`, `}],"messages":[{"id":"wamid.1"}]`), [][4]string{
		{"wa_id", `"wa_id":"15550100123"`, "IncomingMessage.From.WAID", "15550100123"},
		{"user_id", `"user_id":"US.1"`, "IncomingMessage.From.UserID", "US.1"},
		{"parent_user_id", `"parent_user_id":"US.ENT.1"`, "IncomingMessage.From.ParentUserID", "US.ENT.1"},
		{"identity_key_hash", `"identity_key_hash":"aGFzaA=="`, "IncomingMessage.IdentityHash", "aGFzaA=="},
		{"profile", `"profile":{"name":"Ada"}`, "IncomingMessage.ProfileName", "Ada"},
	}...)
	add("contact.read", in("messages", `"contacts":[{`, `}],"statuses":[{"id":"wamid.1"}]`), [][4]string{
		{"identity_key_hash", `"identity_key_hash":"aGFzaA=="`, "MessageStatus.IdentityHash", "aGFzaA=="},
		{"profile", `"profile":{"name":"Ada"}`, "MessageStatus.ProfileName", "Ada"},
	}...)
	add("contact.readProfile", in("messages", `"contacts":[{"profile":{`, `}}],"messages":[{"id":"wamid.1"}]`), [][4]string{
		{"name", `"name":"Ada"`, "IncomingMessage.ProfileName", "Ada"},
		{"country_code", `"country_code":"US"`, "IncomingMessage.ProfileCountry", "US"},
		{"username", `"username":"@ada"`, "IncomingMessage.From.Username", "ada"},
	}...)
	return append(rows, historyRows()...)
}

func historyRows() []memberRow {
	const message = "HistoryChunk.Threads[0].Messages[0]."
	var rows []memberRow
	add := func(reader, before, after string, table ...[4]string) {
		for _, r := range table {
			rows = append(rows, memberRow{reader, r[0], inValue("history", `"history":[{`+before+r[1]+after+`}]`), r[2], r[3]})
		}
	}
	add("historyItem.read", "", "", [][4]string{
		{"metadata", `"metadata":{"phase":2}`, "HistoryChunk.Phase", "2"},
		{"threads", `"threads":[{"id":"15550100123"}]`, "HistoryChunk.Threads[0].ID", "15550100123"},
		{"errors", `"errors":[{"code":2593109}]`, "HistoryFailure.Err.Code", "2593109"},
	}...)
	add("historyItem.readMetadata", `"metadata":{`, `}`, [][4]string{
		{"phase", `"phase":2`, "HistoryChunk.Phase", "2"},
		{"chunk_order", `"chunk_order":3`, "HistoryChunk.Order", "3"},
		{"progress", `"progress":55`, "HistoryChunk.Progress", "55"},
	}...)
	// What comes behind the messages counts for them, too, and a second list replaces the first.
	add("historyItem.checkThreads", `"threads":[{`, `}]`, [][4]string{
		{"id", `"messages":[{"id":"wamid.1","from":"15550100123"}],"id":"15550100123"`, message + "Outbound", "false"},
		{"context", `"messages":[{"id":"wamid.1","from":"15550100123"}],"context":{"wa_id":"15550100123"}`, message + "Outbound", "false"},
		{"messages", `"messages":[{"id":"wamid.1"}],"messages":[{"id":"wamid.2"}]`, message + "ID", "wamid.2"},
	}...)
	add("historyWalker.chunk", "", "", [4]string{"threads", `"threads":[{"id":"15550100123"}]`, "HistoryChunk.Threads[0].ID", "15550100123"})
	add("historyWalker.thread", `"threads":[{`, `}]`, [][4]string{
		{"id", `"id":"15550100123"`, "HistoryChunk.Threads[0].ID", "15550100123"},
		{"context", `"context":{"username":"ada"}`, "HistoryChunk.Threads[0].Customer.Username", "ada"},
		{"messages", `"messages":[{"id":"wamid.1"}]`, message + "ID", "wamid.1"},
	}...)
	add("threadContext.read", `"threads":[{"context":{`, `}}]`, [][4]string{
		{"wa_id", `"wa_id":"15550100123"`, "HistoryChunk.Threads[0].Customer.WAID", "15550100123"},
		{"user_id", `"user_id":"US.1"`, "HistoryChunk.Threads[0].Customer.UserID", "US.1"},
		{"parent_user_id", `"parent_user_id":"US.ENT.1"`, "HistoryChunk.Threads[0].Customer.ParentUserID", "US.ENT.1"},
		{"username", `"username":"@ada"`, "HistoryChunk.Threads[0].Customer.Username", "ada"},
	}...)
	add("historyWalker.message", `"threads":[{"messages":[{`, `}]}]`, [][4]string{
		{"id", `"id":"wamid.1"`, message + "ID", "wamid.1"},
		{"from", `"from":"15550100123"`, message + "From.WAID", "15550100123"},
		{"from_user_id", `"from_user_id":"US.1"`, message + "From.UserID", "US.1"},
		{"from_parent_user_id", `"from_parent_user_id":"US.ENT.1"`, message + "From.ParentUserID", "US.ENT.1"},
		{"to", `"to":"15550100123"`, message + "To.WAID", "15550100123"},
		{"to_user_id", `"to_user_id":"US.1"`, message + "To.UserID", "US.1"},
		{"to_parent_user_id", `"to_parent_user_id":"US.ENT.1"`, message + "To.ParentUserID", "US.ENT.1"},
		{"timestamp", `"timestamp":"1767225600"`, message + "At", "1767225600"},
		{"type", `"type":"order"`, message + "Type", "order"},
		{"context", `"context":{"id":"wamid.0"}`, message + "Context.ID", "wamid.0"},
		{"errors", `"errors":[{"code":131051}]`, message + "Errors[0].Code", "131051"},
		{"history_context", `"history_context":{"status":"READ"}`, message + "Status", "READ"},
	}...)
	add("readHistoryContext", `"threads":[{"messages":[{"history_context":{`, `}}]}]`, [4]string{"status", `"status":"PLAYED"`, message + "Status", "PLAYED"})
	return rows
}

func TestEachMemberThatIsReadByHandIsRead(t *testing.T) {
	t.Parallel()
	rows := memberRows()
	for _, row := range rows {
		events := mustDecode(t, row.body)
		require.Len(t, events, 1, row.body)
		assert.Equal(t, row.want, typedMembers(events)["0 *webhook."+row.at], "%s in %s: %s", row.at, row.reader, row.body)
		assert.Empty(t, events[0].Info().Unknown, row.body)
	}
	cases := 0
	for _, file := range readByHand {
		for _, c := range memberCases(t, file) {
			cases++
			assert.True(t, slices.ContainsFunc(rows, func(r memberRow) bool { return r.reader == c.reader && r.member == c.member }),
				"%s reads %q in %s, and no row here says what of it shows", c.reader, c.member, file)
		}
	}
	require.Greater(t, cases, 70, "the readers ask for names in another way")
}

// memberCases returns the names that the functions of a file compare with those of members.
func memberCases(t *testing.T, file string) (all []memberRow) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		add := func(e ast.Expr) {
			if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				name, err := strconv.Unquote(lit.Value)
				require.NoError(t, err)
				all = append(all, memberRow{reader: funcName(f), member: name})
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SwitchStmt:
				if asksForName(n.Tag) || asksForName(n.Init) {
					for _, clause := range n.Body.List {
						for _, e := range clause.(*ast.CaseClause).List {
							add(e)
						}
					}
				}
			case *ast.BinaryExpr:
				if asksForName(n.X) {
					add(n.Y)
				}
			}
			return true
		})
	}
	return all
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
