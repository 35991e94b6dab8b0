package opaque_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/opaque"
)

func TestNoVerbPrintsAnOpaqueValue(t *testing.T) {
	t.Parallel()
	type holder struct{ v opaque.Value[string] }
	type around struct{ h *holder }
	h := holder{opaque.New("canary")}
	require.Equal(t, "canary", h.v.Reveal())
	require.Empty(t, opaque.Value[string]{}.Reveal())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		for _, v := range []any{h, &h, around{&h}, h.v} {
			require.NotRegexp(t, "canary|63616e617279|99 97 110", fmt.Sprintf(verb, v), verb)
		}
	}
}
