package control

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// A signup is the state of a phone's signups. The API's mu guards the fields.
type signup struct {
	popup *coexistencetest.Popup // the open popup, or nil
	token graph.Secret           // of the business, once a signup was finished here
}

// A signupView is an open popup as JSON.
type signupView struct {
	Screen string `json:"screen"`
}

// A connectionView is the result of a signup: a code for the host, or the token if the API has
// exchanged the code.
type connectionView struct {
	Phone       phoneView `json:"phone"`
	Code        string    `json:"code,omitzero"`
	AccessToken string    `json:"access_token,omitzero"`
}

// signupOf returns the state of a phone's signups. The caller must hold a.mu.
func (a *API) signupOf(p *coexistencetest.Phone) *signup {
	if a.signups[p] == nil {
		a.signups[p] = &signup{}
	}
	return a.signups[p]
}

// Popup returns the open popup of a phone, or nil.
func (a *API) Popup(p *coexistencetest.Phone) *coexistencetest.Popup {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.signupOf(p).popup
}

// setPopup sets the open popup; nil for none.
func (a *API) setPopup(p *coexistencetest.Phone, popup *coexistencetest.Popup) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.signupOf(p).popup = popup
}

// openSignup opens the popup for the phone's business and chooses to connect the app. It replaces a
// popup that was open before.
func (a *API) openSignup(r *http.Request) (int, any, error) {
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	w := a.World()
	popup, err := w.OpenSignup(launch(w))
	if err == nil {
		err = popup.ChooseExistingAccount()
	}
	if err != nil {
		return 0, nil, err
	}
	a.setPopup(p, popup)
	return http.StatusCreated, signupView{string(popup.Screen())}, nil
}

// launch returns the arguments of FB.login: coexistence, in the version of Embedded Signup that
// hosts use.
func launch(w *coexistencetest.World) json.RawMessage {
	type extras struct {
		Feature string   `json:"featureType"`
		Version string   `json:"version"`
		Setup   struct{} `json:"setup"`
	}
	launch, err := json.Marshal(struct {
		Config   string `json:"config_id"`
		Response string `json:"response_type"`
		Override bool   `json:"override_default_response_type"`
		Extras   extras `json:"extras"`
	}{w.ConfigurationID(), "code", true, extras{Feature: "whatsapp_business_app_onboarding", Version: "v4"}})
	if err != nil {
		return nil // cannot happen: these are strings
	}
	return launch
}

// popup returns the open popup of the phone of a path.
func (a *API) popup(r *http.Request) (*coexistencetest.Phone, *coexistencetest.Popup, error) {
	p, err := a.phone(r)
	if err != nil {
		return nil, nil, err
	}
	popup := a.Popup(p)
	if popup == nil {
		return nil, nil, conflict("no signup is open; POST …/signup opens one")
	}
	return p, popup, nil
}

func (a *API) getSignup(r *http.Request) (int, any, error) {
	_, popup, err := a.popup(r)
	if err != nil {
		return 0, nil, err
	}
	return 0, signupView{string(popup.Screen())}, nil
}

// enterNumber enters a number into the popup. If Meta refuses it, the error has Meta's code.
func (a *API) enterNumber(r *http.Request) (int, any, error) {
	in, err := read[numberParams](r)
	if err != nil {
		return 0, nil, err
	}
	return a.step(r, func(popup *coexistencetest.Popup) error { return popup.EnterNumber(in.PhoneNumber) })
}

// enterCode enters the code that the phone shows.
func (a *API) enterCode(r *http.Request) (int, any, error) {
	in, err := read[struct {
		Code string `json:"code"`
	}](r)
	if err != nil {
		return 0, nil, err
	}
	return a.step(r, func(popup *coexistencetest.Popup) error { return popup.VerifyCode(in.Code) })
}

// step does one step in the popup and responds with the screen that it shows then.
func (a *API) step(r *http.Request, do func(*coexistencetest.Popup) error) (int, any, error) {
	_, popup, err := a.popup(r)
	if err != nil {
		return 0, nil, err
	}
	if err := do(popup); err != nil {
		return 0, nil, err
	}
	return 0, signupView{string(popup.Screen())}, nil
}

