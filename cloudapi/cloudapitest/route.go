package cloudapitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A kind is a kind of node of the graph, spelled as in path templates.
type kind string

const (
	kindNone     kind = "" // a path without a node
	kindPhone    kind = "{phone-number-id}"
	kindWABA     kind = "{waba-id}"
	kindBusiness kind = "{business-id}"
	kindApp      kind = "{app-id}"
	kindMedia    kind = "{media-id}"
	kindUpload   kind = "{upload-id}"
	kindTemplate kind = "{template-id}"
	kindFlow     kind = "{flow-id}"
	kindQR       kind = "{qr-code-id}"
	kindHistory  kind = "{message-history-id}"
	kindGroup    kind = "{group-id}"
	kindCall     kind = "{call-id}"

	kindTemplateGroup kind = "{template-group-id}"
	kindCredit        kind = "{credit-line-id}"
	kindAllocation    kind = "{allocation-id}"
)

// A route is one thing the server can do.
type route struct {
	method string
	node   kind
	edge   string
	scope  string // the permission it needs
	public bool   // needs no token
	handle func(*Server, *call) reply
}

func (r route) template() string {
	if r.node == kindNone {
		return "/" + r.edge
	}
	if r.edge == "" {
		return "/" + string(r.node)
	}
	return "/" + string(r.node) + "/" + r.edge
}

