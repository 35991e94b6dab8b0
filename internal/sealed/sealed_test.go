package sealed_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/sealed"
)

func TestNoVerbPrintsWhatIsSealed(t *testing.T) {
	t.Parallel()
	type holder struct{ v sealed.Value[string] }
	type around struct{ h *holder }
	h := holder{sealed.New("canary")}
	require.Equal(t, "canary", h.v.Open())
	require.Empty(t, sealed.Value[string]{}.Open())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		for _, v := range []any{h, &h, around{&h}, h.v} {
			require.NotRegexp(t, "canary|63616e617279|99 97 110", fmt.Sprintf(verb, v), verb)
		}
	}
}
