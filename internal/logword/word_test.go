package logword_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/logword"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ word, want string }{
		"a name":      {"BOOKING_2-b", "BOOKING_2-b"},
		"nothing":     {"", ""},
		"a sentence":  {"my number is 1", "other"},
		"a line":      {"BOOKING\nlevel=ERROR", "other"},
		"a line end":  {"BOOKING\n", "other"},
		"too long":    {strings.Repeat("x", 65), "other"},
		"long enough": {strings.Repeat("x", 64), strings.Repeat("x", 64)},
		"not ASCII":   {"büro", "other"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, logword.Plain(tt.word))
		})
	}
}
