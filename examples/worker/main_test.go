package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook/webhooktest"
)

const (
	secret = "made-up-app-secret"
	token  = "made-up-verify-token"
)

func serve(t *testing.T, queue *spool, r *http.Request) int {
	t.Helper()
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: secret, VerifyToken: token}, queue)
	require.NoError(t, err)
	answer := httptest.NewRecorder()
	endpoint.ServeHTTP(answer, r)
	return answer.Code
}

func TestADeliveryOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	queue, err := openSpool(dir)
	require.NoError(t, err)
	body := webhooktest.Sample("messages", "text-unicode")
	require.Equal(t, http.StatusOK, serve(t, queue, webhooktest.NewRequest(body, secret)))
	queue.close()

	queue, err = openSpool(dir)
	require.NoError(t, err)
	defer queue.close()
	var got []webhook.Delivery
	down := errors.New("host: the database is down")
	keep := func(d webhook.Delivery) error { got = append(got, d); return down }
	require.ErrorIs(t, queue.each(keep), down)
	require.ErrorIs(t, queue.each(keep), down, "what was not handled stays")
	require.Len(t, got, 2)
	require.Equal(t, body, got[0].Body)
	require.Equal(t, got[0], got[1])
	require.WithinDuration(t, time.Now(), got[0].ReceivedAt, time.Minute)
	require.NoError(t, queue.each(func(webhook.Delivery) error { return nil }))
	require.NoError(t, queue.each(func(webhook.Delivery) error { return errors.New("it is still there") }))
}

func TestAForgedDeliveryIsNotQueued(t *testing.T) {
	t.Parallel()
	queue, err := openSpool(t.TempDir())
	require.NoError(t, err)
	defer queue.close()
	r := webhooktest.NewRequest(webhooktest.Sample("messages", "text"), "another-secret")
	require.Equal(t, http.StatusUnauthorized, serve(t, queue, r))
	require.NoError(t, queue.each(func(webhook.Delivery) error { return errors.New("it is there") }))
}

func TestMetaKeepsWhatTheDiskDoesNotTake(t *testing.T) {
	t.Parallel()
	queue, err := openSpool(t.TempDir())
	require.NoError(t, err)
	queue.close()
	r := webhooktest.NewRequest(webhooktest.Sample("messages", "text"), secret)
	require.Equal(t, http.StatusServiceUnavailable, serve(t, queue, r))
}

func TestTheQueueConforms(t *testing.T) {
	t.Parallel()
	queue, err := openSpool(t.TempDir())
	require.NoError(t, err)
	defer queue.close()
	endpoint, err := webhook.NewEndpoint(webhook.Config{AppSecret: secret, VerifyToken: token}, queue)
	require.NoError(t, err)
	recorder := new(webhooktest.Recorder)
	ctx, cancel := context.WithCancel(t.Context())
	var worker sync.WaitGroup
	worker.Go(func() { work(ctx, queue, webhook.Dispatch(recorder)) })
	require.NoError(t, webhooktest.Conformance(t.Context(), webhooktest.Target{
		Handler: endpoint, AppSecret: secret, VerifyToken: token, Handled: recorder.Handled,
	}))
	cancel()
	worker.Wait()
}
