package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// These benchmarks show what things cost. Whether that is within the budget, "go run ./internal/bench/ratios" says.

// bench runs f over each of the bodies.
func bench(b *testing.B, f func(b *testing.B, body []byte) func() error) {
	for _, in := range []struct {
		name string
		body []byte
	}{
		{"text", payload.Text()},
		{"status", payload.Status()},
		{"batch100", payload.Batch(100)},
		{"history1M", payload.History(3000, 40)},
		{"history3M", payload.History(9000, 40)},
	} {
		b.Run(in.name, func(b *testing.B) {
			run := f(b, in.body)
			b.SetBytes(int64(len(in.body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// decodeAll decodes a body, and all messages of a history.
func decodeAll(body []byte) error {
	events, err := webhook.Decode(body)
	for _, ev := range events {
		if c, ok := ev.(*webhook.HistoryChunk); ok {
			for _, m := range c.Messages() {
				if m.Err != nil {
					return m.Err
				}
			}
		}
	}
	return err
}

func BenchmarkVerify(b *testing.B) {
	bench(b, func(_ *testing.B, body []byte) func() error {
		signature := webhook.Sign(testSecret, body)
		return func() error { return webhook.Verify(body, signature, testSecret) }
	})
}

func BenchmarkDecode(b *testing.B) {
	bench(b, func(_ *testing.B, body []byte) func() error { return func() error { return decodeAll(body) } })
}

func BenchmarkVerifyDecode(b *testing.B) {
	bench(b, func(_ *testing.B, body []byte) func() error {
		signature := webhook.Sign(testSecret, body)
		return func() error {
			if err := webhook.Verify(body, signature, testSecret); err != nil {
				return err
			}
			return decodeAll(body)
		}
	})
}

func BenchmarkEndpoint(b *testing.B) {
	endpoint, err := webhook.NewEndpoint(testConfig, webhook.Dispatch(new(webhook.Mux)))
	if err != nil {
		b.Fatal(err)
	}
	bench(b, func(b *testing.B, body []byte) func() error {
		return func() error {
			w := httptest.NewRecorder()
			endpoint.ServeHTTP(w, webhooktest.NewRequest(body, testSecret))
			if w.Code != 200 {
				b.Fatal(w.Code)
			}
			return nil
		}
	})
}

// BenchmarkYardsticks has what the others are measured by.
func BenchmarkYardsticks(b *testing.B) {
	mac := hmac.New(sha256.New, []byte(testSecret))
	var sum [sha256.Size]byte
	b.Run("hmac", func(b *testing.B) {
		bench(b, func(_ *testing.B, body []byte) func() error {
			return func() error {
				mac.Reset()
				mac.Write(body)
				mac.Sum(sum[:0])
				return nil
			}
		})
	})
	b.Run("encoding-json", func(b *testing.B) {
		bench(b, func(_ *testing.B, body []byte) func() error {
			return func() error { return json.Unmarshal(body, new(payload.Delivery)) }
		})
	})
	b.Run("json-valid", func(b *testing.B) {
		bench(b, func(_ *testing.B, body []byte) func() error {
			return func() error {
				if !json.Valid(body) {
					return webhook.ErrNotJSON
				}
				return nil
			}
		})
	})
}
