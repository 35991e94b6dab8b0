package signup

// A Step is a part of [Flow.Finish]. They run in this order, each at most once, and all after StepExchange can be run again
// by [Flow.Resume].
type Step string

const (
	StepState     Step = "state"     // the nonce is ours, unused, and was issued to this owner
	StepSession   Step = "session"   // the popup did not end in a cancellation or an error
	StepExchange  Step = "exchange"  // the code becomes a token
	StepInspect   Step = "inspect"   // the token is valid and our app's
	StepDiscover  Step = "discover"  // the accounts of the token and their numbers are known
	StepVerify    Step = "verify"    // the claims hold, one number is chosen, and it lives in the app and on Cloud API
	StepReserve   Step = "reserve"   // the host agrees
	StepSubscribe Step = "subscribe" // webhooks of every account that holds the number come to the app
	StepConfirm   Step = "confirm"   // Meta says so too
)

// Steps returns all steps in order, for a host's progress display.
func Steps() []Step {
	return []Step{
		StepState, StepSession, StepExchange, StepInspect, StepDiscover, StepVerify, StepReserve, StepSubscribe, StepConfirm,
	}
}
