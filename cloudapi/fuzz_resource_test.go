package cloudapi_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

// Whatever an answer holds, every call ends with a result or an error, and no error has a secret in
// it.
func FuzzAnswer(f *testing.F) {
	all := calls()
	names := slices.Sorted(maps.Keys(all))
	for i, name := range names {
		f.Add(uint8(i), uint16(200), documented[name])
	}
	for _, body := range []string{
		`{"error":{"code":100,"error_subcode":33}}`,
		`{"data":[null,{},[]],"paging":{"cursors":{"after":"a"},"next":"n"}}`,
		`{"data":{"groups":[1]}}`, `{"success":"true"}`, `true`, `null`, `[]`, `{"id":{}}`, "\xff",
	} {
		f.Add(uint8(len(body)), uint16(200), body)
		f.Add(uint8(len(body)), uint16(400), body)
	}
	f.Fuzz(func(t *testing.T, which uint8, status uint16, body string) {
		n := 0
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			if n++; n > 3 { // a list that never ends
				return response(200, `{"data":[]}`), nil
			}
			return filled(r, 200+int(status)%400, body), nil
		})
		client := newClient(t, cloudapi.Config{
			AppID: appID, AppSecret: appSecret, AccessToken: token, Limiter: cloudapi.Unlimited,
			HTTPClient: &http.Client{Transport: transport},
			Retry:      cloudapi.RetryPolicy{MaxAttempts: 1, MinWait: time.Microsecond, MaxWait: time.Microsecond},
		})
		err := all[names[int(which)%len(names)]](t.Context(), client)
		if err == nil {
			return
		}
		for _, secret := range []string{token.Reveal(), appSecret.Reveal(), proof(token)} {
			require.NotContains(t, err.Error(), secret)
		}
	})
}
