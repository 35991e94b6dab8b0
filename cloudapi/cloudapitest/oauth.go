package cloudapitest

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// CodeTTL is how long an authorization code can be exchanged.
const CodeTTL = 30 * time.Second

// An AuthorizationCode is an authorization code of Embedded Signup, before it is exchanged.
type AuthorizationCode struct {
	// Value is made up if empty.
	Value graph.Secret

	// Token is what the exchange returns.
	Token Token

	// RedirectURI is where the dialog sent the browser. If empty, the code came from the callback
	// of FB.login, and the exchange must not name one.
	RedirectURI string
}

// A code is an AuthorizationCode and what became of it.
type code struct {
	AuthorizationCode
	issuedAt time.Time
	used     bool
}

// AddCode adds an authorization code, issued now, and returns its value.
func (s *Server) AddCode(c AuthorizationCode) graph.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Value == "" {
		c.Value = s.newSecret("AQB", 60)
	}
	s.codes[c.Value] = &code{AuthorizationCode: c, issuedAt: s.now()}
	return c.Value
}

// exchangeCode turns a code into a token, once. Meta documents GET alone.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-customers-as-a-tech-provider
func (s *Server) exchangeCode(c *call) reply {
	q := c.query
	switch {
	case q.Get("client_id") != string(s.app.ID):
		return refuse(&graphError{
			Code: 101, Message: "Error validating application. Cannot get application info due to a system error.",
		})
	case q.Get("client_secret") != s.app.Secret.Reveal():
		return refuse(&graphError{Code: graph.CodeAPIUnknown, Status: 400, Message: "Error validating client secret."})
	}
	found := s.codes[graph.Secret(q.Get("code"))]
	switch {
	case found == nil:
		return refuse(oauthError(0, "Invalid verification code format."))
	case found.used:
		return refuse(oauthError(36009, "This authorization code has been used."))
	case s.now().Sub(found.issuedAt) >= CodeTTL:
		return refuse(oauthError(36007, "This authorization code has expired."))
	case q.Get("redirect_uri") != found.RedirectURI:
		// An empty redirect_uri passes for none: reported from the field. The code survives a wrong
		// one.
		return refuse(oauthError(36008, "Error validating verification code. Please make sure your redirect_uri "+
			"is identical to the one you used in the OAuth dialog request"))
	}
	found.used = true
	value := s.addToken(found.Token)
	return ok(struct {
		Token     string `json:"access_token"`
		Type      string `json:"token_type"`
		ExpiresIn int64  `json:"expires_in,omitzero"`
	}{value.Reveal(), "bearer", int64(found.Token.Lifetime / time.Second)})
}

// oauthError refuses an exchange. Meta writes all reasons as subcodes of code 100.
func oauthError(subcode int, message string) *graphError {
	return &graphError{Code: graph.CodeInvalidParameter, Subcode: subcode, Status: 400, Message: message}
}
