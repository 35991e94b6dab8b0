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

// accessToken turns a code into a token, once, or gives the app a token of its own. Meta documents
// GET; that POST does the same is assumed, as client libraries of OAuth use it.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-customers-as-a-tech-provider
// https://developers.facebook.com/docs/facebook-login/guides/access-tokens
func (s *Server) accessToken(c *call) reply {
	switch {
	case c.get("client_id") != string(s.app.ID):
		return refuse(&graphError{
			Code: 101, Message: "Error validating application. Cannot get application info due to a system error.",
		})
	case c.get("client_secret") != s.app.Secret.Reveal():
		return refuse(&graphError{Code: graph.CodeAPIUnknown, Status: 400, Message: "Error validating client secret."})
	}
	if c.get("grant_type") == "client_credentials" {
		value := s.newSecret(string(s.app.ID)+"|", 27)
		return ok(grantedToken{s.addToken(Token{Value: value, Type: TokenApp, Scopes: allScopes}).Reveal(), "bearer",
			0})
	}
	found := s.codes[graph.Secret(c.get("code"))]
	switch {
	case found == nil:
		return refuse(oauthError(0, "Invalid verification code format."))
	case found.used:
		return refuse(oauthError(36009, "This authorization code has been used."))
	case s.now().Sub(found.issuedAt) >= CodeTTL:
		return refuse(oauthError(36007, "This authorization code has expired."))
	case c.get("redirect_uri") != found.RedirectURI:
		// An empty redirect_uri passes for none: reported from the field. The code survives a wrong
		// one.
		return refuse(oauthError(36008, "Error validating verification code. Please make sure your redirect_uri "+
			"is identical to the one you used in the OAuth dialog request"))
	}
	found.used = true
	value := s.addToken(found.Token)
	return ok(grantedToken{value.Reveal(), "bearer", int64(found.Token.Lifetime / time.Second)})
}

// A grantedToken is the answer to a call that asks for a token. A token that never expires has no
// ExpiresIn.
type grantedToken struct {
	Token     string `json:"access_token"`
	Type      string `json:"token_type"`
	ExpiresIn int64  `json:"expires_in,omitzero"`
}

// oauthError refuses an exchange. Meta writes all reasons as subcodes of code 100.
func oauthError(subcode int, message string) *graphError {
	return &graphError{Code: graph.CodeInvalidParameter, Subcode: subcode, Status: 400, Message: message}
}
