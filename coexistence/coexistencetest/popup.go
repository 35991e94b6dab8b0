package coexistencetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// A Screen is where the popup stands, by the names that Meta puts into current_step.
type Screen string

const (
	// ScreenBusiness asks for the portfolio, and whether to connect the app or add a new number.
	ScreenBusiness Screen = "BUSINESS_ACCOUNT_SELECTION"

	// ScreenNumber asks for the number, ScreenVerify for the code from the phone and the
	// confirmation on it.
	ScreenNumber Screen = "PHONE_NUMBER_SETUP"
	ScreenVerify Screen = "PHONE_NUMBER_VERIFICATION"

	// ScreenReview is the last one. Closing it counts as finishing.
	ScreenReview Screen = "PERMISSIONS"

	// ScreenDone: the popup is closed. Meta has no name for it.
	ScreenDone Screen = "DONE"
)

// A PopupError is a problem that the popup shows to the business.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/errors
type PopupError struct {
	// Code is Meta's code for it; [graph.Lookup] says what it means. Zero if Meta has none.
	Code graph.Code

	// Message is what the popup shows, in English; at Meta it is in the business's language, so
	// match by Code. SessionID is what it asks to keep for Meta's support.
	Message, SessionID string
}

// Error repeats the message, with the code.
func (e *PopupError) Error() string {
	return fmt.Sprintf("coexistencetest: the popup shows code %d: %s", int(e.Code), e.Message)
}

// Unwrap returns the code.
func (e *PopupError) Unwrap() error { return e.Code }

// ErrNotOffered is what a step returns that the popup does not offer on this screen. The existing
// account of the WhatsApp Business app is not offered if the launch options did not ask for it, and
// nothing else tells.
var ErrNotOffered = errors.New("coexistencetest: the popup does not offer this step here")

// A Popup is Embedded Signup as a business sees it. Its methods are what the business does, one
// HTTP request each; the phone's part is [Phone.Confirm], [Phone.LastCode] and [Phone.ScanQR].
//
//	popup, err := world.OpenSignup(launch)
//	popup.ChooseExistingAccount()
//	popup.EnterNumber(phone.PhoneNumber())
//	phone.Confirm(coexistencetest.HistoryShared)
//	popup.VerifyCode(phone.LastCode())
//	result, err := popup.Finish()
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-business-app-users
type Popup struct {
	world *World
	id    string
	view  popupView // the page that was read last
}

// A popupView is a page of the popup, as its JSON tells it. Refusal is set instead of the rest if
// the step was not possible.
type popupView struct {
	ID       string      `json:"id"`
	Screen   Screen      `json:"screen"`
	Existing bool        `json:"offers_existing_account"`
	QR       string      `json:"qr"`
	Problem  *popupFault `json:"problem"`
	Refusal  string      `json:"refusal"`
	Result   *struct {
		Message  *string         `json:"message"`
		Callback json.RawMessage `json:"callback"`
		Code     string          `json:"code"`
	} `json:"result"`
}

// A popupFault is a problem that a page shows.
type popupFault struct {
	Code      graph.Code `json:"code"`
	Message   string     `json:"message"`
	SessionID string     `json:"session_id"`
}

// OpenSignup opens the popup. launch is what the page would give to FB.init and FB.login: a
// [signup.Launch], or JSON as a [json.RawMessage], either {"init":…,"login":…} or the options of
// FB.login alone.
//
// Options that are wrong in a way that Meta punishes silently open a popup all the same: another
// featureType, or a version that has ended, offers no existing account, and a host finds out by
// [Popup.OffersExistingAccount]. The error is about JSON that FB.login could not take.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/implementation
func (w *World) OpenSignup(launch json.Marshaler) (*Popup, error) {
	options, err := json.Marshal(launch)
	if err != nil {
		return nil, errLaunch
	}
	p := &Popup{world: w}
	if err := p.ask("", string(options)); err != nil {
		return nil, err
	}
	p.id = p.view.ID
	return p, nil
}

// Screen returns where the popup stands now. The phone moves it on as well, so it asks each time.
func (p *Popup) Screen() Screen {
	if view, err := p.request(http.MethodGet, "/"+p.id, ""); err == nil && view.Refusal == "" {
		p.view = view
	}
	return p.view.Screen
}

// OffersExistingAccount reports whether the popup offers to connect a WhatsApp Business app. It
// does not if the launch options did not ask for it.
func (p *Popup) OffersExistingAccount() bool { return p.view.Existing }

// ChooseBusiness chooses a portfolio, on the first screen. Without it, that of the number that is
// entered. Another one than the number's is refused when the number is entered.
func (p *Popup) ChooseBusiness(id graph.BusinessID) error { return p.ask("business", string(id)) }

// ChooseAccount shares an existing account, on the first screen. Without it, the popup makes a new
// one, or takes the number's old one.
func (p *Popup) ChooseAccount(id graph.WABAID) error { return p.ask("account", string(id)) }

// ChooseExistingAccount chooses to connect the WhatsApp Business app, which is the way to
// coexistence. It is [ErrNotOffered] if the launch options did not ask for that.
func (p *Popup) ChooseExistingAccount() error { return p.ask("existing", "") }

// ChooseNewNumber chooses to add a number to Cloud API alone. Such a number never coexists.
func (p *Popup) ChooseNewNumber() error { return p.ask("new", "") }

