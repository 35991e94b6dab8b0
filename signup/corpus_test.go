package signup_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/payloads"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

// corpus returns the files of the conformance corpus whose names begin with a prefix.
func corpus(t *testing.T, prefix string) map[string][]byte {
	t.Helper()
	root := payloads.Folder("signup")
	if root == "" {
		t.Skip("COEXISTENCE_PAYLOADS names no folder with Meta's payloads, so nothing is compared with them")
	}
	names, err := filepath.Glob(filepath.Join(root, "signup", prefix+"*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	files := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		files[strings.TrimSuffix(filepath.Base(name), ".json")] = b
	}
	return files
}

// requireSameNames fails when the corpus has a file without a verdict, or lost one.
func requireSameNames[A, B any](t *testing.T, files map[string]A, decided map[string]B) {
	t.Helper()
	var got, want []string
	for name := range files {
		got = append(got, name)
	}
	for name := range decided {
		want = append(want, name)
	}
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(t, want, got)
}

func TestCorpusMessages(t *testing.T) {
	t.Parallel()
	type verdict struct {
		kind signup.SessionKind // empty: refused
		raw  string             // what stays raw
	}
	verdicts := map[string]verdict{
		"message.cancel.abandoned.v2":                 {signup.KindCanceled, ""},
		"message.cancel.abandoned.v4":                 {signup.KindCanceled, ""},
		"message.cancel.empty":                        {signup.KindCanceled, ""},
		"message.cancel.user_reported_error":          {signup.KindFailed, ""},
		"message.cancel.user_reported_error.error_id": {signup.KindFailed, ""},
		"message.cancel.user_reported_error.numeric":  {signup.KindFailed, ""},
		"message.error":                               {signup.KindFailed, ""},
		"message.error.empty":                         {signup.KindFailed, ""},
		"message.finish.numeric_ids": {
			signup.KindFinished, "data.business_id data.phone_number_id data.waba_id",
		},
		"message.finish.string_encoded": {signup.KindFinished, ""},
		"message.finish.v2":             {signup.KindFinished, ""},
		"message.finish.v4":             {signup.KindFinished, ""},
		"message.finish.v4.all_assets":  {signup.KindFinished, ""},
		"message.finish.version_string": {signup.KindFinished, ""},
		// names not settled
		"message.finish.waac_id.phase2":               {signup.KindFinished, "data.cs_id data.waac_id"},
		"message.finish_coexistence.is_wa_login_user": {signup.KindCoexistence, ""},
		"message.finish_coexistence.waba_only":        {signup.KindCoexistence, ""},
		"message.finish_coexistence.with_phone":       {signup.KindCoexistence, ""},
		"message.finish_grant_only_api_access":        {signup.KindAppOnly, ""},
		"message.finish_obo_migration":                {signup.KindOBOMigration, ""},
		"message.finish_only_waba.v2": {
			signup.KindFinishedNoNumber, "data.phone_number_id data.waba_id",
		}, // placeholders
		"message.finish_only_waba.v4": {signup.KindFinishedNoNumber, ""},
		"message.finish_unknown":      {signup.KindFinishedUnknown, ""},
		"message.sdk_internal":        {},
	}
	files := corpus(t, "message.")
	if dir := payloads.Folder("signup-session-v5-finish.json"); dir != "" {
		for name, kind := range map[string]signup.SessionKind{
			"signup-session-v5-finish":       signup.KindCoexistence,
			"signup-session-wa-login-finish": signup.KindCoexistence,
		} {
			b, err := os.ReadFile(filepath.Join(dir, name+".json"))
			require.NoError(t, err)
			files[name], verdicts[name] = b, verdict{kind, ""}
		}
	}
	requireSameNames(t, files, verdicts)
	for name, want := range verdicts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := signup.ParseSessionInfo(files[name])
			if want.kind == "" {
				require.Equal(t, signup.ErrNotSessionInfo, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, want.kind, s.Kind())
			var raw []string
			for _, m := range s.Members {
				raw = append(raw, m.Path)
			}
			require.Equal(t, want.raw, strings.Join(raw, " "))
			require.Subset(t, leaves(t, rebuilt(t, s)), leaves(t, files[name]), "every value is typed or raw")
		})
	}
}

