package cloudapi_test

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// A host with numbers of both kinds tells the limiter which is which.
func ExampleMemLimiter() {
	srv := cloudapitest.NewServer(cloudapitest.Config{EnforceLimits: true})
	defer srv.Close()
	kept := srv.AddPhone(cloudapitest.Phone{})                    // also in the WhatsApp Business app
	moved := srv.AddPhone(cloudapitest.Phone{CloudAPIOnly: true}) // on Cloud API only

	cfg := srv.ClientConfig()
	cfg.Limiter = &cloudapi.MemLimiter{Throughput: func(phone graph.PhoneNumberID) int {
		if phone == moved.ID {
			return cloudapi.StandardRate
		}
		return cloudapi.CoexistenceRate
	}}
	client, err := cloudapi.NewClient(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}

	began := time.Now()
	for i := range 5 {
		_, err = client.Messages.Send(context.Background(), kept.ID, cloudapi.Message{
			To:       cloudapi.ToPhone(fmt.Sprintf("+1 555 010 01%02d", 30+i)),
			Content:  &cloudapi.Text{Body: "We open at 7 tomorrow."},
			Priority: cloudapi.PriorityCampaign, // replies go first
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(len(srv.Sent()), "messages")
	fmt.Println("a twentieth of a second between them, at least:",
		time.Since(began) >= 4*time.Second/cloudapi.CoexistenceRate)
	// Output:
	// 5 messages
	// a twentieth of a second between them, at least: true
}

// A send that would have to wait for longer than the context lives fails at once.
func ExampleMemLimiter_Wait() {
	limiter := new(cloudapi.MemLimiter)
	turn := cloudapi.SendRequest{From: "100000000000001", To: cloudapi.ToPhone("+1 555 010 0142")}
	fmt.Println(limiter.Wait(context.Background(), turn))
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := limiter.Wait(ctx, turn) // the next place is 50 ms away
	fmt.Println(err != nil)
	// Output:
	// <nil>
	// true
}