// EnterNumber enters the phone number. Its refusals are a [PopupError] with Meta's code; another
// number can be entered. If it is taken, the phone shows a code and asks its owner:
// [Phone.LastCode], [Phone.Confirm].
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/errors
func (p *Popup) EnterNumber(number string) error { return p.ask("number", number) }

// QR returns what the popup shows as a QR code, for [Phone.ScanQR].
func (p *Popup) QR() string { return p.view.QR }

// VerifyCode enters the code that the phone shows: [Phone.LastCode]. For an ordinary number it is
// [Popup.TextedCode]. A wrong one is a [PopupError], from the fifth on with
// [graph.CodeSignupTooManyOTPRequests].
func (p *Popup) VerifyCode(code string) error { return p.ask("code", code) }

// TextedCode returns the code that was sent by text message to an ordinary number.
func (p *Popup) TextedCode() string {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if d := p.world.popups[p.id]; d != nil && !d.existing {
		return d.code
	}
	return ""
}

// TextedCode returns the code that was sent by text message to an ordinary number last, whichever
// popup asked for it: for a browser that drives the popup. Empty if there is none.
func (w *World) TextedCode(number string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.popups {
		if !d.existing && d.code != "" && d.screen == ScreenVerify &&
			phonenumber.Digits(d.number) == phonenumber.Digits(number) {
			return d.code
		}
	}
	return ""
}

// VerifyLater goes on without the code of an ordinary number: since v3, the flow can end with a
// number that is not verified.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/versions
func (p *Popup) VerifyLater() error { return p.ask("later", "") }

// Finish clicks the last button. The account is shared, and the webhooks that say so are on their
// way. It is [ErrNotOffered] before the code was entered and the phone has confirmed.
func (p *Popup) Finish() (SignupResult, error) { return p.end("finish") }

// Cancel closes the window. The page gets a CANCEL with the screen, and no code. On the last screen
// Meta counts closing as finishing, and the result is that of [Popup.Finish].
func (p *Popup) Cancel() (SignupResult, error) { return p.end("close") }

// ReportError clicks on "report" under a problem that the popup shows, and closes it. The page gets
// a CANCEL with the code and the session id. It is [ErrNotOffered] if there is no problem.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/errors
func (p *Popup) ReportError() (SignupResult, error) { return p.end("report") }

// Complete plays the whole popup for a phone whose owner notices nothing: if the popup does not
// offer the existing account, the owner adds an ordinary new number instead and believes to be
// connected.
func (p *Popup) Complete(phone *Phone, sharing HistorySharing) (SignupResult, error) {
	if !p.OffersExistingAccount() {
		return p.completeOrdinary(phone)
	}
	steps := []func() error{
		p.ChooseExistingAccount,
		func() error { return p.EnterNumber(phone.PhoneNumber()) },
		func() error { return phone.Confirm(sharing) },
		func() error { return p.VerifyCode(phone.LastCode()) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return SignupResult{}, err
		}
	}
	return p.Finish()
}

// newNumber is what a business adds that believes to connect its app.
const newNumber = "+1 555-010-0177"

// completeOrdinary plays the flow for new numbers to its end. The result looks like a success, and
// the number is none that the business had.
func (p *Popup) completeOrdinary(phone *Phone) (SignupResult, error) {
	steps := []func() error{
		func() error { return p.ChooseBusiness(phone.Business()) },
		p.ChooseNewNumber,
		func() error { return p.EnterNumber(newNumber) },
		func() error { return p.VerifyCode(p.TextedCode()) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return SignupResult{}, err
		}
	}
	return p.Finish()
}

// end does a step that closes the popup and returns what the page gets from it.
func (p *Popup) end(step string) (SignupResult, error) {
	if err := p.ask(step, ""); err != nil {
		return SignupResult{}, err
	}
	r := p.view.Result
	if r == nil {
		return SignupResult{}, ErrNotOffered
	}
	result := SignupResult{LoginResponse: r.Callback, Code: graph.Secret(r.Code)}
	if r.Message != nil {
		result.Message = []byte(*r.Message)
	}
	return result, nil
}

// ask does one step, and remembers the page that comes back. It returns a [*PopupError] for a
// problem that the page shows, and [ErrNotOffered] for a step that the page does not have.
func (p *Popup) ask(step, value string) error {
	path, body := "", value
	if step != "" {
		path = "/" + p.id + "/" + step
		body = string(object(sub("value", quote(value))))
	}
	view, err := p.request(http.MethodPost, path, body)
	switch {
	case err != nil:
		return err
	case view.Refusal == "not offered":
		return ErrNotOffered
	case view.Refusal != "":
		return errors.New(view.Refusal)
	}
	p.view = view
	if view.Problem != nil {
		return &PopupError{view.Problem.Code, view.Problem.Message, view.Problem.SessionID}
	}
	return nil
}

// request makes one HTTP request to the popup. It uses the default client over a real socket, so it
// cannot run in a bubble of testing/synctest.
func (p *Popup) request(method, path, body string) (view popupView, err error) {
	req, err := http.NewRequest(method, p.world.local+"/popups"+path, strings.NewReader(body))
	if err != nil {
		return view, errors.New("coexistencetest: there is no such step")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return view, errors.New("coexistencetest: the popup does not answer; was the world closed?")
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&view); err != nil {
		return view, errors.New("coexistencetest: the popup sent an unexpected answer")
	}
	return view, nil
}
