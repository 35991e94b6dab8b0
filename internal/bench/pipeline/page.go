//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// What is between these two lines of a page is written again.
const (
	pageBegin = "<!-- made by go run ./internal/bench/pipeline -o docs/capacity.md -->\n"
	pageEnd   = "<!-- until here -->\n"
)

// fillIn writes what was measured into the page, and the picture beside it, under the same name.
func fillIn(o options, list []*capacity) error {
	text, err := os.ReadFile(o.page)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), pageBegin)
	_, after, ends := strings.Cut(rest, pageEnd)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the table, between the lines %q and %q", o.page, pageBegin, pageEnd)
	}
	picture := strings.TrimSuffix(o.page, filepath.Ext(o.page)) + ".svg"
	if err := os.WriteFile(picture, draw(list), 0o600); err != nil {
		return err
	}
	text = []byte(before + pageBegin + table(o, list) + fmt.Sprintf(
		"\n![Milliseconds from POST to handled over texts a second, with the tracker and without](%s)\n",
		filepath.Base(picture)) + pageEnd + after)
	return os.WriteFile(o.page, text, 0o600)
}

// table has a column for each engine.
func table(o options, list []*capacity) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s with %s for %s/%s on %d processors, which the load and the database server use as "+
		"well.\nRounds: %d, texts in each: %d. Medians.\n\n", time.Now().Format(time.DateOnly), runtime.Version(),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), o.rounds, o.texts)
	row := func(what string, value func(*capacity) string) {
		fmt.Fprintf(&b, "| %s |", what)
		for _, e := range list {
			fmt.Fprintf(&b, " %s |", value(e))
		}
		b.WriteString("\n")
	}
	row("", func(e *capacity) string { return e.name })
	row("---", func(*capacity) string { return "---:" })
	row("texts handled a second, with the tracker", func(e *capacity) string { return whole(e.with.rate) })
	row("… without the tracker", func(e *capacity) string { return whole(e.without.rate) })
	row("… of a backlog, process with 1 processor", func(e *capacity) string { return whole(e.drained[0]) })
	row("… of a backlog, process with 2 processors", func(e *capacity) string { return whole(e.drained[1]) })
	row("bare commits a second on that disk, 16 connections", func(e *capacity) string { return whole(e.commits) })
	for i := range list[0].latencies {
		at := func(e *capacity) latency { return e.latencies[i] }
		share := fmt.Sprintf("%.0f %% of that rate", 100*at(list[0]).rate/list[0].with.rate)
		row("from POST to handled at "+share+": half / 99 % within", func(e *capacity) string {
			return fmt.Sprintf("%s / %s ms", digits(at(e).p50), digits(at(e).p99))
		})
	}
	row("processor time of a text: process", func(e *capacity) string { return digits(e.with.process/1000) + " ms" })
	row("… database server", func(e *capacity) string {
		if e.with.server == 0 {
			return "–"
		}
		return digits(e.with.server/1000) + " ms"
	})
	row("disk for a text, with its indexes and what is remembered of it", func(e *capacity) string {
		return digits(e.with.disk/1000) + " KB"
	})
	row(fmt.Sprintf("95 %% of another number's texts, alone / while a number gets %d statuses", o.statuses),
		func(e *capacity) string { return fmt.Sprintf("%s / %s ms", digits(e.alone), digits(e.beside)) })
	return b.String()
}

// whole is a rate: no machine shows the same a second time, so two digits are enough.
func whole(rate float64) string { return fmt.Sprintf("%.0f", roundTo(rate, 2)) }

// digits is a figure with two digits.
func digits(value float64) string { return fmt.Sprintf("%g", roundTo(value, 2)) }

// roundTo keeps the first digits of a figure.
func roundTo(value float64, digits int) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(value, 'e', digits-1, 64), 64)
	return rounded
}