// routes is the table of contents.
var routes = []route{
	{method: "GET", edge: "oauth/access_token", public: true, handle: (*Server).exchangeCode},
	{method: "GET", edge: "debug_token", handle: (*Server).debugToken},
	{method: "GET", edge: "me", handle: (*Server).me},

	{method: "GET", node: kindApp, edge: "subscriptions", handle: (*Server).getAppSubscriptions},
	{method: "POST", node: kindApp, edge: "subscriptions", handle: (*Server).postAppSubscriptions},

	{method: "GET", node: kindBusiness, handle: (*Server).getBusiness},
	{method: "GET", node: kindBusiness, edge: "owned_whatsapp_business_accounts", scope: ScopeBusiness, handle: (*Server).ownedWABAs},
	{method: "GET", node: kindBusiness, edge: "client_whatsapp_business_accounts", scope: ScopeBusiness, handle: (*Server).clientWABAs},

	{method: "GET", node: kindWABA, scope: ScopeManagement, handle: (*Server).getWABA},
	{method: "GET", node: kindWABA, edge: "phone_numbers", scope: ScopeManagement, handle: (*Server).listPhones},
	{method: "GET", node: kindWABA, edge: "subscribed_apps", scope: ScopeManagement, handle: (*Server).getSubscribedApps},
	{method: "POST", node: kindWABA, edge: "subscribed_apps", scope: ScopeManagement, handle: (*Server).postSubscribedApps},
	{method: "DELETE", node: kindWABA, edge: "subscribed_apps", scope: ScopeManagement, handle: (*Server).deleteSubscribedApps},

	{method: "GET", node: kindPhone, scope: ScopeManagement, handle: (*Server).getPhone},
	{method: "POST", node: kindPhone, scope: ScopeManagement, handle: (*Server).postPhone},
	{method: "POST", node: kindPhone, edge: "messages", scope: ScopeMessaging, handle: (*Server).postMessage},
	{method: "GET", node: kindPhone, edge: "message_history", scope: ScopeMessaging, handle: (*Server).getMessageHistory},
	{method: "GET", node: kindHistory, edge: "events", scope: ScopeMessaging, handle: (*Server).getHistoryEvents},
	{method: "POST", node: kindPhone, edge: "smb_app_data", scope: ScopeManagement, handle: (*Server).postSyncAppData},
	{method: "POST", node: kindPhone, edge: "register", scope: ScopeManagement, handle: (*Server).register},
	{method: "POST", node: kindPhone, edge: "deregister", scope: ScopeManagement, handle: (*Server).deregister},
	{method: "POST", node: kindPhone, edge: "request_code", scope: ScopeManagement, handle: (*Server).requestCode},
	{method: "POST", node: kindPhone, edge: "verify_code", scope: ScopeManagement, handle: (*Server).verifyCode},

	{method: "POST", node: kindPhone, edge: "marketing_messages", scope: ScopeMessaging, handle: (*Server).postMessage},
	{method: "POST", node: kindPhone, edge: "media", scope: ScopeMessaging, handle: (*Server).postMedia},
	{method: "GET", node: kindMedia, scope: ScopeMessaging, handle: (*Server).getMedia},
	{method: "DELETE", node: kindMedia, scope: ScopeMessaging, handle: (*Server).deleteMedia},
	{method: "POST", node: kindApp, edge: "uploads", handle: (*Server).postUpload},
	{method: "GET", node: kindUpload, handle: (*Server).getUpload},
	{method: "POST", node: kindUpload, handle: (*Server).appendUpload},

	{method: "GET", node: kindWABA, edge: "message_templates", scope: ScopeManagement, handle: (*Server).listTemplates},
	{method: "POST", node: kindWABA, edge: "message_templates", scope: ScopeManagement, handle: (*Server).postTemplate},
	{method: "DELETE", node: kindWABA, edge: "message_templates", scope: ScopeManagement, handle: (*Server).deleteTemplate},
	{method: "GET", node: kindTemplate, scope: ScopeManagement, handle: (*Server).getTemplate},
	{method: "POST", node: kindTemplate, scope: ScopeManagement, handle: (*Server).editTemplate},

	{method: "GET", node: kindPhone, edge: "whatsapp_business_profile", scope: ScopeManagement, handle: (*Server).getProfile},
	{method: "POST", node: kindPhone, edge: "whatsapp_business_profile", scope: ScopeManagement, handle: (*Server).postProfile},
	{method: "GET", node: kindPhone, edge: "settings", scope: ScopeManagement, handle: (*Server).getSettings},
	{method: "POST", node: kindPhone, edge: "settings", scope: ScopeManagement, handle: (*Server).postSettings},
	{method: "POST", node: kindPhone, edge: "conversational_automation", scope: ScopeManagement, handle: (*Server).postAutomation},
	{method: "GET", node: kindPhone, edge: "username", scope: ScopeManagement, handle: (*Server).getUsername},
	{method: "POST", node: kindPhone, edge: "username", scope: ScopeManagement, handle: (*Server).postUsername},
	{method: "DELETE", node: kindPhone, edge: "username", scope: ScopeManagement, handle: (*Server).deleteUsername},
	{method: "GET", node: kindPhone, edge: "username_suggestions", scope: ScopeManagement, handle: (*Server).usernameSuggestions},
	{method: "GET", node: kindPhone, edge: "whatsapp_business_encryption", scope: ScopeManagement, handle: (*Server).getKey},
	{method: "POST", node: kindPhone, edge: "whatsapp_business_encryption", scope: ScopeManagement, handle: (*Server).postKey},
	{method: "GET", node: kindPhone, edge: "block_users", scope: ScopeMessaging, handle: (*Server).listBlocked},
	{method: "POST", node: kindPhone, edge: "block_users", scope: ScopeMessaging, handle: (*Server).changeBlocked},
	{method: "DELETE", node: kindPhone, edge: "block_users", scope: ScopeMessaging, handle: (*Server).changeBlocked},
	{method: "GET", node: kindPhone, edge: "message_qrdls", scope: ScopeManagement, handle: (*Server).listCodes},
	{method: "POST", node: kindPhone, edge: "message_qrdls", scope: ScopeManagement, handle: (*Server).postCode},
	{method: "GET", node: kindPhone, edge: "message_qrdls/{qr-code-id}", scope: ScopeManagement, handle: (*Server).getCode},
	{method: "DELETE", node: kindPhone, edge: "message_qrdls/{qr-code-id}", scope: ScopeManagement, handle: (*Server).deleteCode},

	{method: "GET", node: kindWABA, edge: "flows", scope: ScopeManagement, handle: (*Server).listFlows},
	{method: "POST", node: kindWABA, edge: "flows", scope: ScopeManagement, handle: (*Server).postFlow},
	{method: "GET", node: kindFlow, scope: ScopeManagement, handle: (*Server).getFlow},
	{method: "POST", node: kindFlow, scope: ScopeManagement, handle: (*Server).editFlow},
	{method: "DELETE", node: kindFlow, scope: ScopeManagement, handle: (*Server).deleteFlow},
	{method: "GET", node: kindFlow, edge: "assets", scope: ScopeManagement, handle: (*Server).flowAssets},
	{method: "POST", node: kindFlow, edge: "assets", scope: ScopeManagement, handle: (*Server).postFlowAsset},
	{method: "POST", node: kindFlow, edge: "publish", scope: ScopeManagement, handle: (*Server).publishFlow},
	{method: "POST", node: kindFlow, edge: "deprecate", scope: ScopeManagement, handle: (*Server).deprecateFlow},

	{method: "POST", node: kindWABA, scope: ScopeManagement, handle: (*Server).postWABA},
	{method: "GET", node: kindWABA, edge: "template_analytics", scope: ScopeManagement, handle: (*Server).templateAnalytics},
	{method: "GET", node: kindWABA, edge: "template_group_analytics", scope: ScopeManagement, handle: (*Server).templateGroupAnalytics},
	{method: "GET", node: kindWABA, edge: "group_analytics", scope: ScopeManagement, handle: (*Server).groupAnalytics},
	{method: "GET", node: kindWABA, edge: "activities", scope: ScopeManagement, handle: (*Server).listActivities},
	{method: "GET", node: kindWABA, edge: "assigned_users", scope: ScopeManagement, handle: (*Server).listAssignedUsers},
	{method: "POST", node: kindWABA, edge: "assigned_users", scope: ScopeManagement, handle: (*Server).changeAssignedUsers},
	{method: "DELETE", node: kindWABA, edge: "assigned_users", scope: ScopeManagement, handle: (*Server).changeAssignedUsers},
	{method: "POST", node: kindWABA, edge: "phone_numbers", scope: ScopeManagement, handle: (*Server).addNumber},
	{method: "DELETE", node: kindPhone, edge: "contact_book", scope: ScopeManagement, handle: (*Server).deleteContact},
	{method: "GET", node: kindApp, handle: (*Server).getApp},
	{method: "GET", node: kindApp, edge: "connected_client_businesses", handle: (*Server).connectedBusinesses},
	{method: "GET", node: kindBusiness, edge: "system_users", scope: ScopeBusiness, handle: (*Server).systemUsers},
	{method: "POST", node: kindBusiness, edge: "system_user_access_tokens", scope: ScopeBusiness, handle: (*Server).businessToken},

	{method: "GET", node: kindBusiness, edge: "extendedcredits", scope: ScopeBusiness, handle: (*Server).listCreditLines},
	{method: "POST", node: kindCredit, edge: "whatsapp_credit_sharing", scope: ScopeBusiness, handle: (*Server).shareCredit},
	{method: "POST", node: kindCredit, edge: "whatsapp_credit_attach", scope: ScopeBusiness, handle: (*Server).attachCredit},
	{method: "POST", node: kindCredit, edge: "whatsapp_credit_sharing_and_attach", scope: ScopeBusiness, handle: (*Server).attachCredit},
	{method: "GET", node: kindCredit, edge: "owning_credit_allocation_configs", scope: ScopeBusiness, handle: (*Server).listAllocations},
	{method: "GET", node: kindAllocation, scope: ScopeBusiness, handle: (*Server).getAllocation},
	{method: "DELETE", node: kindAllocation, scope: ScopeBusiness, handle: (*Server).revokeAllocation},

	{method: "POST", node: kindWABA, edge: "upsert_message_templates", scope: ScopeManagement, handle: (*Server).upsertTemplates},
	{method: "GET", node: kindWABA, edge: "message_template_previews", scope: ScopeManagement, handle: (*Server).previewTemplates},
	{method: "GET", edge: "message_template_library", scope: ScopeManagement, handle: (*Server).listLibrary},
	{method: "POST", node: kindWABA, edge: "migrate_message_templates", scope: ScopeManagement, handle: (*Server).migrateTemplates},
	{method: "GET", node: kindTemplate, edge: "compare", scope: ScopeManagement, handle: (*Server).compareTemplates},
	{method: "POST", node: kindTemplate, edge: "unpause", scope: ScopeManagement, handle: (*Server).unpauseTemplate},
	{method: "POST", node: kindWABA, edge: "migrate_flows", scope: ScopeManagement, handle: (*Server).migrateFlows},
	{method: "GET", node: kindWABA, edge: "template_groups", scope: ScopeManagement, handle: (*Server).listTemplateGroups},
	{method: "POST", node: kindWABA, edge: "template_groups", scope: ScopeManagement, handle: (*Server).postTemplateGroup},
	{method: "GET", node: kindTemplateGroup, scope: ScopeManagement, handle: (*Server).getTemplateGroup},
	{method: "POST", node: kindTemplateGroup, scope: ScopeManagement, handle: (*Server).editTemplateGroup},
	{method: "DELETE", node: kindTemplateGroup, scope: ScopeManagement, handle: (*Server).deleteTemplateGroup},

	{method: "GET", node: kindPhone, edge: "groups", scope: ScopeMessaging, handle: (*Server).listGroups},
	{method: "POST", node: kindPhone, edge: "groups", scope: ScopeMessaging, handle: (*Server).postGroup},
	{method: "GET", node: kindGroup, scope: ScopeMessaging, handle: (*Server).getGroup},
	{method: "POST", node: kindGroup, scope: ScopeMessaging, handle: (*Server).editGroup},
	{method: "DELETE", node: kindGroup, scope: ScopeMessaging, handle: (*Server).deleteGroup},
	{method: "GET", node: kindGroup, edge: "invite_link", scope: ScopeMessaging, handle: (*Server).inviteLink},
	{method: "POST", node: kindGroup, edge: "invite_link", scope: ScopeMessaging, handle: (*Server).inviteLink},
	{method: "DELETE", node: kindGroup, edge: "invite_link", scope: ScopeMessaging, handle: (*Server).inviteLink},
	{method: "DELETE", node: kindGroup, edge: "participants", scope: ScopeMessaging, handle: (*Server).removeParticipants},
	{method: "GET", node: kindGroup, edge: "join_requests", scope: ScopeMessaging, handle: (*Server).listJoinRequests},
	{method: "POST", node: kindGroup, edge: "join_requests", scope: ScopeMessaging, handle: (*Server).decideJoinRequests},
	{method: "DELETE", node: kindGroup, edge: "join_requests", scope: ScopeMessaging, handle: (*Server).decideJoinRequests},
	{method: "GET", node: kindPhone, edge: "call_permissions", scope: ScopeMessaging, handle: (*Server).getCallPermissions},
	{method: "POST", node: kindPhone, edge: "calls", scope: ScopeMessaging, handle: (*Server).postCall},
}

