package coexistencetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
)

func TestThePricesOfAMonth(t *testing.T) {
	t.Parallel()
	p := new(Phone)
	price := func(kind string, at time.Time) string {
		return string(p.price(cloudapitest.SentMessage{Type: kind, At: at}))
	}
	november := time.Date(2026, 11, 30, 23, 59, 59, 0, time.UTC)
	const (
		free    = `{"pricing_model":"PMP","type":"free_customer_service","category":"service"}`
		billed  = `{"billable":true,"pricing_model":"PMP","type":"regular","category":"service"}`
		utility = `{"billable":true,"pricing_model":"PMP","type":"regular","category":"utility"}`
	)
	require.JSONEq(t, utility, price("template", november))
	require.Empty(t, price("reaction", november))
	for range 1000 {
		require.JSONEq(t, free, price("text", november))
	}
	require.JSONEq(t, billed, price("text", november))
	require.JSONEq(t, billed, price("image", november))
	require.JSONEq(t, free, price("text", november.Add(time.Second)), "the next month")
}
