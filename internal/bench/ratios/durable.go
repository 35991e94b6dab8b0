//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
)

// durable measures P18 in the module that has a SQLite driver, which this one does not link: by its
// benchmark.
func durable(r *report.Report) error {
	if !r.Wants("P18") {
		return nil
	}
	cmd := exec.Command("go", "test", "github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/inbox/sqliteinbox",
		"-run", "none", "-bench", "Acknowledgement", "-benchtime", "1x")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("the benchmark of the durable inbox: %w\n%s", err, out)
	}
	// A line of a benchmark is its name, how often it ran, and then pairs of a value and its unit.
	got := map[string]float64{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		for i := 2; i+1 < len(words); i += 2 {
			if got[words[i+1]], err = strconv.ParseFloat(words[i], 64); err != nil {
				return err
			}
		}
	}
	r.AtLeast("P18", "durable acknowledgement on SQLite / handler that forgets", got["durable/bare"], 0.45, 0.55)
	r.Info("P18", "the same by processor time", got["processor-bare/durable"])
	r.Info("P18", "durable acknowledgement / the same inbox in memory", got["durable/memory"])
	r.Info("P18", "acknowledged durably in a second", got["durable/s"])
	r.Info("P18", "p99 of that, ms", got["durable-p99-ms"])
	return nil
}
