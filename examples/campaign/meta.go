package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// A meta is Meta's side: the fake Graph API, which posts a status webhook for every message that it accepts; and the host's
// endpoint that takes them, which writes down what it is told.
type meta struct {
	srv   *cloudapitest.Server
	phone cloudapitest.Phone

	host     *http.Server
	url      string
	serving  sync.WaitGroup
	statuses sync.WaitGroup
}

// faultKinds are all but lasting refusals, with which a host would give a customer up, and throttles, which come in bursts of
// their own.
func faultKinds() []string {
	return slices.DeleteFunc(cloudapitest.ChaosKinds(), func(kind string) bool {
		return kind == "refused" || strings.HasPrefix(kind, "throttled")
	})
}

// throttle makes Meta find the number too fast for a moment, as when many customers write at the same time.
func (m *meta) throttle() {
	m.srv.Inject(cloudapitest.Fault{On: "POST /{phone-number-id}/messages", Code: graph.CodeRateLimitHit, Times: max(3, m.phone.MessagesPerSecond/25)})
}

func startMeta(o options, box *outbox) (*meta, error) {
	m := &meta{srv: cloudapitest.NewServer(cloudapitest.Config{EnforceLimits: true})}
	m.phone = m.srv.AddPhone(cloudapitest.Phone{Name: "Lakeside Bakery", MessagesPerSecond: o.rate})
	m.srv.Chaos(cloudapitest.Chaos{Rate: o.faults, Seed: o.seed, Late: 1500 * time.Millisecond, Kinds: faultKinds()})

	var mux webhook.Mux
	webhook.On(&mux, func(_ context.Context, s *webhook.MessageStatus) error {
		i, err := strconv.Atoi(strings.TrimPrefix(s.CallbackData, "campaign-"))
		if err != nil {
			return webhook.Permanent(err)
		}
		return box.write(line{Item: i, Do: done, ID: s.ID})
	})
	endpoint, err := webhook.NewEndpoint(
		webhook.Config{AppSecret: m.srv.App().Secret, VerifyToken: "made-up-verify-token"},
		webhook.Dispatch(webhook.Once(&mux, new(webhook.MemLedger))),
	)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m.url = "http://" + listener.Addr().String()
	m.host = &http.Server{Handler: endpoint, ReadHeaderTimeout: 5 * time.Second}
	m.serving.Go(func() { _ = m.host.Serve(listener) })

	m.srv.OnMessage(func(sent cloudapitest.SentMessage) {
		m.statuses.Go(func() { m.postStatus(sent) })
		time.Sleep(answerTime())
	})
	return m, nil
}

// answerTime is mostly short, and now and then long.
func answerTime() time.Duration {
	millis := 25 + 20*rand.ExpFloat64()
	if rand.IntN(50) == 0 {
		millis += 150 * rand.ExpFloat64()
	}
	return time.Duration(millis * float64(time.Millisecond))
}

// postStatus tells the host's endpoint what became of a message: soon, mostly, and in one of two hundred cases late.
func (m *meta) postStatus(sent cloudapitest.SentMessage) {
	time.Sleep(time.Duration(100+rand.IntN(300)) * time.Millisecond)
	if rand.IntN(200) == 0 {
		time.Sleep(3 * time.Second)
	}
	body := statusBody(m.phone, sent)
	for range 5 { // Meta repeats a delivery that is not acknowledged
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, m.url, bytes.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("X-Hub-Signature-256", webhook.Sign(m.srv.App().Secret, body))
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(time.Second)
	}
}

// statusBody is a delivery as Meta writes it.
func statusBody(phone cloudapitest.Phone, sent cloudapitest.SentMessage) []byte {
	type status struct {
		ID           graph.MessageID `json:"id"`
		Status       string          `json:"status"`
		Timestamp    string          `json:"timestamp"`
		Recipient    string          `json:"recipient_id"`
		CallbackData string          `json:"biz_opaque_callback_data"`
	}
	text, err := json.Marshal(status{sent.ID, "sent", fmt.Sprint(sent.At.Unix()), sent.To.WAID, sent.CallbackData})
	if err != nil {
		panic(err) // strings always encode
	}
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{`+
		`"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100100","phone_number_id":%q},"statuses":[%s]}}]}]}`,
		phone.WABAs[0], phone.ID, text)
}

// settle waits for the webhooks that are still on their way.
func (m *meta) settle() { m.statuses.Wait() }

func (m *meta) close() {
	m.statuses.Wait()
	_ = m.host.Close()
	m.serving.Wait()
	m.srv.Close()
}
