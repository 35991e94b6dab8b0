package signup

import (
	"cmp"
	"context"
	"errors"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// needsVerification reports whether Meta says that the number is not verified, or the business
// wants to do it: a number that shows as verified can still be refused for it.
func (g *grant) needsVerification() bool {
	status := g.Phone.CodeVerificationStatus
	return g.decided.sendCode != "" || status != cloudapi.CodeVerified && (status != "" || !g.decided.code.IsZero())
}

// verifyOwner has a code sent to an ordinary number, or hands in the one that came. It does either
// once for each time that the business asks for it: Meta limits both.
func (g *grant) verifyOwner(ctx context.Context) error {
	id := g.Phone.ID
	var err error
	switch {
	case !g.decided.code.IsZero():
		err = g.api.Registration.VerifyCode(ctx, id, g.decided.code)
	case g.decided.sendCode != "":
		language := cmp.Or(g.decided.language, "en_US")
		if err = g.api.Registration.RequestCode(ctx, id, g.decided.sendCode, language); err == nil {
			return &Error{Outcome: OutcomeVerificationSent}
		}
	default:
		return &Error{Outcome: OutcomeNumberUnverified}
	}
	g.decided.code, g.decided.sendCode = "", ""
	if errors.Is(err, cloudapi.ErrValidation) {
		return &Error{Outcome: OutcomeVerificationWrong, Err: err}
	}
	// Meta refuses to verify a number that is verified with the code that it has for other reasons
	// as well, and the answer to a call that worked may have got lost.
	phone, reading := g.api.Phones.Get(ctx, id, cloudapi.PhoneGetOptions{})
	switch {
	case reading != nil:
		return refused(reading)
	case phone.CodeVerificationStatus == cloudapi.CodeVerified:
		g.Phone = phone
		return nil
	case err == nil:
		return &Error{Outcome: OutcomeUnavailable, Err: errNotVerifiedYet}
	}
	for code, outcome := range map[graph.Code]Outcome{
		graph.CodeCodeRequestFailed:      OutcomeVerificationNotSent,
		graph.CodeCodeRequestNotEligible: OutcomeVerificationNotSent,
		graph.CodeCodeCheckFailed:        OutcomeVerificationWrong,
		graph.CodeCodeCheckNotEligible:   OutcomeVerificationWrong,
	} {
		if errors.Is(err, code) {
			return &Error{Outcome: outcome, Code: code, Err: err}
		}
	}
	return refused(err)
}

var errNotVerifiedYet = errors.New("the code was right, and the number is not verified yet")
