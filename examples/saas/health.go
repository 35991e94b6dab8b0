package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/health"
)

// newMonitor returns the monitor, which checks all numbers once a minute and reads each from Meta
// every 6 hours.
func (a *app) newMonitor(arrivals *health.Arrivals) (*health.Monitor, error) {
	return health.New(health.Config{
		Tracker: a.tracker, Token: a.db.Tokens().Get, Inbox: a.inbox, Outbox: a.outbox, Arrivals: arrivals,
		ReadInterval: 6 * time.Hour, OnChange: a.healthChanged, Logger: a.log,
	})
}

// healthChanged is where a product alerts a person. This one logs the change.
func (a *app) healthChanged(ctx context.Context, c health.Change) {
	level := slog.LevelInfo
	if c.Worse() {
		level = slog.LevelWarn
	}
	a.log.Log(ctx, level, "health changed", "phone", c.PhoneNumberID, "part", c.To.Name,
		"from", c.From.Status, "to", c.To.Status, "code", c.To.Code, "value", c.To.Value, "advice", c.To.Advice)
}

// healthOf returns the health of one number. A number whose signup has not ended has none.
func (a *app) healthOf(ctx context.Context, n *number) (health.Health, error) {
	h, err := a.monitor.Health(ctx, n.PhoneNumberID)
	if errors.Is(err, coexistence.ErrNotOnboarded) {
		return h, nil
	}
	return h, err
}

// A healthCollector exports the last snapshot of a monitor to Prometheus: how many numbers have
// which status, and one series for each problem of a number. It checks nothing itself.
type healthCollector struct{ monitor *health.Monitor }

var (
	numbersDesc = prometheus.NewDesc("saas_numbers", "Numbers by part and status.",
		[]string{"part", "status"}, nil)
	numberHealthDesc = prometheus.NewDesc("saas_number_health",
		"Problems of a number: 1 for a warning, 2 for broken. A healthy part has no series.",
		[]string{"phone_number_id", "part", "code"}, nil)
)

// severity is the value of a problem.
var severity = map[health.Status]float64{health.StatusWarning: 1, health.StatusBroken: 2}

// Describe implements prometheus.Collector.
func (c healthCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- numbersDesc
	ch <- numberHealthDesc
}

// Collect implements prometheus.Collector. The backlog is left out: it is the same for all numbers,
// and has gauges of its own.
func (c healthCollector) Collect(ch chan<- prometheus.Metric) {
	type kind struct {
		part   health.PartName
		status health.Status
	}
	counts := map[kind]int{}
	for _, h := range c.monitor.Snapshot() {
		for _, p := range h.Parts() {
			counts[kind{p.Name, p.Status}]++
			if p.Wrong() && p.Name != health.PartBacklog {
				ch <- prometheus.MustNewConstMetric(numberHealthDesc, prometheus.GaugeValue, severity[p.Status],
					string(h.PhoneNumberID), string(p.Name), string(p.Code))
			}
		}
	}
	for _, p := range (health.Health{}).Parts() { // zeros too: an alert needs the series
		if p.Name == health.PartBacklog {
			continue
		}
		for _, s := range []health.Status{
			health.StatusOK, health.StatusWarning, health.StatusBroken, health.StatusUnknown,
		} {
			ch <- prometheus.MustNewConstMetric(numbersDesc, prometheus.GaugeValue,
				float64(counts[kind{p.Name, s}]), string(p.Name), string(s))
		}
	}
}
