package cloudapitest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestExchangingACode(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		code    cloudapitest.AuthorizationCode
		change  func(url.Values)
		wait    time.Duration
		want    graph.Code
		subcode int
	}{
		"as it should be": {cloudapitest.AuthorizationCode{}, func(url.Values) {}, 0, 0, 0},
		"late":            {cloudapitest.AuthorizationCode{}, func(url.Values) {}, 30 * time.Second, 100, 36007},
		"just in time":    {cloudapitest.AuthorizationCode{}, func(url.Values) {}, 28 * time.Second, 0, 0},
		"redirect unasked": {
			cloudapitest.AuthorizationCode{}, func(q url.Values) { q.Set("redirect_uri", "https://example.com/") },
			0, 100, 36008,
		},
		"redirect empty": {
			cloudapitest.AuthorizationCode{}, func(q url.Values) { q.Set("redirect_uri", "") }, 0, 0, 0,
		},
		"redirect forgotten": {
			cloudapitest.AuthorizationCode{RedirectURI: "https://example.com/"}, func(url.Values) {}, 0, 100, 36008,
		},
		"redirect, no slash": {
			cloudapitest.AuthorizationCode{RedirectURI: "https://example.com/"},
			func(q url.Values) { q.Set("redirect_uri", "https://example.com") }, 0, 100, 36008,
		},
		"redirect, identical": {
			cloudapitest.AuthorizationCode{RedirectURI: "https://example.com/"},
			func(q url.Values) { q.Set("redirect_uri", "https://example.com/") }, 0, 0, 0,
		},
		"wrong secret": {
			cloudapitest.AuthorizationCode{}, func(q url.Values) { q.Set("client_secret", "another") }, 0, 1, 0,
		},
		"wrong app": {
			cloudapitest.AuthorizationCode{}, func(q url.Values) { q.Set("client_id", "1") }, 0, 101, 0,
		},
		"unknown code": {
			cloudapitest.AuthorizationCode{}, func(q url.Values) { q.Set("code", "AQBnone") }, 0, 100, 0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			tt.code.Token = cloudapitest.Token{Lifetime: 60 * 24 * time.Hour}
			q := url.Values{
				"client_id": {string(srv.App().ID)}, "client_secret": {srv.App().Secret.Reveal()},
				"code": {srv.AddCode(tt.code).Reveal()},
			}
			tt.change(q)
			srv.Advance(tt.wait)
			a := ask(t, srv, "", "GET", "/oauth/access_token?"+q.Encode(), "")
			require.Equal(t, tt.want, a.Error.Code, a.body)
			require.Equal(t, tt.subcode, a.Error.Subcode)
			if tt.want != 0 {
				return
			}
			require.Contains(t, a.body, `"token_type":"bearer","expires_in":5184000`)
			require.Equal(t, 36009, ask(t, srv, "", "GET", "/oauth/access_token?"+q.Encode(), "").Error.Subcode, "once")
		})
	}
}

func TestDescribingAToken(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	type info struct {
		Data struct {
			App     graph.AppID `json:"app_id"`
			Type    string      `json:"type"`
			Valid   bool        `json:"is_valid"`
			Expires int64       `json:"expires_at"`
			Scopes  []string    `json:"scopes"`
			Granted []struct {
				Scope   string         `json:"scope"`
				Targets []graph.WABAID `json:"target_ids"`
			} `json:"granular_scopes"`
			Problem struct {
				Code    graph.Code `json:"code"`
				Subcode int        `json:"subcode"`
			} `json:"error"`
		} `json:"data"`
	}
	describe := func(token graph.Secret) (v info) {
		a := ask(t, srv, srv.AppToken(), "GET", "/debug_token?input_token="+token.Reveal(), "")
		require.Equal(t, http.StatusOK, a.status, a.body)
		require.NoError(t, json.Unmarshal([]byte(a.body), &v))
		return v
	}
	good := describe(srv.AddToken(cloudapitest.Token{WABAs: []graph.WABAID{"2", "1"}}))
	require.True(t, good.Data.Valid)
	require.Zero(t, good.Data.Expires, "never")
	require.Equal(t, srv.App().ID, good.Data.App)
	require.Equal(t, []graph.WABAID{"2", "1"}, good.Data.Granted[0].Targets)

	hidden := describe(srv.AddToken(cloudapitest.Token{WABAs: []graph.WABAID{"1"}, HideTargets: true}))
	require.True(t, hidden.Data.Valid)
	require.Contains(t, hidden.Data.Scopes, cloudapitest.ScopeManagement)
	require.Empty(t, hidden.Data.Granted)

	require.NotEqual(t, srv.App().ID, describe(srv.AddToken(cloudapitest.Token{Foreign: true})).Data.App)
	require.Equal(t, graph.CodeAccessTokenExpired, describe("EAAnobody").Data.Problem.Code)

	short := srv.AddToken(cloudapitest.Token{Lifetime: time.Hour})
	revoked := srv.AddToken(cloudapitest.Token{})
	of := srv.AddToken(cloudapitest.Token{BusinessID: "77"})
	srv.RevokeToken(revoked)
	srv.RevokeTokens("77")
	srv.Advance(time.Hour)
	require.Equal(t, 463, describe(short).Data.Problem.Subcode)
	require.Equal(t, 460, describe(revoked).Data.Problem.Subcode)
	require.False(t, describe(of).Data.Valid)
	require.Equal(t, 463, ask(t, srv, short, "GET", "/me", "").Error.Subcode)

	require.Equal(t, graph.CodeAccessTokenExpired, ask(t, srv, of, "GET", "/debug_token?input_token=1", "").Error.Code)
	require.Equal(t, graph.CodeInvalidParameter,
		ask(t, srv, srv.AddToken(cloudapitest.Token{}), "GET", "/debug_token?input_token=1", "").Error.Code)
	require.Equal(t, graph.CodeInvalidParameter, ask(t, srv, srv.AppToken(), "GET", "/debug_token", "").Error.Code)
}

func TestProofs(t *testing.T) {
	t.Parallel()
	proof := func(secret graph.Secret, message string) string {
		mac := hmac.New(sha256.New, []byte(secret.Reveal()))
		mac.Write([]byte(message))
		return hex.EncodeToString(mac.Sum(nil))
	}
	for name, cfg := range map[string]cloudapitest.Config{"checked": {}, "required": {RequireProof: true}} {
		srv := newServer(t, cfg)
		token, secret := srv.SystemToken().Reveal(), srv.App().Secret
		none := ask(t, srv, srv.SystemToken(), "GET", "/me", "")
		require.Equal(t, name == "required", none.Error.Code == graph.CodeAppSecretProof)
		at := srv.Now().Unix()
		for query, ok := range map[string]bool{
			"appsecret_proof=" + proof(secret, token):    true,
			"appsecret_proof=" + proof("another", token): false,
			"appsecret_proof=nonsense":                   false,
			fmt.Sprintf(
				"appsecret_time=%d&appsecret_proof=%s", at, proof(secret, fmt.Sprint(token, "|", at)),
			): true,
			fmt.Sprintf(
				"appsecret_time=%d&appsecret_proof=%s", at-600, proof(secret, fmt.Sprint(token, "|", at-600)),
			): false,
		} {
			a := ask(t, srv, srv.SystemToken(), "GET", "/me?"+query, "")
			require.Equal(t, ok, a.status == http.StatusOK, query)
		}
		require.Equal(t, http.StatusOK, ask(t, srv, srv.AppToken(), "GET", "/debug_token?input_token=1", "").status,
			"the app needs no proof of itself")
	}
}
