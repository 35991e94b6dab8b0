package inbox

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestADeliveryIsOfTheOnlyNumberThatItNames(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body string
		want graph.PhoneNumberID
	}{
		"one":             {`{"metadata":{"phone_number_id":"1065"}}`, "1065"},
		"twice":           {`[{"phone_number_id":"1065"},{"phone_number_id" : "1065"}]`, "1065"},
		"two":             {`[{"phone_number_id":"1065"},{"phone_number_id":"1066"}]`, ""},
		"none":            {`{"field":"account_update"}`, ""},
		"in a text":       {`{"body":"\"phone_number_id\":\"1066\"","phone_number_id":"1065"}`, "1065"},
		"a number":        {`{"phone_number_id":1065}`, ""},
		"cut":             {`{"phone_number_id":"1065`, ""},
		"as a value":      {`["phone_number_id"]`, ""},
		"nothing at all":  {``, ""},
		"of another kind": {`{"phone_number_id":null}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, numberOf([]byte(tt.body)))
		})
	}
}
