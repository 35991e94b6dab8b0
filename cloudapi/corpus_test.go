package cloudapi_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/payloads"
)

// corpus serves a recorded or documented answer.
func corpus(t *testing.T, status int, name string) *cloudapi.Client {
	t.Helper()
	dir := payloads.Folder("signup")
	if dir == "" {
		t.Skip("COEXISTENCE_PAYLOADS names no folder of conformance bodies")
	}
	body, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		answer := reply(status, string(body))
		if r.Method == http.MethodGet && strings.Contains(name, "subscribed_apps.post") {
			answer = reply(http.StatusOK, `{"data":[]}`) // Subscribe looks first, and here nothing is subscribed
		}
		answer(w, r)
	}).client(t)
}

func TestCorpusOfErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		call    string
		targets []error
		outcome cloudapi.Outcome
	}{
		"coexistence/api/smb_app_data-error-limit.json": {
			"Phones.SyncAppData", []error{graph.CodeSyncLimitExceeded, graph.ErrSync}, cloudapi.OutcomeRefused,
		},
		"coexistence/api/smb_app_data-error-limit-flat.json": {
			"Phones.SyncAppData", []error{graph.CodeSyncLimitExceeded, graph.ErrSync}, cloudapi.OutcomeRefused,
		},
		"coexistence/api/smb_app_data-error-window.json": {
			"Phones.SyncAppData", []error{graph.CodeSyncWindowClosed, graph.ErrSync}, cloudapi.OutcomeRefused,
		},
		"signup/token.error.code_expired.json": {
			"OAuth.Exchange", []error{graph.ErrSignup}, cloudapi.OutcomeRefused,
		},
		"signup/token.error.code_used.json": {
			"OAuth.Exchange", []error{graph.ErrSignup}, cloudapi.OutcomeRefused,
		},
		"signup/token.error.redirect_uri_mismatch.json": {
			"OAuth.Exchange", []error{graph.CodeInvalidParameter}, cloudapi.OutcomeRefused,
		},
		"signup/token.error.client_secret.json": {
			"OAuth.Exchange", []error{graph.CodeAPIUnknown}, cloudapi.OutcomeUnknown,
		},
		"signup/me.client_business_id.not_bisu.error.json": {
			"Businesses.Me", []error{graph.ErrAuth}, cloudapi.OutcomeRefused,
		},
		"signup/subscribed_apps.error.callback_verification.json": {
			"WABAs.SetWebhook", []error{graph.Code(2200)}, "",
		},
		"signup/subscribed_apps.error.override_before_subscribe.json": {
			"WABAs.SetWebhook", []error{graph.CodeInvalidParameter}, cloudapi.OutcomeRefused,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := calls()[tt.call](t.Context(), corpus(t, 400, name))
			for _, target := range tt.targets {
				require.ErrorIs(t, err, target)
			}
			require.NotErrorIs(t, err, graph.ErrThrottled)
			if tt.outcome != "" {
				require.Equal(t, tt.outcome, asError(t, err).Outcome)
			}
		})
	}
}

func TestCorpusOfAnswers(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]string{
		"coexistence/api/smb_app_data-response.json":                  "Phones.SyncAppData",
		"coexistence/api/webhook_configuration.json":                  "Phones.Get",
		"coexistence/api/phone-status-not-registered.json":            "Phones.Get",
		"signup/phone_number.not_coexistence_status.json":             "Phones.Get",
		"signup/phone_numbers.list.docs.json":                         "Phones.List",
		"signup/phone_numbers.list.unverified.json":                   "Phones.List",
		"signup/token.success.minimal.json":                           "OAuth.Exchange",
		"signup/token.success.never_expires.json":                     "OAuth.Exchange",
		"signup/debug_token.docs.json":                                "OAuth.DebugToken",
		"signup/debug_token.invalid.json":                             "OAuth.DebugToken",
		"signup/debug_token.bisu_60_days.json":                        "OAuth.DebugToken",
		"signup/debug_token.no_waba_granular_scope.json":              "OAuth.DebugToken",
		"signup/debug_token.business_scope_target_is_not_a_waba.json": "OAuth.DebugToken",
		"signup/me.client_business_id.json":                           "Businesses.Me",
		"signup/client_whatsapp_business_accounts.docs.json":          "Businesses.ClientWABAs",
		"signup/waba.owner_business_info.json":                        "WABAs.Get",
		"signup/credit.waba.primary_funding_id.json":                  "WABAs.Get",
		"signup/subscribed_apps.get.json":                             "WABAs.SubscribedApps",
		"signup/subscribed_apps.post.success.json":                    "WABAs.SetWebhook",
		"signup/subscribed_apps.post.override_success.openapi.json":   "WABAs.SetWebhook",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, calls()[call](t.Context(), corpus(t, 200, name)))
		})
	}
}

func TestCorpusInDetail(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	p, err := corpus(
		t, 200, "coexistence/api/phone-status-coexistence.json",
	).Phones.Get(ctx, phoneID, cloudapi.PhoneGetOptions{})
	require.NoError(t, err)
	require.True(t, p.Coexists())

	tok, err := corpus(t, 200, "signup/token.success.60_days.json").OAuth.Exchange(ctx, cloudapi.CodeExchangeParams{
		Code: "AQ-x",
	})
	require.NoError(t, err)
	require.InDelta(t, 60*24, tok.ExpiresIn.Hours(), 24)

	info, err := corpus(t, 200, "signup/debug_token.bisu_never_expires.json").OAuth.DebugToken(ctx, "EAAx-0123")
	require.NoError(t, err)
	require.True(t, info.Valid)
	require.True(t, info.ExpiresAt.IsZero())
	require.Equal(t, time.UTC, info.IssuedAt.Location())

	info, err = corpus(t, 200, "signup/debug_token.all_assets_no_target_ids.json").OAuth.DebugToken(ctx, "EAAx-0123")
	require.NoError(t, err)
	require.NotEmpty(t, info.GranularScopes)
	for _, scope := range info.GranularScopes {
		require.Nil(t, scope.TargetIDs, "absent means all")
	}
}
