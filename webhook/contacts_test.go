package webhook_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/webhook"
)

// strangers returns n contacts of nobody else, with a comma behind each.
func strangers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"wa_id":"155501007%02d","user_id":"US.7%02d","profile":{"name":"Stranger"}},`, i, i)
	}
	return b.String()
}

// A few contacts are looked through and many have an index: both have to find the same person.
func TestManyContactsNameThePersonThatFewDo(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		message, contacts string
		want              string
		left              []string // members of contacts without a place
	}{
		"the number before the user id": {
			`"from":"15550100123","from_user_id":"US.1"`,
			`{"user_id":"US.1","profile":{"name":"other"}},{"wa_id":"15550100123","profile":{"name":"right"}}`, "right",
			nil,
		},
		"the user id before a spelling of the number": {
			`"from":"5215512345678","from_user_id":"US.1"`,
			`{"wa_id":"525512345678","profile":{"name":"other"}},{"user_id":"US.1","profile":{"name":"right"}}`,
			"right", nil,
		},
		"the number before a spelling of it": {
			`"from":"5215512345678"`,
			`{"wa_id":"525512345678","profile":{"name":"other"}},{"wa_id":"5215512345678","profile":{"name":"right"}}`,
			"right", nil,
		},
		"the number before another spelling of it": {
			`"from":"525512345678"`,
			`{"wa_id":"5215512345678","profile":{"name":"other"}},{"wa_id":"525512345678","profile":{"name":"right"}}`,
			"right", nil,
		},
		"a spelling of the number": {
			`"from":"5215512345678"`, `{"user_id":"US.1","profile":{"name":"other"}},` +
				`{"wa_id":"525512345678","profile":{"name":"right"}}`, "right", nil,
		},
		"the first of two": {
			`"from":"15550100123"`, `{"wa_id":"15550100123","profile":{"name":"right"}},` +
				`{"wa_id":"15550100123","profile":{"name":"other"}}`, "right", nil,
		},
		"digits that are a user id": {
			`"from":"15550100123"`, `{"user_id":"15550100123","profile":{"name":"other"}},` +
				`{"wa_id":"15550100999","profile":{"name":"other"}}`, "", nil,
		},
		"nobody": {`"from":""`, `{"profile":{"name":"other"}},{"profile":{"name":"other"}}`, "", nil},
		"not one that does not fit its type": {
			`"from":"15550100123","from_user_id":"US.1"`,
			`{"wa_id":"15550100123","profile":{"name":["odd"]}},{"user_id":"US.1","profile":{"name":"right"}}`, "right",
			nil,
		},
		"only one that does not fit its type": {
			`"from":"15550100123"`, `{"wa_id":"15550100123","profile":{"name":"odd","country_code":{}}},` +
				`{"wa_id":"15550100999","profile":{"name":"other"}}`, "", nil,
		},
		"ids that contradict": {
			`"from":"15550100123","from_user_id":"US.1"`,
			`{"wa_id":"15550100999","profile":{"name":"other"}},` +
				`{"wa_id":"15550100123","user_id":"US.2","profile":{"name":"right"}}`,
			"right", []string{`user_id="US.2"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, many := range []string{"", strangers(3), strangers(14), strangers(15), strangers(40)} {
				for _, contacts := range []string{many + tt.contacts, tt.contacts + strings.TrimSuffix(","+many, ",")} {
					events := decode(t, inValue("messages",
						`"contacts":[`+contacts+`],"messages":[{"id":"m",`+tt.message+`,"text":{"body":"x"}}]`))
					m, ok := events[0].(*webhook.IncomingMessage)
					require.True(t, ok, "%T", events[0])
					require.Equal(t, tt.want, m.ProfileName, contacts)
					var left []string
					for _, member := range unknownPaths(m.EventInfo) {
						if _, of, found := strings.Cut(member, "]."); found &&
							strings.HasPrefix(member, "value.contacts[") {
							left = append(left, of)
						}
					}
					require.Equal(t, tt.left, left, contacts)
				}
			}
		})
	}
}

// What is known of the contacts of one change says nothing about those of the next, in the same
// body or in another.
func TestNoChangeFindsThePersonOfAnother(t *testing.T) {
	t.Parallel()
	// change has n contacts from number on, in falling order if step is -1, and a message of each.
	change := func(title string, n, number, step int) (value string, want []string) {
		var contacts, messages []string
		for i := range n {
			waid := fmt.Sprintf("15550100%03d", number+step*i)
			contacts = append(contacts, fmt.Sprintf(`{"wa_id":"%s","profile":{"name":"%s %s"}}`, waid, title, waid))
			messages = append(messages, fmt.Sprintf(`{"id":"m%d","from":"%s","text":{"body":"x"}}`, i, waid))
			want = append(want, title+" "+waid)
		}
		return `"contacts":[` + strings.Join(contacts, ",") + `],"messages":[` + strings.Join(messages, ",") + `]`, want
	}
	names := func(body string) (got []string) {
		for _, ev := range decode(t, body) {
			m, ok := ev.(*webhook.IncomingMessage)
			require.True(t, ok, "%T", ev)
			require.Empty(t, m.Unknown)
			got = append(got, m.ProfileName)
		}
		return got
	}
	first, wantFirst := change("first", 90, 200, 1)
	second, wantSecond := change("second", 17, 216, -1)
	third, wantThird := change("third", 20, 500, 1)
	// Decoders are used again, by whoever comes next.
	for range 20 {
		require.Equal(t, wantFirst, names(inValue("messages", first)))
		require.Equal(t, wantSecond, names(inValue("messages", second)))
		require.Equal(t, wantThird, names(inValue("messages", third)))
	}
	open, end, _ := strings.Cut(inValue("messages", "|"), "|")
	between := `}},{"field":"messages","value":{`
	require.Equal(t, append(append(wantFirst, wantSecond...), wantThird...),
		names(open+first+between+second+between+third+end))
}
