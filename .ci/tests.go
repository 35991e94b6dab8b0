//go:build ignore

// Tests reads what "go test -json" prints, shows it as "go test" would, and checks it more
// strictly: a skipped test fails the run unless -allow names it, and so does a run without a single
// test.
//
//	go test -json work | tests -summary FILE [-allow PACKAGE.TEST]...
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// event is one line of "go test -json"; see "go doc test2json".
type event struct {
	Action, Package, ImportPath, Test, Output string
}

type run struct {
	passed, failed, skipped int
	output                  map[string][]string // test -> what it printed so far
	lines                   []string            // one per package, as "go test" prints them
	failures                []string            // tests, and packages that did not build or did not finish
	skips                   map[string]string   // test -> its sentence
}

func main() {
	summary := flag.String("summary", "", "file for the packages' lines and the counts")
	allowed := map[string]bool{}
	flag.Func("allow", "a test that may skip, as PACKAGE.TEST", func(name string) error {
		allowed[name] = true
		return nil
	})
	flag.Parse()
	if err := judge(os.Stdin, os.Stdout, *summary, allowed); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func judge(in io.Reader, out io.Writer, summary string, allowed map[string]bool) error {
	r := run{output: map[string][]string{}, skips: map[string]string{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		var ev event
		switch {
		case len(line) == 0:
		case json.Unmarshal(line, &ev) != nil:
			_, _ = out.Write(line) // not an event: what the go command itself has to say
		default:
			r.take(ev, out)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}

	var errs []error
	for _, name := range r.failures {
		errs = append(errs, fmt.Errorf("failed: %s", name))
	}
	for _, name := range slices.Sorted(maps.Keys(r.skips)) {
		if !allowed[name] {
			errs = append(errs, fmt.Errorf("skipped: %s: %s", name, r.skips[name]))
		}
	}
	if r.passed+r.failed == 0 {
		errs = append(errs, errors.New("failed: no test ran"))
	}
	text := strings.Join(r.lines, "")
	text += fmt.Sprintf("%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	if summary != "" {
		errs = append(errs, os.WriteFile(summary, []byte(text), 0o600))
	}
	return errors.Join(errs...)
}

// take counts one event and prints it where "go test" would: the lines of a package, and all that a
// failed test said.
func (r *run) take(ev event, out io.Writer) {
	name := ev.Package + "." + ev.Test
	switch {
	case ev.Action == "build-output":
		fmt.Fprint(out, ev.Output)
	case ev.Action == "output" && ev.Test == "":
		fmt.Fprint(out, ev.Output)
		if strings.HasPrefix(ev.Output, "ok ") || strings.HasPrefix(ev.Output, "FAIL\t") || strings.HasPrefix(ev.Output, "? ") {
			r.lines = append(r.lines, ev.Output)
		}
	case ev.Action == "output":
		r.output[name] = append(r.output[name], ev.Output)
	case ev.Test == "":
		if ev.Action == "fail" {
			r.unfinished(ev.Package, out)
		}
	case ev.Action == "pass":
		r.passed++
		delete(r.output, name)
	case ev.Action == "fail":
		r.failed++
		r.failures = append(r.failures, name)
		fmt.Fprint(out, strings.Join(r.output[name], ""))
		delete(r.output, name)
	case ev.Action == "skip":
		r.skipped++
		r.skips[name] = sentence(r.output[name])
		delete(r.output, name)
	}
}

// unfinished ends a package that failed. It prints what tests said that never ended: after a panic
// or a time-out the reason is among it.
func (r *run) unfinished(pkg string, out io.Writer) {
	if !slices.ContainsFunc(r.failures, func(name string) bool { return strings.HasPrefix(name, pkg+".") }) {
		r.failures = append(r.failures, pkg+" did not build or did not finish")
	}
	for _, name := range slices.Sorted(maps.Keys(r.output)) {
		if strings.HasPrefix(name, pkg+".") {
			fmt.Fprint(out, strings.Join(r.output[name], ""))
		}
	}
}

// sentence is what a skipped test said, without the frame that the testing package puts around it.
func sentence(output []string) string {
	var said []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- SKIP") {
			said = append(said, line)
		}
	}
	if len(said) == 0 {
		return "without a word"
	}
	return strings.Join(said, " ")
}
