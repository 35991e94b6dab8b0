package cloudapitest

import (
	"regexp"
	"slices"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// pinRe matches PINs.
var pinRe = regexp.MustCompile(`^[0-9]{6}$`)

// Register requests that one number may make, and the days in which they count.
const (
	registerLimit  = 10
	registerWindow = 72 * time.Hour
)

// register makes an ordinary number usable. A coexistence number must never be registered: it
// already is, and Meta's answer is not documented, while integrators report that the phone loses
// the number. The refusal here is assumed, so that a test finds the call and no number is lost.
func (s *Server) register(c *call) reply {
	var req struct {
		Product string `json:"messaging_product"`
		PIN     string `json:"pin"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	if !c.phone.CloudAPIOnly {
		return refuse(&graphError{
			Code: graph.CodeInvalidParameter, Message: "(#100) Invalid parameter",
			Details: "This number is in use in the WhatsApp Business app and must not be registered: " +
				"it could lose the app.",
		})
	}
	if err := s.countRegistration(c.phone); err != nil {
		return refuse(err)
	}
	switch {
	case !pinRe.MatchString(req.PIN):
		return refuse(invalid("pin must be 6 digits"))
	case c.phone.Unverified:
		return refuse(&graphError{Code: graph.CodeVerificationNeeded})
	case c.phone.PIN != "" && c.phone.PIN != req.PIN:
		return refuse(&graphError{Code: graph.CodePINMismatch})
	}
	c.phone.PIN, c.phone.Unregistered = req.PIN, false
	return success
}

// deregister takes an ordinary number off. The refusal for a coexistence number is Meta's own text.
func (s *Server) deregister(c *call) reply {
	if !c.phone.CloudAPIOnly {
		return refuse(&graphError{
			Code:    graph.CodeInvalidParameter,
			Message: "Deregister endpoint is not available for API solution for SMB businesses.",
		})
	}
	if err := s.countRegistration(c.phone); err != nil {
		return refuse(err)
	}
	if c.phone.Unregistered {
		return refuse(&graphError{Code: graph.CodePhoneNotRegistered})
	}
	c.phone.Unregistered = true
	return success
}

// countRegistration counts a request against the ten that a number has in 72 hours, for registering
// and deregistering together. Refused ones do not count.
func (s *Server) countRegistration(p *phone) *graphError {
	now := s.now()
	p.registers = slices.DeleteFunc(p.registers, func(at time.Time) bool { return now.Sub(at) >= registerWindow })
	if len(p.registers) >= registerLimit {
		return &graphError{Code: graph.CodeRegisterRateLimit}
	}
	p.registers = append(p.registers, now)
	return nil
}

// addNumber adds an ordinary number to an account. It waits for its verification, and then for its
// registration.
func (s *Server) addNumber(c *call) reply {
	var req struct {
		CountryCode string `json:"cc"`
		Number      string `json:"phone_number"`
		Name        string `json:"verified_name"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	number := digits(req.CountryCode + req.Number)
	switch {
	case req.CountryCode == "":
		return refuse(missing("cc"))
	case req.Number == "":
		return refuse(missing("phone_number"))
	case req.Name == "":
		return refuse(missing("verified_name"))
	case slices.ContainsFunc(s.phones, func(p *phone) bool { return digits(p.PhoneNumber) == number && !p.lost }):
		return refuse(invalid("The number is on the platform already"))
	}
	p := newPhone(Phone{
		ID: graph.PhoneNumberID(s.newID()), WABAs: []graph.WABAID{c.waba.ID}, PhoneNumber: "+" + number, Name: req.Name,
		CloudAPIOnly: true,
		Unregistered: true, Unverified: true, OnboardedAt: s.now(),
	})
	s.phones = append(s.phones, p)
	return ok200("id", p.ID)
}
