package main

import (
	"bytes"
	"log"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
)

func TestTheTextArrives(t *testing.T) {
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(srv.Close)
	cfg := srv.ClientConfig()
	t.Setenv("GRAPH_URL", cfg.BaseURL)
	t.Setenv("ACCESS_TOKEN", cfg.AccessToken.Reveal())
	t.Setenv("PHONE_NUMBER_ID", string(srv.AddPhone(cloudapitest.Phone{}).ID))
	t.Setenv("TO", "+1 555 010 0123")
	var out bytes.Buffer
	log.SetOutput(&out)
	main()
	require.Len(t, srv.Sent(), 1)
	sent := srv.Sent()[0]
	require.Equal(t, "Your order is on its way.", sent.Text())
	require.Equal(t, "15550100123", sent.To.WAID)
	require.Contains(t, out.String(), "sent as "+string(sent.ID))
}
