// Natsserver runs the NATS server that go.mod names, for tests: what Debian has is too old to sync
// every write.
//
//	natsserver FILE
//
// It reads the server's configuration from the file, prints in one line of JSON where clients and
// monitors reach it, and serves until it is killed. It is a program of its own because the root
// module must not ask hosts for the server's modules.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: natsserver FILE")
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, "natsserver:", serve(os.Args[1]))
	os.Exit(1)
}

// serve returns only when the server cannot be started.
func serve(file string) error {
	opts, err := server.ProcessConfigFile(file)
	if err != nil {
		return err
	}
	opts.NoLog, opts.NoSigs = true, true
	s, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		return fmt.Errorf("the server of %s was not ready within a minute", file)
	}
	line, err := json.Marshal(struct{ Client, Monitor string }{s.ClientURL(), "http://" + s.MonitorAddr().String()})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	select {}
}
