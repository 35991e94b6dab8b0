package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox"
)

// counts are what the hooks of the packages report, as Prometheus metrics.
type counts struct{ calls, events *prometheus.HistogramVec }

// newCounts makes the histograms. Their labels have few values each: a path is a template, and no
// label names a number or a customer. (health.go names numbers, while something is wrong.)
func newCounts() counts {
	return counts{
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "saas_graph_call_seconds", Help: "Attempts to call the Graph API.",
		}, []string{"path", "status", "code"}),
		events: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "saas_event_seconds", Help: "Attempts to handle an event, and how they ended.",
		}, []string{"field", "outcome"}),
	}
}

// dispositions are the ends of an attempt, as labels.
var dispositions = map[inbox.Disposition]string{
	inbox.DispositionDone: "done", inbox.DispositionRetry: "retry", inbox.DispositionDead: "dead",
	inbox.DispositionRelease: "released",
}

// call is for cloudapi.Config.Observe, and event for inbox.Config.Observe.
func (c counts) call(_ context.Context, call cloudapi.Attempt) {
	code := ""
	if n, ok := call.Code(); ok {
		code = strconv.Itoa(int(n))
	}
	c.calls.WithLabelValues(call.Path, strconv.Itoa(call.Status), code).Observe(call.Duration.Seconds())
}

func (c counts) event(_ context.Context, attempt inbox.Attempt) {
	c.events.WithLabelValues(string(attempt.Field), dispositions[attempt.Disposition]).
		Observe(attempt.Duration.Seconds())
}

// operations are the routes for operators, at an address of their own that the internet must not
// reach: liveness, readiness, metrics. Alert on saas_inbox_dead_letters, and on
// saas_inbox_oldest_live_seconds, which is how long the oldest unhandled message of a customer
// waits; for one number, on saas_number_health. Of saas_downloads_dead_letters, the files were
// refused; they are lost a few days later. Of saas_relay_dead_letters, the other receiver has
// refused deliveries: replay them once it takes them. Import dashboard.json into Grafana to see it
// all.
func (a *app) operations() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(a.counts.calls, a.counts.events, healthCollector{a.monitor})
	all := a.queues()
	all["inbox"] = a.inbox
	for what, in := range all {
		for name, value := range map[string]func(inbox.Metrics) float64{
			"waiting":             func(m inbox.Metrics) float64 { return float64(m.Depth()) },
			"dead_letters":        func(m inbox.Metrics) float64 { return float64(m.Dead) },
			"oldest_live_seconds": func(m inbox.Metrics) float64 { return m.OldestLive.Seconds() },
		} {
			opts := prometheus.GaugeOpts{Name: "saas_" + what + "_" + name, Help: "See inbox.Stats."}
			registry.MustRegister(prometheus.NewGaugeFunc(opts, func() float64 {
				m, err := in.Metrics(context.Background())
				if err != nil {
					return -1
				}
				return value(m)
			}))
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := a.db.SQL().PingContext(r.Context()); err != nil || !a.ready.Load() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Timeout: 10 * time.Second}))
	for what, in := range all {
		mux.Handle("GET /"+what, in.StatusPage())
	}
	return mux
}
