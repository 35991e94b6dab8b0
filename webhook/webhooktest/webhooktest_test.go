package webhooktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

func Example() {
	recorder := new(webhooktest.Recorder)
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: "app-secret", VerifyToken: "verify-token"},
		webhook.Dispatch(recorder))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := httptest.NewRecorder()
	endpoint.ServeHTTP(answer, webhooktest.NewRequest(webhooktest.Sample("messages", "text"), "app-secret"))
	fmt.Printf("%d %T\n", answer.Code, recorder.Events()[0])
	// Output: 200 *webhook.IncomingMessage
}

func ExampleSample() {
	events, _ := webhook.Decode(webhooktest.Sample("history", "declined"))
	fmt.Println(events[0].(*webhook.HistoryFailure).Declined())
	// Output: true
}

func ExampleSamples() {
	for _, s := range webhooktest.Samples() {
		if s.Field == "history" {
			fmt.Println(s.Case)
		}
	}
	// Output:
	// chunk
	// chunk-user-id
	// chunk-username-only
	// declined
	// media
	// media-outbound
	// progress-only
}

func TestSamplesAreMadeUp(t *testing.T) {
	t.Parallel()
	for _, s := range webhooktest.Samples() {
		body := webhooktest.Sample(s.Field, s.Case)
		require.True(t, json.Valid(body), s)
		for digits := range strings.FieldsFuncSeq(string(body), func(r rune) bool { return r < '0' || r > '9' }) {
			if strings.HasPrefix(digits, "1555") {
				require.Regexp(t, `^155501001\d\d$`, digits, s)
			}
		}
	}
	require.Panics(t, func() { webhooktest.Sample("messages", "no-such-case") })
}

func TestNewRequestIsSigned(t *testing.T) {
	t.Parallel()
	body := []byte(`{"a":"\u00e9"}`)
	r := webhooktest.NewRequest(body, "secret")
	got, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, body, got)
	require.NoError(t, webhook.Verify(got, r.Header.Get(webhook.SignatureHeader), "secret"))
}

func TestRecorder(t *testing.T) {
	t.Parallel()
	r := new(webhooktest.Recorder)
	require.NoError(t, r.Handle(context.Background(), new(webhook.UnknownEvent)))
	down := errors.New("down")
	r.Fail(down)
	require.ErrorIs(t, r.Handle(context.Background(), new(webhook.UnknownEvent)), down)
	require.Len(t, r.Events(), 2)
	for range 2 {
		require.ErrorIs(t, r.Handle(context.Background(), &webhook.IncomingMessage{ID: "m"}), down)
	}
	n, err := r.Handled(context.Background(), "m")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	r.Reset()
	n, err = r.Handled(context.Background(), "m")
	require.NoError(t, err)
	require.Zero(t, n)
	require.Empty(t, r.Events())
}
