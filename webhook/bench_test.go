package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// historyBody returns a chunk of n messages in threads, compact and with the escapes that Meta sends.
func historyBody(n, threads int) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields(`hello order tomorrow thanks ma\u00f1ana \ud83d\ude80 caf\u00e9 please the a delivery blue is it yes no invoice \u4f60\u597d when`)
	var b strings.Builder
	b.WriteString(`{"object":"whatsapp_business_account","entry":[{"id":"200000000000001","changes":[{"value":{"messaging_product":"whatsapp",` +
		`"metadata":{"display_phone_number":"15550100100","phone_number_id":"300000000000001"},"history":[{"metadata":{"phase":1,"chunk_order":3,"progress":50},"threads":[`)
	for t := range threads {
		if t > 0 {
			b.WriteByte(',')
		}
		customer := fmt.Sprintf("155501%05d", t)
		fmt.Fprintf(&b, `{"id":"%s","context":{"wa_id":"%s","user_id":"US.40000000000%05d"},"messages":[`, customer, customer, t)
		for i := range n / threads {
			if i > 0 {
				b.WriteByte(',')
			}
			from, to := customer, ""
			if rnd.IntN(2) == 0 {
				from, to = "15550100100", `"to":"`+customer+`",`
			}
			fmt.Fprintf(&b, `{"from":"%s",%s"id":"wamid.HBgLMTU1NTAxMDAxMDAVAgASGBQ%024dA=","timestamp":"%d",`, from, to, rnd.Uint64N(1e18), 1767225600+i)
			if rnd.IntN(12) == 0 {
				b.WriteString(`"type":"media_placeholder",`)
			} else {
				b.WriteString(`"type":"text","text":{"body":"`)
				for range 6 + rnd.IntN(24) {
					b.WriteString(words[rnd.IntN(len(words))] + " ")
				}
				b.WriteString(`"},`)
			}
			b.WriteString(`"history_context":{"status":"READ"}}`)
		}
		b.WriteString(`]}`)
	}
	b.WriteString(`]}]},"field":"history"}]}]}`)
	return []byte(b.String())
}

func batchBody(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"object":"whatsapp_business_account","entry":[{"id":"200000000000001","changes":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		name := []string{"text", "status-delivered", "image", "interactive-button"}[i%4]
		var body struct {
			Entry []struct{ Changes []json.RawMessage }
		}
		if err := json.Unmarshal(compact(webhooktest.Sample("messages", name)), &body); err != nil {
			panic(err)
		}
		b.Write(body.Entry[0].Changes[0])
	}
	b.WriteString(`]}]}`)
	return []byte(b.String())
}

func compact(body []byte) []byte {
	out, err := json.Marshal(json.RawMessage(body))
	if err != nil {
		panic(err)
	}
	return out
}

func benchBodies() map[string][]byte {
	return map[string][]byte{
		"text": compact(webhooktest.Sample("messages", "text")), "status": compact(webhooktest.Sample("messages", "status-delivered")),
		"batch100": batchBody(100), "history1M": historyBody(3000, 40),
	}
}

// stdlib is what encoding/json decodes a message or a chunk into: the same members, in plain structs.
type stdlib struct {
	Object string
	Entry  []struct {
		ID      string
		Time    json.Number
		Changes []struct {
			Field string
			Value struct {
				Product  string `json:"messaging_product"`
				Metadata struct {
					Phone   string `json:"phone_number_id"`
					Display string `json:"display_phone_number"`
				}
				Contacts []struct {
					Profile struct{ Name, Username string }
					WAID    string `json:"wa_id"`
					UserID  string `json:"user_id"`
				}
				Messages []stdlibMessage
				Statuses []struct {
					ID, Status, Timestamp string
					Recipient             string `json:"recipient_id"`
					RecipientUser         string `json:"recipient_user_id"`
					Pricing               *webhook.Pricing
				}
				History []struct {
					Metadata struct {
						Phase, Progress int
						Order           int `json:"chunk_order"`
					}
					Threads []struct {
						ID      string
						Context *struct {
							WAID   string `json:"wa_id"`
							UserID string `json:"user_id"`
						}
						Messages []stdlibMessage
					}
				}
			}
		}
	}
}

type stdlibMessage struct {
	From, To, ID, Timestamp, Type string
	FromUser                      string `json:"from_user_id"`
	Text                          *webhook.Text
	Image                         *webhook.Image
	Interactive                   *struct {
		Type        string
		ButtonReply *webhook.ButtonReply `json:"button_reply"`
	}
	Context *webhook.MessageContext
	History *struct{ Status string } `json:"history_context"`
}

func decodeAll(body []byte) error {
	events, err := webhook.Decode(body)
	for _, ev := range events {
		if c, ok := ev.(*webhook.HistoryChunk); ok {
			for range c.Messages() {
			}
		}
	}
	return err
}

type contestant struct {
	name string
	run  func(body []byte) error
}

func contestants() []contestant {
	mac := hmac.New(sha256.New, []byte(testSecret))
	var sum [sha256.Size]byte
	verify := func(body []byte) error {
		mac.Reset()
		mac.Write(body)
		mac.Sum(sum[:0])
		return nil
	}
	return []contestant{
		{"hmac", verify},
		{"decode", decodeAll},
		{"verify+decode", func(body []byte) error {
			_ = verify(body)
			return decodeAll(body)
		}},
		{"verify+stdlib", func(body []byte) error {
			_ = verify(body)
			return json.Unmarshal(body, new(stdlib))
		}},
		{"verify+valid", func(body []byte) error {
			_ = verify(body)
			if !json.Valid(body) {
				return webhook.ErrNotJSON
			}
			return nil
		}},
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, body := range benchBodies() {
		for _, c := range contestants() {
			b.Run(name+"/"+c.name, func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if err := c.run(body); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkRatios times the contestants in turn and reports the smallest time of each as a multiple of the HMAC's. Smallest times
// in one run are steady to a few percent where averages are not.
func BenchmarkRatios(b *testing.B) {
	for name, body := range benchBodies() {
		b.Run(name, func(b *testing.B) {
			repeats := 1 + 50_000/len(body)
			all := contestants()
			best := make([]time.Duration, len(all))
			for b.Loop() {
				for range 40 {
					for i, c := range all {
						start := time.Now()
						for range repeats {
							if err := c.run(body); err != nil {
								b.Fatal(err)
							}
						}
						if took := time.Since(start); best[i] == 0 || took < best[i] {
							best[i] = took
						}
					}
				}
			}
			for i, c := range all[1:] {
				b.ReportMetric(float64(best[i+1])/float64(best[0]), c.name+"/hmac")
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	body := benchBodies()["text"]
	signature := webhook.Sign(testSecret, body)
	b.ReportAllocs()
	for b.Loop() {
		if err := webhook.Verify(body, signature, testSecret); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEndpoint(b *testing.B) {
	body := benchBodies()["text"]
	endpoint, err := webhook.NewEndpoint(testConfig, webhook.Dispatch(new(webhook.Mux)))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		endpoint.ServeHTTP(w, webhooktest.NewRequest(body, testSecret))
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
