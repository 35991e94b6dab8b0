package cloudapitest

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// wabaType is the node's type as Meta's errors name it, wabaDefaults the fields of a read that
// names none.
const (
	wabaType     = "WhatsAppBusinessAccount"
	wabaDefaults = "id,name,currency,timezone_id,message_template_namespace"
)

// A named is how a node mentions another.
type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// wabaNode is what a read shows of an account.
func (s *Server) wabaNode(w *waba) node {
	owner := named{ID: string(w.OwnerBusinessID)}
	if b := s.business(w.OwnerBusinessID); b != nil {
		owner.Name = b.Name
	}
	return node{
		"id":                           raw(w.ID),
		"name":                         raw(w.Name),
		"currency":                     raw(w.Currency),
		"country":                      raw(w.Country),
		"timezone_id":                  raw(cmp.Or(w.timezone, "1")),
		"message_template_namespace":   raw("made_up_namespace"),
		"ownership_type":               raw("CLIENT_OWNED"),
		"account_review_status":        raw("APPROVED"),
		"business_verification_status": raw("not_verified"),
		"status":                       raw("ACTIVE"),
		"owner_business_info":          raw(owner),
		"creation_time":                raw(w.CreatedAt.Unix()),

		"primary_funding_id":      fundingOf(w),
		"is_enabled_for_insights": raw(w.insights),
		"health_status":           wabaHealth(w),
	}
}

// getWABA reads an account. Analytics are fields of it, with arguments, so they are counted here.
func (s *Server) getWABA(c *call) reply {
	fields, counts, err := s.countFields(c.waba, c.get("fields"))
	if err != nil {
		return refuse(err)
	}
	if fields == "" && len(counts) > 0 {
		fields = "id"
	}
	n, err := s.pick(c, s.wabaNode(c.waba), cmp.Or(fields, wabaDefaults), wabaType)
	if err != nil {
		return refuse(err)
	}
	maps.Copy(n, counts)
	return ok(n)
}

// postWABA changes an account. Insights, once switched on, stay on.
func (s *Server) postWABA(c *call) reply {
	var req struct {
		Name        *string      `json:"name"`
		TimezoneID  *json.Number `json:"timezone_id"`
		Insights    *bool        `json:"is_enabled_for_insights"`
		NoMarketing *bool        `json:"disable_marketing_messages_on_cloud_api"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	switch {
	case req.Name != nil && *req.Name == "":
		return refuse(invalid("name is empty"))
	case req.Insights != nil && !*req.Insights && c.waba.insights:
		return refuse(&graphError{Code: graph.CodeTemplateInsightsPermanent})
	}
	if req.Name != nil {
		c.waba.Name = *req.Name
	}
	if req.TimezoneID != nil {
		c.waba.timezone = req.TimezoneID.String()
	}
	if req.Insights != nil {
		c.waba.insights = *req.Insights
	}
	if req.NoMarketing != nil {
		c.waba.noMarketing = *req.NoMarketing
	}
	return ok200("id", c.waba.ID)
}

// getBusiness reads a portfolio.
func (s *Server) getBusiness(c *call) reply {
	b := s.business(graph.BusinessID(c.id))
	n := node{
		"id": raw(b.ID), "name": raw(b.Name), "verification_status": raw("not_verified"), "timezone_id": raw("1"),
		"whatsapp_business_manager_messaging_limit": raw("TIER_250"), "health_status": health("BUSINESS", string(b.ID)),
	}
	return s.show(c, n, "id,name", "Business")
}

// me shows whose token it is. Only a business token has a client_business_id; others are told that
// they cannot be parsed, though they are good.
func (s *Server) me(c *call) reply {
	asked := slices.ContainsFunc(parseFields(c.get("fields")),
		func(f field) bool { return f.name == "client_business_id" })
	if asked && c.token.BusinessID == "" {
		err := badToken(0, "Invalid OAuth access token - Cannot parse access token")
		err.Status = http.StatusBadRequest
		return refuse(err)
	}
	n := node{"id": raw(c.token.userID), "name": raw("Made-up system user"), "client_business_id": nil}
	if c.token.BusinessID != "" {
		n["client_business_id"] = raw(c.token.BusinessID)
	}
	return s.show(c, n, "id,name", "SystemUser")
}

// ownedWABAs lists the accounts that a portfolio owns.
func (s *Server) ownedWABAs(c *call) reply {
	return s.listWABAs(c, func(w *waba) bool { return w.OwnerBusinessID == graph.BusinessID(c.id) })
}

// clientWABAs lists what businesses have shared with the partner: everything that the partner does
// not own itself.
func (s *Server) clientWABAs(c *call) reply {
	return s.listWABAs(c, func(w *waba) bool { return w.OwnerBusinessID != graph.BusinessID(c.id) })
}

// listWABAs answers with the accounts that are wanted and that the token reaches.
func (s *Server) listWABAs(c *call, want func(*waba) bool) reply {
	after, err := createdAfter(c.get("filtering"))
	if err != nil {
		return refuse(err)
	}
	var found []*waba
	for _, w := range s.wabas {
		if want(w) && !w.lost && c.token.reaches(w.ID) && (after.IsZero() || w.CreatedAt.After(after)) {
			found = append(found, w)
		}
	}
	if c.get("sort") == "creation_time_descending" {
		slices.SortStableFunc(found, func(a, b *waba) int { return b.CreatedAt.Compare(a.CreatedAt) })
	}
	var nodes []node
	for _, w := range found {
		nodes = append(nodes, s.wabaNode(w))
	}
	return s.showAll(c, nodes, wabaDefaults, wabaType)
}

// createdAfter reads the one documented filter.
func createdAfter(filtering string) (time.Time, *graphError) {
	if filtering == "" {
		return time.Time{}, nil
	}
	var filters []struct {
		Field    string `json:"field"`
		Operator string `json:"operator"`
		Value    string `json:"value"`
	}
	if json.Unmarshal([]byte(filtering), &filters) != nil || len(filters) != 1 ||
		filters[0].Field != "creation_time" || filters[0].Operator != "GREATER_THAN" {
		return time.Time{}, invalid("filtering takes one filter, creation_time GREATER_THAN a Unix time in a string")
	}
	seconds, err := strconv.ParseInt(filters[0].Value, 10, 64)
	if err != nil {
		return time.Time{}, invalid("filtering: the value is not a Unix time")
	}
	return time.Unix(seconds, 0), nil
}
