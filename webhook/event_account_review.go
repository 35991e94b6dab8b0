package webhook

// An AccountReviewUpdate arrives when Meta has reviewed an account against its policies. Only an
// approved account can be used.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/account_review_update
type AccountReviewUpdate struct {
	EventInfo `json:"-"`

	Decision ReviewDecision `json:"decision"`
}

// A ReviewDecision is how a review ended. Meta adds values: expect unknown ones.
type ReviewDecision string

const (
	ReviewApproved ReviewDecision = "APPROVED"
	ReviewRejected ReviewDecision = "REJECTED"
	ReviewPending  ReviewDecision = "PENDING"
	ReviewDeferred ReviewDecision = "DEFERRED"
)
