package cloudapi_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

// fmt looks into unexported fields and asks nobody there how to be printed, least of all with a
// verb that does not fit.
func TestPrintingAClientShowsNoSecret(t *testing.T) {
	t.Parallel()
	c, err := cloudapi.NewClient(cloudapi.Config{AppID: appID, AppSecret: appSecret, AccessToken: token})
	require.NoError(t, err)
	type host struct{ client *cloudapi.Client }
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%t"} {
		for _, v := range []any{c, *c, c.Messages, *c.Messages, c.WithToken(token), host{c}, &host{c}} {
			printed := fmt.Sprintf(verb, v)
			for _, secret := range []string{token.Reveal(), appSecret.Reveal(), proof(token)} {
				require.NotContains(t, printed, secret, "%T with %s", v, verb)
			}
		}
	}
}
