package graph

// A JoinApproval is whether people who follow the link of a group are let in at once. Meta may add values.
type JoinApproval string

const (
	JoinWithApproval JoinApproval = "approval_required"
	JoinAtOnce       JoinApproval = "auto_approve"
)
