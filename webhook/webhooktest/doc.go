// Package webhooktest is a test kit for WhatsApp webhook endpoints: bodies as Meta sends them,
// signed requests, a handler that remembers what it was given, and a test that any endpoint should
// pass. It uses no test framework.
//
//	recorder := new(webhooktest.Recorder)
//	endpoint, err := webhook.NewEndpoint(cfg, webhook.Dispatch(recorder))
//	…
//	body := webhooktest.Sample("messages", "text")
//	answer := httptest.NewRecorder()
//	endpoint.ServeHTTP(answer, webhooktest.NewRequest(body, appSecret))
//	// answer.Code is 200, recorder.Events() holds one *webhook.IncomingMessage
//
// [Conformance] fires forged, broken, repeated and oversized deliveries at an endpoint, with the
// host's router and middleware around it, and lists what it does wrong. Told what the host handled
// and what its bot answered, it finds what was lost or handled twice, and answers that should not
// be sent, such as one to the business itself:
//
//	err = webhooktest.Conformance(ctx, webhooktest.Target{
//		Handler: router, Path: "/whatsapp", AppSecret: …, VerifyToken: …,
//		Handled: …, Answered: …,
//	})
//
// Guide: https://github.com/seed-9f2bcc2b/whatsapp-coexistence/blob/main/docs/testing.md
package webhooktest