// rebuilt writes a session back as a message.
func rebuilt(t *testing.T, s *signup.SessionInfo) []byte {
	data := map[string]any{
		"phone_number_id": s.PhoneNumberID, "waba_id": s.WABAID, "business_id": s.BusinessID, "waba_ids": s.WABAs,
		"primary_waac_ids": s.PrimaryWAACs,
		"ad_account_ids":   s.Assets.AdAccounts, "page_ids": s.Assets.Pages, "dataset_ids": s.Assets.Datasets,
		"catalog_ids": s.Assets.Catalogs, "instagram_account_ids": s.Assets.InstagramAccounts,
		"is_wa_login_user": s.BusinessAppUser, "current_step": s.CurrentStep,
	}
	if p := s.Error; p != nil {
		data["error_code"], data["error_id"] = int(p.Code), int(p.Code)
		data["error_message"], data["session_id"], data["timestamp"] = p.Message, p.SessionID, p.At
	}
	envelope := map[string]any{"type": "WA_EMBEDDED_SIGNUP", "event": s.Event, "version": s.Version, "data": data}
	for _, m := range s.Members {
		if name, ok := strings.CutPrefix(m.Path, "data."); ok {
			data[name] = m.Value
		} else {
			envelope[m.Path] = m.Value
		}
	}
	b, err := json.Marshal(envelope)
	require.NoError(t, err)
	return b
}

// leaves lists the scalars of a JSON value with their places, numbers as their digits, without
// nulls.
func leaves(t *testing.T, b []byte) []string {
	t.Helper()
	if s := ""; json.Unmarshal(b, &s) == nil {
		b = []byte(s)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	require.NoError(t, dec.Decode(&v))
	var found []string
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				walk(path+"."+k, e)
			}
		case []any:
			for i, e := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), e)
			}
		case nil:
		default:
			found = append(found, fmt.Sprint(path, "=", v))
		}
	}
	walk("", v)
	return found
}

func TestCorpusCallbacks(t *testing.T) {
	t.Parallel()
	verdicts := map[string]signup.Outcome{
		"auth.access_token_instead_of_code": signup.OutcomeMisconfigured,
		"auth.closed.unknown":               signup.OutcomeNoCode,
		"auth.connected.code":               "",
		"auth.not_authorized":               signup.OutcomeCanceled,
	}
	files := corpus(t, "auth.")
	requireSameNames(t, files, verdicts)
	for name, want := range verdicts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := signup.ParseLoginResponse(files[name])
			require.NoError(t, err)
			requireEnd(t, want, c.Err())
			auth := map[string]any{
				"code": c.Code.Reveal(), "accessToken": c.AccessToken.Reveal(),
				"signedRequest": c.SignedRequest.Reveal(), "userID": c.UserID, "expiresIn": int(c.ExpiresIn.Seconds()),
			}
			for _, m := range c.Members {
				auth[strings.TrimPrefix(m.Path, "authResponse.")] = m.Value
			}
			b, err := json.Marshal(map[string]any{"status": c.Status, "authResponse": auth})
			require.NoError(t, err)
			require.Subset(t, leaves(t, b), leaves(t, files[name]), "every value is typed or raw")
		})
	}
}

// requireEnd fails unless err has the outcome, or is nil if that is empty.
func requireEnd(t *testing.T, want signup.Outcome, err error) {
	t.Helper()
	if want == "" {
		require.NoError(t, err)
		return
	}
	requireOutcome(t, want, err)
}

func TestCorpusRedirects(t *testing.T) {
	t.Parallel()
	verdicts := map[string]signup.Outcome{"redirect.success.query": "", "redirect.denied.query": signup.OutcomeCanceled}
	files := corpus(t, "redirect.")
	requireSameNames(t, files, verdicts)
	for name, want := range verdicts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var params map[string]string
			require.NoError(t, json.Unmarshal(files[name], &params))
			q := url.Values{}
			for k, v := range params {
				q.Set(k, v)
			}
			r, err := signup.ParseRedirect(q.Encode())
			require.NoError(t, err)
			require.Empty(t, r.Others, "all of it is typed")
			requireEnd(t, want, r.Err())
		})
	}
}

// Meta's own app in the corpus.
const corpusApp = graph.AppID("670843887433847")

