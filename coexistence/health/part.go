package health

// A Status says how a part is.
type Status string

const (
	StatusUnknown Status = "unknown" // not looked at, or it could not be read
	StatusOK      Status = "ok"
	StatusWarning Status = "warning" // it works, and will not for long, or not for everything
	StatusBroken  Status = "broken"  // it does not work
)

// rank orders what is known, from good to bad.
func (s Status) rank() int {
	switch s {
	case StatusBroken:
		return 3
	case StatusWarning:
		return 2
	case StatusOK:
		return 1
	}
	return 0
}

// A Verdict is the judgement of one part.
type Verdict struct {
	// Status is how it is.
	Status Status

	// Code says why. It is empty where there is nothing to say, and never changes its meaning:
	// translate by it.
	Code Code

	// Advice says what to do, in English, for those who run the host. Empty without a Code.
	Advice string
}

// Wrong reports whether the part needs attention: it is a warning or broken.
func (v Verdict) Wrong() bool { return v.Status == StatusWarning || v.Status == StatusBroken }

// good is the verdict that there is nothing to say.
var good = Verdict{Status: StatusOK}

// judge returns a verdict with the advice of its code.
func judge(s Status, c Code) Verdict { return Verdict{s, c, advice[c]} }

// A PartName names a part of a [Health].
type PartName string

const (
	PartConnection  PartName = "connection"   // is the number in the app and on Cloud API?
	PartSync        PartName = "sync"         // contacts and history of the first days
	PartQuality     PartName = "quality"      // what recipients think of its messages
	PartLimits      PartName = "limits"       // how many people it may write to first
	PartEnforcement PartName = "enforcement"  // bans, restrictions and violations
	PartToken       PartName = "token"        // does it work, and until when?
	PartPhone       PartName = "phone"        // is the business's phone in use?
	PartWebhooks    PartName = "webhooks"     // subscriptions, fields, overrides
	PartPayment     PartName = "payment"      // does something pay for what it sends?
	PartDelivery    PartName = "delivery"     // when something last arrived
	PartDrift       PartName = "drift"        // what Meta sends and this version does not know
	PartDeadLetters PartName = "dead_letters" // what handlers gave up
	PartBacklog     PartName = "backlog"      // what waits to be handled, of all numbers
	PartSends       PartName = "sends"        // messages that may or may not have been sent
	PartResponders  PartName = "responders"   // does something else answer its customers?
)

// A Part is one part of a [Health], in short: for lists, metrics and changes.
type Part struct {
	// Name says which part it is.
	Name PartName

	// Value is the fact that matters most: the stage, the quality rating, the messaging limit, the
	// restrictions. It is empty for parts whose code says all.
	Value string

	Verdict
}

// same reports whether nothing has changed that is worth an event.
func (p Part) same(q Part) bool {
	return p.Status == q.Status && p.Code == q.Code && p.Value == q.Value
}
