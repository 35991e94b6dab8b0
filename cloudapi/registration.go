package cloudapi

import (
	"context"
	"net/http"
	"regexp"
	"slices"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A RegistrationService brings numbers that live on Cloud API alone onto it, and takes them off.
// Nothing of it is for coexistence numbers: the app on the owner's phone has registered those, and
// registering them here would take them from it. Register and Deregister therefore take the number
// as [PhonesService.Get] read it, and refuse one that is in the app.
//
// Ten registrations and deregistrations of a number are allowed in 72 hours, those of everyone who
// serves it counted together; none is ever repeated by itself.
type RegistrationService service

// PhoneNumberAddParams are the parameters of [RegistrationService.Add].
type PhoneNumberAddParams struct {
	// CountryCode is the country calling code, such as "1".
	CountryCode string `json:"cc"`

	// PhoneNumber is the number without the country code, digits only.
	PhoneNumber string `json:"phone_number"`

	// VerifiedName is the display name, which Meta reviews. Required.
	VerifiedName string `json:"verified_name"`

	// Migrate moves the number from another account.
	Migrate bool `json:"migrate_phone_number,omitzero"`

	// PreverifiedID is a pre-verified number of the partner's.
	PreverifiedID string `json:"preverified_id,omitzero"`
}

var digitsRe = regexp.MustCompile(`^[0-9]+$`)

// Add adds a number to an account. It then has to be verified and registered.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration
//
// graph:POST /{waba-id}/phone_numbers
func (s *RegistrationService) Add(
	ctx context.Context, waba graph.WABAID, n PhoneNumberAddParams,
) (graph.PhoneNumberID, error) {
	var p problems
	if n.PreverifiedID == "" {
		if !digitsRe.MatchString(n.CountryCode) {
			p.put(true, n.CountryCode == "", "PhoneNumberAddParams.CountryCode is not made of digits", nil)
		}
		if !digitsRe.MatchString(n.PhoneNumber) {
			p.put(true, n.PhoneNumber == "", "PhoneNumberAddParams.PhoneNumber is not made of digits", nil)
		}
	}
	p.required("PhoneNumberAddParams.VerifiedName", n.VerifiedName)
	if err := p.err(); err != nil {
		return "", err
	}
	resp, err := send[phoneAdded](ctx, s.c, request{
		method: http.MethodPost, path: "/{waba-id}/phone_numbers", ids: []string{string(waba)},
	}, n)
	if err != nil {
		return "", err
	}
	return resp.ID, nil
}

type phoneAdded struct {
	ID graph.PhoneNumberID `json:"id"`
}

func (p *phoneAdded) incomplete() string { return withoutID(p.ID) }

// A CodeMethod is the way in which a verification code comes. Meta may add values.
type CodeMethod string

const (
	CodeBySMS   CodeMethod = "SMS"
	CodeByVoice CodeMethod = "VOICE"
)

// RequestCode has a verification code sent to the number. language is a locale such as "en_US".
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration
//
// graph:POST /{phone-number-id}/request_code
func (s *RegistrationService) RequestCode(
	ctx context.Context, phone graph.PhoneNumberID, method CodeMethod, language string,
) error {
	var p problems
	p.needs("the CodeMethod", string(method))
	p.needs("the language", language)
	if err := p.err(); err != nil {
		return err
	}
	return do(ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/request_code", ids: []string{string(phone)}, phone: phone,
		replay: RetryNever,
	}, struct {
		Method   CodeMethod `json:"code_method"`
		Language string     `json:"language"`
	}{method, language})
}

// VerifyCode hands in the code that came, six digits.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration
//
// graph:POST /{phone-number-id}/verify_code
func (s *RegistrationService) VerifyCode(ctx context.Context, phone graph.PhoneNumberID, code graph.Secret) error {
	if !pinRe.MatchString(code.Reveal()) {
		return invalid("a verification code has six digits")
	}
	return do(ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/verify_code", ids: []string{string(phone)}, phone: phone,
		replay: RetryNever,
	}, struct {
		Code string `json:"code"`
	}{code.Reveal()})
}

// RegisterParams are the parameters of [RegistrationService.Register].
type RegisterParams struct {
	// PIN is the number's two-step verification PIN, or the one that it gets; six digits.
	PIN graph.Secret

	// Region keeps data at rest in a country, such as "DE". If empty, Meta chooses.
	Region string

	// RetentionMinutes is how long Meta stores messages. If zero, Meta's default; 60 stores none.
	RetentionMinutes int
}

// Register registers a number that lives on Cloud API only. phone must come from
// [PhonesService.Get], with the field is_on_biz_app asked for, which it is by default.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration
//
// graph:POST /{phone-number-id}/register
func (s *RegistrationService) Register(ctx context.Context, phone *Phone, req RegisterParams) error {
	var p problems
	ordinary(&p, phone)
	if !pinRe.MatchString(req.PIN.Reveal()) {
		p.put(false, req.PIN.IsZero(), "RegisterParams.PIN has not six digits", nil)
	}
	if req.RetentionMinutes < 0 {
		p.add("RegisterParams.RetentionMinutes is negative")
	}
	if err := p.err(); err != nil {
		return err
	}
	return do(ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/register", ids: []string{string(phone.ID)}, phone: phone.ID,
		replay: RetryNever,
	}, struct {
		product
		PIN       string `json:"pin"`
		Region    string `json:"data_localization_region,omitzero"`
		Retention int    `json:"meta_store_retention_minutes,omitzero"`
	}{whatsapp, req.PIN.Reveal(), req.Region, req.RetentionMinutes})
}

// Deregister takes a number off Cloud API. phone must come from [PhonesService.Get], like that of
// Register.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/registration
//
// graph:POST /{phone-number-id}/deregister
func (s *RegistrationService) Deregister(ctx context.Context, phone *Phone) error {
	var p problems
	if ordinary(&p, phone); p.err() != nil {
		return p.err()
	}
	return do(ctx, s.c, request{
		method: http.MethodPost, path: "/{phone-number-id}/deregister", ids: []string{string(phone.ID)},
		phone:  phone.ID,
		replay: RetryNever,
	}, whatsapp)
}

// ordinary reports a number that is in the WhatsApp Business app, or may be: one that was read
// without the field that says so.
func ordinary(p *problems, phone *Phone) {
	switch {
	case phone == nil || phone.ID == "":
		p.missing("the phone is empty; read it with Phones.Get")
	case phone.IsOnBizApp:
		p.add("the number is in use in the WhatsApp Business app, which has registered it; " +
			"this would take it from there")
	case !slices.Contains(jsonNames(phone.Raw), "is_on_biz_app"):
		p.add("the phone was read without the field is_on_biz_app; read it with Phones.Get and its own fields")
	}
}
