package tombstone_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/tombstone"
)

func TestAMarkTellsNumbersPeopleAndKeysApart(t *testing.T) {
	t.Parallel()
	k, other := tombstone.Key("key"), tombstone.Key("other key")
	marks := []string{
		k.Number("1001"), k.Number("1002"), other.Number("1001"), k.Person("1001", ""), k.Person("1001", "15550100101"),
		k.Person("1002", "15550100101"), k.Person("10011", "5550100101"), other.Person("1001", "15550100101"),
	}
	seen := map[string]bool{}
	for _, m := range marks {
		require.Len(t, m, 32)
		require.False(t, seen[m])
		seen[m] = true
	}
	require.Equal(t, k.Person("1001", "15550100101"), tombstone.Key("key").Person("1001", "15550100101"))
}
