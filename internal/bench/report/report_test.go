package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
)

func TestMissedBarsAreCountedWhereTheyAreWanted(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := report.Report{Out: &out, Only: "E1"}
	r.AtLeast("E1", "fast enough", 0.7, 0.65, 0.8)
	r.AtLeast("E1", "too slow", 0.6, 0.65, 0.8)
	r.AtMost("E10", "better than wanted", 1, 3, 1.5)
	r.AtMost("E2", "not asked for", 9, 3, 0)
	require.Equal(t, 1, r.Missed)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 3)
	for i, verdict := range []string{"holds", "MISSED", "stretch goal"} {
		require.True(t, strings.HasSuffix(lines[i], verdict), lines[i])
	}
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	values := []float64{5, 1, 4, 2, 3}
	require.Equal(t, 3.0, report.Median(values))
	require.Equal(t, 5.0, report.Quantile(values, 0.99))
	require.Equal(t, []float64{5, 1, 4, 2, 3}, values)
}
