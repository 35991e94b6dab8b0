package webhooktest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// A handler that remembers what came, and fails when it is told to.
func ExampleRecorder() {
	var recorder webhooktest.Recorder
	receiver := webhook.Dispatch(&recorder)
	delivery := webhook.Delivery{Body: webhooktest.Sample("messages", "text")}

	recorder.Fail(errors.New("the database is down"))
	err := receiver.Receive(context.Background(), delivery)
	fmt.Println(err != nil)
	recorder.Fail(nil)
	fmt.Println(receiver.Receive(context.Background(), delivery)) // Meta repeats
	fmt.Println(len(recorder.Events()))
	// Output:
	// true
	// <nil>
	// 2
}
