package coexistencetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

// A dialog is an open popup on Meta's side. Its fields are guarded by the world's mu.
type dialog struct {
	id     string
	launch launch

	// coexist is true if the launch options ask for coexistence in a way that works. broken is true
	// if they are not of the app, and the popup shows an error and nothing else.
	coexist, broken bool

	// screen is what the popup shows. business and account are what was chosen; empty is the
	// portfolio of the number, and a new account.
	screen   Screen
	business graph.BusinessID
	account  graph.WABAID

	// existing is true once the business chose to connect its app. phone is set once the number of
	// an app was entered, number once an ordinary number was.
	existing bool
	phone    *Phone
	number   string

	// code is what has to be entered, attempts how often it was entered wrongly. The last screen
	// needs verified and confirmed, in any order; share is the answer about the chats.
	code                string
	attempts            int
	verified, confirmed bool
	share               bool

	// problem is what the popup shows now, and what a report tells of. result is set once the popup
	// is closed.
	problem *PopupError
	result  *SignupResult
}

// wentWrong is what the popup shows for launch options that are not of the app.
const wentWrong = "Sorry, something went wrong."

// openPopup opens a popup and returns its first page. Options of another app or configuration open
// one that shows an error without a reason, as Meta's does; options that ask for coexistence in a
// wrong way open one that does not offer it.
func (w *World) openPopup(l launch) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := &dialog{id: w.newID(), launch: l, coexist: l.asksForCoexistence(w.Now()), screen: ScreenBusiness}
	w.popups[d.id] = d
	if !l.known(w) {
		d.broken = true
		return d.page(d.fail(w, 0, wentWrong))
	}
	return d.page(nil)
}

// page is what the popup shows, as JSON. problem is nil if the step went well. The caller must hold
// the world's mu.
func (d *dialog) page(problem *PopupError) []byte {
	members := []member{str("id", d.id), str("screen", d.screen),
		yes("offers_existing_account", d.coexist && !d.broken)}
	if d.existing && d.screen == ScreenVerify {
		members = append(members, str("qr", d.qr()), yes("phone_refused", d.phone.request != d))
	}
	members = append(members, yes("verified", d.verified))
	if problem != nil {
		members = append(members, sub("problem", object(
			num("code", int(problem.Code)), str("message", problem.Message), str("session_id", problem.SessionID))))
	}
	if d.result != nil {
		message := member{}
		if d.result.Message != nil {
			message = sub("message", quote(string(d.result.Message)))
		}
		members = append(members, sub("result", object(
			message, sub("callback", d.result.LoginResponse), str("code", d.result.Code.Reveal()))))
	}
	return object(members...)
}

// qr is what the QR code holds. Meta's content is not documented; a host never sees it.
func (d *dialog) qr() string {
	return "https://wa.me/connect/made-up?popup=" + d.id + "&code=" + d.code
}

// fail shows a problem, which the business may report. The session id is what Meta's support asks
// for. The caller must hold the world's mu.
func (d *dialog) fail(w *World, code graph.Code, message string) *PopupError {
	if info, ok := graph.Lookup(code, 0); ok && message == "" {
		message = info.Title
	}
	d.problem = &PopupError{Code: code, Message: message, SessionID: strconv.FormatInt(w.rand.Int64N(1<<60), 16)}
	return d.problem
}

// step does one thing that the business does in the popup, and returns the page that is shown then.
// Which steps a screen offers is decided here alone; everything else is answered as not offered.
// Closing the window on the last screen is the same as finishing. The caller must hold the world's
// mu.
func (w *World) step(d *dialog, step, value string) []byte {
	switch {
	case d.screen == ScreenDone:
		return refusalPage("coexistencetest: the popup is closed")
	case step == "close" && d.screen == ScreenReview, step == "finish" && d.screen == ScreenReview:
		w.finish(d)
	// A window that is closed tells the screen on which that happened. A popup that never worked
	// tells nothing.
	case step == "close":
		d.result = &SignupResult{LoginResponse: callback("", "")}
		if !d.broken {
			d.result.Message = cancelMessage(d.screen)
		}
		d.end()
	// A report is the one way in which a page learns what the business saw.
	case step == "report" && d.problem != nil:
		d.result = &SignupResult{Message: errorMessage(d.problem, w.Now()), LoginResponse: callback("", "")}
		d.end()
	// A popup that never worked can be closed and reported, and nothing else.
	case d.broken:
		return d.page(d.problem)
	case step == "business" && d.screen == ScreenBusiness:
		d.business = graph.BusinessID(value)
	case step == "account" && d.screen == ScreenBusiness:
		d.account = graph.WABAID(value)
	case step == "existing" && d.screen == ScreenBusiness && d.coexist:
		d.existing, d.screen = true, ScreenNumber
	case step == "new" && d.screen == ScreenBusiness:
		d.screen = ScreenNumber
	case step == "number" && (d.screen == ScreenNumber || d.screen == ScreenVerify):
		return d.page(w.enterNumber(d, value))
	case step == "code" && d.screen == ScreenVerify:
		return d.page(w.enterCode(d, value))
	case step == "later" && d.screen == ScreenVerify && !d.existing:
		d.problem, d.screen = nil, ScreenReview
	default:
		return refusalPage("not offered")
	}
	return d.page(nil)
}

