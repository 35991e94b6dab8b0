package sqlinbox

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAKeySetHasAllItsKeysAndFewOthers(t *testing.T) {
	t.Parallel()
	const n = 200_000
	var set keySet
	for i := range n {
		set.add(hashKey(strconv.Itoa(i)))
	}
	bytes := 0
	for _, filter := range set.filters {
		bytes += 64 * len(filter)
	}
	require.Less(t, bytes, n*20/8, "at most 20 bits a key")
	others := 0
	for i := range n {
		require.True(t, set.mayHave(hashKey(strconv.Itoa(i))))
		if set.mayHave(hashKey(strconv.Itoa(n + i))) {
			others++
		}
	}
	require.Less(t, others, n/20)
}
