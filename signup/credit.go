package signup

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Credit is a solution partner's line of credit, to be shared with every business that signs up.
// The token of [Config].Client must be that of a system user who may do that: business_management,
// and admin or finance editor of the portfolio.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/solution-providers/share-and-revoke-credit-lines
type Credit struct {
	// Line is the id of the extended credit.
	Line string

	// SystemUser is the id of the system user that is assigned to each account before the line is
	// attached, as Meta demands. If empty, the host has done that.
	SystemUser string

	// Tasks are what the system user may do there. If empty, MANAGE; within a Multi-Partner
	// Solution without the permission to send, list the tasks one by one, with MANAGE_BILLING.
	Tasks []string

	// Approve is asked right before a line is attached, and returns the currency that the account
	// pays in: AUD, EUR, GBP, IDR, INR or USD. A line that was attached cannot be exchanged for
	// another, so look at the Connection well. An error stops the signup, to be resumed.
	Approve func(ctx context.Context, b *Connection) (currency string, err error)
}

// creditCurrencies are those that a line can be shared in.
var creditCurrencies = []string{"AUD", "EUR", "GBP", "IDR", "INR", "USD"}

// validate returns every mistake in the settings.
func (c *Credit) validate() error {
	var errs []error
	if !isID(c.Line) {
		errs = append(errs, errors.New("signup: Credit.Line is not an id of digits; "+
			"list them with GET /{business-id}/extendedcredits"))
	}
	if c.SystemUser != "" && !isID(c.SystemUser) {
		errs = append(errs, errors.New("signup: Credit.SystemUser is not an id of digits"))
	}
	if c.Approve == nil {
		errs = append(errs, errors.New("signup: Credit.Approve is nil; it says in which currency an account pays"))
	}
	return errors.Join(errs...)
}

// A CreditShare is a line of credit that pays for an account.
type CreditShare struct {
	Line     string       // the extended credit
	WABAID   graph.WABAID // that it pays for
	Currency string       // of the account, such as "EUR"

	// Allocation is the id that [Flow.Revoke] revokes. Empty while it is not known whether the line
	// was attached.
	Allocation string
}

// shareCredit makes the partner's line pay for the account. Meta attaches a line once and for all,
// so the account is read first: what pays for it already is ours from an earlier try, or another's,
// which ends the step.
func (g *grant) shareCredit(ctx context.Context) error {
	waba, err := g.api.WABAs.Get(ctx, g.WABAID, cloudapi.WABAGetOptions{
		Fields: []string{"id", "name", "currency", "primary_funding_id", "owner_business_info"},
	})
	if err != nil {
		return refused(err)
	}
	if waba.PrimaryFundingID != "" {
		return g.adoptCredit(ctx, waba)
	}
	return g.attachCredit(ctx)
}

// adoptCredit accepts a line that is attached, if it is ours: an earlier try attached it, and the
// answer, or the process, got lost. The allocations of the line tell, by the id of the credential
// that the account shows.
func (g *grant) adoptCredit(ctx context.Context, waba *cloudapi.WABA) error {
	if g.Credit == nil {
		g.Credit = &CreditShare{Line: g.f.cfg.Credit.Line, WABAID: g.WABAID, Currency: waba.Currency}
	}
	if g.Credit.Allocation != "" {
		a, err := cloudapi.Do[allocation](ctx, g.f.cfg.Client, cloudapi.Request{
			Method: http.MethodGet, Path: "/{allocation-id}", IDs: []string{g.Credit.Allocation},
			Query: url.Values{"fields": {"id,receiving_credential"}},
		})
		switch {
		case err != nil:
			return creditRefused(err)
		case a.Credential.ID == waba.PrimaryFundingID:
			return nil
		}
	}
	for a, err := range g.f.allocations(ctx, g.f.cfg.Credit.Line, waba.OwnerBusinessInfo.ID) {
		if err != nil {
			return creditRefused(err)
		}
		if a.Credential.ID == waba.PrimaryFundingID {
			g.Credit.Allocation = a.ID
			return nil
		}
	}
	g.Credit = nil
	return &Error{Outcome: OutcomeOtherCredit}
}

