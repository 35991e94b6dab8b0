package cloudapi_test

const (
	byDo       = "long tail: cloudapi.Do"
	multi      = "multi-partner solutions: cloudapi.Do"
	dead       = "Meta deprecated the model"
	preverify  = "pre-verified numbers: cloudapi.Do"
	nodeForm   = "another form of a call that has a method"
	notCalled  = "documentation of the webhook, not a call"
	notInDocs  = "in Meta's document alone, without prose"
	membership = "people join by invite link; Meta's pages show no such call"
)

// leftOut are the operations of Meta's document without a method, each with the reason.
var leftOut = map[string]string{
	"POST /{app-id}/whatsapp_business_solution":          multi,
	"GET /{app-id}/whatsapp_business_solutions":          multi,
	"POST /{business-id}/add_phone_numbers":              preverify,
	"GET /{business-id}/preverified_numbers":             preverify,
	"POST /{business-id}/share_preverified_numbers":      preverify,
	"POST /{business-id}/onboard_partners_to_mm_lite":    byDo,
	"POST /{phone-number-id}/messages_encrypted":         "beta of payload encryption: cloudapi.Do",
	"GET /{phone-number-id}/official_business_account":   byDo,
	"POST /{phone-number-id}/official_business_account":  byDo,
	"GET /{phone-number-id}/whatsapp_commerce_settings":  byDo,
	"POST /{phone-number-id}/whatsapp_commerce_settings": byDo,
	"GET /{phone-number-id}/business_compliance_info":    "India alone: cloudapi.Do",
	"POST /{phone-number-id}/business_compliance_info":   "India alone: cloudapi.Do",
	"POST /{group-id}/participants":                      membership,
	"GET /{Migration-Intent-ID}":                         multi,
	"GET /{Pre-Verified-Phone-Number-ID}":                preverify,
	"DELETE /{Pre-Verified-Phone-Number-ID}":             preverify,
	"GET /{Pre-Verified-Phone-Number-ID}/partners":       preverify,
	"POST /{Pre-Verified-Phone-Number-ID}/request_code":  preverify,
	"POST /{Pre-Verified-Phone-Number-ID}/verify_code":   preverify,
	"GET /{Solution-ID}/access_token":                    multi,
	"POST /{Solution-ID}/accept_deactivation_request":    multi,
	"POST /{Solution-ID}/accept":                         multi,
	"GET /{Solution-ID}":                                 multi,
	"POST /{Solution-ID}/reject_deactivation_request":    multi,
	"POST /{Solution-ID}/reject":                         multi,
	"POST /{Solution-ID}/send_deactivation_request":      multi,
	"GET /{User-ID}/assigned_whatsapp_business_accounts": byDo,
	"GET /{WhatsApp-Account-Number-ID}":                  nodeForm,
	"GET /{waba-id}/in_progress_onbehalf_request":        dead,
	"GET /{OBO-Mobility-Intent-ID}":                      dead,
	"POST /{waba-id}/obo_mobility_intent":                dead,
	"POST /{waba-id}/set_obo_mobility_intent":            dead,
	"GET /{waba-id}/schedules":                           notInDocs,
	"POST /{waba-id}/schedules":                          notInDocs,
	"POST /{waba-id}/set_solution_migration_intent":      multi,
	"GET /{waba-id}/solutions":                           multi,
	"GET /{WABA-Bot-ID}":                                 byDo,
	"GET /{WhatsApp-Business-Profile-ID}":                nodeForm,
	"POST /{WhatsApp-Business-Profile-ID}":               nodeForm,
	"POST /whatsapp/webhooks":                            notCalled,
}

// memberReasons are members of documented requests that our types do not have: by endpoint and
// path, or by name alone.
var memberReasons = map[string]string{
	"before":        "listings go forward",
	"business_type": "not in Meta's prose",
	"find":          "not in Meta's prose; OwnedWABAs is walked through",
	"first":         "another name of limit",
	"last":          "listings go forward",
	"date_format":   "times are read in every form",
	"policy":        "optional, and deterministic is its only value",

	"GET /{phone-number-id}/settings " +
		"?include_sip_credentials": "a password for a person to read once: cloudapi.Do",
	"POST /{group-id} profile_picture_file": "a path on the caller's " +
		"disk cannot be meant: SetPicture sends the file",
	"POST /{phone-number-id}/messages interactive.header.sub_text": "Meta's pages do not have it",
	"POST /{phone-number-id}/register backup": "for numbers that left the " +
		"on-premise API, which ended in 2025",
	"POST /{phone-number-id}/register backup.data": "for numbers that left the " +
		"on-premise API, which ended in 2025",
	"POST /{phone-number-id}/register backup.password": "for numbers that left the " +
		"on-premise API, which ended in 2025",
	"POST /{phone-number-id}/register tier":                          "Meta's pages do not have it",
	"POST /{phone-number-id}/settings storage_configuration.enabled": "wrong in Meta's document",
	"POST /{phone-number-id}/settings " +
		"storage_configuration.region": "wrong in Meta's document: data_localization_region",
	"POST /{phone-number-id}/settings " +
		"user_identity_change.enabled": "wrong in Meta's document: enable_identity_key_check",
	"POST /{phone-number-id} connection_status": "read only, by its nature",
	"POST /{phone-number-id} username":          "Usernames.Set",
	"POST /{phone-number-id} webhook_url":       "webhook_configuration",
	"POST /{phone-number-id} " +
		"whatsapp_business_api_data": "of the on-premise API, which ended in 2025",
	"POST /{phone-number-id} " +
		"whatsapp_business_api_data.notify_user_change_number": "of the on-premise API, which ended in 2025",
	"POST /{phone-number-id} " +
		"whatsapp_business_api_data.show_security_notifications": "of the on-premise API, which ended in 2025",
}

// schemaReasons are requests that Meta's document calls invalid, each with the reason why it is the
// document that is wrong.
var schemaReasons = map[string]string{
	"Calls.PreAccept": callsByID, "Calls.Accept": callsByID, "Calls.Reject": callsByID,
	"Messages.MarkRead": noReads, "Messages.ShowTyping": noReads,
	"bare catalog": "the thumbnail is optional", "contacts": "type is free text, and not HOME or WORK alone",
	"call us": interactiveTypes, "carousel": interactiveTypes, "carousel of products": interactiveTypes,
	"carousel of replies": interactiveTypes, "link": interactiveTypes, "order details": interactiveTypes,
	"order status":    interactiveTypes,
	"raw interactive": interactiveTypes, "where are you": interactiveTypes, "where to": interactiveTypes,
	"who are you": interactiveTypes,
	"pin":         messageTypes, "unpin": messageTypes, "raw": messageTypes,
	"template call": componentTypes, "template carousel": componentTypes,
	"template coupon": componentTypes, "template flow": componentTypes, "template offer": componentTypes,
	"template order details": componentTypes, "template order status": componentTypes,
	"template products":   componentTypes,
	"template raw button": componentTypes, "template raw component": componentTypes,
	"template tap target":       componentTypes,
	"Settings.SetCalling":       "the pages say ENABLED, the document enabled",
	"Settings.SetEncryption":    "as with calling, ENABLED is taken for the spelling that works",
	"Settings.SetIdentityCheck": "the member is enable_identity_key_check on Meta's pages",
	"Settings.SetStorage":       "the members are others on Meta's pages",
}

const (
	callsByID        = "the document knows only connect and terminate"
	noReads          = "the document has no read receipts"
	interactiveTypes = "the document lacks most interactive types"
	messageTypes     = "the document lacks this message type"
	componentTypes   = "the document lacks most kinds of components, buttons and parameters"
)
