package signup

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A SharedAccount is an account that a business has shared with you, from the account_update
// webhook PARTNER_ADDED. In package webhook that is an AccountUpdate; its WABAInfo has both ids.
// The id of its entry is your own portfolio.
type SharedAccount struct {
	WABAID     graph.WABAID     // of the account: waba_id
	BusinessID graph.BusinessID // that owns the account: owner_business_id
	At         time.Time        // when it happened. If zero, now: the 24 hours for a sync count from it
}

// Recover finishes a signup from the webhook alone: the popup was finished, and the code never
// came, or was lost. It fetches the token that the business granted with the system user's token of
// [Config].Client, which needs business_management, and then does what [Flow.Finish] does. A hosted
// signup ([Flow.HostedURL]) ends like this every time.
//
// Nothing in the webhook says who of your tenants it was. Do not conclude it from what a browser
// claimed, such as [AttemptStatus].Claimed: any user signed in to your host can claim the account
// of a business that is signing up at the moment, and would get its token. Let a person who knows
// the business decide, or have only one invitation open at a time.
//
// It fetches and makes no new token, so it can be repeated.
func (f *Flow) Recover(ctx context.Context, tenant string, shared SharedAccount) (*Connection, error) {
	if tenant == "" || !isID(shared.WABAID) || !isID(shared.BusinessID) {
		return nil, &Error{Outcome: OutcomeNoAccount, Step: StepSession, Err: errSharedAccount}
	}
	resp, err := cloudapi.Do[struct {
		Token string `json:"access_token"`
	}](ctx, f.cfg.Client, cloudapi.Request{
		Method: http.MethodPost, Path: "/{business-id}/system_user_access_tokens",
		IDs:  []string{string(shared.BusinessID)},
		Body: []byte(`{"fetch_only":true}`), RetryMode: cloudapi.RetryIdempotent,
	})
	switch {
	case err != nil:
		e := refused(err)
		if e, ok := errors.AsType[*Error](e); ok {
			e.Step = StepExchange
		}
		return nil, e
	case resp.Token == "":
		return nil, &Error{Outcome: OutcomeUnavailable, Step: StepExchange, Err: errNoToken}
	}
	if shared.At.IsZero() {
		shared.At = time.Now()
	}
	b := &Connection{
		Tenant: tenant, Token: graph.Secret(resp.Token), WABAID: shared.WABAID,
		Onboarding: cloudapi.Onboarding{OnboardedAt: shared.At},
	}
	return f.run(ctx, b, StepExchange, decisions{}, nil)
}

var (
	errSharedAccount = errors.New("recovering takes a tenant, and both ids of the webhook: " +
		"waba_id and owner_business_id")
	errNoToken = errors.New("the answer has no access_token")
)
