package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// A tree is an exporter that keeps spans and prints each below the one that began it.
type tree struct {
	mu    sync.Mutex
	spans []sdktrace.ReadOnlySpan
}

// ExportSpans implements sdktrace.SpanExporter.
func (t *tree) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spans = append(t.spans, spans...)
	return nil
}

// Shutdown implements sdktrace.SpanExporter.
func (t *tree) Shutdown(context.Context) error { return nil }

// print prints all spans, in the order in which they began: OpenTelemetry exports a span when it
// ends, so that a parent comes behind its children.
func (t *tree) print(out io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortStableFunc(t.spans, func(a, b sdktrace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	fmt.Fprintln(out, "\nSpans")
	t.below(out, trace.SpanID{}, "  ")
}

// below prints the spans that a parent began, each with its own below it. An invalid parent stands
// for the roots.
func (t *tree) below(out io.Writer, parent trace.SpanID, indent string) {
	for _, s := range t.spans {
		if s.Parent().SpanID() != parent {
			continue
		}
		if !parent.IsValid() {
			fmt.Fprintln(out)
		}
		took := s.EndTime().Sub(s.StartTime()).Round(time.Millisecond)
		line := fmt.Sprintf("%s%-*s %6v  %s", indent, 46-len(indent), s.Name(), took, describe(s.Attributes()))
		fmt.Fprintln(out, strings.TrimRight(line, " "))
		if text := s.Status().Description; text != "" {
			fmt.Fprintf(out, "%s  %s\n", indent, text)
		}
		t.below(out, s.SpanContext().SpanID(), indent+"  ")
	}
}

// describe leaves out what the name says already.
func describe(attributes []attribute.KeyValue) string {
	var words []string
	for _, a := range attributes {
		switch key := string(a.Key); key {
		case "http.request.method", "url.template", "whatsapp.trace_id", "whatsapp.phone_number_id":
		case "whatsapp.wait":
			words = append(words, fmt.Sprintf("wait=%.1fms", 1000*a.Value.AsFloat64()))
		default:
			words = append(words, key[strings.LastIndexByte(key, '.')+1:]+"="+a.Value.String())
		}
	}
	return strings.Join(words, " ")
}

// printMetrics prints one line for each series.
func printMetrics(ctx context.Context, out io.Writer, reader *sdkmetric.ManualReader) error {
	var all metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &all); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nMetrics")
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			fmt.Fprintf(out, "\n  %s (%s)  %s\n", m.Name, m.Unit, m.Description)
			for _, row := range rows(m.Data) {
				fmt.Fprintln(out, "   ", row)
			}
		}
	}
	fmt.Fprintln(out)
	return nil
}

// rows makes a line of each series: its labels, and what it measured. There is one series for each
// set of labels, which is why labels must be few words: a phone number among them would make a
// series for each customer. Kinds of instruments that are not used here are left out.
func rows(data metricdata.Aggregation) []string {
	var all []string
	row := func(set attribute.Set, format string, args ...any) {
		var labels []string
		for _, key := range []attribute.Key{
			"http.request.method", "url.template", "http.response.status_code", "error.type", "kind", "object",
			"part", "status", "code",
		} {
			if v, ok := set.Value(key); ok {
				labels = append(labels, v.String())
			}
		}
		all = append(all, fmt.Sprintf("%-66s %s", strings.Join(labels, "  "), fmt.Sprintf(format, args...)))
	}
	switch data := data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			row(p.Attributes, "%d×, %.3f s on average", p.Count, p.Sum/float64(max(1, p.Count)))
		}
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			row(p.Attributes, "%d", p.Value)
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			row(p.Attributes, "%d", p.Value)
		}
	}
	slices.SortFunc(all, cmp.Compare)
	return all
}
