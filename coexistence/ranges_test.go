package coexistence

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestRangesAreASet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOf(rapid.IntRange(0, 40)).Draw(t, "numbers")
		var r Ranges
		for _, n := range numbers {
			before := slices.Clone(r)
			after := r.with(n)
			require.Equal(t, before, slices.Clone(r), "the receiver stays")
			r = after
		}
		distinct := slices.Clone(numbers)
		slices.Sort(distinct)
		distinct = slices.Compact(distinct)
		require.Equal(t, len(distinct), r.Len())
		gaps := r.Gaps()
		for n := range 42 {
			require.Equal(t, slices.Contains(distinct, n), r.Contains(n), n)
			inside := n >= 1 && len(distinct) > 0 && n < distinct[len(distinct)-1]
			require.Equal(t, inside && !slices.Contains(distinct, n), gaps.Contains(n), n)
		}
		for i := 1; i < len(r); i++ {
			require.Greater(t, r[i].First, r[i-1].Last+1, "ranges neither overlap nor touch")
		}
	})
}

func TestRangesBearAnyNumber(t *testing.T) {
	t.Parallel()
	var r Ranges
	for _, n := range []int{math.MaxInt, math.MinInt, 0, -1, math.MaxInt - 1, math.MinInt + 1} {
		r = r.with(n)
		r = r.with(n)
	}
	require.Equal(t, Ranges{{math.MinInt, math.MinInt + 1}, {-1, 0}, {math.MaxInt - 1, math.MaxInt}}, r)
	require.NotPanics(t, func() { r.Gaps() })
}
