package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

func TestIdentityKey(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		id   graph.Identity
		want string
	}{
		"nothing known": {graph.Identity{}, ""},
		"user id first": {
			graph.Identity{UserID: "US.1001", ParentUserID: "US.ENT.1", WAID: "15550100123", Username: "u"},
			"US.1001",
		},
		"phone number": {
			graph.Identity{ParentUserID: "US.ENT.1", WAID: "15550100123", Username: "u"}, "15550100123",
		},
		"phone number, plus":   {graph.Identity{WAID: "+1 555 010-0123"}, "15550100123"},
		"odd phone number":     {graph.Identity{WAID: "unknown"}, "unknown"},
		"username":             {graph.Identity{ParentUserID: "US.ENT.1", Username: "u"}, "@u"},
		"nothing but a parent": {graph.Identity{ParentUserID: "US.ENT.1"}, "US.ENT.1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, tt.id.Key())
			require.Equal(t, tt.want == "", tt.id.IsZero(), "only nobody has no key")
		})
	}
}

func TestIsUserID(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"US.13491208655302741918": true,
		"US.ENT.1001":             true,
		"BR.x":                    true,
		"US.":                     false,
		"us.1001":                 false,
		"USA.1001":                false,
		"US 1001":                 false,
		"US.10 01":                false,
		"15550100123":             false,
		"+15550100123":            false,
		"120363@g.us":             false,
		"":                        false,
	} {
		require.Equal(t, want, graph.IsUserID(s), "%q", s)
	}
}

func TestEquivalenceKeyJoinsSpellings(t *testing.T) {
	t.Parallel()
	for name, spellings := range map[string][]string{
		"Mexican mobile":                 {"+52 1 55 5555 0123", "525555550123", "5215555550123"},
		"Argentine mobile":               {"+54 9 11 5555 0123", "541155550123", "5491155550123"},
		"Brazilian mobile":               {"+55 31 98888-0123", "553188880123", "5531988880123"},
		"Brazilian mobile, low area":     {"+55 11 97777-0123", "551177770123"},
		"one that has only one spelling": {"+1 555 010 0123", "15550100123", "1-555-010-0123"},
	} {
		want := graph.EquivalenceKey(spellings[0])
		for _, s := range spellings {
			require.Equal(t, want, graph.EquivalenceKey(s), "%s: %s", name, s)
		}
		require.Equal(t, want, graph.EquivalenceKey(want), "%s: the key of a key is itself", name)
	}
}

func TestEquivalenceKeyKeepsPeopleApart(t *testing.T) {
	t.Parallel()
	for name, pair := range map[string][2]string{
		"Brazilian landline and a mobile that starts with 9 and its digits": {"553132220123", "5531932220123"},
		"Brazilian landlines of two areas":                                  {"553132220123", "551132220123"},
		"Brazilian numbers that end alike":                                  {"5531988880123", "5521988880123"},
		"Mexican and American":                                              {"525555550123", "15555550123"},
		"longer than any number":                                            {"52155555501234", "5255555501234"},
		"Brazilian landline, twelve digits beginning like a mobile's area":  {"559932220123", "55932220123"},
	} {
		require.NotEqual(t, graph.EquivalenceKey(pair[0]), graph.EquivalenceKey(pair[1]), name)
	}
	require.Equal(t, "553132220123", graph.EquivalenceKey("+55 31 3222-0123"), "a landline keeps its digits")
}

// The key is digits, and stable: a key filed once is found again under itself.
func FuzzEquivalenceKey(f *testing.F) {
	for _, seed := range []string{"", "+55 31 98888-0123", "5215555550123", "5491155550123", "US.1001", "\xff9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, number string) {
		key := graph.EquivalenceKey(number)
		require.Equal(t, phonenumber.Digits(key), key)
		require.Equal(t, key, graph.EquivalenceKey(key))
	})
}
