package cloudapitest

import (
	"slices"
)

// phoneType is the node's type as Meta's errors name it.
const (
	phoneType = "WhatsAppBusinessPhoneNumber"

	// phoneDefaults come without fields=. is_on_biz_app is not among them.
	phoneDefaults = "verified_name,code_verification_status,display_phone_number,quality_rating,platform_type," +
		"throughput,last_onboarded_time,webhook_configuration,id"

	// graphTime is how the Graph API writes times of phone numbers.
	graphTime = "2006-01-02T15:04:05-0700"
)

// webhookConfiguration shows where webhooks of a number go, at each level that is set.
type webhookConfiguration struct {
	Phone string `json:"phone_number,omitzero"`
	WABA  string `json:"whatsapp_business_account,omitzero"`
	App   string `json:"application,omitzero"`
}

// phoneNode is what a read shows of a number. Of several accounts the first one's override is
// shown. That a number has no quality trouble, no limit tier but the lowest and no badge is made
// up.
func (s *Server) phoneNode(p *phone) node {
	config := webhookConfiguration{Phone: p.override, App: s.callbackURL()}
	if w := s.waba(p.WABAs[0]); w != nil {
		config.WABA = w.override
	}
	verified := "VERIFIED"
	if p.Unverified {
		verified = "NOT_VERIFIED"
	}
	// A coexistence number stays at 20 messages a second; that it shows STANDARD is assumed, one
	// SDK has NOT_APPLICABLE.
	throughput := struct {
		Level string `json:"level"`
	}{"STANDARD"}
	return node{
		"id":                       raw(p.ID),
		"display_phone_number":     raw(p.PhoneNumber),
		"verified_name":            raw(p.Name),
		"status":                   raw(p.Status()),
		"code_verification_status": raw(verified),
		"quality_rating":           raw("GREEN"),
		"platform_type":            raw(p.PlatformType()),
		"is_on_biz_app":            raw(p.OnBizApp()),
		"throughput":               raw(throughput),
		"account_mode":             raw("LIVE"),
		"last_onboarded_time":      raw(p.OnboardedAt.Format(graphTime)),
		"webhook_configuration":    raw(config),
		"name_status":              raw("APPROVED"),
		"new_name_status":          raw(map[bool]string{true: "NONE", false: "PENDING_REVIEW"}[p.more().newName == ""]),
		"search_visibility":        raw(map[bool]string{true: "HIDDEN", false: "VISIBLE"}[p.more().hidden]),
		"is_pin_enabled":           raw(p.PIN != ""),
		"whatsapp_business_manager_messaging_limit": raw("TIER_250"),

		"is_official_business_account": raw(false),
		"is_preverified_number":        raw(false),

		"health_status":             health("PHONE_NUMBER", string(p.ID)),
		"conversational_automation": p.more().automation,
	}
}

// getPhone reads a number.
func (s *Server) getPhone(c *call) reply {
	return s.show(c, s.phoneNode(c.phone), phoneDefaults, phoneType)
}

// postPhone sets or removes the number's callback override, or changes one of the few things that a
// number lets change: its name, which Meta then looks at, its PIN, whether people find it.
func (s *Server) postPhone(c *call) reply {
	var req struct {
		Name       *string `json:"new_display_name"`
		PIN        *string `json:"pin"`
		Visibility *string `json:"search_visibility"`

		Configuration *struct {
			Callback *string `json:"override_callback_uri"`
			Token    string  `json:"verify_token"`
		} `json:"webhook_configuration"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	switch {
	case req.Name != nil && *req.Name == "":
		return refuse(invalid("new_display_name is empty"))
	case req.Name != nil:
		c.phone.more().newName = *req.Name
		return success
	case req.PIN != nil && !pinRe.MatchString(*req.PIN):
		return refuse(invalid("pin must be 6 digits"))
	case req.PIN != nil:
		c.phone.PIN = *req.PIN
		return success
	case req.Visibility != nil && *req.Visibility != "VISIBLE" && *req.Visibility != "HIDDEN":
		return refuse(invalid("search_visibility must be VISIBLE or HIDDEN"))
	case req.Visibility != nil:
		c.phone.more().hidden = *req.Visibility == "HIDDEN"
		return success
	}
	if req.Configuration == nil || req.Configuration.Callback == nil {
		return refuse(missing("webhook_configuration"))
	}
	if callback := *req.Configuration.Callback; callback != "" {
		if err := s.checkOverride(callback, req.Configuration.Token); err != nil {
			return refuse(err)
		}
	}
	c.phone.override = *req.Configuration.Callback
	return success
}

// listPhones lists the numbers of an account. Meta's filters and orders are not played.
func (s *Server) listPhones(c *call) reply {
	var nodes []node
	for _, p := range s.phones {
		if p.lost || !slices.Contains(p.WABAs, c.waba.ID) {
			continue
		}
		nodes = append(nodes, s.phoneNode(p))
	}
	return s.showAll(c, nodes, phoneDefaults, phoneType)
}
