package webhook

// A Field names a webhook field: what an app subscribes to, and how Meta labels a change. The
// package comment has a table of all fields and their events.
type Field string

// The fields of the main path come first, then those of conversations, of groups, and of accounts.
const (
	FieldMessages         Field = "messages"           // what customers send, and statuses of what you sent
	FieldHistory          Field = "history"            // past messages of a coexistence number
	FieldAppStateSync     Field = "smb_app_state_sync" // the address book of a coexistence number
	FieldSMBMessageEchoes Field = "smb_message_echoes" // what the business writes on its phone

	FieldMessageEchoes      Field = "message_echoes"      // what other apps send from the number
	FieldCalls              Field = "calls"               // calls, and statuses of calls
	FieldStandby            Field = "standby"             // conversations that something else owns
	FieldMessagingHandovers Field = "messaging_handovers" // a conversation gets another owner
	FieldUserPreferences    Field = "user_preferences"    // customers stop or resume marketing messages
	FieldAutomaticEvents    Field = "automatic_events"    // leads and purchases that Meta finds
	FieldTrackingEvents     Field = "tracking_events"     // tracking for marketing

	FieldGroupLifecycleUpdate    Field = "group_lifecycle_update"    // groups created and deleted
	FieldGroupParticipantsUpdate Field = "group_participants_update" // people join and leave
	FieldGroupSettingsUpdate     Field = "group_settings_update"     // picture, subject, description
	FieldGroupStatusUpdate       Field = "group_status_update"       // groups suspended

	FieldAccountUpdate              Field = "account_update"               // what happens to an account
	FieldAccountAlerts              Field = "account_alerts"               // limits and approvals
	FieldAccountReviewUpdate        Field = "account_review_update"        // an account was reviewed
	FieldAccountSettingsUpdate      Field = "account_settings_update"      // settings of a number changed
	FieldBusinessCapabilityUpdate   Field = "business_capability_update"   // limits of a business
	FieldBusinessUsernameUpdates    Field = "business_username_updates"    // the username of a number
	FieldPartnerSolutions           Field = "partner_solutions"            // multi-partner solutions
	FieldPaymentConfigurationUpdate Field = "payment_configuration_update" // ways to be paid, in India

	FieldPhoneNumberNameUpdate    Field = "phone_number_name_update"    // the name that a number shows
	FieldPhoneNumberQualityUpdate Field = "phone_number_quality_update" // the limits of a number
	FieldSecurity                 Field = "security"                    // the PIN of a number

	FieldFlows                            Field = "flows"                               // states and alerts of Flows
	FieldMessageTemplateStatusUpdate      Field = "message_template_status_update"      // reviews and pauses
	FieldMessageTemplateQualityUpdate     Field = "message_template_quality_update"     // how customers take it
	FieldMessageTemplateComponentsUpdate  Field = "message_template_components_update"  // a template was edited
	FieldTemplateCategoryUpdate           Field = "template_category_update"            // a template costs otherwise
	FieldTemplateCorrectCategoryDetection Field = "template_correct_category_detection" // a category is wrong

	// Older names of the same.
	FieldBusinessUsernameUpdate Field = "business_username_update" // until spring 2026
	FieldGroupParticipantUpdate Field = "group_participant_update" // in Meta's OpenAPI document
	FieldUserIDUpdate           Field = "user_id_update"           // withdrawn in August 2026

	// Meta names these and says nothing about what is in them. They arrive as [UnknownEvent].
	FieldBusinessStatusUpdate       Field = "business_status_update"
	FieldConsumerProfile            Field = "consumer_profile"
	FieldTemplatePerformanceMetrics Field = "template_performance_metrics" // only in old lists
)
