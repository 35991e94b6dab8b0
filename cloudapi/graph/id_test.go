package graph_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-9f2bcc2b/whatsapp-coexistence/cloudapi/graph"
)

// every has one id of each kind, all under the same JSON value.
type every struct {
	WABA     graph.WABAID        `json:"waba"`
	Phone    graph.PhoneNumberID `json:"phone"`
	Business graph.BusinessID    `json:"business"`
	App      graph.AppID         `json:"app"`
	Message  graph.MessageID     `json:"message"`
	Media    graph.MediaID       `json:"media"`
	Template graph.TemplateID    `json:"template"`
	Upload   graph.UploadHandle  `json:"upload"`
	Group    graph.GroupID       `json:"group"`
	User     graph.UserID        `json:"user"`
}

func (e every) values() []string {
	return []string{
		string(e.WABA), string(e.Phone), string(e.Business), string(e.App), string(e.Message),
		string(e.Media), string(e.Template), string(e.Upload), string(e.Group), string(e.User),
	}
}

var everyName = []string{"waba", "phone", "business", "app", "message", "media", "template", "upload", "group", "user"}

func TestIDsDecodeDigitForDigit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ json, want string }{
		"string":                  {`"100200300400500"`, "100200300400500"},
		"number":                  {`100200300400500`, "100200300400500"},
		"number above 2^53":       {`9007199254740993`, "9007199254740993"},
		"number above 2^64":       {`118446744073709551617`, "118446744073709551617"},
		"string above 2^53":       {`"9007199254740993"`, "9007199254740993"},
		"negative number":         {`-1`, "-1"},
		"number with an exponent": {`1.5e10`, "1.5e10"},
		"leading zeros":           {`"007"`, "007"},
		"escapes":                 {`"wamid.\u0041\/B=="`, "wamid.A/B=="},
		"empty string":            {`""`, ""},
		"null":                    {`null`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			object := map[string]json.RawMessage{}
			for _, n := range everyName {
				object[n] = json.RawMessage(tt.json)
			}
			body, err := json.Marshal(object)
			require.NoError(t, err)
			got := every{Phone: "stays unless it is overwritten"}
			require.NoError(t, json.Unmarshal(body, &got))
			for i, v := range got.values() {
				require.Equal(t, tt.want, v, everyName[i])
			}
		})
	}
}

func TestIDsRefuseOtherJSON(t *testing.T) {
	t.Parallel()
	for _, n := range everyName {
		for _, v := range []string{`true`, `{}`, `["1"]`} {
			var got every
			require.Error(t, json.Unmarshal([]byte(`{"`+n+`":`+v+`}`), &got), "%s: %s", n, v)
		}
	}
	for _, v := range []string{``, ` `, `12x`, `-`, `01`, `"open`, `nul`} {
		var id graph.WABAID
		require.Error(t, id.UnmarshalJSON([]byte(v)), "%q", v)
		require.Empty(t, id)
	}
}

func TestIDsEncodeAsStrings(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(struct {
		WABA graph.WABAID     `json:"waba"`
		Tpl  graph.TemplateID `json:"tpl,omitzero"`
	}{WABA: "9007199254740993"})
	require.NoError(t, err)
	require.JSONEq(t, `{"waba":"9007199254740993"}`, string(b))
}

// An id that was read is written as the string that reads back the same, and a number keeps every
// digit.
func FuzzID(f *testing.F) {
	for _, seed := range []string{
		`"1"`, `9007199254740993`, `null`, `-0.5E+3`, `"\ud800"`, `{}`, `"wamid.x"`, ``, ` 1 `, "\"\xff\"", "\v0",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var id graph.TemplateID
		if err := id.UnmarshalJSON(b); err != nil {
			require.Empty(t, id)
			return
		}
		require.True(t, json.Valid(b), "accepted what is not JSON: %q", b)
		var n json.Number
		if json.Unmarshal(b, &n) == nil && n != "" {
			require.Equal(t, n.String(), string(id))
		}
		again, err := json.Marshal(id)
		require.NoError(t, err)
		var second graph.TemplateID
		require.NoError(t, json.Unmarshal(again, &second))
		require.Equal(t, id, second)
	})
}
