package webhooktest_test

import (
	"fmt"
	"net/http/httptest"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

// A signed request goes through the endpoint like one of Meta's.
func ExampleNewRequest() {
	cfg := webhook.Config{AppSecret: "made-up-app-secret", VerifyToken: "made-up-verify-token"}
	endpoint, err := webhook.NewEndpoint(cfg, webhook.Dispatch(new(webhook.Mux)))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, secret := range []string{"made-up-app-secret", "another"} {
		answer := httptest.NewRecorder()
		body := webhooktest.Sample("messages", "text")
		endpoint.ServeHTTP(answer, webhooktest.NewRequest(body, graph.Secret(secret)))
		fmt.Println(answer.Code)
	}
	// Output:
	// 200
	// 401
}
