package cloudapitest

import (
	"fmt"
	"net/http"
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
	node   kind   // that the path begins with; kindNone if it begins with the edge
	edge   string // what follows; empty for the node itself
	scope  string // the permission that the token needs; empty if any token will do; or noToken
	handle func(*Server, *call) reply
}

// noToken is the scope of a route without authentication.
const noToken = "-"

// template is the path as the request log and package cloudapi write it, such as
// "/{phone-number-id}/messages".
func (r route) template() string {
	if r.node == kindNone {
		return "/" + r.edge
	}
	if r.edge == "" {
		return "/" + string(r.node)
	}
	return "/" + string(r.node) + "/" + r.edge
}

// routes is the table of contents: everything that package cloudapi has a method for.
var routes = []route{
	{"GET", kindNone, "oauth/access_token", noToken, (*Server).accessToken},
	{"POST", kindNone, "oauth/access_token", noToken, (*Server).accessToken},
	{"GET", kindNone, "debug_token", "", (*Server).debugToken},
	{"GET", kindNone, "me", "", (*Server).me},

	{"GET", kindApp, "subscriptions", "", (*Server).getAppSubscriptions},
	{"POST", kindApp, "subscriptions", "", (*Server).postAppSubscriptions},

	{"GET", kindBusiness, "", "", (*Server).getBusiness},
	{"GET", kindBusiness, "owned_whatsapp_business_accounts", ScopeBusiness, (*Server).ownedWABAs},
	{"GET", kindBusiness, "client_whatsapp_business_accounts", ScopeBusiness, (*Server).clientWABAs},

	{"GET", kindWABA, "", ScopeManagement, (*Server).getWABA},
	{"GET", kindWABA, "phone_numbers", ScopeManagement, (*Server).listPhones},
	{"GET", kindWABA, "subscribed_apps", ScopeManagement, (*Server).getSubscribedApps},
	{"POST", kindWABA, "subscribed_apps", ScopeManagement, (*Server).postSubscribedApps},
	{"DELETE", kindWABA, "subscribed_apps", ScopeManagement, (*Server).deleteSubscribedApps},

	{"GET", kindPhone, "", ScopeManagement, (*Server).getPhone},
	{"POST", kindPhone, "", ScopeManagement, (*Server).postPhone},
	{"POST", kindPhone, "messages", ScopeMessaging, (*Server).postMessage},
	{"GET", kindPhone, "message_history", ScopeMessaging, (*Server).getMessageHistory},
	{"GET", kindHistory, "events", ScopeMessaging, (*Server).getHistoryEvents},
	{"POST", kindPhone, "smb_app_data", ScopeManagement, (*Server).postSyncAppData},
	{"POST", kindPhone, "register", ScopeManagement, (*Server).register},
	{"POST", kindPhone, "deregister", ScopeManagement, (*Server).deregister},
	{"POST", kindPhone, "request_code", ScopeManagement, (*Server).requestCode},
	{"POST", kindPhone, "verify_code", ScopeManagement, (*Server).verifyCode},

	{"POST", kindPhone, "marketing_messages", ScopeMessaging, (*Server).postMessage},
	{"POST", kindPhone, "media", ScopeMessaging, (*Server).postMedia},
	{"GET", kindMedia, "", ScopeMessaging, (*Server).getMedia},
	{"DELETE", kindMedia, "", ScopeMessaging, (*Server).deleteMedia},
	{"POST", kindApp, "uploads", "", (*Server).postUpload},
	{"GET", kindUpload, "", "", (*Server).getUpload},
	{"POST", kindUpload, "", "", (*Server).appendUpload},

	{"GET", kindWABA, "message_templates", ScopeManagement, (*Server).listTemplates},
	{"POST", kindWABA, "message_templates", ScopeManagement, (*Server).postTemplate},
	{"DELETE", kindWABA, "message_templates", ScopeManagement, (*Server).deleteTemplate},
	{"GET", kindTemplate, "", ScopeManagement, (*Server).getTemplate},
	{"POST", kindTemplate, "", ScopeManagement, (*Server).editTemplate},

	{"GET", kindPhone, "whatsapp_business_profile", ScopeManagement, (*Server).getProfile},
	{"POST", kindPhone, "whatsapp_business_profile", ScopeManagement, (*Server).postProfile},
	{"GET", kindPhone, "settings", ScopeManagement, (*Server).getSettings},
	{"POST", kindPhone, "settings", ScopeManagement, (*Server).postSettings},
	{"POST", kindPhone, "thread_control", ScopeMessaging, (*Server).postThread},
	{"POST", kindPhone, "conversational_automation", ScopeManagement, (*Server).postAutomation},
	{"GET", kindPhone, "username", ScopeManagement, (*Server).getUsername},
	{"POST", kindPhone, "username", ScopeManagement, (*Server).postUsername},
	{"DELETE", kindPhone, "username", ScopeManagement, (*Server).deleteUsername},
	{"GET", kindPhone, "username_suggestions", ScopeManagement, (*Server).usernameSuggestions},
	{"GET", kindPhone, "whatsapp_business_encryption", ScopeManagement, (*Server).getKey},
	{"POST", kindPhone, "whatsapp_business_encryption", ScopeManagement, (*Server).postKey},
	{"GET", kindPhone, "block_users", ScopeMessaging, (*Server).listBlocked},
	{"POST", kindPhone, "block_users", ScopeMessaging, (*Server).changeBlocked},
	{"DELETE", kindPhone, "block_users", ScopeMessaging, (*Server).changeBlocked},
	{"GET", kindPhone, "message_qrdls", ScopeManagement, (*Server).listCodes},
	{"POST", kindPhone, "message_qrdls", ScopeManagement, (*Server).postCode},
	{"GET", kindPhone, "message_qrdls/{qr-code-id}", ScopeManagement, (*Server).getCode},
	{"POST", kindPhone, "message_qrdls/{qr-code-id}", ScopeManagement, (*Server).editCode},
	{"DELETE", kindPhone, "message_qrdls/{qr-code-id}", ScopeManagement, (*Server).deleteCode},

	{"GET", kindWABA, "flows", ScopeManagement, (*Server).listFlows},
	{"POST", kindWABA, "flows", ScopeManagement, (*Server).postFlow},
	{"GET", kindFlow, "", ScopeManagement, (*Server).getFlow},
	{"POST", kindFlow, "", ScopeManagement, (*Server).editFlow},
	{"DELETE", kindFlow, "", ScopeManagement, (*Server).deleteFlow},
	{"GET", kindFlow, "assets", ScopeManagement, (*Server).flowAssets},
	{"POST", kindFlow, "assets", ScopeManagement, (*Server).postFlowAsset},
	{"POST", kindFlow, "publish", ScopeManagement, (*Server).publishFlow},
	{"POST", kindFlow, "deprecate", ScopeManagement, (*Server).deprecateFlow},

	{"POST", kindWABA, "", ScopeManagement, (*Server).postWABA},
	{"GET", kindWABA, "template_analytics", ScopeManagement, (*Server).templateAnalytics},
	{"GET", kindWABA, "template_group_analytics", ScopeManagement, (*Server).templateGroupAnalytics},
	{"GET", kindWABA, "group_analytics", ScopeManagement, (*Server).groupAnalytics},
	{"GET", kindWABA, "activities", ScopeManagement, (*Server).listActivities},
	{"GET", kindWABA, "assigned_users", ScopeManagement, (*Server).listAssignedUsers},
	{"POST", kindWABA, "assigned_users", ScopeManagement, (*Server).changeAssignedUsers},
	{"DELETE", kindWABA, "assigned_users", ScopeManagement, (*Server).changeAssignedUsers},
	{"POST", kindWABA, "phone_numbers", ScopeManagement, (*Server).addNumber},
	{"DELETE", kindPhone, "contact_book", ScopeManagement, (*Server).deleteContact},
	{"GET", kindApp, "", "", (*Server).getApp},
	{"GET", kindApp, "connected_client_businesses", "", (*Server).connectedBusinesses},
	{"GET", kindBusiness, "system_users", ScopeBusiness, (*Server).systemUsers},
	{"POST", kindBusiness, "system_user_access_tokens", ScopeBusiness, (*Server).businessToken},

	{"GET", kindBusiness, "extendedcredits", ScopeBusiness, (*Server).listCreditLines},
	{"POST", kindCredit, "whatsapp_credit_sharing", ScopeBusiness, (*Server).shareCredit},
	{"POST", kindCredit, "whatsapp_credit_attach", ScopeBusiness, (*Server).attachCredit},
	{"POST", kindCredit, "whatsapp_credit_sharing_and_attach", ScopeBusiness, (*Server).attachCredit},
	{"GET", kindCredit, "owning_credit_allocation_configs", ScopeBusiness, (*Server).listAllocations},
	{"GET", kindAllocation, "", ScopeBusiness, (*Server).getAllocation},
	{"DELETE", kindAllocation, "", ScopeBusiness, (*Server).revokeAllocation},

	{"POST", kindWABA, "upsert_message_templates", ScopeManagement, (*Server).upsertTemplates},
	{"GET", kindWABA, "message_template_previews", ScopeManagement, (*Server).previewTemplates},
	{"GET", kindNone, "message_template_library", ScopeManagement, (*Server).listLibrary},
	{"POST", kindWABA, "migrate_message_templates", ScopeManagement, (*Server).migrateTemplates},
	{"GET", kindTemplate, "compare", ScopeManagement, (*Server).compareTemplates},
	{"POST", kindTemplate, "unpause", ScopeManagement, (*Server).unpauseTemplate},
	{"POST", kindWABA, "migrate_flows", ScopeManagement, (*Server).migrateFlows},
	{"GET", kindWABA, "template_groups", ScopeManagement, (*Server).listTemplateGroups},
	{"POST", kindWABA, "template_groups", ScopeManagement, (*Server).postTemplateGroup},
	{"GET", kindTemplateGroup, "", ScopeManagement, (*Server).getTemplateGroup},
	{"POST", kindTemplateGroup, "", ScopeManagement, (*Server).editTemplateGroup},
	{"DELETE", kindTemplateGroup, "", ScopeManagement, (*Server).deleteTemplateGroup},

	{"GET", kindPhone, "groups", ScopeMessaging, (*Server).listGroups},
	{"POST", kindPhone, "groups", ScopeMessaging, (*Server).postGroup},
	{"GET", kindGroup, "", ScopeMessaging, (*Server).getGroup},
	{"POST", kindGroup, "", ScopeMessaging, (*Server).editGroup},
	{"DELETE", kindGroup, "", ScopeMessaging, (*Server).deleteGroup},
	{"GET", kindGroup, "invite_link", ScopeMessaging, (*Server).inviteLink},
	{"POST", kindGroup, "invite_link", ScopeMessaging, (*Server).inviteLink},
	{"DELETE", kindGroup, "invite_link", ScopeMessaging, (*Server).inviteLink},
	{"DELETE", kindGroup, "participants", ScopeMessaging, (*Server).removeParticipants},
	{"GET", kindGroup, "join_requests", ScopeMessaging, (*Server).listJoinRequests},
	{"POST", kindGroup, "join_requests", ScopeMessaging, (*Server).decideJoinRequests},
	{"DELETE", kindGroup, "join_requests", ScopeMessaging, (*Server).decideJoinRequests},
	{"GET", kindPhone, "call_permissions", ScopeMessaging, (*Server).getCallPermissions},
	{"POST", kindPhone, "calls", ScopeMessaging, (*Server).postCall},
}

// A call is one request on its way through a route.
type call struct {
	params
	problem *graphError // of the body, which could not be read

	method  string
	version string // that answers; empty if the path names one that does not exist
	id      string // of the node
	path    string // behind the version
	header  http.Header
	body    []byte // as it was sent, for a route that takes bytes
	token   *Token
	warning string // for the request log

	bareToken bool // the token is in the URL

	phone  *phone
	waba   *waba
	object *object
	last   string // the last part of the path, of edges that end with an id
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
	return route{}, id, "unknown", unknownRoute(path)
}

// unknownRoute refuses a path that the server does not have. What Meta reads of it is the first
// component, as the id of a node; reported in many issues, such as arsduo/koala#611.
func unknownRoute(path string) *graphError {
	_, rest, _ := strings.Cut(path, "/")
	return &graphError{Code: 2500, Status: http.StatusBadRequest, Message: "Unknown path components: /" + rest}
}

// load finds the node and checks the token's right to it. The caller must hold s.mu.
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
