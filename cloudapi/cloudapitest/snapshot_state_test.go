package cloudapitest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/memento/mementotest"
)

// populated is a server, whose clock stands, with something of everything.
func populated(t *testing.T) *Server {
	t.Helper()
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	s := NewServer(Config{Clock: func() time.Time { return now }})
	t.Cleanup(s.Close)
	owner := s.AddBusiness(Business{Name: "Made-up business"})
	account := s.AddWABA(WABA{OwnerBusinessID: owner.ID})
	number := s.AddPhone(Phone{WABAs: []graph.WABAID{account.ID}, CloudAPIOnly: true})
	ada := graph.Identity{UserID: "US.1", WAID: "15550100142"}
	s.AddUser(ada)
	s.AddToken(Token{WABAs: []graph.WABAID{account.ID}})
	s.AddCode(AuthorizationCode{Token: Token{Scopes: []string{ScopeMessaging}, WABAs: []graph.WABAID{account.ID}}})
	s.Subscribe(AppSubscription{CallbackURL: "http://127.0.0.1:9/", Fields: []string{"messages"}})
	s.SetRouting(number.ID, Routing{On: true, Roles: []graph.HandoverRole{graph.RoleAIAgent}})
	s.SetThread(number.ID, ada, OwnerOther)
	s.PermitCalls(number.ID, ada, cloudapi.PermissionTemporary)
	s.RecordInbound(number.ID, ada, "wamid.1")
	s.AddTemplate(Template{WABAID: account.ID, TemplateCreateParams: cloudapi.TemplateCreateParams{
		Name: "made_up", Language: "en_US", Category: graph.TemplateMarketing,
		Components: []cloudapi.ComponentDefinition{{
			Type: cloudapi.ComponentBody, Text: "Hello {{1}}", SecurityRecommendation: new(true),
			Example: &cloudapi.TemplateExample{HeaderText: []string{"Ada"}},
			Buttons: []cloudapi.ButtonDefinition{{Type: cloudapi.ButtonDefinitionQuickReply, Text: "Yes"}},
		}},
		Optimization: &cloudapi.OptimizationSpec{BidAmount: 1},
	}})
	s.AddMedia(Media{PhoneNumberID: number.ID, Body: []byte("made up")})
	s.AddCall(Call{PhoneNumberID: number.ID, Person: ada})
	s.AddGroup(Group{PhoneNumberID: number.ID, Participants: []graph.Identity{ada}})
	s.AddCreditLine(owner.ID)
	s.Inject(Fault{Code: graph.CodeRateLimitHit, Times: 3})
	s.Chaos(Chaos{Rate: 0.5, Seed: 1})
	s.Delay(time.Second)
	s.KeepLast(100)
	w, p := s.waba(account.ID), s.phone(number.ID)
	w.users = []assignedUser{{"1", []string{"MANAGE"}}}
	s.put(&object{id: "flow", kind: kindFlow, waba: w, value: &flow{id: "flow"}})
	s.put(&object{id: "qr:1", kind: kindQR, phone: p, value: &qrCode{Code: "1"}})
	s.put(&object{id: "allocation", kind: kindAllocation, value: &allocation{id: "allocation"}})
	s.put(&object{id: "group", kind: kindTemplateGroup, waba: w, value: &templateGroup{id: "group"}})
	s.put(&object{id: "upload", kind: kindUpload, value: &upload{body: []byte("half")}})
	s.throughput(p).take(now)
	mementotest.Fill(mementotest.SimulatorRules(), s)
	return s
}

// Everything that can be reached is changed in place, and is back after a restore. A member that a
// snapshot forgets, or shares with the server, fails here; so does one that is added later.
func TestARestoredServerIsAsItWas(t *testing.T) {
	t.Parallel()
	s, rules := populated(t), mementotest.SimulatorRules()
	was := mementotest.Dump(rules, s)
	snap, err := s.Snapshot()
	require.NoError(t, err)
	for range 2 { // the second restore is of a snapshot that was restored before
		mementotest.Spoil(rules, s)
		require.NotEqual(t, was, mementotest.Dump(rules, s))
		require.NoError(t, s.Restore(snap))
		require.Equal(t, was, mementotest.Dump(rules, s))
	}
}

// Every kind of object is in the test above.
func TestEveryKindOfObjectIsPopulated(t *testing.T) {
	t.Parallel()
	have := map[kind]bool{}
	for _, o := range populated(t).objects {
		have[o.kind] = true
	}
	for _, k := range []kind{
		kindMedia, kindTemplate, kindFlow, kindGroup, kindCall, kindQR, kindCredit, kindAllocation, kindTemplateGroup,
		kindUpload,
	} {
		require.True(t, have[k], k)
	}
}
