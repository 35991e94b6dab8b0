// Otel makes OpenTelemetry spans and metrics of the calls to Meta, one span for each attempt below
// the span of the caller, and gauges of the health of numbers. dashboard.json is for Grafana.
//
// telemetry.go and health.go are what a host copies; this file is a host that sends three messages
// to the fake Graph API of this repository, one of which Meta throttles at first and one of which
// it never answers, and then looks at the health of its number. It prints the spans and metrics;
// with -json as OpenTelemetry's own exporters write them. A host gives its providers an exporter
// for its collector instead.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log"
	"os"
	"time"

	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/health"
)

func main() {
	asJSON := flag.Bool("json", false, "print what OpenTelemetry's exporters write")
	flag.Parse()
	ctx := context.Background()
	var err error
	if *asJSON {
		err = runJSON(ctx, os.Stdout)
	} else {
		err = runTree(ctx, os.Stdout)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// runJSON exports with the exporters of OpenTelemetry. Shutdown flushes: what a process has
// measured since the last export is lost without.
func runJSON(ctx context.Context, out io.Writer) error {
	spans, err1 := stdouttrace.New(stdouttrace.WithWriter(out), stdouttrace.WithPrettyPrint())
	points, err2 := stdoutmetric.New(stdoutmetric.WithWriter(out), stdoutmetric.WithPrettyPrint())
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	traces := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	metrics := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(points)))
	return errors.Join(story(ctx, traces, metrics), traces.Shutdown(ctx), metrics.Shutdown(ctx))
}

// runTree keeps everything in memory and prints it for people.
func runTree(ctx context.Context, out io.Writer) error {
	spans, reader := new(tree), sdkmetric.NewManualReader()
	traces := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	metrics := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	if err := story(ctx, traces, metrics); err != nil {
		return err
	}
	if err := traces.Shutdown(ctx); err != nil {
		return err
	}
	spans.print(out)
	return printMetrics(ctx, out, reader)
}

// story is what the host does: a span of its own around each message, below which those of the
// attempts hang because ctx is passed on.
func story(ctx context.Context, traces trace.TracerProvider, metrics *sdkmetric.MeterProvider) error {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	defer srv.Close()
	srv.Delay(20 * time.Millisecond)
	phone := srv.AddPhone(cloudapitest.Phone{})

	t, err := newTelemetry(traces, metrics)
	if err != nil {
		return err
	}
	cfg := srv.ClientConfig()
	cfg.Observe = t.observe
	client, err := cloudapi.NewClient(cfg)
	if err != nil {
		return err
	}

	tracer := traces.Tracer("host")
	send := func(what string) error {
		ctx, span := tracer.Start(ctx, what)
		defer span.End()
		_, err := client.Messages.Send(ctx, phone.ID, cloudapi.Message{
			To: cloudapi.ToPhone("+1 555 010 0142"), CallbackData: what,
			Content: &cloudapi.Text{Body: "Your bread is ready."},
		})
		return err
	}
	if err := send("an order is ready"); err != nil {
		return err
	}
	srv.Inject(cloudapitest.Fault{Code: graph.CodeRateLimitHit, Times: 2})
	if err := send("another one, while Meta is busy"); err != nil {
		return err
	}
	// Meta carries it out and the answer is lost: the client cannot know, and does not repeat it.
	srv.Inject(cloudapitest.Fault{Drop: true, Accept: true})
	if err := send("one that Meta never answers"); err == nil {
		return errors.New("the message was to be lost")
	}
	if _, err := client.Phones.Get(ctx, phone.ID, cloudapi.PhoneGetOptions{}); err != nil {
		return err
	}
	ctx, span := tracer.Start(ctx, "the health of all numbers")
	defer span.End()
	return look(ctx, metrics, client, phone)
}

// look follows the number, and looks at its health once. The app has no webhooks here, and the
// health says so. A host runs the monitor beside its tracker: [health.Monitor.Run].
func look(
	ctx context.Context, metrics *sdkmetric.MeterProvider, client *cloudapi.Client, phone cloudapitest.Phone,
) error {
	tracker, err := coexistence.NewTracker(coexistence.Config{
		Store:  new(coexistence.MemStore),
		Client: func(context.Context, graph.PhoneNumberID) (*cloudapi.Client, error) { return client, nil },
	})
	if err != nil {
		return err
	}
	monitor, err := health.New(health.Config{Tracker: tracker, ReadInterval: time.Hour})
	if err != nil {
		return err
	}
	return errors.Join(
		measureHealth(metrics, monitor),
		tracker.Onboard(ctx, cloudapi.Onboarding{PhoneNumberID: phone.ID, WABAIDs: phone.WABAs}),
		monitor.CheckAll(ctx))
}
