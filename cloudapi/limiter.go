package cloudapi

import (
	"context"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Messages a second that a number may pass, sent and received ones counted together.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/throughput
const (
	// CoexistenceRate is that of a coexistence number. It is never raised.
	CoexistenceRate = 20

	// StandardRate is that of other numbers, ThroughputStandard.
	StandardRate = 80

	// HighRate is that of numbers which Meta upgraded, ThroughputHigh.
	HighRate = 1000
)

// The pair rule: one message in PairInterval to the same person, with bursts of up to PairBurst
// that are paid back by silence.
const (
	PairInterval = 6 * time.Second
	PairBurst    = 45
)

// A Limiter holds sends back so that Meta does not have to refuse them. Wait returns when the
// message may leave, or an error (the context's, usually) if it may not; then nothing is sent. It
// is called from many goroutines, once before every attempt to send.
//
// [MemLimiter] is for one process, package cloudapi/redislimit for several that share a budget. A
// Limiter that is an [AdaptiveLimiter] too gets the result of each attempt, and one that is an
// [InboundRecorder] what numbers receive.
//
// An outbox can wrap one, to note that a message is on its way as late as possible, when Wait lets
// it pass: what is noted is in doubt after a crash. An error of the note keeps the message back.
type Limiter interface {
	Wait(ctx context.Context, t SendRequest) error
}

// An AdaptiveLimiter slows down by what Meta answers. Observe is called after every attempt to send
// that Wait let through, in the goroutine of the call; [Attempt.Throttle] says what to make of it.
type AdaptiveLimiter interface {
	Limiter
	Observe(ctx context.Context, t SendRequest, c Attempt)
}

// An InboundRecorder is a [Limiter] that counts received messages, because they take from the same
// throughput as sent ones. A coexistence.Tracker calls RecordInbound for each message of a
// customer. at is when the message came to Meta.
type InboundRecorder interface {
	Limiter
	RecordInbound(ctx context.Context, phone graph.PhoneNumberID, at time.Time)
}

// A LimitForgetter is a [Limiter] that forgets what it remembers of a number, or, if recipients are
// named, of those only. What is held back or on its way is remembered again. coexistence.Tracker
// calls Forget when a person or a number is forgotten; without it, a limiter remembers for an hour
// at most.
type LimitForgetter interface {
	Limiter
	Forget(ctx context.Context, phone graph.PhoneNumberID, people ...Recipient) error
}

// A SendRequest describes an attempt to send, for a [Limiter]: number, recipient and priority.
type SendRequest struct {
	// From is the business number that sends. Its throughput is shared by all its messages.
	From graph.PhoneNumberID

	// To is the recipient, the other half of the pair rule.
	To Recipient

	// Priority orders messages that wait.
	Priority Priority
}

// A Priority says which message goes first when a [Limiter] holds some back. It is not sent to
// Meta.
type Priority uint8

const (
	// PriorityReply is for messages that people wait for: answers, codes, confirmations.
	PriorityReply Priority = iota

	// PriorityCampaign is for messages that may wait: campaigns, reminders. They go out only while
	// no reply is held back.
	PriorityCampaign
)

// Unlimited is a [Limiter] that holds nothing back: for tests, and for hosts that pace their sends
// elsewhere.
var Unlimited Limiter = unlimited{}

type unlimited struct{}

func (unlimited) Wait(ctx context.Context, _ SendRequest) error { return ctx.Err() }

// MessagesPerSecond returns the throughput of a number that was read with the fields is_on_biz_app,
// platform_type and throughput, as [PhonesService.Get] does. A number that may coexist has
// [CoexistenceRate].
func (p *Phone) MessagesPerSecond() int {
	switch {
	case p.IsOnBizApp:
		return CoexistenceRate
	case p.Throughput.Level == ThroughputHigh:
		return HighRate
	case p.Throughput.Level == ThroughputStandard:
		return StandardRate
	}
	return CoexistenceRate
}
