package webhook_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/bench/payload"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// These benchmarks show what things cost. Whether that is within the budget, "go run
// ./internal/bench/ratios" says.

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
		{"history1Mraw", unescaped(payload.History(3000, 40))},
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

// unescaped returns a body as it would be if Meta did not escape what is not ASCII.
func unescaped(body []byte) []byte {
	escapes := regexp.MustCompile(`(?:\\u[0-9a-f]{4})+|\\/`)
	return escapes.ReplaceAllFunc(body, func(escape []byte) []byte {
		var text string
		if err := json.Unmarshal(slices.Concat([]byte(`"`), escape, []byte(`"`)), &text); err != nil {
			panic(err)
		}
		return []byte(text)
	})
}

// decodeAll decodes a body, and all messages of a history.
func decodeAll(body []byte) error {
	events, err := webhook.Decode(body)
	if err != nil {
		return err
	}
	return walkAll(events)
}

func walkAll(events []webhook.Event) error {
	for _, ev := range events {
		if c, ok := ev.(*webhook.HistoryChunk); ok {
			for _, m := range c.Messages() {
				if m.Err != nil {
					return m.Err
				}
			}
		}
	}
	return nil
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

// BenchmarkEndpoint is the whole handler without a network, beside one that only reads and
// verifies. It gets the same body again and again, which Dispatch would drop.
func BenchmarkEndpoint(b *testing.B) {
	endpoint, err := webhook.NewEndpoint(testConfig,
		webhook.DispatchAll(webhook.HandlerFunc(func(_ context.Context, ev webhook.Event) error {
			return walkAll([]webhook.Event{ev})
		})))
	if err != nil {
		b.Fatal(err)
	}
	benchHandler(b, endpoint)
}

func benchHandler(b *testing.B, h http.Handler) {
	bench(b, func(b *testing.B, body []byte) func() error {
		in := bytes.NewReader(body)
		r := webhooktest.NewRequest(body, testSecret)
		r.Body = io.NopCloser(in)
		return func() error {
			in.Reset(body)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
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
	b.Run("handler", func(b *testing.B) {
		var room []byte
		benchHandler(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			room = slices.Grow(room[:0], int(r.ContentLength))[:r.ContentLength]
			if _, err := io.ReadFull(r.Body, room); err != nil {
				b.Fatal(err)
			}
			if err := webhook.Verify(room, r.Header.Get(webhook.SignatureHeader), testSecret); err != nil {
				b.Fatal(err)
			}
			w.WriteHeader(http.StatusOK)
		}))
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
