package graph

// A TemplateCategory is the purpose of a message template. It decides the price. Meta may add
// values.
type TemplateCategory string

const (
	TemplateMarketing      TemplateCategory = "MARKETING"
	TemplateUtility        TemplateCategory = "UTILITY"
	TemplateAuthentication TemplateCategory = "AUTHENTICATION"
)

// A QualityRating rates how recipients received the messages of a number, or of a template, in the
// last days. Meta may add values.
type QualityRating string

const (
	QualityGreen   QualityRating = "GREEN"
	QualityYellow  QualityRating = "YELLOW"
	QualityRed     QualityRating = "RED"
	QualityNA      QualityRating = "NA" // of numbers only
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
