package cloudapi_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// Two blue ticks for the customer.
func ExampleMessagesService_MarkRead() {
	srv, client, phone := shop()
	defer srv.Close()
	srv.RecordInbound(phone.ID, ada, "wamid.1")

	fmt.Println(client.Messages.MarkRead(context.Background(), phone.ID, "wamid.1"))
	fmt.Println(srv.Reads()[0].MessageID)
	// Output:
	// <nil>
	// wamid.1
}

// A bot that needs a few seconds says so. The message is marked as read with it.
func ExampleMessagesService_ShowTyping() {
	srv, client, phone := shop()
	defer srv.Close()
	srv.RecordInbound(phone.ID, ada, "wamid.1")

	fmt.Println(client.Messages.ShowTyping(context.Background(), phone.ID, "wamid.1"))
	fmt.Println(srv.Reads()[0].Typing)
	// Output:
	// <nil>
	// true
}

// Marketing templates through Meta's Marketing Messages API, which may choose whom to reach.
func ExampleMessagesService_SendMarketing() {
	srv, client, phone := shop()
	defer srv.Close()
	addTemplate(srv, phone, "summer_sale", "Our summer sale starts today.")

	_, err := client.Messages.SendMarketing(context.Background(), phone.ID, cloudapi.Message{
		To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Template{Name: "summer_sale", Language: "en_US"},
	}, cloudapi.MarketingOptions{Policy: cloudapi.ProductPolicyStrict})
	fmt.Println(err, len(srv.Sent()))
	// Output: <nil> 1
}

// A message is checked without being sent, as a form of a product does.
func ExampleMessage_Check() {
	m := cloudapi.Message{To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{}}
	err := m.Check()
	fmt.Println(errors.Is(err, cloudapi.ErrValidation))
	for _, problem := range cloudapi.ValidationErrors(err) {
		fmt.Println(problem.Text)
	}
	// Output:
	// true
	// Text.Body is empty
}

// All rules that a message breaks, one by one: is a value missing, and is it a limit of Meta's?
func ExampleValidationErrors() {
	m := cloudapi.Message{To: cloudapi.ToPhone("555"), Content: &cloudapi.Text{}}
	for _, problem := range cloudapi.ValidationErrors(m.Check()) {
		fmt.Println(problem.Missing, problem.Limit)
	}
	// Output:
	// false false
	// true true
}

// A queue of your own asks the error whether a second try can do harm.
func ExampleError_SafeToRetry() {
	srv, client, phone := shop()
	defer srv.Close()
	message := cloudapi.Message{To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: "Ready!"}}

	for _, fault := range []cloudapitest.Fault{
		{Code: graph.CodeRateLimitHit, Times: 100}, // Meta refuses: nothing was sent
		{Drop: true, Accept: true},                 // the answer is lost: it may have been sent
	} {
		srv.Inject(fault)
		_, err := client.Messages.Send(context.Background(), phone.ID, message)
		if e, ok := errors.AsType[*cloudapi.Error](err); ok {
			fmt.Println(e.Outcome, e.SafeToRetry())
		}
		srv.ClearFaults()
	}
	// Output:
	// refused true
	// unknown false
}

func ExampleToGroup() {
	to := cloudapi.ToGroup("Y2FwaV9ncm91cDox")
	fmt.Println(to.IsGroup(), to.Key())
	// Output: true Y2FwaV9ncm91cDox
}

// After a lost answer: was the message sent, and what became of it?
func ExampleMessagesService_HistoryEvents() {
	srv, client, phone := shop()
	defer srv.Close()
	ctx := context.Background()
	sent, err := client.Messages.Send(ctx, phone.ID, cloudapi.Message{
		To: cloudapi.ToPhone("+1 555 010 0142"), Content: &cloudapi.Text{Body: "Ready!"},
	})
	if err != nil {
		panic(err)
	}

	for entry, err := range client.Messages.History(ctx, phone.ID, cloudapi.MessageHistoryOptions{MessageID: sent.ID}) {
		if err != nil {
			panic(err)
		}
		for ev, err := range client.Messages.HistoryEvents(ctx, entry.ID, cloudapi.MessageHistoryEventOptions{}) {
			if err != nil {
				panic(err)
			}
			fmt.Println(ev.Status)
			break
		}
	}
	// Output: SENT
}

// Every send asks the limiter. A scheduler of your own asks without waiting.
func ExampleMemLimiter_Try() {
	limiter := new(cloudapi.MemLimiter)
	request := cloudapi.SendRequest{From: "100000000000001", To: cloudapi.ToPhone("+1 555 010 0142")}
	number, pair := limiter.Try(request)
	fmt.Println(number, pair) // it may go now
	number, _ = limiter.Try(request)
	fmt.Println(number > 0) // the number has to wait for its next place
	// Output:
	// 0s 0s
	// true
}
