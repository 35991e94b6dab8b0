package cloudapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Throttle is the slowdown that an answer of Meta's asks of a [Limiter]. The zero Throttle asks
// for nothing. No pause is longer than an hour, which is what Meta's budgets roll over: whatever a
// header says, the next message then finds out.
type Throttle struct {
	// Pause keeps every message of the number back for so long.
	Pause time.Duration

	// PausePair keeps messages to the same recipient back for so long. Others are not concerned.
	PausePair time.Duration

	// HalveRate asks for half of the present throughput, to be regained slowly. A throughput limit
	// was hit, and several requests that were under way together may say so: halve once a second at
	// most.
	HalveRate bool

	// RateShare is the share of the number's throughput that is left while Meta's usage headers are
	// high, down to 0.1. Zero means all.
	RateShare float64
}

// Percent of a budget at which sends become slower, and how slow they get.
const (
	slowFrom = 75
	slowest  = 0.1
)

// Throttle reads what an attempt to send teaches about the budgets it takes from: throttle codes,
// Retry-After and the usage headers. Usage of type whatsapp_business_management is ignored: it is
// about other calls than sends.
func (c Attempt) Throttle() Throttle {
	s := c.slowdown()
	s.Pause, s.PausePair = min(s.Pause, longestPause), min(s.PausePair, longestPause)
	return s
}

// longestPause is what Meta's budgets roll over.
const longestPause = time.Hour

// slowdown is Throttle without its bound. A spent synchronisation may carry code 4, which is a
// throttle on every other call, so it is looked for first.
func (c Attempt) slowdown() Throttle {
	s := Throttle{RateShare: c.Response.ceiling(), Pause: c.Response.sendRegainAccess()}
	e, ok := errors.AsType[*Error](c.Err)
	if !ok {
		return s
	}
	switch {
	case e.isSyncRefusal():
	case e.Code == graph.CodePairRateLimitHit:
		s.PausePair = max(PairInterval, e.RetryAfter)
	case e.Code == graph.CodeAccountInMaintenance:
		s.Pause = max(s.Pause, e.RetryAfter, time.Minute) // how long a throughput upgrade takes
	case e.Code == graph.CodeRateLimitHit, e.StatusCode == http.StatusTooManyRequests && !e.hasCode():
		s.Pause, s.HalveRate = max(s.Pause, e.RetryAfter, time.Second), true
	case e.coded && e.Code.ProvesRefusal():
		s.Pause, s.HalveRate = max(s.Pause, e.RetryAfter, 5*time.Second), true
	}
	return s
}

// ceiling is the share of the throughput that the usage headers leave: it falls from 1 at slowFrom
// percent to slowest at 100. Zero stands for all, as in [Throttle].RateShare.
func (m Response) ceiling() float64 {
	usage := 0
	if m.AppUsage != nil {
		usage = m.AppUsage.Max()
	}
	for _, u := range m.BusinessUsage {
		if u.aboutSends() {
			usage = max(usage, u.Max())
		}
	}
	if usage <= slowFrom {
		return 0
	}
	return max(slowest, 1-(1-slowest)*float64(usage-slowFrom)/float64(100-slowFrom))
}

// sendRegainAccess is the longest wait that a budget of sends asks for.
func (m Response) sendRegainAccess() time.Duration {
	var longest time.Duration
	for _, u := range m.BusinessUsage {
		if u.aboutSends() {
			longest = max(longest, u.RegainAccess)
		}
	}
	return longest
}

// aboutSends reports whether a usage may be about messages. Types that are unknown here count as
// if.
func (u BusinessUsage) aboutSends() bool { return u.Type != "whatsapp_business_management" }
