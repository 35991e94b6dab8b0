package cloudapi_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
)

// Meta writes what it was sent into the words of an error, in spellings of its own.
func TestErrorsHoldNoOtherSpellingOfWhatWasSent(t *testing.T) {
	t.Parallel()
	const body = "Your table for six is booked on Friday"
	secret := token.Reveal()
	encoded := base64.StdEncoding.EncodeToString([]byte("x" + secret))
	tests := map[string]struct{ words, private, want string }{
		"a number with punctuation": {
			"Invalid parameter: +1 (555) 010-0142 is not allowed", "010-0142",
			"Invalid parameter: +[redacted] is not allowed",
		},
		"a number digit by digit": {"to 1.5.5.5.0.1.0.0.1.4.2 failed", "0.1.4.2", "to [redacted] failed"},
		"half a text": {
			"body: 'table for six is booked' is too long", "table", "body: '[redacted]' is too long",
		},
		"a piece of the token": {
			"token " + secret[4:20] + " has expired", secret[4:20], "token [redacted] has expired",
		},
		"the token in base64": {"got " + encoded, encoded[4:24], "got "},
		"another number": {
			"Invalid parameter: +1 (555) 010-0199", "pigeon", "Invalid parameter: +1 (555) 010-0199",
		},
		"a page":         {strings.Repeat("<p>", 100_000), "pigeon", strings.Repeat("<p>", 8<<10/3)},
		"ordinary words": {"(#131047) Re-engagement message", "pigeon", "(#131047) Re-engagement message"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message, err := json.Marshal(tt.words)
			require.NoError(t, err)
			srv := serve(t,
				reply(400,
					fmt.Sprintf(`{"error":{"message":%s,"code":100,"error_data":{"details":%s}}}`, message, message)))
			_, err = srv.client(t).Messages.Send(t.Context(), phoneID, cloudapi.Message{
				To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: body},
			})
			got := asError(t, err)
			require.NotContains(t, got.Message, tt.private)
			require.NotContains(t, got.Details, tt.private)
			require.Less(t, len(got.Message), 9_000)
			require.True(t, strings.HasPrefix(got.Message, tt.want), got.Message)
		})
	}
}