// cancelSignup closes the popup.
func (a *API) cancelSignup(r *http.Request) (int, any, error) {
	p, popup, err := a.popup(r)
	if err != nil {
		return 0, nil, err
	}
	_, err = popup.Cancel()
	a.setPopup(p, nil)
	return 0, nil, err
}

// finishSignup clicks the popup's last button, and connects the number unless the host does that.
func (a *API) finishSignup(r *http.Request) (int, any, error) {
	p, popup, err := a.popup(r)
	if err != nil {
		return 0, nil, err
	}
	result, err := popup.Finish()
	if err != nil {
		return 0, nil, err
	}
	a.setPopup(p, nil)
	return a.finish(r, p, result, !a.cfg.Bare)
}

// connect goes through the whole popup in one call, for tests of other things.
func (a *API) connect(r *http.Request) (int, any, error) {
	in, err := read[struct {
		Share    *bool `json:"share_history"`
		Exchange *bool `json:"exchange"`
	}](r)
	if err != nil {
		return 0, nil, err
	}
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	sharing := coexistencetest.HistoryShared
	if in.Share != nil && !*in.Share {
		sharing = coexistencetest.HistoryDeclined
	}
	result, err := p.Connect(sharing)
	if err != nil {
		return 0, nil, err
	}
	exchange := !a.cfg.Bare
	if in.Exchange != nil {
		exchange = *in.Exchange
	}
	return a.finish(r, p, result, exchange)
}

// finish responds with the result of a signup. With exchange it exchanges the code and subscribes
// to every account that holds the number, as a host does.
func (a *API) finish(
	r *http.Request, p *coexistencetest.Phone, result coexistencetest.SignupResult, exchange bool,
) (int, any, error) {
	if !exchange {
		return 0, connectionView{Phone: a.phoneView(p), Code: result.Code.Reveal()}, nil
	}
	a.mu.Lock()
	client := a.client
	a.mu.Unlock()
	token, err := client.OAuth.Exchange(r.Context(), cloudapi.CodeExchangeParams{Code: result.Code})
	if err != nil {
		return 0, nil, err
	}
	for _, waba := range p.WABAs() {
		if err := client.WithToken(token.Token).WABAs.Subscribe(r.Context(), waba); err != nil {
			return 0, nil, err
		}
	}
	a.mu.Lock()
	a.signupOf(p).token = token.Token
	a.mu.Unlock()
	return 0, connectionView{Phone: a.phoneView(p), AccessToken: token.Token.Reveal()}, nil
}

// sync asks for contacts or history with the token of a signup that was finished here. Meta accepts
// each request once.
func (a *API) sync(r *http.Request) (int, any, error) {
	in, err := read[struct {
		Type string `json:"type"`
	}](r)
	if err != nil {
		return 0, nil, err
	}
	p, err := a.phone(r)
	if err != nil {
		return 0, nil, err
	}
	kind := cloudapi.SyncContacts
	switch in.Type {
	case "contacts":
	case "history":
		kind = cloudapi.SyncHistory
	default:
		return 0, nil, invalid(`type is "contacts" or "history"`)
	}
	a.mu.Lock()
	client, token := a.client, a.signupOf(p).token
	a.mu.Unlock()
	if token.IsZero() {
		return 0, nil, conflict("the simulator has no token of this number: connect it first; with -bare your " +
			"host has it, and asks")
	}
	id, err := client.WithToken(token).Phones.SyncAppData(r.Context(), p.ID(), kind)
	if errors.Is(err, graph.CodeSyncLimitExceeded) {
		return 0, nil, &Error{
			Status: http.StatusConflict, Code: "refused_by_meta", MetaCode: int(graph.CodeSyncLimitExceeded),
			Message: "Meta accepts this request once for each signup (code 2593107)",
		}
	}
	if err != nil {
		return 0, nil, err
	}
	return 0, struct {
		RequestID string `json:"request_id"`
	}{id}, nil
}
