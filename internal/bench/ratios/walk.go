//go:build unix

package main

import (
	"context"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// walk is a handler that looks at everything and does nothing.
func walk(_ context.Context, ev webhook.Event) error {
	if chunk, ok := ev.(*webhook.HistoryChunk); ok {
		for _, m := range chunk.Messages() {
			if m.Err != nil {
				return m.Err
			}
		}
	}
	return nil
}
