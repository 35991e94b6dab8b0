package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestSpansAndMetricsOfTheStory(t *testing.T) {
	t.Parallel()
	exporter, reader := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
	traces := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	require.NoError(t, story(t.Context(), traces, sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))))

	parents, attempts := map[string]tracetest.SpanStub{}, map[string][]tracetest.SpanStub{}
	for _, s := range exporter.GetSpans() {
		if !s.Parent.IsValid() {
			parents[s.SpanContext.SpanID().String()] = s
		}
	}
	for _, s := range exporter.GetSpans() {
		if s.Parent.IsValid() {
			caller := parents[s.Parent.SpanID().String()]
			attempts[caller.Name] = append(attempts[caller.Name], s)
			require.False(t, s.StartTime.Before(caller.StartTime))
			require.False(t, s.EndTime.After(caller.EndTime))
		}
	}
	require.Len(t, attempts["an order is ready"], 1)
	busy := attempts["another one, while Meta is busy"]
	require.Len(t, busy, 3, "a span for each attempt")
	require.Equal(t, codes.Error, busy[0].Status.Code)
	require.Equal(t, codes.Unset, busy[2].Status.Code)
	require.Equal(t, "POST /{phone-number-id}/messages", busy[0].Name)
	for i, want := range []map[string]string{
		{
			"http.request.resend_count": "0", "whatsapp.code": "130429", "error.type": "throttled",
			"whatsapp.outcome": "refused",
		},
		{"http.request.resend_count": "1", "whatsapp.code": "130429", "whatsapp.final": "false"},
		{"http.request.resend_count": "2", "http.response.status_code": "200", "whatsapp.final": "true"},
	} {
		got := attributes(busy[i].Attributes)
		for key, value := range want {
			require.Equal(t, value, got[key], key)
		}
	}
	lost := attempts["one that Meta never answers"]
	require.Len(t, lost, 1)
	require.Equal(t, "unknown", attributes(lost[0].Attributes)["whatsapp.outcome"])
	require.Equal(t, "connection", attributes(lost[0].Attributes)["error.type"])

	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &all))
	byName := map[string]metricdata.Aggregation{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			byName[m.Name] = m.Data
		}
	}
	require.EqualValues(t, 1, byName["whatsapp.outcome.unknown"].(metricdata.Sum[int64]).DataPoints[0].Value)
	var requests uint64
	for _, p := range byName["http.client.request.duration"].(metricdata.Histogram[float64]).DataPoints {
		requests += p.Count
	}
	require.EqualValues(t, 12, requests, "six of the story, six of the health")
	require.NotEmpty(t, byName["whatsapp.usage"].(metricdata.Gauge[int64]).DataPoints)
	require.NotEmpty(t, byName["whatsapp.retry.wait"].(metricdata.Histogram[float64]).DataPoints)
}

func attributes(list []attribute.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range list {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

// Whatever Meta throws back, no span and no metric has a token, a recipient, a text, a code or a
// URL in it.
func TestTelemetryHoldsNoSecret(t *testing.T) {
	t.Parallel()
	const private, customer, code = "the private text of a message", "15550100142", "AQmade-up-code-5f4dcc3b"
	exporter, reader := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
	tm, err := newTelemetry(sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter)),
		sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	require.NoError(t, err)
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(srv.Close)
	phone := srv.AddPhone(cloudapitest.Phone{})
	cfg := srv.ClientConfig()
	cfg.Observe = tm.observe
	client, err := cloudapi.NewClient(cfg)
	require.NoError(t, err)
	echo := fmt.Sprintf("%s %s %s %s", private, customer, code, srv.SystemToken().Reveal())
	for _, fail := range []func(){
		func() {},
		func() {
			srv.Inject(cloudapitest.Fault{
				Code: graph.CodeInvalidParameter, Details: echo, UserTitle: echo, UserMessage: echo,
			})
		},
		func() { srv.Inject(cloudapitest.Fault{Status: 502, Body: "<html>" + echo}) },
		func() { srv.Inject(cloudapitest.Fault{Status: 200, Body: echo}) },
		func() { srv.Inject(cloudapitest.Fault{Drop: true, Accept: true}) },
		func() { srv.Inject(cloudapitest.Fault{Garble: true, Accept: true}) },
	} {
		fail()
		_, _ = client.Messages.Send(t.Context(), phone.ID, cloudapi.Message{
			To: cloudapi.ToPhone(customer), CallbackData: private, Content: &cloudapi.Text{Body: private},
		})
		fail()
		_, _ = client.OAuth.Exchange(t.Context(), cloudapi.CodeExchangeParams{Code: code})
		fail()
		_, _ = client.OAuth.DebugToken(t.Context(), srv.SystemToken())
	}
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.Background(), &all))
	require.Greater(t, len(exporter.GetSpans()), 15)
	var printed strings.Builder
	fmt.Fprintf(&printed, "%+v %+v", exporter.GetSpans(), all)
	for _, s := range exporter.GetSpans() {
		fmt.Fprint(&printed, s.Name, s.Status.Description, attributes(s.Attributes))
	}
	for _, secret := range []string{private, customer, code, srv.SystemToken().Reveal(), srv.App().Secret.Reveal(), "http://"} {
		require.NotContains(t, printed.String(), secret)
	}
}

func TestBothWaysOfPrinting(t *testing.T) {
	t.Parallel()
	var people, machines bytes.Buffer
	require.NoError(t, runTree(t.Context(), &people))
	require.Contains(t, people.String(), "POST /{phone-number-id}/messages")
	require.Contains(t, people.String(), "whatsapp.outcome.unknown")
	require.NoError(t, runJSON(t.Context(), &machines))
	require.Contains(t, machines.String(), `"url.template"`)
	require.Contains(t, machines.String(), `"http.client.request.duration"`)
}
