package cloudapitest

import (
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// verificationPause is how soon another verification code can be asked for. Meta's figure is not
// documented.
const verificationPause = time.Minute

// A verification is a code on its way to a number.
type verification struct {
	code string
	at   time.Time
}

// VerificationCode returns the code that was sent last to a number that waits for verification, by
// text or by voice. Empty if none was.
func (s *Server) VerificationCode(id graph.PhoneNumberID) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.phone(id); p != nil {
		return p.verification.code
	}
	return ""
}

// requestCode sends a code to an ordinary number. Meta is reported to answer a verified number, and
// one that asks too soon, with the same code 136024; that a coexistence number is refused is
// assumed.
func (s *Server) requestCode(c *call) reply {
	var req struct {
		Method   string `json:"code_method"`
		Language string `json:"language"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	now := s.now()
	switch {
	case req.Method != "SMS" && req.Method != "VOICE":
		return refuse(invalid("code_method must be one of SMS, VOICE"))
	case req.Language == "":
		return refuse(missing("language"))
	case !c.phone.CloudAPIOnly:
		return refuse(invalid("This number is in use in the WhatsApp Business app, which has verified it"))
	case !c.phone.Unverified, now.Sub(c.phone.verification.at) < verificationPause:
		return refuse(&graphError{Code: graph.CodeCodeRequestFailed})
	}
	c.phone.verification = verification{fmt.Sprintf("%06d", s.rand.IntN(1_000_000)), now}
	return success
}

// verifyCode checks the code that was sent last, which works once.
func (s *Server) verifyCode(c *call) reply {
	var req struct {
		Code string `json:"code"`
	}
	if err := decode(c.params, &req); err != nil {
		return refuse(err)
	}
	if !c.phone.Unverified || c.phone.verification.code == "" || req.Code != c.phone.verification.code {
		return refuse(&graphError{Code: graph.CodeCodeCheckFailed})
	}
	c.phone.Unverified, c.phone.verification = false, verification{}
	return success
}