func TestCorpusTokens(t *testing.T) {
	t.Parallel()
	type verdict struct {
		outcome  signup.Outcome
		warnings int
		expires  bool
	}
	const corpusWABA = "524126980791429"
	verdicts := map[string]verdict{
		"token.error.client_secret":         {signup.OutcomeMisconfigured, 0, false},
		"token.error.code_expired":          {signup.OutcomeCodeExpired, 0, false},
		"token.error.code_used":             {signup.OutcomeCodeUsed, 0, false},
		"token.error.redirect_uri_mismatch": {signup.OutcomeWrongRedirect, 0, false},
		"token.success.60_days":             {"", 0, false}, // debug_token says never here, and is right
		"token.success.minimal":             {"", 0, false},
		"token.success.never_expires":       {"", 0, false},
		// whether there are more accounts cannot be known
		"debug_token.all_assets_no_target_ids": {"", 1, false},
		"debug_token.bisu_60_days":             {"", 1, true},
		"debug_token.bisu_never_expires":       {"", 0, false},
		// no whatsapp_business_messaging
		"debug_token.business_scope_target_is_not_a_waba": {"", 1, false},
		// lists other accounts than the popup named
		"debug_token.docs":                   {signup.OutcomeNotGranted, 0, false},
		"debug_token.invalid":                {signup.OutcomeTokenInvalid, 0, false},
		"debug_token.no_waba_granular_scope": {"", 1, false},
	}
	files := corpus(t, "token.")
	maps.Copy(files, corpus(t, "debug_token."))
	requireSameNames(t, files, verdicts)
	for name, want := range verdicts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMeta(map[string][]number{corpusWABA: {coexisting(phoneA, displayA)}})
			m.debug = map[string]string{"app_id": `"` + string(corpusApp) + `"`}
			status := http.StatusOK
			if strings.Contains(name, "error") {
				status = http.StatusBadRequest
			}
			serve := func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = w.Write(files[name])
			}
			if strings.HasPrefix(name, "debug_token.") {
				m.fail["GET /debug_token"] = serve
			} else {
				m.fail[exchange] = serve
			}
			if name == "debug_token.docs" {
				delete(m.accounts, corpusWABA)
			}
			m.app, m.own = string(corpusApp), corpusApp
			got, err := newBench(t, m).finish(finished(corpusWABA))
			requireEnd(t, want.outcome, err)
			if err == nil {
				require.Len(t, got.Warnings, want.warnings, "%v", got.Warnings)
				require.Equal(t, want.expires, !got.TokenExpiresAt.IsZero())
			}
		})
	}
}

func TestCorpusNumbers(t *testing.T) {
	t.Parallel()
	verdicts := map[string]signup.Outcome{
		"phone_number.coexistence_status":     "",
		"phone_number.not_coexistence_status": signup.OutcomeFellBack,
	}
	nodes := corpus(t, "phone_number.")
	requireSameNames(t, nodes, verdicts)
	lists := corpus(t, "phone_numbers.list.")
	subscribed := corpus(t, "subscribed_apps.get")["subscribed_apps.get"]
	tenant := corpus(t, "waba.owner_business_info")["waba.owner_business_info"]
	serve := func(b []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, bytes.NewReader(b)) }
	}
	for name, want := range verdicts {
		for list, body := range lists {
			t.Run(name+" in "+list, func(t *testing.T) {
				t.Parallel()
				m := newMeta(map[string][]number{wabaA: nil})
				m.app, m.own = string(corpusApp), corpusApp
				m.debug = map[string]string{"app_id": `"` + m.app + `"`}
				m.fail["GET /"+wabaA+"/phone_numbers"] = serve(body)
				m.fail["GET /106540352242922"] = serve(nodes[name])
				m.fail["GET /"+wabaA+"/subscribed_apps"] = serve(subscribed)
				m.fail["GET /"+wabaA] = serve(tenant)
				got, err := newBench(t, m).finish(finished(wabaA))
				requireEnd(t, want, err)
				if err == nil {
					require.Equal(t, graph.PhoneNumberID("106540352242922"), got.Phone.ID)
					require.NotEmpty(t, got.BusinessID)
				}
			})
		}
	}
}