// A call is one request on its way through a route.
type call struct {
	method  string
	version string
	id      string // of the node
	path    string // behind the version
	query   url.Values
	header  http.Header
	body    []byte
	token   *Token

	phone  *phone
	waba   *waba
	object *object
	last   string // the last part of the path, of edges that end with an id
}

// decode reads the body. An empty one leaves v alone, as an empty form would.
func decode[T any](c *call, v *T) *graphError {
	if len(strings.TrimSpace(string(c.body))) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, v); err != nil {
		return invalid("The request body is not the JSON that this call takes")
	}
	return nil
}

// kindOf says what an id names. The caller must hold s.mu.
func (s *Server) kindOf(id string) kind {
	switch {
	case s.phone(graph.PhoneNumberID(id)) != nil:
		return kindPhone
	case s.waba(graph.WABAID(id)) != nil:
		return kindWABA
	case id == string(s.app.ID):
		return kindApp
	case s.business(graph.BusinessID(id)) != nil:
		return kindBusiness
	}
	if _, ok := s.historyEntry(id); ok {
		return kindHistory
	}
	if o := s.object(id); o != nil {
		return o.kind
	}
	return kindNone
}

// match finds the route of a path behind the version. The template is for the request log and never
// holds an id. If there is no route, the reply says why.
func (s *Server) match(method, path string) (rt route, id, template string, err *graphError) {
	for _, rt := range routes {
		if rt.node == kindNone && rt.method == method && rt.edge == path {
			return rt, "", rt.template(), nil
		}
	}
	id, edge, _ := strings.Cut(path, "/")
	if before, _, ok := strings.Cut(edge, "/"); ok && before == "message_qrdls" {
		edge = before + "/{qr-code-id}"
	}
	of := s.kindOf(id)
	var candidates []route
	for _, rt := range routes {
		if rt.node == kindNone || rt.method != method || rt.edge != edge {
			continue
		}
		if rt.node == of {
			return rt, id, rt.template(), nil
		}
		candidates = append(candidates, rt)
	}
	// The route exists, the node does not, or is of another kind.
	switch {
	case len(candidates) == 1:
		return route{}, id, candidates[0].template(), notFound(method, id)
	case len(candidates) > 1:
		return route{}, id, "/{id}" + strings.TrimSuffix("/"+edge, "/"), notFound(method, id)
	}
	return route{}, id, "unknown", unknownRoute(method)
}

