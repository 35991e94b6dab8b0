package coexistencetest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/coexistencetest"
)

// What Meta refuses of a number that coexists, with Meta's codes.
func TestTheWorldRefusesWhatMetaRefuses(t *testing.T) {
	t.Parallel()
	world, _, phone, token := connected(t, coexistencetest.Config{
		Graph: cloudapitest.Config{EnforceLimits: true},
	}, coexistencetest.PhoneConfig{})
	number := "/" + string(phone.ID())
	ask := func(path, body string) (code graph.Code, subcode int) {
		status, v := call(t, world, token, "POST", number+path, body)
		if status == http.StatusOK {
			return 0, 0
		}
		return problem(t, v)
	}
	history := `{"messaging_product":"whatsapp","sync_type":"history"}`
	code, _ := ask("/smb_app_data", history)
	require.Zero(t, code)
	code, subcode := ask("/smb_app_data", history)
	require.Equal(t, graph.CodeAppRateLimit, code, "it looks like a limit that passes")
	require.EqualValues(t, graph.CodeSyncLimitExceeded, subcode, "and is none")
	code, _ = ask("/register", `{"messaging_product":"whatsapp","pin":"123456"}`)
	require.Equal(t, graph.CodeInvalidParameter, code)
	code, _ = ask("/deregister", "")
	require.Equal(t, graph.CodeInvalidParameter, code)

	phone.Customer("+1 555-010-0142").Send("so that the window is open")
	text := `{"messaging_product":"whatsapp","to":"+15550100142","type":"text","text":{"body":"x"}}`
	var throttled graph.Code
	for range 100 { // 20 a second, received ones included, and 45 at once to one person
		if code, _ := ask("/messages", text); code != 0 {
			throttled = code
			break
		}
	}
	require.Contains(t, []graph.Code{graph.CodeRateLimitHit, graph.CodePairRateLimitHit}, throttled)

	world.Advance(25 * time.Hour)
	code, _ = ask("/smb_app_data", `{"messaging_product":"whatsapp","sync_type":"smb_app_state_sync"}`)
	require.Equal(t, graph.CodeSyncWindowClosed, code, "too late")
}
