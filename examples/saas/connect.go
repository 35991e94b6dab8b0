package main

import (
	"context"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/eligibility"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// check tells a business before Meta's popup opens whether its number may take part.
func check(_ context.Context, _ string, c signup.Candidate) (signup.Verdict, error) {
	result := eligibility.Check(eligibility.Candidate{
		Phone: c.Phone, App: eligibility.AppBusiness, AppVersion: c.AppVersion,
		AccountActive: eligibility.Yes, PhoneVerified: eligibility.Yes, // what the page does not ask, Meta finds out
	}, eligibility.PolicyAsOf(time.Now()))
	verdict := signup.Verdict{Eligible: result.Eligible}
	for _, r := range append(result.Reasons, result.Questions...) {
		verdict.Reasons = append(verdict.Reasons, signup.Reason{Text: r.Text, Remedy: r.Remedy})
	}
	for _, n := range result.Notes {
		verdict.Notes = append(verdict.Notes, n.Text)
	}
	return verdict, nil
}

// connected runs when a business is through Embedded Signup, and again if the process died within it. The number is stored before its
// contacts and its history are asked for: what they bring needs somebody whose it is.
func (a *app) connected(ctx context.Context, b *signup.Business) error {
	if err := a.keep(ctx, b); err != nil {
		return err
	}
	err := a.tracker.Onboard(ctx, coexistence.Onboarding{
		Phone: b.Phone.ID, WABAs: b.WABAs, DisplayPhone: b.Phone.DisplayPhoneNumber, OnboardedAt: b.OnboardedAt,
	})
	if err != nil {
		return err
	}
	a.tidy(ctx, b.Phone.ID)
	return nil
}

// keepHouse does what no event and no click asks for: signups that were cut off go on, syncs that are due are asked for, and numbers are
// read after Meta said that something happened to them. Every process may do it: the packages see to it that nothing happens twice.
func (a *app) keepHouse(ctx context.Context) {
	for {
		attempts, err := a.flow.Attempts(ctx, "")
		for _, s := range attempts {
			if s.Granted && !s.Running && !s.Ended && s.Outcome != signup.OutcomeChooseNumber {
				_, err := a.flow.Continue(ctx, s.ID, "", a.connected)
				a.log.InfoContext(ctx, "a signup that was cut off went on", "owner", s.Owner, "err", err)
			}
		}
		list, err2 := a.numbers(ctx, "")
		for _, n := range list {
			a.tidy(ctx, n.Phone)
		}
		if (err != nil || err2 != nil) && ctx.Err() == nil {
			a.log.ErrorContext(ctx, "housekeeping failed", "signups", err, "numbers", err2)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(30 * time.Second):
		}
	}
}

// serveConnect shows how to connect a number, and how far those are that were connected.
func (a *app) serveConnect(w http.ResponseWriter, r *http.Request, t *tenant, _ *number) error {
	type progress struct {
		*number
		coexistence.State
		Messages, Chats int
	}
	return a.show(w, r, func(ctx context.Context) (view, error) {
		list, err := a.numbers(ctx, " WHERE tenant = $1", t.id)
		var all []progress
		var first *number
		for _, n := range list {
			s, err := a.state(ctx, n)
			if err != nil {
				return view{}, err
			}
			p := progress{number: n, State: s}
			for c, err := range a.tracker.Store().Conversations(ctx, n.Phone) {
				if err != nil {
					return view{}, err
				}
				p.Messages, p.Chats = p.Messages+c.Messages, p.Chats+1
			}
			all = append(all, p)
			first = list[0]
		}
		return view{Page: "connect", Title: "Connect", Tenant: t, Number: first, Data: all}, err
	})
}