// attachCredit asks the host in which currency the account pays, and attaches the line. It notes
// that it is about to before it does: whatever becomes of the call, the next run of the step finds
// in the account whether it worked, and never attaches a second time without looking. It is sent
// once.
func (g *grant) attachCredit(ctx context.Context) error {
	c := g.f.cfg.Credit
	currency, err := c.Approve(ctx, g.clone())
	if err != nil {
		return err
	}
	if !slices.Contains(creditCurrencies, currency) {
		return fmt.Errorf("signup: Credit.Approve returned the currency %q; it is one of %s",
			currency, strings.Join(creditCurrencies, ", "))
	}
	if c.SystemUser != "" {
		tasks := c.Tasks
		if len(tasks) == 0 {
			tasks = []string{"MANAGE"}
		}
		_, err := cloudapi.Do[struct{}](ctx, g.f.cfg.Client, cloudapi.Request{
			Method: http.MethodPost, Path: "/{waba-id}/assigned_users", IDs: []string{string(g.WABAID)},
			Query:     url.Values{"user": {c.SystemUser}, "tasks": {"['" + strings.Join(tasks, "','") + "']"}},
			RetryMode: cloudapi.RetryIdempotent,
		})
		if err != nil {
			return creditRefused(err)
		}
	}
	// The account shows no line, so whatever became of an earlier call, it attached none.
	g.Credit = &CreditShare{Line: c.Line, WABAID: g.WABAID, Currency: currency}
	if err := g.save(ctx); err != nil { // for Revoke, if this process ends now
		return err
	}
	resp, err := cloudapi.Do[struct {
		Allocation string `json:"allocation_config_id"`
	}](ctx, g.f.cfg.Client, cloudapi.Request{
		Method: http.MethodPost, Path: "/{credit-id}/whatsapp_credit_sharing_and_attach", IDs: []string{c.Line},
		Query:     url.Values{"waba_currency": {currency}, "waba_id": {string(g.WABAID)}},
		RetryMode: cloudapi.RetryNever,
	})
	if err != nil {
		return creditRefused(err)
	}
	g.Credit.Allocation = resp.Allocation
	return nil
}

// An allocation is a line of credit that was shared with one business, as Meta lists them.
type allocation struct {
	ID         string `json:"id"`
	Credential struct {
		ID string `json:"id"`
	} `json:"receiving_credential"`
	Business struct {
		ID graph.BusinessID `json:"id"`
	} `json:"receiving_business"`
}

// allocations ranges over those of a line that a business receives. It reads one page, the answer
// to a question about one business.
func (f *Flow) allocations(ctx context.Context, line string, business graph.BusinessID) iter.Seq2[allocation, error] {
	return func(yield func(allocation, error) bool) {
		page, err := cloudapi.Do[struct {
			Data []allocation `json:"data"`
		}](ctx, f.cfg.Client, cloudapi.Request{
			Method: http.MethodGet, Path: "/{credit-id}/owning_credit_allocation_configs", IDs: []string{line},
			Query: url.Values{
				"receiving_business_id": {string(business)},
				"fields":                {"id,receiving_business,receiving_credential"},
			},
		})
		if err != nil {
			yield(allocation{}, err)
			return
		}
		for _, a := range page.Data {
			if !yield(a, nil) {
				return
			}
		}
	}
}

// creditRefused returns the outcome of a call about credit that did not work: it is the partner's
// rights that Meta refuses then, and never the token of the business.
func creditRefused(err error) error {
	if transient(err) {
		return &Error{Outcome: OutcomeUnavailable, Err: err}
	}
	return &Error{Outcome: OutcomeCreditRefused, Err: err}
}

// Revoke takes back what a signup did for a business: it revokes the shared credit and ends the
// webhooks of its accounts. It does neither touch the number nor the token, which only the business
// can revoke. What is undone already is no error, so it can be repeated; the error tells everything
// that could not be undone.
//
// Revoking an allocation ends it for all accounts of that business that are shared with you, and
// their sends fail until they pay otherwise.
func (f *Flow) Revoke(ctx context.Context, b *Connection) error {
	var errs []error
	if b.Credit != nil {
		if err := f.revoke(ctx, b); err != nil {
			errs = append(errs, fmt.Errorf("signup: the credit was not revoked: %w", err))
		}
	}
	for _, waba := range b.WABAIDs {
		err := f.cfg.Client.WithToken(b.Token).WABAs.Unsubscribe(ctx, waba)
		if err != nil && !errors.Is(err, graph.ErrAccessLost) && !errors.Is(err, graph.ErrAuth) {
			errs = append(errs, fmt.Errorf("signup: the app is still subscribed to account %s: %w", waba, err))
		}
	}
	return errors.Join(errs...)
}

// revoke ends the allocation of b's credit. A process that died, or an answer that got lost, leaves
// one that was not noted: then all of them that the line has for the business. It goes on after an
// error, and returns all of them; an allocation that is gone already is none.
func (f *Flow) revoke(ctx context.Context, b *Connection) error {
	ids := []string{b.Credit.Allocation}
	if b.Credit.Allocation == "" {
		ids = nil
		tenant := b.BusinessID
		if tenant == "" {
			waba, err := f.cfg.Client.WithToken(b.Token).WABAs.Get(ctx, b.Credit.WABAID, cloudapi.WABAGetOptions{
				Fields: []string{"id", "owner_business_info"},
			})
			if err != nil {
				return err
			}
			tenant = waba.OwnerBusinessInfo.ID
		}
		if tenant == "" { // asked without one, Meta lists those of every business
			return errors.New("it is not known which portfolio has it; put its id into Connection.BusinessID")
		}
		for a, err := range f.allocations(ctx, b.Credit.Line, tenant) {
			if err != nil {
				return err
			}
			if a.Business.ID == tenant {
				ids = append(ids, a.ID)
			}
		}
	}
	var errs []error
	for _, id := range ids {
		_, err := cloudapi.Do[struct{}](ctx, f.cfg.Client, cloudapi.Request{
			Method: http.MethodDelete, Path: "/{allocation-id}", IDs: []string{id}, RetryMode: cloudapi.RetryIdempotent,
		})
		if err != nil && !errors.Is(err, graph.ErrAccessLost) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
