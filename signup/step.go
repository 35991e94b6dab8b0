package signup

import "context"

// A Step is a part of [Flow.Finish]. They run in this order, and all after StepExchange can be run
// again, by [Flow.Resume] or [Flow.ResumeConnection]: each looks first whether its work is done.
type Step string

// Steps, in their order.
const (
	StepState     Step = "state"     // the nonce is ours, unused, and was issued to this tenant
	StepSession   Step = "session"   // the popup did not end in a cancellation or an error
	StepExchange  Step = "exchange"  // the code becomes a token
	StepInspect   Step = "inspect"   // the token is valid and our app's
	StepDiscover  Step = "discover"  // the accounts of the token and their numbers are known
	StepVerify    Step = "verify"    // the claims hold, one number is chosen, and it lives in the app and on Cloud API
	StepReserve   Step = "reserve"   // the host agrees
	StepSubscribe Step = "subscribe" // webhooks of every account that holds the number come to the app
	StepConfirm   Step = "confirm"   // Meta says so too
	StepOverride  Step = "override"  // they go where Config.Override wants them
	StepCredit    Step = "credit"    // the partner's line of credit pays for the account
	StepRegister  Step = "register"  // an ordinary number works on Cloud API. Never for coexistence
	StepReady     Step = "ready"     // everything is done
)

// Steps returns all steps in order. Those of one Flow are [Flow.Steps].
func Steps() []Step {
	return []Step{
		StepState, StepSession, StepExchange, StepInspect, StepDiscover, StepVerify, StepReserve, StepSubscribe,
		StepConfirm, StepOverride, StepCredit, StepRegister, StepReady,
	}
}

// Steps returns the steps that signups of f go through, in order, for a host's progress display.
func (f *Flow) Steps() []Step {
	steps := []Step{StepState, StepSession, StepExchange}
	for _, s := range f.plan() {
		steps = append(steps, s.step)
	}
	return steps
}

// A plannedStep is a step and the method of a [grant] that takes it.
type plannedStep struct {
	step Step
	run  func(*grant, context.Context) error
}

// plan lists the steps that need the token and no code. Reserve is the last one before anything
// changes at Meta. There is no way to register a number in a plan for coexistence.
func (f *Flow) plan() []plannedStep {
	plan := []plannedStep{
		{StepInspect, (*grant).inspect},
		{StepDiscover, (*grant).discover},
		{StepVerify, (*grant).verify},
		{StepReserve, (*grant).reserve},
		{StepSubscribe, (*grant).subscribe},
		{StepConfirm, (*grant).confirm},
	}
	if f.cfg.Override != nil {
		plan = append(plan, plannedStep{StepOverride, (*grant).override})
	}
	if f.cfg.Credit != nil {
		plan = append(plan, plannedStep{StepCredit, (*grant).shareCredit})
	}
	if f.cfg.PIN != nil && f.cfg.Mode != ModeCoexistence {
		plan = append(plan, plannedStep{StepRegister, (*grant).register})
	}
	return append(plan, plannedStep{StepReady, (*grant).ready})
}
