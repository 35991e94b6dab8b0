package signup

import (
	"context"
	"errors"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// subscribe subscribes the app to every account that holds the number: webhooks about it may come
// from any of them. It is idempotent at Meta.
func (g *grant) subscribe(ctx context.Context) error {
	for _, waba := range g.WABAIDs {
		if err := g.api.WABAs.Subscribe(ctx, waba); err != nil {
			return refused(err)
		}
	}
	return nil
}

// confirm reads the subscriptions back: "success" alone has proved to be no proof.
func (g *grant) confirm(ctx context.Context) error {
	for _, waba := range g.WABAIDs {
		switch ok, err := g.subscribed(ctx, waba); {
		case err != nil:
			return refused(err)
		case !ok:
			err := errors.New("account " + string(waba) + " does not list the app")
			return &Error{Outcome: OutcomeNotSubscribed, Err: err}
		}
	}
	return nil
}

// subscribed reports whether Meta lists the app among those that get the account's webhooks.
func (g *grant) subscribed(ctx context.Context, waba graph.WABAID) (bool, error) {
	apps, err := g.api.WABAs.SubscribedApps(ctx, waba)
	return slices.ContainsFunc(apps, func(a cloudapi.SubscribedApp) bool {
		return a.ID == g.f.cfg.Client.AppID()
	}), err
}

// override sends the webhooks of every account elsewhere. Meta takes an override only after a plain
// subscription, and calls the URL before it answers. What is overridden already is left alone, and
// what was set is read back, as in confirm.
func (g *grant) override(ctx context.Context) error {
	to, err := g.f.cfg.Override(ctx, g.clone())
	if err != nil || to == (cloudapi.WebhookOverride{}) {
		return err
	}
	for _, waba := range g.WABAIDs {
		there, err := g.overridden(ctx, waba, to.CallbackURL)
		if err != nil {
			return refused(err)
		}
		if there {
			continue
		}
		if err := g.api.WABAs.SetWebhook(ctx, waba, to); err != nil {
			if transient(err) {
				return refused(err)
			}
			return &Error{Outcome: OutcomeOverrideRefused, Err: err}
		}
		switch there, err := g.overridden(ctx, waba, to.CallbackURL); {
		case err != nil:
			return refused(err)
		case !there:
			err := errors.New("account " + string(waba) + " does not show it")
			return &Error{Outcome: OutcomeOverrideRefused, Err: err}
		}
	}
	return nil
}

// overridden reports whether the account's webhooks for the app go to uri.
func (g *grant) overridden(ctx context.Context, waba graph.WABAID, uri string) (bool, error) {
	apps, err := g.api.WABAs.SubscribedApps(ctx, waba)
	return slices.ContainsFunc(apps, func(a cloudapi.SubscribedApp) bool {
		return a.ID == g.f.cfg.Client.AppID() && a.OverrideCallbackURL == uri
	}), err
}
