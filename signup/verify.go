package signup

import (
	"context"
	"errors"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// verify settles on one number, and on the accounts that hold it. Up to here everything was a claim
// of the browser; from here on it is what the token can read.
func (g *grant) verify(ctx context.Context) error {
	number, err := g.choose()
	if err != nil {
		return err
	}
	phone := number.Phone
	switch {
	case phone.Coexists():
	case phone.IsOnBizApp:
		// In every mode: to register this number would take it away from the app.
		g.Numbers = []Number{number}
		return &Error{Outcome: OutcomeNotFinished}
	case g.f.cfg.Mode == ModeCoexistence:
		g.Numbers = []Number{number}
		return &Error{Outcome: OutcomeFellBack}
	}
	g.Phone, g.PhoneNumberID, g.DisplayPhoneNumber = phone, phone.ID, phone.DisplayPhoneNumber
	g.WABAIDs = number.WABAs
	if !slices.Contains(g.WABAIDs, g.WABAID) {
		g.WABAID = g.WABAIDs[0]
	}
	if len(g.WABAIDs) > 1 {
		g.warn("several accounts hold the number; webhooks may come from any of them")
	}
	if phone.WebhookConfiguration.WABA != "" || phone.WebhookConfiguration.PhoneNumber != "" {
		g.warn("an override sends the number's webhooks elsewhere than to the app's own URL; " +
			"account_update stays there")
	}
	return g.findOwner(ctx)
}

// choose returns the number to connect: the one that the business chose, or the popup named, or the
// only one there is that fits, in the named account before all others. The order is that of trust:
// a choice was made from what the token reads, and what the popup named must be among it. Without a
// number, g.Numbers are those that the page can show.
func (g *grant) choose() (Number, error) {
	numbers := g.numbers(g.holdings)
	if s := g.Session; g.decided.phone == "" && s != nil && s.Kind() == KindFinishedNoNumber {
		// Other numbers may be in the account. The business said that it did not connect one.
		g.Numbers = numbers
		return Number{}, &Error{Outcome: OutcomeNoNumber}
	}
	if g.decided.phone != "" {
		if p := g.find(g.decided.phone); p != nil {
			return g.holders(p), nil
		}
		g.Numbers = numbers
		return Number{}, &Error{Outcome: OutcomeChooseNumber, Err: errors.New("the chosen number is not among them")}
	}
	if s := g.Session; s != nil && s.PhoneNumberID != "" {
		if p := g.find(s.PhoneNumberID); p != nil {
			return g.holders(g.coexistingTwin(p)), nil
		}
		return Number{}, &Error{Outcome: OutcomeNotGranted}
	}
	for _, found := range [][]Number{g.numbers(g.inNamedAccount()), numbers} {
		candidates := slices.DeleteFunc(slices.Clone(found), func(n Number) bool { return !g.fits(n.Phone) })
		switch len(candidates) {
		case 0:
			continue
		case 1:
			return candidates[0], nil
		}
		g.Numbers = candidates
		return Number{}, &Error{Outcome: OutcomeChooseNumber}
	}
	g.Numbers = numbers
	switch {
	case len(numbers) == 0:
		return Number{}, &Error{Outcome: OutcomeNoNumber}
	case slices.ContainsFunc(numbers, func(n Number) bool { return n.Phone.IsOnBizApp }):
		return Number{}, &Error{Outcome: OutcomeNotFinished}
	}
	return Number{}, &Error{Outcome: OutcomeFellBack}
}

// find returns a number that the token reaches, or nil.
func (g *grant) find(id graph.PhoneNumberID) *cloudapi.Phone {
	for _, h := range g.holdings {
		if h.phone.ID == id {
			return h.phone
		}
	}
	return nil
}

// coexistingTwin returns p, or the entry of the same number that coexists: a second try of the
// business can leave a copy of the number behind that never comes to life, and the popup may name
// the copy.
func (g *grant) coexistingTwin(p *cloudapi.Phone) *cloudapi.Phone {
	digits := phonenumber.Digits(p.DisplayPhoneNumber)
	if p.Coexists() || digits == "" {
		return p
	}
	for _, h := range g.holdings {
		if h.phone.Coexists() && phonenumber.Digits(h.phone.DisplayPhoneNumber) == digits {
			return h.phone
		}
	}
	return p
}

// fits reports whether a number can be what the signup was for.
func (g *grant) fits(p *cloudapi.Phone) bool { return g.f.cfg.Mode != ModeCoexistence || p.Coexists() }

// inNamedAccount returns what the account holds that the host or the popup named; nothing if none
// was.
func (g *grant) inNamedAccount() []holding {
	waba := g.WABAID
	if waba == "" && g.Session != nil {
		waba = g.Session.WABAID
	}
	return slices.DeleteFunc(slices.Clone(g.holdings), func(h holding) bool { return h.waba != waba })
}

// numbers puts holdings of one number together.
func (g *grant) numbers(from []holding) []Number {
	var numbers []Number
	for _, h := range from {
		if !slices.ContainsFunc(numbers, func(n Number) bool { return same(n.Phone, h.phone) }) {
			numbers = append(numbers, g.holders(h.phone))
		}
	}
	return numbers
}

// holders returns a number with all accounts that hold it. The named one is first, since it was
// read first.
func (g *grant) holders(p *cloudapi.Phone) Number {
	n := Number{Phone: p}
	for _, h := range g.holdings {
		if same(h.phone, p) && !slices.Contains(n.WABAs, h.waba) {
			n.WABAs = append(n.WABAs, h.waba)
		}
	}
	return n
}

// same reports whether two entries are one phone number. It can have a different id in each
// account; but a copy that does not coexist is a different thing than one that does.
func same(a, b *cloudapi.Phone) bool {
	if a.ID == b.ID {
		return true
	}
	digits := phonenumber.Digits(a.DisplayPhoneNumber)
	return digits != "" && digits == phonenumber.Digits(b.DisplayPhoneNumber) && a.Coexists() && b.Coexists()
}

// findOwner looks up the portfolio. Nothing depends on it but the host's records.
func (g *grant) findOwner(ctx context.Context) error {
	w, err := g.api.WABAs.Get(ctx, g.WABAID, cloudapi.WABAGetOptions{})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		g.warn("the account's owner could not be read")
	case w.OwnerBusinessInfo.ID != "":
		g.BusinessID = w.OwnerBusinessInfo.ID
	}
	if s := g.Session; s != nil && s.BusinessID != "" && g.BusinessID != "" && s.BusinessID != g.BusinessID {
		g.warn("the popup named another portfolio than the one that owns the account")
	}
	return nil
}
