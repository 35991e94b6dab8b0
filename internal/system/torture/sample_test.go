package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A soak is worth something only if it sees what still grows, and nothing else.
func TestGrowthAfterTheWarmUpIsFound(t *testing.T) {
	t.Parallel()
	calm := func(int) sample { return sample{rss: 40 * megabyte, goroutines: 100, connections: 17} }
	for name, test := range map[string]struct {
		at    func(i int) sample // the i-th of 21 samples
		finds string
	}{
		"calm": {calm, ""},
		"warm-up": {func(i int) sample {
			s := calm(i)
			if i < 7 {
				s.rss, s.goroutines, s.connections = 20*megabyte, 30, 5
			}
			return s
		}, ""},
		"a pool that fills": {func(i int) sample {
			s := calm(i)
			s.connections = min(5+i, 17)
			return s
		}, ""},
		"a peak": {func(i int) sample {
			s := calm(i)
			if i == 18 {
				s.rss, s.goroutines, s.connections = 900*megabyte, 900, 90
			}
			return s
		}, ""},
		"memory": {func(i int) sample {
			s := calm(i)
			s.rss += i * 4 * megabyte
			return s
		}, "RSS"},
		"goroutines": {func(i int) sample {
			s := calm(i)
			s.goroutines += 5 * i
			return s
		}, "goroutines grow"},
		"connections": {func(i int) sample {
			s := calm(i)
			s.connections += i
			return s
		}, "connections grow"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var list []sample
			for i := range soakSamples + 1 {
				list = append(list, test.at(i))
			}
			err := growth(list)
			if test.finds == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.finds)
			}
		})
	}
	require.Error(t, growth(nil))
}
