// Replay records webhook deliveries into a file, with everything personal made up, and plays such a
// file into a handler: a bug that was seen in production can be looked at on a developer's machine.
//
//	replay record deliveries.jsonl    is a callback URL that records, until it is interrupted
//	replay play deliveries.jsonl      hands what was recorded to the handler
//
// The callback URL of a product stays the product's own: let a relay (package webhook/relay) send
// on to this program what is worth recording.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// run does what the arguments say.
func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: replay record FILE, or replay play FILE")
	}
	switch args[0] {
	case "record":
		return record(ctx, args[1], out)
	case "play":
		file, err := os.Open(args[1])
		if err != nil {
			return err
		}
		defer file.Close()
		return play(ctx, file, printer(out))
	}
	return fmt.Errorf("there is no command %q; use record or play", args[0])
}

// printer is the handler that is played into. Put yours in its place.
func printer(out io.Writer) webhook.Handler {
	return webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
		info := ev.Info()
		who := "-"
		if c, ok := ev.(interface{ Customer() graph.Identity }); ok {
			who = c.Customer().Key()
		}
		_, err := fmt.Fprintf(out, "%s  %-28T  number %s  customer %s\n", info.At.Format(time.DateTime), ev,
			info.PhoneNumberID, who)
		return err
	})
}

// record serves a callback URL until ctx ends. The file must not be there: a second recording makes
// other people up, and would mix them with those of the first one.
func record(ctx context.Context, path string, out io.Writer) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	endpoint, err := webhook.NewEndpoint(webhook.Config{
		AppSecret: graph.Secret(os.Getenv("APP_SECRET")), VerifyToken: graph.Secret(os.Getenv("VERIFY_TOKEN")),
		Logger: slog.Default(),
	}, newRecorder(file))
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	addr := os.Getenv("ADDR")
	if addr == "" {
		addr = "localhost:8090"
	}
	fmt.Fprintf(out, "http://%s/ records into %s\n", addr, path)
	server := &http.Server{Addr: addr, Handler: endpoint, ReadTimeout: time.Minute, IdleTimeout: time.Minute}
	down := make(chan error, 1) // what is in progress is still written
	context.AfterFunc(ctx, func() { down <- server.Shutdown(context.WithoutCancel(ctx)) })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return errors.Join(<-down, file.Sync())
}
