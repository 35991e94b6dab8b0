package cloudapi

import (
	"context"
	"net/http"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// An OAuthService gets tokens and inspects them. It needs [Config].AppID and AppSecret and takes no
// notice of the client's own token.
type OAuthService service

// CodeExchangeParams are the parameters of [OAuthService.Exchange].
type CodeExchangeParams struct {
	// Code is the code of Embedded Signup. It works once, for 30 seconds.
	Code graph.Secret

	// RedirectURI must be exactly what the dialog was opened with. Nil leaves it out, which is
	// right for FB.login without redirect_uri; a pointer to an empty string sends it empty.
	RedirectURI *string
}

// An AccessToken is the result of an exchange.
type AccessToken struct {
	// Token is the business's. Store it encrypted, and before doing anything else that can fail:
	// there is no second exchange.
	Token graph.Secret

	// Type is "bearer".
	Type string

	// ExpiresIn is how long the token lives. Zero means that Meta did not say;
	// [OAuthService.DebugToken] does.
	ExpiresIn time.Duration

	// Response is the status, trace ids and usage of the response.
	Response Response
}

// Exchange turns the code of a signup into the business's token. A code works once, so a request is
// never repeated by itself, whatever the error. Meta's refusals are code 100 with a subcode: 36007
// too late, 36008 another redirect URI, 36009 used before. All but 36008 need a new signup.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-customers-as-a-tech-provider
//
// graph:GET /oauth/access_token
func (s *OAuthService) Exchange(ctx context.Context, x CodeExchangeParams) (*AccessToken, error) {
	if x.Code.IsZero() {
		return nil, invalid("CodeExchangeParams.Code is empty")
	}
	cfg := s.c.core.Reveal().cfg
	type options struct {
		ClientID     string  `url:"client_id"`
		ClientSecret string  `url:"client_secret"`
		Code         string  `url:"code"`
		RedirectURI  *string `url:"redirect_uri,omitempty"`
	}
	resp, err := call[exchangeResponse](ctx, s.c, request{
		method: http.MethodGet, path: "/oauth/access_token", as: asNone, replay: RetryNever,
		options:   options{string(cfg.AppID), cfg.AppSecret.Reveal(), x.Code.Reveal(), x.RedirectURI},
		sensitive: []string{x.Code.Reveal()},
	})
	if err != nil {
		return nil, err
	}
	return &AccessToken{
		Token: graph.Secret(resp.Token), Type: resp.Type, ExpiresIn: time.Duration(resp.ExpiresIn) * time.Second,
		Response: resp.meta,
	}, nil
}

type exchangeResponse struct {
	Token     string  `json:"access_token"`
	Type      string  `json:"token_type"`
	ExpiresIn flexInt `json:"expires_in"`
	meta      Response
}

func (r *exchangeResponse) setMeta(m Response) { r.meta = m }

func (r *exchangeResponse) incomplete() string {
	if r.Token == "" {
		return "the answer has no access_token"
	}
	return ""
}

// A TokenInfo describes a token.
type TokenInfo struct {
	// AppID is the app the token was made for. Compare it with your own.
	AppID graph.AppID

	// Application is that app's name.
	Application string

	// Type is "SYSTEM_USER" for business tokens, "USER" and others besides. Meta may add values.
	Type string

	// Valid is whether the token works. If not, Error says why.
	Valid bool
	Error *TokenError // nil for a token that works

	// ExpiresAt is zero for a token that does not expire, and so is DataAccessExpiresAt.
	ExpiresAt           graph.Timestamp
	DataAccessExpiresAt graph.Timestamp
	IssuedAt            graph.Timestamp

	// Scopes are the permissions.
	Scopes []string

	// GranularScopes say which objects a permission is for. Since June 2026 Meta leaves permissions
	// out here that Scopes still has: never take one's absence for a refusal.
	GranularScopes []GranularScope

	// UserID is the user or system user the token stands for.
	UserID string

	// Response is the status, trace ids and usage of the response.
	Response Response
}

// A GranularScope is a permission with the objects it is for.
type GranularScope struct {
	// Scope is the permission, such as "whatsapp_business_messaging".
	Scope string

	// TargetIDs are WABA ids for the whatsapp permissions and business ids for business_management,
	// newest grant first. Nil means all objects, not none.
	TargetIDs []string
}

// A TokenError is why a token does not work.
type TokenError struct {
	Code    graph.Code
	Subcode int    // zero if Meta gave none
	Message string // for developers, without the token
}

// DebugToken asks Meta about a token. A token that does not work is no error: look at Valid.
//
// Meta: https://developers.facebook.com/docs/graph-api/reference/debug_token
//
// graph:GET /debug_token
func (s *OAuthService) DebugToken(ctx context.Context, token graph.Secret) (*TokenInfo, error) {
	if token.IsZero() {
		return nil, invalid("the token to inspect is empty")
	}
	type options struct {
		Token string `url:"input_token"`
	}
	secrets := []string{token.Reveal()}
	resp, err := call[debugTokenResponse](ctx, s.c, request{
		method: http.MethodGet, path: "/debug_token", as: asApp, options: options{token.Reveal()}, sensitive: secrets,
	})
	if err != nil {
		return nil, err
	}
	return resp.info(s.c.scrubber(secrets)), nil
}

type debugTokenResponse struct {
	Data *struct {
		AppID               graph.AppID     `json:"app_id"`
		Application         string          `json:"application"`
		Type                string          `json:"type"`
		Valid               flexBool        `json:"is_valid"`
		ExpiresAt           graph.Timestamp `json:"expires_at"`
		DataAccessExpiresAt graph.Timestamp `json:"data_access_expires_at"`
		IssuedAt            graph.Timestamp `json:"issued_at"`
		Scopes              []string        `json:"scopes"`
		Granular            []struct {
			Scope     string       `json:"scope"`
			TargetIDs []flexString `json:"target_ids"`
		} `json:"granular_scopes"`
		UserID flexString `json:"user_id"`
		Error  *struct {
			Code    flexInt    `json:"code"`
			Subcode flexInt    `json:"subcode"`
			Message flexString `json:"message"`
		} `json:"error"`
	} `json:"data"`
	meta Response
}

func (r *debugTokenResponse) setMeta(m Response) { r.meta = m }

func (r *debugTokenResponse) incomplete() string {
	if r.Data == nil {
		return "the answer has no data"
	}
	return ""
}

// info turns the answer into what callers get. It keeps a list of objects that is empty apart from
// one that is not there: the former means none, the latter all.
func (r *debugTokenResponse) info(scrub scrubber) *TokenInfo {
	d := r.Data
	info := &TokenInfo{
		AppID: d.AppID, Application: d.Application, Type: d.Type, Valid: bool(d.Valid), ExpiresAt: d.ExpiresAt,
		DataAccessExpiresAt: d.DataAccessExpiresAt, IssuedAt: d.IssuedAt, Scopes: d.Scopes,
		UserID: string(d.UserID), Response: r.meta,
	}
	for _, g := range d.Granular {
		scope := GranularScope{Scope: g.Scope}
		if g.TargetIDs != nil {
			scope.TargetIDs = []string{}
		}
		for _, id := range g.TargetIDs {
			scope.TargetIDs = append(scope.TargetIDs, string(id))
		}
		info.GranularScopes = append(info.GranularScopes, scope)
	}
	if e := d.Error; e != nil {
		info.Error = &TokenError{graph.Code(e.Code), int(e.Subcode), scrub.clean(string(e.Message))}
	}
	return info
}
