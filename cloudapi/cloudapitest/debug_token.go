package cloudapitest

import (
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A granularScope is a permission with the accounts that it is for. Nil targets are left out, which
// means all accounts.
type granularScope struct {
	Scope   string         `json:"scope"`
	Targets []graph.WABAID `json:"target_ids,omitzero"`
}

// A tokenProblem is why a token does not work. It is a part of a good answer, not an error.
type tokenProblem struct {
	Code    graph.Code `json:"code"`
	Message string     `json:"message"`
	Subcode int        `json:"subcode,omitzero"`
}

// A tokenInfo is what debug_token answers. Its times are Unix seconds, 0 for never.
type tokenInfo struct {
	App               graph.AppID     `json:"app_id,omitzero"`
	Type              TokenType       `json:"type,omitzero"`
	Application       string          `json:"application,omitzero"`
	Problem           *tokenProblem   `json:"error,omitzero"`
	DataAccessExpires int64           `json:"data_access_expires_at"`
	Expires           int64           `json:"expires_at"`
	Valid             bool            `json:"is_valid"`
	Issued            int64           `json:"issued_at,omitzero"`
	Scopes            []string        `json:"scopes"`
	GranularScopes    []granularScope `json:"granular_scopes,omitzero"`
	User              string          `json:"user_id,omitzero"`
}

// debugToken describes a token to the app itself or its system user. A bad input token is a good
// answer.
func (s *Server) debugToken(c *call) reply {
	if c.token.Type != TokenApp && c.token.Value != s.systemToken {
		return refuse(&graphError{
			Code: graph.CodeInvalidParameter,
			Message: "(#100) You must provide an app access token, " +
				"or a user access token that is an owner or developer of the app",
		})
	}
	value := graph.Secret(c.get("input_token"))
	if value == "" {
		return refuse(required("input_token"))
	}
	type answer struct {
		Data tokenInfo `json:"data"`
	}
	t := s.tokens[value]
	if t == nil {
		return ok(answer{tokenInfo{
			Problem: &tokenProblem{Code: graph.CodeAccessTokenExpired, Message: "Invalid OAuth access token."},
			Scopes:  []string{},
		}})
	}
	return ok(answer{s.describe(t)})
}

// describe is debug_token's answer about a token that exists. The WhatsApp permissions name the
// accounts of the token; those of the portfolio name nothing. A token that does not work keeps its
// app and user, and loses its permissions. That data access ends thirty days after the token is
// made up.
func (s *Server) describe(t *Token) tokenInfo {
	info := tokenInfo{
		App: s.app.ID, Type: t.Type, Application: s.app.Name, Valid: true, Issued: t.issuedAt.Unix(), User: t.userID,
		Scopes: t.Scopes,
	}
	if t.Foreign {
		info.App, info.Application = "111110000000001", "Another made-up app"
	}
	if t.Lifetime != 0 {
		info.Expires = t.expiresAt().Unix()
		info.DataAccessExpires = t.expiresAt().Add(30 * 24 * time.Hour).Unix()
	}
	for _, scope := range t.Scopes {
		if g := (granularScope{Scope: scope}); scope != ScopeBusiness {
			if t.HideTargets {
				continue
			}
			g.Targets = t.WABAs
			info.GranularScopes = append(info.GranularScopes, g)
		} else {
			info.GranularScopes = append(info.GranularScopes, g)
		}
	}
	if problem := t.problem(s.now()); problem != nil {
		info.Valid, info.Scopes, info.GranularScopes = false, []string{}, nil
		info.Problem = &tokenProblem{problem.Code, problem.Message, problem.Subcode}
	}
	return info
}
