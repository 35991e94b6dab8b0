package signup_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/signup"
)

func TestCallbacks(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in      string
		code    graph.Secret
		outcome signup.Outcome // of the problem
	}{
		"code": {
			`{"status":"connected","authResponse":{"code":"canary-code","userID":null,"expiresIn":null}}`, code, "",
		},
		"code as a string": {`"{\"status\":\"connected\",\"authResponse\":{\"code\":\"canary-code\"}}"`, code, ""},
		"code, no status":  {`{"authResponse":{"code":"canary-code"}}`, code, ""},
		"code, new status": {`{"status":"later","authResponse":{"code":"canary-code"}}`, code, ""},
		"closed":           {`{"status":"unknown","authResponse":null}`, "", signup.OutcomeNoCode},
		"refused":          {`{"status":"not_authorized","authResponse":null}`, "", signup.OutcomeCanceled},
		"token instead": {
			`{"status":"connected","authResponse":{"accessToken":"canary-business-token",` +
				`"signedRequest":"canary-code"}}`,
			"", signup.OutcomeMisconfigured,
		},
		"empty":             {`{"status":"connected","authResponse":{}}`, "", signup.OutcomeNoCode},
		"code of no string": {`{"status":"connected","authResponse":{"code":5}}`, "", signup.OutcomeNoCode},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := signup.ParseLoginResponse([]byte(tt.in))
			require.NoError(t, err)
			require.Equal(t, tt.code, c.Code)
			requireNoCanary(t, "printed", fmt.Sprintf("%v %+v %#v", c, *c, *c))
			requireEnd(t, tt.outcome, c.Err())
			requireNoCanary(t, "error", fmt.Sprintf("%v %#v", c.Err(), c.Err()))
		})
	}
}

func TestACallbackLosesNothing(t *testing.T) {
	t.Parallel()
	c, err := signup.ParseLoginResponse([]byte(`{"status":"connected","later":1,"authResponse":{
		"accessToken":"a","signedRequest":"b","userID":7,"expiresIn":90,"graphDomain":"facebook"}}`))
	require.NoError(t, err)
	require.Equal(t, &signup.LoginResponse{
		Status: signup.LoginConnected, AccessToken: "a", SignedRequest: "b", UserID: "7", ExpiresIn: 90 * time.Second,
		Members: []signup.UnknownMember{
			{Path: "authResponse.graphDomain", Value: json.RawMessage(`"facebook"`)},
			{Path: "later", Value: json.RawMessage(`1`)},
		},
	}, c)
}

func TestADurationOfAnotherFormStaysRaw(t *testing.T) {
	t.Parallel()
	c, err := signup.ParseLoginResponse([]byte(`{"status":"connected","authResponse":{"expiresIn":"soon"}}`))
	require.NoError(t, err)
	require.Equal(t, "authResponse.expiresIn", c.Members[0].Path)
}

func TestWhatIsNoCallbackIsRefusedWithoutAWord(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		``, `null`, `[]`, `{}`, `"canary-code"`, `{"code":"canary-code"}`,
		`{"status":"connected","authResponse":{"code":"canary-code"}`,
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()
			c, err := signup.ParseLoginResponse([]byte(in))
			require.Nil(t, c)
			require.Equal(t, signup.ErrNotLoginResponse, err)
		})
	}
}

func FuzzParseCallback(f *testing.F) {
	for _, s := range []string{
		`{"status":"connected","authResponse":{"code":"x","userID":null,"expiresIn":null}}`,
		`{"status":"unknown","authResponse":null}`,
		`{"authResponse":{"accessToken":"x","expiresIn":9e9}}`, `"{\"status\":\"\"}"`, `{"status":1,"authResponse":[]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := signup.ParseLoginResponse(b)
		if err != nil {
			require.Equal(t, signup.ErrNotLoginResponse, err)
			return
		}
		require.Equal(t, c.Code.IsZero(), c.Err() != nil)
		require.GreaterOrEqual(t, c.ExpiresIn, time.Duration(0))
		_ = fmt.Sprintf("%v", c)
	})
}
