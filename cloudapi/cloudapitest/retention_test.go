package cloudapitest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestALongRunKeepsTheLatestAlone(t *testing.T) {
	t.Parallel()
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(srv.Close)
	srv.KeepLast(8)
	phone := srv.AddPhone(cloudapitest.Phone{})
	client, err := cloudapi.NewClient(srv.ClientConfig())
	require.NoError(t, err)
	var last graph.MessageID
	for i := range 100 {
		sent, err := client.Messages.Send(t.Context(), phone.ID, cloudapi.Message{
			To: cloudapi.ToPhone("+15550100142"), Content: &cloudapi.Text{Body: fmt.Sprint(i)},
		})
		require.NoError(t, err)
		last = sent.ID
	}
	sent := srv.Sent()
	require.LessOrEqual(t, len(sent), 10)
	require.GreaterOrEqual(t, len(sent), 8)
	require.Equal(t, last, sent[len(sent)-1].ID)
	require.LessOrEqual(t, len(srv.Requests()), 11, "the latest request is entered after the cut")

	var entries []string
	for e, err := range client.Messages.History(t.Context(), phone.ID, cloudapi.MessageHistoryOptions{}) {
		require.NoError(t, err)
		entries = append(entries, string(e.ID))
	}
	require.Len(t, entries, len(sent))
	require.Contains(t, entries[0], "99", "an entry keeps its id when older ones are forgotten")
}

func TestFaultsAreTakenBack(t *testing.T) {
	t.Parallel()
	srv := cloudapitest.NewServer(cloudapitest.Config{})
	t.Cleanup(srv.Close)
	srv.Inject(cloudapitest.Fault{Code: 131000, Times: 3})
	srv.Inject(cloudapitest.Fault{Drop: true})
	require.Equal(t, 4, srv.Faults())
	srv.ClearFaults()
	require.Zero(t, srv.Faults())
}
