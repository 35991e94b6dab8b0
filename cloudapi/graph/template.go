package graph

// A TemplateCategory is what a message template is for, and what it costs. Meta may add values.
type TemplateCategory string

const (
	TemplateMarketing      TemplateCategory = "MARKETING"
	TemplateUtility        TemplateCategory = "UTILITY"
	TemplateAuthentication TemplateCategory = "AUTHENTICATION"
)

// A QualityRating is how recipients took the messages of a number, or of a template, in the last days. Meta may add values.
type QualityRating string

const (
	QualityGreen   QualityRating = "GREEN"
	QualityYellow  QualityRating = "YELLOW"
	QualityRed     QualityRating = "RED"
	QualityNA      QualityRating = "NA" // of numbers alone
	QualityUnknown QualityRating = "UNKNOWN"
)

// A FlowStatus is the state of a Flow. Meta may add values.
type FlowStatus string

const (
	FlowDraft      FlowStatus = "DRAFT"
	FlowPublished  FlowStatus = "PUBLISHED"
	FlowDeprecated FlowStatus = "DEPRECATED"
	FlowBlocked    FlowStatus = "BLOCKED"   // cannot be opened or sent
	FlowThrottled  FlowStatus = "THROTTLED" // can be opened, but sent only a little
)
