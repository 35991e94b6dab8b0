package cloudapi_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
	"github.com/seed-9f2bcc2b/whatsapp-coexistence/internal/phonenumber"
)

func TestPhoneNumbersAreSentAsPlusAndDigits(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"+15550100123": "+15550100123", "15550100123": "+15550100123", "+1 (555) 010-0123": "+15550100123",
		" +1.555.010.0123\n": "+15550100123", "+1\u00a0555\u2011010\u20110123": "+15550100123", "6831234": "+6831234",
		"": "", "+": "", "555-0123 ext 4": "", "0015550100123": "", "015550100123": "", "+0155": "",
		"++15550100123": "",
		"1+5550100123":  "", "123456": "", "1234567890123456": "", "１５５５０１００１２３": "", "15550100123@s.whatsapp.net": "",
		"US.13491208655302741918": "", "Y2FwaV9ncm91cDo": "", "wamid.HBg": "",
	}
	for in, want := range tests {
		require.Equal(t, want, cloudapi.ToPhone(in).Key(), "%q", in)
	}
}

func TestRecipientsAreComparable(t *testing.T) {
	t.Parallel()
	require.Equal(t, cloudapi.ToPhone("+1 555 010 0123"), cloudapi.ToIdentity(graph.Identity{WAID: "15550100123"}))
	require.NotEqual(t, cloudapi.ToUser("US.1"), cloudapi.ToGroup("US.1"))
	byRecipient := map[cloudapi.Recipient]int{cloudapi.ToPhone("+1 555 010 0123"): 1}
	require.Equal(t, 1, byRecipient[cloudapi.ToPhone("15550100123")])
	require.True(t, cloudapi.Recipient{}.IsZero())
	require.False(t, cloudapi.ToPhone("x").IsZero())
	require.True(t, cloudapi.ToGroup("US.1").IsGroup())
	require.False(t, cloudapi.ToUser("US.1").IsGroup())
}

func FuzzRecipient(f *testing.F) {
	for _, s := range []string{
		"+1 (555) 010-0123", "15550100123", "US.13491208655302741918", "US.ENT.1a", "Y2FwaV9ncm91cDo=", "", "\xff",
		"０",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := cloudapi.ToUser(graph.UserID(s)).Key(); got != s {
			t.Fatalf("a user id became %q, was %q", got, s)
		}
		if got := cloudapi.ToGroup(graph.GroupID(s)).Key(); got != s {
			t.Fatalf("a group id became %q, was %q", got, s)
		}
		key := cloudapi.ToPhone(s).Key()
		if key == "" {
			return
		}
		digits, ok := strings.CutPrefix(key, "+")
		if !ok || digits != phonenumber.Digits(s) || len(digits) < 7 || len(digits) > 15 {
			t.Fatalf("%q became %q", s, key)
		}
		if again := cloudapi.ToPhone(key); again != cloudapi.ToPhone(s) {
			t.Fatalf("%q is not stable", key)
		}
	})
}
