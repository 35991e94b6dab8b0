package signup

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

var languageRe = regexp.MustCompile(`^([a-z]{2,3}(_[A-Z]{2})?)?$`)

// readSubmission reads the body of a finish. Its errors say nothing of what they found: there may
// be a code in it. What a page sends wrongly is refused before a code is spent on it. An [*Error]
// among them is the popup's own: refused, or opened with wrong options.
func readSubmission(r *http.Request, posted []byte, tenant string) (Submission, error) {
	var body struct {
		State       string          `json:"state"`
		Code        string          `json:"code"`
		Session     json.RawMessage `json:"session"`
		Callback    json.RawMessage `json:"callback"`
		RedirectURI string          `json:"redirect_uri"`
		Phone       string          `json:"phone_number_id"`

		SendCode         string `json:"send_code"`
		Language         string `json:"language"`
		VerificationCode string `json:"verification_code"`
	}
	if err := readJSON(r, posted, &body); err != nil {
		return Submission{}, err
	}
	if body.State == "" {
		return Submission{}, errors.New("signup: send an object with state, and with code, session or both")
	}
	sub := Submission{
		State: graph.Secret(body.State), Tenant: tenant, Code: graph.Secret(body.Code), RedirectURI: body.RedirectURI,
		PhoneNumberID:    graph.PhoneNumberID(body.Phone),
		SendCode:         cloudapi.CodeMethod(strings.ToUpper(body.SendCode)),
		Language:         body.Language,
		VerificationCode: graph.Secret(phonenumber.Digits(body.VerificationCode)), // as it is typed: "123-456"
	}
	if sub.PhoneNumberID != "" && !isID(sub.PhoneNumberID) {
		return Submission{}, errors.New("signup: phone_number_id is not an id")
	}
	if sub.SendCode != "" && sub.SendCode != cloudapi.CodeBySMS && sub.SendCode != cloudapi.CodeByVoice {
		return Submission{}, errors.New("signup: send_code is neither SMS nor VOICE")
	}
	if body.VerificationCode != "" && sub.VerificationCode.IsZero() {
		return Submission{}, errors.New("signup: verification_code has no digits")
	}
	if !languageRe.MatchString(sub.Language) {
		return Submission{}, errors.New(`signup: language does not look like "en_US"`)
	}
	if present(body.Session) {
		// What is no session message is the page's mistake and no reason to lose a code.
		if s, err := ParseSessionInfo(body.Session); err == nil {
			sub.Session = s
		}
	}
	if present(body.Callback) && sub.Code.IsZero() {
		c, err := ParseLoginResponse(body.Callback)
		if err != nil {
			return Submission{}, err
		}
		sub.Code = c.Code
		// With a session message it depends on that: the code can get lost although the flow was
		// finished.
		if err := c.Err(); err != nil && (sub.Session == nil || !c.AccessToken.IsZero()) {
			return Submission{}, err
		}
	}
	return sub, nil
}

// present reports whether a member is there: a page that has none of it may send null.
func present(v json.RawMessage) bool { return len(v) > 0 && string(v) != "null" }

// readJSON reads the body of a request. Its errors say nothing of what they found. The content type
// is demanded because a form on another site can send text/plain without asking the browser, and
// JSON it cannot.
func readJSON[T any](r *http.Request, body []byte, v *T) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return errors.New("signup: send JSON, with the content type application/json")
	}
	if json.Unmarshal(body, v) != nil {
		return errors.New("signup: send an object, in JSON")
	}
	return nil
}
