package health

import (
	"errors"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/storage"
)

// This file holds the parts that only Meta can tell, and the token that it is asked with.

// A Quality says what recipients think of the messages of the last days.
type Quality struct {
	Verdict

	// Rating is Meta's, empty as long as the number was not read.
	Rating graph.QualityRating
}

func quality(r reading) Quality {
	if r.preflight.Phone == nil {
		return Quality{Verdict: r.missing()}
	}
	q := Quality{good, r.preflight.Phone.QualityRating}
	switch {
	case q.Rating == graph.QualityRed:
		q.Verdict = judge(StatusWarning, CodeQualityLow)
	case r.preflight.Phone.Status == cloudapi.PhoneFlagged:
		q.Verdict = judge(StatusWarning, CodeFlagged)
	case q.Rating == graph.QualityYellow:
		q.Verdict = judge(StatusWarning, CodeQualityMedium)
	}
	return q
}

// Limits say how much the number may send.
type Limits struct {
	Verdict

	// MessagingLimit is to how many people the portfolio may write first within 24 hours, such as
	// "TIER_2K". Empty as long as it was not read.
	MessagingLimit string

	// MessagesPerSecond is the throughput, zero as long as the number was not read. A coexistence
	// number has 20, and what it receives counts.
	MessagesPerSecond int
}

func limits(r reading) Limits {
	if r.preflight.Phone == nil {
		return Limits{Verdict: r.missing()}
	}
	l := Limits{good, r.messagingLimit, r.preflight.Phone.MessagesPerSecond()}
	switch r.preflight.Phone.Status {
	case cloudapi.PhoneRestricted:
		l.Verdict = judge(StatusBroken, CodeLimitReached)
	case cloudapi.PhoneRateLimited:
		l.Verdict = judge(StatusWarning, CodeRateLimited)
	default:
	}
	return l
}

// Webhooks say whether Meta sends what it should, and where to.
type Webhooks struct {
	Verdict

	// Problems and Warnings are what [coexistence.Tracker.Preflight] found about subscriptions,
	// fields and overrides. Each names what is missing.
	Problems, Warnings []coexistence.Finding
}

// webhookCodes are the codes of problems and of warnings of the preflight, the worst first.
var webhookCodes = []struct {
	check            coexistence.Check
	problem, warning Code
}{
	{coexistence.CheckSubscription, CodeNotSubscribed, CodeAppUnknown},
	{coexistence.CheckFields, CodeFieldsMissing, CodeOptionalFieldsMissing},
	{coexistence.CheckOverride, CodeOverride, CodeOverride},
}

// webhooks judges the findings about webhooks. A call that brought no answer proves nothing.
func webhooks(r reading) Webhooks {
	if r.at.IsZero() {
		return Webhooks{Verdict: r.missing()}
	}
	other := func(f coexistence.Finding) bool {
		return f.Check == coexistence.CheckNumber || f.Check == coexistence.CheckResponders ||
			f.Check == coexistence.CheckPayment
	}
	w := Webhooks{
		good, slices.DeleteFunc(slices.Clone(r.preflight.Problems), other),
		slices.DeleteFunc(slices.Clone(r.preflight.Warnings), other),
	}
	for _, c := range webhookCodes {
		proven := func(f coexistence.Finding) bool { return f.Check == c.check && f.Err == nil }
		if slices.ContainsFunc(w.Problems, proven) {
			w.Verdict = judge(StatusBroken, c.problem)
			return w
		}
	}
	if len(w.Problems) > 0 {
		w.Verdict = judge(StatusUnknown, CodeUnreadable)
		return w
	}
	for _, c := range webhookCodes {
		if slices.ContainsFunc(w.Warnings, func(f coexistence.Finding) bool { return f.Check == c.check }) {
			w.Verdict = judge(StatusWarning, c.warning)
			return w
		}
	}
	return w
}

// A Payment says whether something pays for what the number sends through Cloud API: a payment
// method, or a partner's line of credit.
type Payment struct {
	Verdict

	// Findings are what [coexistence.Tracker.Preflight] found about it: warnings, and what Meta
	// does not show.
	Findings []coexistence.Finding
}

// payment judges the findings about paying. Meta shows what pays to solution partners alone, so it
// is unknown to most.
func payment(r reading) Payment {
	if r.at.IsZero() {
		return Payment{Verdict: r.missing()}
	}
	other := func(f coexistence.Finding) bool { return f.Check != coexistence.CheckPayment }
	warnings := slices.DeleteFunc(slices.Clone(r.preflight.Warnings), other)
	hidden := slices.DeleteFunc(slices.Clone(r.preflight.Unknown), other)
	p := Payment{good, slices.Concat(warnings, hidden)}
	switch {
	case len(warnings) > 0:
		p.Verdict = judge(StatusWarning, CodePaymentMissing)
	case len(hidden) > 0 && errors.Is(hidden[0].Err, graph.ErrPermission):
		p.Verdict = judge(StatusUnknown, CodeNotShown)
	case len(hidden) > 0:
		p.Verdict = judge(StatusUnknown, CodeUnreadable)
	}
	return p
}

// tokenNotice is how long before its end a token is worth a warning.
const tokenNotice = 14 * 24 * time.Hour

// A Token says whether the token of the business works, and until when.
type Token struct {
	Verdict

	// ExpiresAt is when it ends, zero for never and as long as it is not known.
	ExpiresAt time.Time
}

// token judges what is stored of a token and what Meta said to it. err is that of Config.Token; one
// that is not about the token itself leaves it unknown.
func token(info storage.TokenInfo, err error, r reading, now time.Time) Token {
	t := Token{good, info.ExpiresAt}
	switch {
	case errors.Is(err, storage.ErrNoToken):
		t.Verdict = judge(StatusBroken, CodeTokenMissing)
	case err != nil:
		t.Verdict = judge(StatusUnknown, CodeUnreadable)
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		t.Verdict = judge(StatusBroken, CodeTokenExpired)
	case r.refused:
		t.Verdict = judge(StatusBroken, CodeTokenRefused)
	case !t.ExpiresAt.IsZero() && t.ExpiresAt.Sub(now) < tokenNotice:
		t.Verdict = judge(StatusWarning, CodeTokenExpiring)
	}
	return t
}
