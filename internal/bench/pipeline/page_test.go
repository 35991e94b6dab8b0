//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPageIsFilledInBetweenItsLines(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "capacity.md")
	o := options{page: page, rounds: 5, texts: 10_000}
	list := []*capacity{{
		engine: engine{name: "SQLite"}, with: throughput{rate: 3456, disk: 2345},
		latencies:        []latency{{rate: 345.6, p50: 1.23, p99: 45.6}},
		latenciesWithout: []latency{{rate: 345.6, p50: 1, p99: 40}},
	}}
	require.NoError(t, os.WriteFile(page, []byte("before\n"+pageBegin+"old\n"+pageEnd+"after\n"), 0o600))
	for range 2 { // the second time replaces the first
		require.NoError(t, fillIn(o, list))
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Regexp(t, "^before\n<!-- made by .* -->\n(?s:.*)<!-- until here -->\nafter\n$", string(text))
	require.NotContains(t, string(text), "old")
	require.Contains(t, string(text), "| texts handled a second, with the tracker | 3500 |\n")
	require.Contains(t, string(text), "at 10 % of that rate: half / 99 % within | 1.2 / 46 ms |\n")
	require.Contains(t, string(text), "](capacity.svg)")
	require.FileExists(t, filepath.Join(filepath.Dir(page), "capacity.svg"))

	require.NoError(t, os.WriteFile(page, []byte("no place\n"), 0o600))
	require.ErrorContains(t, fillIn(o, list), "no place for the table")
}
