package phonenumber_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

func TestDigits(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"15550100123":       "15550100123",
		"+1 (555) 010-0123": "15550100123",
		"":                  "",
		"none":              "",
		"٣+1":               "1", // other digits than ASCII are not Meta's
	} {
		require.Equal(t, want, phonenumber.Digits(s), "%q", s)
	}
}
