// Package webhooktest helps to test what stands behind a webhook endpoint: bodies as Meta sends them, signed requests,
// and a handler that remembers what it was given. It uses no test framework.
//
//	recorder := new(webhooktest.Recorder)
//	endpoint, err := webhook.NewEndpoint(cfg, webhook.Dispatch(recorder))
//	…
//	body := webhooktest.Sample("messages", "text")
//	answer := httptest.NewRecorder()
//	endpoint.ServeHTTP(answer, webhooktest.NewRequest(body, appSecret))
//	// answer.Code is 200, recorder.Events() holds one *webhook.IncomingMessage
package webhooktest
