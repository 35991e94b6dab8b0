package webhook

// fieldReaders says how the changes of the rarer fields are read. The fields of the main path
// (messages, history, echoes, contacts, account updates) are read where the value is.
var fieldReaders = map[Field]fieldReader{
	FieldMessageEchoes:      readOtherEchoes,
	FieldCalls:              readCalls,
	FieldStandby:            readStandby,
	FieldMessagingHandovers: one((*handoverBody).event),
	FieldUserPreferences:    each("user_preferences", (*preferenceBody).event),
	FieldUserIDUpdate:       each("user_id_update", (*userIDBody).event),
	FieldAutomaticEvents:    each("automatic_events", (*automaticBody).event),
	FieldTrackingEvents:     each("events", (*trackingBody).event),

	FieldGroupLifecycleUpdate:    each("groups", (*groupLifecycleBody).event),
	FieldGroupParticipantsUpdate: each("groups", (*groupParticipantsBody).event),
	FieldGroupParticipantUpdate:  each("groups", (*groupParticipantsBody).event),
	FieldGroupSettingsUpdate:     each("groups", (*groupSettingsBody).event),
	FieldGroupStatusUpdate:       each("groups", (*groupStatusBody).event),

	FieldAccountAlerts:              one((*alertBody).event),
	FieldAccountReviewUpdate:        one(as[AccountReviewUpdate]),
	FieldAccountSettingsUpdate:      one((*accountSettingsBody).event),
	FieldBusinessCapabilityUpdate:   one(as[BusinessCapabilityUpdate]),
	FieldBusinessUsernameUpdates:    one((*usernameBody).event),
	FieldBusinessUsernameUpdate:     one((*usernameBody).event),
	FieldPartnerSolutions:           one(as[PartnerSolution]),
	FieldPaymentConfigurationUpdate: one(as[PaymentConfigurationUpdate]),

	FieldPhoneNumberNameUpdate:    one((*phoneNameBody).event),
	FieldPhoneNumberQualityUpdate: one((*phoneQualityBody).event),
	FieldSecurity:                 one((*securityBody).event),

	FieldFlows:                            one(as[FlowUpdate]),
	FieldMessageTemplateStatusUpdate:      readTemplate,
	FieldMessageTemplateQualityUpdate:     readTemplate,
	FieldMessageTemplateComponentsUpdate:  one(as[MessageTemplateComponentsUpdate]),
	FieldTemplateCategoryUpdate:           one(as[TemplateCategoryUpdate]),
	FieldTemplateCorrectCategoryDetection: one(as[TemplateCorrectCategoryDetection]),
}

// as returns an event that is its own body.
func as[T any](body *T) Event { return any(body).(Event) }