func unknownRoute(method string) *graphError {
	var known []string
	for _, rt := range routes {
		known = append(known, rt.method+" "+rt.template())
	}
	return &graphError{
		Code: 2500, Status: http.StatusNotFound,
		Message: fmt.Sprintf("Unknown path components for a %s request", method),
		Details: "This is a fake Graph API. It knows " + strings.Join(known, ", ") + ".",
	}
}

// load finds the node and judges the token's right to it. The caller must hold s.mu.
func (s *Server) load(rt route, c *call) *graphError {
	switch rt.node {
	case kindPhone:
		c.phone = s.phone(graph.PhoneNumberID(c.id))
		if !c.token.reaches(c.phone.WABAs...) || s.lost(c.phone) {
			return notFound(c.method, c.id)
		}
	case kindWABA:
		c.waba = s.waba(graph.WABAID(c.id))
		if !c.token.reaches(c.waba.ID) || c.waba.lost {
			return notFound(c.method, c.id)
		}
	case kindMedia, kindUpload, kindTemplate, kindFlow, kindGroup, kindTemplateGroup, kindCredit, kindAllocation:
		if err := s.loadObject(c); err != nil {
			return err
		}
	case kindApp:
		if rt.edge == "uploads" || rt.edge == "" {
			return nil
		}
		if c.token.Type != TokenApp {
			return &graphError{Code: 15, Message: "(#15) This method must be called with an app access_token."}
		}
		return nil
	}
	if rt.scope != "" && !c.token.has(rt.scope) {
		return &graphError{
			Code:    graph.CodePermissionMissing,
			Message: fmt.Sprintf("(#200) Requires %s permission to access this endpoint", rt.scope),
		}
	}
	return nil
}

// lost reports whether the number, or every account of it, is out of sight.
func (s *Server) lost(p *phone) bool {
	if p.lost {
		return true
	}
	for _, id := range p.WABAs {
		if w := s.waba(id); w != nil && !w.lost {
			return false
		}
	}
	return true
}
