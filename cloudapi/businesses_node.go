package cloudapi

import (
	"context"
	"iter"
	"net/http"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A Business is a business portfolio.
type Business struct {
	ID   graph.BusinessID `json:"id"`
	Name string           `json:"name"`

	// TimezoneID is Meta's number of a time zone, such as "1" for Los Angeles.
	TimezoneID string `json:"timezone_id"`

	// MessagingLimit is how many people the portfolio may write to first in 24 hours, such as
	// "TIER_2K". It has to be asked for, and needs version v24.0 or later.
	MessagingLimit string `json:"whatsapp_business_manager_messaging_limit"`

	// VerificationStatus is the state of Meta's verification of the portfolio, such as "verified".
	// It has to be asked for.
	VerificationStatus string `json:"verification_status"`

	Resource
}

func (b *Business) incomplete() string { return withoutID(b.ID) }

// BusinessGetOptions are the options of [BusinessesService.Get].
type BusinessGetOptions struct {
	// Fields are the fields to ask for. If empty, id, name and timezone_id.
	Fields []string `url:"fields,comma,omitempty"`
}

// Get reads a business portfolio.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/manage-accounts
//
// graph:GET /{business-id}
func (s *BusinessesService) Get(
	ctx context.Context, business graph.BusinessID, opts BusinessGetOptions,
) (*Business, error) {
	if len(opts.Fields) == 0 {
		opts.Fields = []string{"id", "name", "timezone_id"}
	}
	return call[Business](ctx, s.c, request{
		method: http.MethodGet, path: "/{business-id}", ids: []string{string(business)}, options: opts,
	})
}

// A SystemUser is a user of a portfolio that stands for software.
type SystemUser struct {
	ID   BusinessUserID `json:"id"`
	Name string         `json:"name"`
	Role string         `json:"role"` // such as "ADMIN" or "EMPLOYEE"
	Resource
}

// SystemUsers walks through the system users of a portfolio.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/manage-system-users
//
// graph:GET /{business-id}/system_users
func (s *BusinessesService) SystemUsers(ctx context.Context, business graph.BusinessID) iter.Seq2[*SystemUser, error] {
	return list[SystemUser](ctx, s.c, request{
		method: http.MethodGet, path: "/{business-id}/system_users", ids: []string{string(business)},
		options: fieldsOption{[]string{"id", "name", "role"}},
	})
}

// BusinessTokenParams are the parameters of [BusinessesService.CreateToken]. The zero value asks
// for all that was granted, forever.
type BusinessTokenParams struct {
	// Assets and Scopes narrow the token to objects and permissions. If empty, all that was
	// granted.
	Assets []string `json:"asset,omitempty"`
	Scopes []string `json:"scope,omitempty"`

	// ExpiresIn60Days makes the token live for 60 days, and not forever.
	ExpiresIn60Days bool `json:"set_token_expires_in_60_days,omitzero"`
}

// GetToken reads the token of a client business that Embedded Signup made, where no code could be
// exchanged. It needs the partner's own system user token, the permission business_management and
// [Config].AppSecret.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-customers-as-a-tech-provider
//
// graph:POST /{business-id}/system_user_access_tokens fetch_only=true
func (s *BusinessesService) GetToken(ctx context.Context, client graph.BusinessID) (graph.Secret, error) {
	return s.token(ctx, client, struct {
		Fetch bool `json:"fetch_only"`
	}{true})
}

// CreateToken makes another token of a client business. It needs what [BusinessesService.GetToken]
// needs.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/onboarding-customers-as-a-tech-provider
//
// graph:POST /{business-id}/system_user_access_tokens
func (s *BusinessesService) CreateToken(
	ctx context.Context, client graph.BusinessID, req BusinessTokenParams,
) (graph.Secret, error) {
	return s.token(ctx, client, req)
}

// token makes or reads a token. Meta requires an appsecret_proof with it, whatever the app's
// settings are.
func (s *BusinessesService) token(ctx context.Context, client graph.BusinessID, body any) (graph.Secret, error) {
	if !s.c.HasAppSecret() {
		return "", invalid("Config.AppSecret is empty; Meta requires a proof with this call")
	}
	resp, err := send[tokenResponse](ctx, s.c, request{
		method: http.MethodPost, path: "/{business-id}/system_user_access_tokens", ids: []string{string(client)},
	}, body)
	if err != nil {
		return "", err
	}
	return graph.Secret(resp.Token), nil
}

type tokenResponse struct {
	Token string `json:"access_token"`
}

func (r *tokenResponse) incomplete() string {
	if r.Token == "" {
		return "the answer has no access_token"
	}
	return ""
}

// A ConnectedBusiness is a client business of the app.
type ConnectedBusiness struct {
	ID                 graph.BusinessID `json:"id"`
	Name               string           `json:"name"`
	VerificationStatus string           `json:"verification_status"`
	Status             string           `json:"business_status"`
	Resource
}

// ConnectedBusinesses walks through the businesses that connected to the app.
//
// Meta: https://developers.facebook.com/documentation/business-messaging/whatsapp/embedded-signup/manage-accounts
//
// graph:GET /{app-id}/connected_client_businesses
func (s *AppsService) ConnectedBusinesses(ctx context.Context) iter.Seq2[*ConnectedBusiness, error] {
	return list[ConnectedBusiness](ctx, s.c, request{
		method: http.MethodGet, path: "/{app-id}/connected_client_businesses", ids: []string{string(s.c.AppID())},
		as: asApp,
	})
}
