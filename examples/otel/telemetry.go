package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A telemetry makes spans and metrics of what cloudapi.Config.Observe is told. This file is all
// that a host needs; copy it.
//
// Nothing in it can leak: a Call holds no token, no recipient and no text, and its Path is a
// template, so that a metric gets one series for each endpoint and not one for each number.
type telemetry struct {
	tracer   trace.Tracer
	duration metric.Float64Histogram // of attempts, in seconds
	waits    metric.Float64Histogram // pauses between attempts, in seconds
	unknown  metric.Int64Counter     // the one to alert on: a person has to look at each
	usage    metric.Int64Gauge       // in percent; Meta throttles at 100
}

// name is that of the instrumentation.
const name = "github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"

// newTelemetry makes the instruments. Names and units follow OpenTelemetry's conventions for HTTP
// clients where there are some, so that dashboards for those fit; the rest begins with "whatsapp".
func newTelemetry(traces trace.TracerProvider, metrics metric.MeterProvider) (*telemetry, error) {
	meter := metrics.Meter(name)
	duration, err1 := meter.Float64Histogram("http.client.request.duration", metric.WithUnit("s"),
		metric.WithDescription("How long attempts took, without the pauses between them."),
		metric.WithExplicitBucketBoundaries(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30))
	waits, err2 := meter.Float64Histogram("whatsapp.retry.wait", metric.WithUnit("s"),
		metric.WithDescription("How long calls pause before they are repeated."))
	unknown, err3 := meter.Int64Counter("whatsapp.outcome.unknown", metric.WithUnit("{call}"),
		metric.WithDescription("Calls that ended without saying whether they were carried out. Look at each."))
	usage, err4 := meter.Int64Gauge("whatsapp.usage", metric.WithUnit("%"),
		metric.WithDescription("How much of the hour's budget is spent, by kind of call."))
	return &telemetry{traces.Tracer(name), duration, waits, unknown, usage}, errors.Join(err1, err2, err3, err4)
}

// observe is for Config.Observe. The span hangs below that of the caller, who is in ctx.
func (t *telemetry) observe(ctx context.Context, c cloudapi.Attempt) {
	// Labels of metrics and attributes of the span at once, so they are few, and none is personal.
	endpoint := []attribute.KeyValue{
		attribute.String("http.request.method", c.Method),
		attribute.String("url.template", c.Path),
	}
	if c.Status != 0 {
		endpoint = append(endpoint, attribute.Int("http.response.status_code", c.Status))
	}
	if kind := errorType(c); kind != "" {
		endpoint = append(endpoint, attribute.String("error.type", kind))
	}
	t.span(ctx, c, endpoint)
	t.measure(ctx, c, endpoint)
}

// span makes the span of an attempt after the fact, since the hook is told when it is over: it has
// begun as long ago as it took. A call that is repeated has one span for each attempt.
func (t *telemetry) span(ctx context.Context, c cloudapi.Attempt, endpoint []attribute.KeyValue) {
	end := time.Now()
	_, span := t.tracer.Start(ctx, c.Method+" "+c.Path, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(end.Add(-c.Duration)), trace.WithAttributes(endpoint...))
	defer span.End(trace.WithTimestamp(end))
	span.SetAttributes(attribute.Int("http.request.resend_count", c.Number-1),
		attribute.Bool("whatsapp.final", c.Final)) // no other attempt follows
	if c.PhoneNumberID != "" { // on a span, where there is no series of it, an id is fine
		span.SetAttributes(attribute.String("whatsapp.phone_number_id", string(c.PhoneNumberID)))
	}
	if c.Response.TraceID != "" {
		span.SetAttributes(attribute.String("whatsapp.trace_id", c.Response.TraceID)) // what Meta's support asks for
	}
	if code, ok := c.Code(); ok {
		span.SetAttributes(attribute.Int("whatsapp.code", int(code)))
	}
	if c.Err != nil {
		span.SetStatus(codes.Error, c.Err.Error())
	}
	// The outcome says what the code does not: whether it may have been carried out all the same.
	if e, ok := errors.AsType[*cloudapi.Error](c.Err); ok {
		span.SetAttributes(attribute.String("whatsapp.outcome", string(e.Outcome)))
	}
	if c.Wait > 0 {
		span.SetAttributes(attribute.Float64("whatsapp.wait", c.Wait.Seconds()))
	}
}

// measure counts an attempt. Of a call that ended without saying whether it was carried out only
// the last attempt counts, and no read: a read can simply be made again.
func (t *telemetry) measure(ctx context.Context, c cloudapi.Attempt, endpoint []attribute.KeyValue) {
	t.duration.Record(ctx, c.Duration.Seconds(), metric.WithAttributes(endpoint...))
	if c.Wait > 0 {
		t.waits.Record(ctx, c.Wait.Seconds(), metric.WithAttributes(endpoint...))
	}
	e, ok := errors.AsType[*cloudapi.Error](c.Err)
	if ok && c.Final && e.Outcome == cloudapi.OutcomeUnknown && c.Method != http.MethodGet {
		t.unknown.Add(ctx, 1, metric.WithAttributes(endpoint[:2]...))
	}
	// Meta tells the usage with an answer, and not with each: a gauge keeps the last value.
	if u := c.Response.AppUsage; u != nil {
		t.usage.Record(ctx, int64(u.Max()), metric.WithAttributes(attribute.String("kind", "app")))
	}
	for _, u := range c.Response.BusinessUsage {
		t.usage.Record(ctx, int64(u.Max()),
			metric.WithAttributes(attribute.String("kind", u.Type), attribute.String("object", u.Object)))
	}
}

// errorType is a word of a small set, as a label of metrics has to be: the class of Meta's code, or
// what broke.
func errorType(c cloudapi.Attempt) string {
	if c.Err == nil {
		return ""
	}
	e, ok := errors.AsType[*cloudapi.Error](c.Err)
	if !ok {
		return "file" // of a download: too large, not the one that was announced, not to be written
	}
	if _, ok := c.Code(); ok {
		if info, ok := graph.Lookup(e.Code, e.Subcode); ok {
			return string(info.Class)
		}
		return "new code"
	}
	switch {
	case errors.Is(e, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(e, context.Canceled):
		return "canceled"
	case e.StatusCode == 0:
		return "connection"
	}
	return "bad answer"
}
