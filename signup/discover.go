package signup

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// discover finds the accounts and the numbers in them. The event may have named the wrong one of
// two accounts that hold the number, and mostly names no number. So everything that the token
// reaches is read, and what was named is only where it begins.
func (g *grant) discover(ctx context.Context) error {
	g.nameAccounts()
	if !g.listed {
		if err := g.searchAccounts(ctx); err != nil {
			return err
		}
	}
	if len(g.accounts) == 0 {
		return &Error{Outcome: OutcomeNoAccount}
	}
	for i := range g.accounts {
		if err := g.readAccount(ctx, &g.accounts[i]); err != nil {
			return err
		}
	}
	return g.judgeAccess()
}

// maxClaims limits how many accounts of a browser's list are looked at: each costs calls.
const maxClaims = 20

// maxShared limits how many of the accounts shared with us are looked through, newest first.
const maxShared = 500

// nameAccounts collects the accounts that the host, the popup and the token named.
func (g *grant) nameAccounts() {
	g.addAccount(account{id: g.WABAID, named: true})
	if s := g.Session; s != nil {
		for _, m := range s.Members {
			if m.Reason != "" {
				g.warn("the popup's " + m.Path + " was left out: " + m.Reason)
			}
		}
		g.addAccount(account{id: s.WABAID, named: true})
		for _, id := range s.WABAs[:min(len(s.WABAs), maxClaims)] {
			g.addAccount(account{id: id})
		}
	}
	for _, scope := range g.info.GranularScopes {
		// The targets of business_management are portfolios.
		if scope.Scope == scopeManagement || scope.Scope == scopeMessaging {
			for _, id := range scope.TargetIDs {
				g.addAccount(account{id: graph.WABAID(id), granted: true})
				g.listed = g.listed || scope.Scope == scopeManagement
			}
		}
	}
}

// addAccount adds an account, or what is newly known of one that is there. The order stays: the one
// that the host or the popup named is read first, and so comes first in [Number].WABAs.
func (g *grant) addAccount(a account) {
	if !isID(a.id) {
		return
	}
	i := slices.IndexFunc(g.accounts, func(b account) bool { return a.id == b.id })
	if i < 0 {
		g.accounts = append(g.accounts, a)
		return
	}
	g.accounts[i].named = g.accounts[i].named || a.named
	g.accounts[i].granted = g.accounts[i].granted || a.granted
}

// searchAccounts asks for the accounts that the token does not list: those that the business owns,
// then those of the business that are shared with us. It may fail as long as another account is
// known.
func (g *grant) searchAccounts(ctx context.Context) error {
	known := len(g.accounts)
	business, err := g.api.Businesses.Me(ctx)
	if err == nil {
		g.BusinessID = business
		err = g.addAll(g.api.Businesses.OwnedWABAs(ctx, business), nil)
	}
	if len(g.accounts) == 0 && g.BusinessID != "" && g.f.cfg.PartnerBusinessID != "" {
		shared := g.f.cfg.Client.Businesses.ClientWABAs(ctx, g.f.cfg.PartnerBusinessID,
			cloudapi.WABAListOptions{Sort: "creation_time_descending", Limit: 100})
		err = errors.Join(err, g.addAll(shared, func(w *cloudapi.WABA) bool {
			return w.OwnerBusinessInfo.ID == g.BusinessID
		}))
	}
	switch {
	case len(g.accounts) > known || err == nil:
		return nil
	case transient(err):
		return err
	case known > 0:
		g.warn("the token does not list its accounts and they could not be looked up; if webhooks stay away, " +
			"look for a second account that holds the number")
		return nil
	}
	// Looking takes business_management, which a signup does not need.
	return &Error{Outcome: OutcomeNoAccount, Err: err}
}

// transient reports whether a read may succeed later: no answer came, Meta was in trouble, or asked
// for a pause. Every other answer stays the same until a person changes something.
func transient(err error) bool {
	e, ok := errors.AsType[*cloudapi.Error](err)
	return !ok || e.StatusCode == 0 || e.StatusCode >= 500 ||
		errors.Is(err, graph.ErrTemporary) || errors.Is(err, graph.ErrThrottled)
}

// addAll adds those of a list that want accepts, or all if it is nil, up to [maxShared] looked at.
func (g *grant) addAll(wabas iter.Seq2[*cloudapi.WABA, error], want func(*cloudapi.WABA) bool) error {
	var n int
	for w, err := range wabas {
		if err != nil {
			return err
		}
		if want == nil || want(w) {
			g.addAccount(account{id: w.ID})
		}
		if n++; n == maxShared {
			break
		}
	}
	return nil
}

// readAccount reads an account's numbers. Whether one lives in the WhatsApp Business app, Meta
// tells only of a single number.
func (g *grant) readAccount(ctx context.Context, a *account) error {
	for listed, err := range g.api.Phones.List(ctx, a.id, cloudapi.PhoneListOptions{}) {
		if err != nil {
			return g.deny(a, err)
		}
		phone, err := g.readPhone(ctx, listed.ID)
		if err != nil {
			return g.deny(a, err)
		}
		g.holdings = append(g.holdings, holding{a.id, phone})
	}
	return nil
}

// readPhone reads a number once: two accounts that hold it list the same id.
func (g *grant) readPhone(ctx context.Context, id graph.PhoneNumberID) (*cloudapi.Phone, error) {
	for _, h := range g.holdings {
		if h.phone.ID == id {
			return h.phone, nil
		}
	}
	return g.api.Phones.Get(ctx, id, cloudapi.PhoneGetOptions{})
}

// deny notes that the token cannot read an account, and returns every other error.
func (g *grant) deny(a *account, err error) error {
	if errors.Is(err, graph.ErrPermission) || errors.Is(err, graph.ErrAccessLost) {
		a.denied = err
		return nil
	}
	return refused(err)
}

// judgeAccess returns an error if the token cannot read what it must: every account that was named,
// and one at all. An account that was only found, and cannot be read, is left out with a warning.
func (g *grant) judgeAccess() error {
	var denied error
	for _, a := range g.accounts {
		switch {
		case a.denied == nil:
			continue
		case a.named && !a.granted && (g.listed || errors.Is(a.denied, graph.ErrAccessLost)):
			// An account of another business, as far as anyone can tell. The answer must not depend
			// on what it holds, or a browser could ask about accounts that are not its own.
			return &Error{Outcome: OutcomeNotGranted, Err: a.denied}
		case a.named:
			return refused(a.denied)
		}
		denied = a.denied
		g.warn(fmt.Sprintf("account %s cannot be read and was left out", a.id))
	}
	if denied != nil && !slices.ContainsFunc(g.accounts, func(a account) bool { return a.denied == nil }) {
		return refused(denied)
	}
	return nil
}
