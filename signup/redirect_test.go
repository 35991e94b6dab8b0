package signup_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func TestRedirects(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query   string
		want    signup.Redirect
		outcome signup.Outcome
	}{
		"code": {"code=canary-code&state=nonce", signup.Redirect{Code: code, State: "nonce"}, ""},
		"refused": {
			"error=access_denied&error_code=200&error_description=Permissions+error" +
				"&error_reason=user_denied&state=nonce",
			signup.Redirect{
				State: "nonce", Error: "access_denied", Reason: "user_denied", Description: "Permissions error",
				ErrorCode: 200,
			},
			signup.OutcomeCanceled,
		},
		"failed": {
			"error=server_error&error_code=2",
			signup.Redirect{Error: "server_error", ErrorCode: 2},
			signup.OutcomeFailed,
		},
		"more": {
			"code=canary-code&state=nonce&granted=1&granted=2&error_code=x",
			signup.Redirect{Code: code, State: "nonce", Others: url.Values{
				"granted": {"1", "2"}, "error_code": {"x"},
			}},
			"",
		},
		"two states": {
			"code=canary-code&state=a&state=b",
			signup.Redirect{Code: code, Others: url.Values{"state": {"a", "b"}}},
			"",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := signup.ParseRedirect(tt.query)
			require.NoError(t, err)
			require.Equal(t, tt.want, *r)
			requireNoCanary(t, "printed", fmt.Sprintf("%v %+v %#v", r, *r, *r))
			requireEnd(t, tt.outcome, r.Err())
		})
	}
}

// Anyone can write a link with a description, and have a host show it in its own name.
func TestTheErrorOfARedirectRepeatsNoDescription(t *testing.T) {
	t.Parallel()
	r, err := signup.ParseRedirect("error=access_denied&error_description=Permissions+error&state=nonce")
	require.NoError(t, err)
	require.Equal(t, "Permissions error", r.Description)
	require.NotContains(t, r.Err().Error(), r.Description)
}

func TestAFailedRedirectNamesMetasCode(t *testing.T) {
	t.Parallel()
	r, err := signup.ParseRedirect("error=server_error&error_code=2")
	require.NoError(t, err)
	require.ErrorIs(t, r.Err(), graph.CodeAPIService)
}

func TestWhatIsNoRedirectIsRefusedWithoutAWord(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"nothing": "", "a state alone": "state=nonce", "no code": "code=", "broken": "%zz=canary-code",
		"semicolons": "code=canary-code;state=nonce", "two codes": "code=a&code=b",
		"too long": "code=" + strings.Repeat("x", 1<<16),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := signup.ParseRedirect(in)
			require.Nil(t, r)
			require.Equal(t, signup.ErrNotRedirect, err)
		})
	}
}

func FuzzParseRedirect(f *testing.F) {
	for _, s := range []string{
		"code=x&state=y", "error=access_denied&error_code=200", "code=a&code=b", "error_code=0&x=%00", "%zz",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r, err := signup.ParseRedirect(query)
		if err != nil {
			require.Equal(t, signup.ErrNotRedirect, err)
			return
		}
		require.Equal(t, r.Code.IsZero(), r.Err() != nil)
		q, err := url.ParseQuery(query)
		require.NoError(t, err)
		known := 0
		for _, v := range []string{r.State.Reveal(), r.Code.Reveal(), r.Error, r.Reason, r.Description} {
			if v != "" {
				known++
			}
		}
		if r.ErrorCode != 0 {
			known++
		}
		for _, name := range []string{"state", "code", "error", "error_reason", "error_description"} {
			if len(q[name]) == 1 && q.Get(name) == "" {
				known++ // empty: nothing to lose
			}
		}
		require.Equal(t, len(q), known+len(r.Others), "every parameter is somewhere")
	})
}
