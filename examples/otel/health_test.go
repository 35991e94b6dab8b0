package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace/noop"
)

// measured tells the story, and returns what was measured by its name in Prometheus.
func measured(t *testing.T) map[string]metricdata.Aggregation {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	metrics := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	require.NoError(t, story(t.Context(), noop.NewTracerProvider(), metrics))
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &all))
	byName := map[string]metricdata.Aggregation{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			name := strings.ReplaceAll(m.Name, ".", "_") + map[string]string{"s": "_seconds", "%": "_percent"}[m.Unit]
			switch m.Data.(type) {
			case metricdata.Sum[int64]:
				name += "_total"
			case metricdata.Histogram[float64]:
				byName[name+"_bucket"], byName[name+"_count"], byName[name+"_sum"] = m.Data, m.Data, m.Data
			}
			byName[name] = m.Data
		}
	}
	return byName
}

func TestHealthIsMeasured(t *testing.T) {
	t.Parallel()
	byName := measured(t)
	wrong := map[string]int64{}
	for _, p := range byName["whatsapp_number_health"].(metricdata.Gauge[int64]).DataPoints {
		labels := attributes(p.Attributes.ToSlice())
		require.NotEmpty(t, labels["phone_number_id"])
		wrong[labels["part"]+" "+labels["code"]] = p.Value
	}
	require.Equal(t, map[string]int64{"webhooks not_subscribed": 2}, wrong, "the app has no webhooks")
	counts := map[string]int64{}
	for _, p := range byName["whatsapp_numbers"].(metricdata.Gauge[int64]).DataPoints {
		labels := attributes(p.Attributes.ToSlice())
		counts[labels["part"]+" "+labels["status"]] = p.Value
	}
	require.EqualValues(t, 1, counts["connection ok"])
	require.EqualValues(t, 1, counts["quality ok"])
	require.EqualValues(t, 1, counts["webhooks broken"])
	require.Zero(t, counts["backlog unknown"])
}

// A panel of a metric that is not there shows nothing, which looks like "all is well".
func TestTheDashboardShowsWhatThereIs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("dashboard.json")
	require.NoError(t, err)
	require.True(t, json.Valid(text))
	names := regexp.MustCompile(`(whatsapp|http)_[a-z0-9_]+`).FindAllString(string(text), -1)
	require.Greater(t, len(names), 10)
	byName := measured(t)
	for _, name := range names {
		require.Contains(t, byName, name)
	}
}
