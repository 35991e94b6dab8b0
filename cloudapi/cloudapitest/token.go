package cloudapitest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A TokenType is the kind of a token, as debug_token shows it.
type TokenType string

const (
	TokenSystemUser TokenType = "SYSTEM_USER" // of the partner, or of a business after Embedded Signup
	TokenUser       TokenType = "USER"        // of a person; cannot name a portfolio
	TokenApp        TokenType = "APP"         // APPID|SECRET
)

// Permissions that a token can carry.
const (
	ScopeManagement = "whatsapp_business_management" // accounts, numbers, templates
	ScopeMessaging  = "whatsapp_business_messaging"  // messages, media, calls, groups
	ScopeBusiness   = "business_management"          // portfolios, credit lines
)

// allScopes are the permissions of the partner's own tokens.
var allScopes = []string{ScopeManagement, ScopeMessaging, ScopeBusiness}

// A Token is an access token. The zero Token stands for a business token from Embedded Signup that
// never expires and reaches every account.
type Token struct {
	// Value is made up if empty.
	Value graph.Secret

	// Type is [TokenSystemUser] if empty.
	Type TokenType

	// BusinessID is the portfolio that the token is bound to, which /me shows as
	// client_business_id.
	BusinessID graph.BusinessID

	// Scopes are its permissions. If nil, [ScopeManagement] and [ScopeMessaging].
	Scopes []string

	// WABAs are the accounts that it reaches and shows as target_ids, newest first. If empty, every
	// account, and no target_ids are shown, which since June 2026 does not mean that there are
	// none.
	WABAs []graph.WABAID

	// HideTargets leaves target_ids and the WhatsApp scopes out of granular_scopes, as tokens do
	// since June 2026.
	HideTargets bool

	// Lifetime is how long it works. If zero, forever. Sixty days is the other choice that Meta
	// offers.
	Lifetime time.Duration

	// Foreign makes it the token of another app.
	Foreign bool

	userID   string
	issuedAt time.Time
	revoked  bool
}

// AddToken adds a token and returns its value.
func (s *Server) AddToken(t Token) graph.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addToken(t)
}

// addToken is AddToken. Each token has a user of its own. The caller must hold s.mu.
func (s *Server) addToken(t Token) graph.Secret {
	if t.Value == "" {
		t.Value = s.newSecret("EAA", 48)
	}
	if t.Type == "" {
		t.Type = TokenSystemUser
	}
	if t.Scopes == nil {
		t.Scopes = []string{ScopeManagement, ScopeMessaging}
	}
	t.Scopes, t.WABAs = slices.Clone(t.Scopes), slices.Clone(t.WABAs)
	t.userID = s.newID()
	t.issuedAt = s.now()
	s.tokens[t.Value] = &t
	return t.Value
}

// RevokeToken makes a token invalid, as when the business removes the app or the app's
// administrator resets it.
func (s *Server) RevokeToken(value graph.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tokens[value]; t != nil {
		t.revoked = true
	}
}

// RevokeTokens makes every token of a portfolio invalid, as when the business removes the app from
// its settings.
func (s *Server) RevokeTokens(business graph.BusinessID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tokens {
		if business != "" && t.BusinessID == business {
			t.revoked = true
		}
	}
}

// expiresAt is when the token ends, or the zero time for never.
func (t *Token) expiresAt() time.Time {
	if t.Lifetime == 0 {
		return time.Time{}
	}
	return t.issuedAt.Add(t.Lifetime)
}

// problem returns what is wrong with a token, or nil.
func (t *Token) problem(now time.Time) *graphError {
	switch {
	case t.revoked:
		return badToken(460, "Error validating access token: The session has been invalidated.")
	case t.Lifetime != 0 && !now.Before(t.expiresAt()):
		return badToken(463, "Error validating access token: Session has expired.")
	}
	return nil
}

// has reports whether the token carries a permission.
func (t *Token) has(scope string) bool { return slices.Contains(t.Scopes, scope) }

// reaches reports whether the token may see one of the accounts.
func (t *Token) reaches(wabas ...graph.WABAID) bool {
	if len(t.WABAs) == 0 {
		return true
	}
	return slices.ContainsFunc(wabas, func(id graph.WABAID) bool { return slices.Contains(t.WABAs, id) })
}

// tokenOf returns the token of a request: that of the header, else the parameter. Resumable uploads
// say OAuth where all others say Bearer. That the header holds where both are there is assumed.
func tokenOf(header http.Header, p params) string {
	scheme, value, _ := strings.Cut(header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "OAuth") {
		return strings.TrimSpace(value)
	}
	return p.get("access_token")
}

// authenticate finds the request's token. The caller must hold s.mu.
func (s *Server) authenticate(c *call) (*Token, *graphError) {
	value := tokenOf(c.header, c.params)
	if value == "" {
		return nil, &graphError{Code: graph.CodePermissionMissing, Message: "Provide valid app ID or an access token."}
	}
	var token *Token
	if value == s.AppToken().Reveal() {
		token = &Token{Value: s.AppToken(), Type: TokenApp, Scopes: allScopes}
	} else if token = s.tokens[graph.Secret(value)]; token == nil || token.Foreign {
		return nil, badToken(0, "Invalid OAuth access token - Cannot parse access token")
	}
	if problem := token.problem(s.now()); problem != nil {
		return nil, problem
	}
	return token, s.checkProof(c, token)
}

// proofLife is how long a proof with appsecret_time is good.
const proofLife = 5 * time.Minute

// badProof refuses a call for its appsecret_proof.
func badProof(message string) *graphError {
	return &graphError{Code: graph.CodeAppSecretProof, Message: message}
}

// checkProof checks the appsecret_proof: an HMAC of the token with the app secret, or of the token
// and a time, which must not be long ago. Without one, a call passes unless the app requires it; a
// wrong one never passes.
func (s *Server) checkProof(c *call, token *Token) *graphError {
	proof, message := c.get("appsecret_proof"), token.Value.Reveal()
	if proof == "" {
		if s.proofRequired && token.Type != TokenApp {
			return badProof("API calls from the server require an appsecret_proof argument")
		}
		return nil
	}
	if at := c.get("appsecret_time"); at != "" {
		seconds, err := strconv.ParseInt(at, 10, 64)
		if err != nil || s.now().Sub(time.Unix(seconds, 0)).Abs() > proofLife {
			return badProof("Invalid appsecret_time provided in the API argument")
		}
		message += "|" + at
	}
	mac := hmac.New(sha256.New, []byte(s.app.Secret.Reveal()))
	mac.Write([]byte(message))
	if !hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(proof)) {
		return badProof("Invalid appsecret_proof provided in the API argument")
	}
	return nil
}
