package cloudapitest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/cloudapitest"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

func TestAConversationBelongsToOneResponder(t *testing.T) {
	t.Parallel()
	srv, client, phone := fake(t)
	addTemplate(srv, phone, "sale")
	ada := graph.Identity{WAID: "15550100142"}
	p := cloudapi.ThreadParams{To: cloudapi.ToPhone("+" + ada.WAID), Metadata: "wants a person"}
	send := func(c cloudapi.Content) error {
		_, err := client.Messages.Send(t.Context(), phone.ID, cloudapi.Message{To: p.To, Content: c})
		return err
	}
	hello, sale := &cloudapi.Text{Body: "hello"}, &cloudapi.Template{Name: "sale", Language: "en_US"}
	srv.RecordInbound(phone.ID, ada, "wamid.1")
	require.NoError(t, send(hello), "one responder")

	srv.SetRouting(phone.ID, cloudapitest.Routing{On: true, Roles: []graph.HandoverRole{graph.RoleAIAgent}})
	require.ErrorIs(t, send(hello), graph.ErrNotOwner, "idle")
	require.NoError(t, send(sale), "a template needs no ownership")
	srv.SetThread(phone.ID, ada, cloudapitest.OwnerUs)
	require.NoError(t, send(hello))

	var moved []string
	srv.OnThread(func(t cloudapitest.Thread) { moved = append(moved, t.Action+" "+string(t.Role)) })
	_, err := client.Threads.Pass(t.Context(), phone.ID, "", p)
	require.ErrorIs(t, err, graph.CodeInvalidParameter, "there is no escalation partner")
	got, err := client.Threads.Pass(t.Context(), phone.ID, graph.RoleAIAgent, p)
	require.NoError(t, err)
	require.NotEmpty(t, got.RequestID)
	require.ErrorIs(t, send(hello), graph.CodeThreadOwnedByOther)
	_, err = client.Threads.Release(t.Context(), phone.ID, p)
	require.Error(t, err, "it is not ours")
	_, err = client.Threads.Take(t.Context(), phone.ID, p)
	require.ErrorIs(t, err, graph.CodeThreadTakeNotPermitted)

	srv.SetRouting(phone.ID, cloudapitest.Routing{On: true, Escalation: true})
	_, err = client.Threads.Take(t.Context(), phone.ID, p)
	require.NoError(t, err)
	require.Equal(t, cloudapitest.OwnerUs, srv.Thread(phone.ID, ada))
	_, err = client.Threads.Release(t.Context(), phone.ID, p)
	require.NoError(t, err)
	require.Equal(t, cloudapitest.OwnerIdle, srv.Thread(phone.ID, ada))
	require.NoError(t, send(hello), "the escalation partner takes over by sending")
	require.Equal(t, cloudapitest.OwnerUs, srv.Thread(phone.ID, ada))
	srv.Advance(24 * time.Hour)
	require.Equal(t, cloudapitest.OwnerIdle, srv.Thread(phone.ID, ada))
	require.Equal(t, []string{"pass ai_agent", "take escalation", "release "}, moved)
}