// end closes the popup, and takes the question off the phone. The caller must hold the world's mu.
func (d *dialog) end() {
	d.screen = ScreenDone
	if d.phone != nil && d.phone.request == d {
		d.phone.request = nil
	}
}

// waitAfterDisconnect is how long a number that was disconnected cannot be connected again.
const waitAfterDisconnect = 15 * time.Minute

// minimumVersion is the oldest WhatsApp Business app that can coexist.
const minimumVersion = "2.24.17"

// enterNumber checks a number that was entered, in the order in which Meta's popup does as far as
// its error page tells, and asks the phone. A number of an ordinary flow gets its code by text
// message instead. The caller must hold the world's mu.
func (w *World) enterNumber(d *dialog, number string) *PopupError {
	digits := phonenumber.Digits(number)
	if len(digits) < 7 || len(digits) > 15 {
		return d.fail(w, graph.CodeSignupInvalidNumber, "")
	}
	p := w.phoneByNumber(digits)
	if !d.existing {
		// A number that is in the app is refused here: only the other choice connects it.
		if p != nil && p.app == AppBusiness {
			return d.fail(w, graph.CodeSignupAlreadyRegistered, "")
		}
		d.number, d.code, d.screen = number, w.newCode(), ScreenVerify
		return nil
	}
	if p == nil {
		return d.fail(w, graph.CodeSignupNumberNotOnBusinessApp, "")
	}
	if code := w.eligible(p, d); code != 0 {
		return d.fail(w, code, "")
	}
	// From here on the phone shows the code and asks, until the popup is closed or another number
	// entered.
	d.problem = nil
	d.phone, d.code, d.screen = p, w.newCode(), ScreenVerify
	p.request, p.lastCode = d, d.code
	return nil
}

// eligible returns Meta's code for why a number cannot be connected, or zero. The caller must hold
// the world's mu.
//
// Meta:
// https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/errors
func (w *World) eligible(p *Phone, d *dialog) graph.Code {
	refusedCountry := slices.ContainsFunc(w.cfg.RefusedCallingCodes, func(code string) bool {
		return strings.HasPrefix(p.digits(), phonenumber.Digits(code))
	})
	switch {
	case p.cfg.Refuse != 0:
		return p.cfg.Refuse
	case p.app != AppBusiness:
		return graph.CodeSignupNumberNotOnBusinessApp
	case refusedCountry:
		return graph.CodeSignupCountryNotSupported
	case olderThan(p.appVersion, minimumVersion):
		return graph.CodeSignupUpdateApp
	case d.business != "" && d.business != p.owner:
		return graph.CodeSignupNumberElsewhere
	// A suspended number counts as connected: it is expected back.
	case p.stage != stageAlone:
		return graph.CodeSignupAlreadyConnected
	case !p.disconnectedAt.IsZero() && w.Now().Sub(p.disconnectedAt) < waitAfterDisconnect:
		return graph.CodeSignupAlreadyConnected
	}
	return 0
}

// olderThan compares versions such as 2.24.17.79, number by number.
func olderThan(version, than string) bool {
	a, b := strings.Split(version, "."), strings.Split(than, ".")
	for i := range b {
		var have int
		if i < len(a) {
			have, _ = strconv.Atoi(a[i])
		}
		if want, _ := strconv.Atoi(b[i]); have != want {
			return have < want
		}
	}
	return false
}

// phoneByNumber returns the phone with a number, nil if there is none. The caller must hold the
// world's mu.
func (w *World) phoneByNumber(digits string) *Phone {
	for _, p := range w.phones {
		if p.digits() == digits {
			return p
		}
	}
	return nil
}

// newCode draws a code of six digits. The caller must hold the world's mu.
func (w *World) newCode() string { return fmt.Sprintf("%06d", w.rand.IntN(1_000_000)) }

// maxAttempts is how often a wrong code can be entered. Meta's number is not documented.
const maxAttempts = 5

// enterCode checks the code from the phone or the text message. From the fifth wrong one on the
// problem is another one; the right one is still taken. The caller must hold the world's mu.
func (w *World) enterCode(d *dialog, code string) *PopupError {
	code = phonenumber.Digits(code)
	if d.code == "" || code != d.code {
		if d.attempts++; d.attempts >= maxAttempts {
			return d.fail(w, graph.CodeSignupTooManyOTPRequests, "")
		}
		return d.fail(w, graph.CodeSignupOTPCheckFailed, "")
	}
	d.problem, d.verified = nil, true
	if !d.existing {
		d.confirmed = true
	}
	d.proceed()
	return nil
}

// proceed shows the last screen once the code was entered and the phone has confirmed, in whatever
// order. The caller must hold the world's mu.
func (d *dialog) proceed() {
	if d.verified && d.confirmed {
		d.screen = ScreenReview
	}
}
