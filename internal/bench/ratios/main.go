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

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/report"
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
	r := report.Report{Out: os.Stdout, Only: *only}
	fmt.Printf("%s %s/%s, %d processors\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	decoding(&r)
	memory(&r)
	if err := handlers(&r); err != nil {
		exit(err)
	}
	if err := durable(&r); err != nil {
		exit(err)
	}
	if r.Missed > 0 {
		fmt.Printf("%d bars missed\n", r.Missed)
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
