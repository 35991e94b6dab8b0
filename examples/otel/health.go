package main

import (
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/health"
)

// measureHealth makes gauges of the last look of a monitor: how many numbers are how, and what is
// wrong with which. Like telemetry.go, it is all that a host needs; copy it. What is well has no
// series of its own, so that there are few however many numbers there are.
func measureHealth(metrics metric.MeterProvider, monitor *health.Monitor) error {
	meter := metrics.Meter("github.com/seed-9f2bcc2b/whatsapp-coexistence/coexistence/health")
	numbers, err1 := meter.Int64ObservableGauge("whatsapp.numbers", metric.WithUnit("{number}"),
		metric.WithDescription("How many numbers are how, by part."))
	wrong, err2 := meter.Int64ObservableGauge("whatsapp.number.health",
		metric.WithDescription("What is wrong with a number: 1 a warning, 2 broken."))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		counts := map[attribute.Set]int64{}
		for _, h := range monitor.Snapshot() {
			for _, p := range h.Parts() {
				if p.Name != health.PartBacklog { // it is of all numbers: measure inbox.Metrics
					counts[attributesOf(p, "status", string(p.Status))]++
				}
			}
			for _, p := range h.Wrong() {
				if p.Name != health.PartBacklog {
					o.ObserveInt64(wrong, severity[p.Status], metric.WithAttributeSet(
						attributesOf(p, "code", string(p.Code), "phone_number_id", string(h.PhoneNumberID))))
				}
			}
		}
		for set, n := range counts {
			o.ObserveInt64(numbers, n, metric.WithAttributeSet(set))
		}
		return nil
	}, numbers, wrong)
	return err
}

// attributesOf are the part and pairs of names and values.
func attributesOf(p health.Part, pairs ...string) attribute.Set {
	list := []attribute.KeyValue{attribute.String("part", string(p.Name))}
	for pair := range slices.Chunk(pairs, 2) {
		list = append(list, attribute.String(pair[0], pair[1]))
	}
	return attribute.NewSet(list...)
}

// severity is the value of what is wrong.
var severity = map[health.Status]int64{health.StatusWarning: 1, health.StatusBroken: 2}
