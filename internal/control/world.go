package control

import (
	"context"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A worldView is the settings that a host needs.
type worldView struct {
	Now             time.Time     `json:"now"`
	GraphURL        string        `json:"graph_url"`
	SDKURL          string        `json:"sdk_url"`
	AppID           string        `json:"app_id"`
	AppSecret       string        `json:"app_secret"`
	SystemToken     string        `json:"system_token"`
	VerifyToken     string        `json:"verify_token"`
	ConfigurationID string        `json:"configuration_id"`
	Callback        callbackView  `json:"callback"`
	Phones          []phoneView   `json:"phones"`
	Webhooks        webhookCounts `json:"webhooks"`
}

// webhookCounts counts the webhooks so far.
type webhookCounts struct {
	Total      int `json:"total"`
	Waiting    int `json:"waiting"`
	GivenUp    int `json:"given_up"`
	Suppressed int `json:"suppressed"`
}

// getWorld returns addresses, secrets and phones.
func (a *API) getWorld(*http.Request) (int, any, error) { return 0, a.view(), nil }

// view returns the settings that a host needs.
func (a *API) view() worldView {
	a.mu.Lock()
	w, cb := a.world, a.callback
	a.mu.Unlock()
	v := worldView{
		Now: w.Now(), GraphURL: w.URL, SDKURL: w.SDKURL(), AppID: string(w.AppID()),
		AppSecret: w.AppSecret().Reveal(), SystemToken: w.Graph().SystemToken().Reveal(),
		VerifyToken: w.VerifyToken().Reveal(), ConfigurationID: w.ConfigurationID(), Callback: cb.view(),
		Phones: []phoneView{},
	}
	for _, p := range w.Phones() {
		v.Phones = append(v.Phones, a.phoneView(p))
	}
	_, v.Webhooks.Total = w.FindDeliveries(coexistencetest.DeliveryFilter{Last: 1})
	waiting, _ := w.FindDeliveries(coexistencetest.DeliveryFilter{State: coexistencetest.DeliveryWaiting})
	lost, _ := w.FindDeliveries(coexistencetest.DeliveryFilter{State: coexistencetest.DeliveryGivenUp})
	v.Webhooks.Waiting, v.Webhooks.GivenUp, v.Webhooks.Suppressed = len(waiting), len(lost), len(w.Suppressed())
	return v
}

// reset replaces the world by a new one, with the same seed and the current callback.
func (a *API) reset(*http.Request) (int, any, error) {
	a.mu.Lock()
	a.callback.end()
	a.world.Close()
	err := a.begin()
	a.mu.Unlock()
	if err != nil {
		return 0, nil, &Error{
			Status: http.StatusInternalServerError, Code: "broken",
			Message: "the reset failed: " + err.Error(),
		}
	}
	return 0, a.view(), nil
}

// A clockView is the time of the world.
type clockView struct {
	Now time.Time `json:"now"`
}

func (a *API) getClock(*http.Request) (int, any, error) { return 0, clockView{a.World().Now()}, nil }

// postClock advances the clock.
func (a *API) postClock(r *http.Request) (int, any, error) {
	in, err := read[struct {
		Advance string `json:"advance"`
	}](r)
	if err != nil {
		return 0, nil, err
	}
	d, err := duration("advance", in.Advance)
	if err != nil {
		return 0, nil, err
	}
	a.World().Advance(d)
	return a.getClock(r)
}

// defaultWait is the timeout of a wait.
const defaultWait = 10 * time.Second

// A waitParams is the timeout of a wait. If empty, [defaultWait].
type waitParams struct {
	Timeout string `json:"timeout"`
}

// context returns the context of a request with the timeout of the wait.
func (p waitParams) context(r *http.Request) (context.Context, context.CancelFunc, error) {
	limit := defaultWait
	if p.Timeout != "" {
		var err error
		if limit, err = duration("timeout", p.Timeout); err != nil {
			return nil, nil, err
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	return ctx, cancel, nil
}

// postWait waits until every webhook was acknowledged, scheduled ones such as retries included.
func (a *API) postWait(r *http.Request) (int, any, error) {
	in, err := read[waitParams](r)
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel, err := in.context(r)
	if err != nil {
		return 0, nil, err
	}
	defer cancel()
	w := a.World()
	err = w.WaitDelivered(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return 0, nil, &Error{Status: http.StatusGatewayTimeout, Code: "not_quiet", Message: err.Error()}
	case err != nil:
		return 0, nil, err
	}
	return 0, struct {
		Quiet bool      `json:"quiet"`
		Now   time.Time `json:"now"`
	}{true, w.Now()}, nil
}
