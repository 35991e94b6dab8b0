//go:build unix

// Command ratios measures what the decoder costs, prints every ratio of the performance budget
// beside its bar and its stretch goal, and exits with 1 if a bar is missed.
//
//	go run ./internal/bench/ratios
//
// HMAC is the signature check alone with a state that is reused; v1 is encoding/json into plain
// structs. The contestants of a ratio take turns in one process, and the smallest time of each
// counts, which on a busy machine is steady where an average is not. Whole handlers, and the inbox
// in SQLite, are compared by the requests that are answered in a second, in turns so short that
// neighbors among them have the same machine, and the median ratio counts.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

func main() {
	only := flag.String("only", "", "measure only the lines whose number has this `prefix`, such as P1")
	serve := flag.Bool("serve", false, "be the server that the handlers are measured in")
	send := flag.Bool("load", false, "be the client that loads them, with the flags below")
	var l load
	addr := flag.String("addr", "", "the server's `address`")
	paths := flag.String("paths", "", "the handlers' `paths`, with commas between")
	flag.StringVar(&l.in, "in", "text", "the `body`: text or history")
	flag.IntVar(&l.conns, "conns", 1, "how many connections")
	flag.DurationVar(&l.window, "window", time.Second, "how long each handler is loaded in a round")
	flag.IntVar(&l.rounds, "rounds", 1, "how many rounds")
	flag.Parse()
	switch {
	case *serve:
		exit(serveHandlers())
	case *send:
		exit(sendRequests(*addr, strings.Split(*paths, ","), l))
	}
	r := report{only: *only}
	fmt.Printf("%s %s/%s, %d processors\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	decoding(&r)
	memory(&r)
	if err := handlers(&r); err != nil {
		exit(err)
	}
	if err := durable(&r); err != nil {
		exit(err)
	}
	if r.missed > 0 {
		fmt.Printf("%d bars missed\n", r.missed)
		os.Exit(1)
	}
}

// exit ends the process, with what went wrong in it.
func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A report prints the measured lines and counts the missed bars.
type report struct {
	only   string
	missed int
}

// wants reports whether any of the lines is to be measured.
func (r *report) wants(numbers ...string) bool {
	for _, n := range numbers {
		if strings.HasPrefix(n, r.only) {
			return true
		}
	}
	return false
}

// atMost prints a value that must not be above its bar. A stretch goal of 0 is none.
func (r *report) atMost(number, what string, got, bar, stretch float64) {
	r.line(number, what, "≤", got, bar, stretch, got <= bar, got <= stretch)
}

// atLeast prints a value that must not be below its bar.
func (r *report) atLeast(number, what string, got, bar, stretch float64) {
	r.line(number, what, "≥", got, bar, stretch, got >= bar, got >= stretch)
}

// line prints a value beside its bar. A stretch goal of 0 is none.
func (r *report) line(number, what, sign string, got, bar, stretch float64, holds, better bool) {
	if !r.wants(number) {
		return
	}
	verdict := "holds"
	switch {
	case !holds:
		verdict = "MISSED"
		r.missed++
	case stretch != 0 && better:
		verdict = "stretch goal"
	}
	goal := ""
	if stretch != 0 {
		goal = fmt.Sprintf("%s %g", sign, stretch)
	}
	fmt.Printf("%-4s %-62s %10.4g   bar %s %-6g stretch %-7s %s\n", number, what, got, sign, bar, goal, verdict)
}

// info prints a value that has no bar, to be read beside those of that number.
func (r *report) info(number, what string, got float64) {
	if r.wants(number) {
		fmt.Printf("          %-57s %10.4g\n", what, got)
	}
}
